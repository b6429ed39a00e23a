//! Where in a page a template puts its values, and whether they can do harm there: found when templates are loaded, not when they are attacked.
//!
//! Escaping makes a value harmless between tags and in quoted attributes, and nowhere else (CWE-79). In an attribute without
//! quotes a space ends it; in `onclick`, in a style and in a script it is code; in `href` it may be `javascript:`. Autoescape
//! does not know where it is. This reader does: it follows the page as a browser's tokenizer would, through `{% if %}` and `{% for %}`,
//! and says of each `{{ … }}` that stands in such a place which filter it needs there, or that no filter would help.
//!
//! It reads templates of Jinja's syntax (minijinja, askama, tera). The module `templates` asks it by itself; with
//! another engine, call it in a test.

mod expression;
mod machine;
mod script;
mod walk;

use std::fmt;

/// A value that stands in a dangerous place of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateFault {
    /// The template's name.
    pub name: String,
    /// The line, from one.
    pub line: usize,
    /// What is wrong there, and what to write instead.
    pub reason: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.name, self.line, self.reason)
    }
}

/// Reads a template and lists the places where a value could become script, or where its context cannot be told.
///
/// # Example
///
/// ```
/// use palisade::html::check_template;
///
/// assert!(check_template("ok.html", r#"<a href="{{ link|url }}" title="{{ title }}">{{ text }}</a>"#).is_empty());
/// let faults = check_template("note.html", "<p>\n<a href={{ link }}>x</a>");
/// assert_eq!(
///     faults[0].to_string(),
///     "note.html:2: {{ link }} stands in the attribute href without quotes, where a space ends it: write href=\"{{ … }}\"",
/// );
/// ```
///
/// # Security
///
/// It knows where a value stands and not what it holds. A value that a filter of one's own has declared safe is trusted.
pub fn check_template(name: &str, source: &str) -> Vec<TemplateFault> {
    faults_of(name, walk::walk(source).faults)
}

/// Reads a template as [`check_template`] does, and gives it with the filter `attribute` behind each value of an attribute.
#[cfg(feature = "minijinja")]
pub(crate) fn guarded(name: &str, source: &str) -> Result<String, Vec<TemplateFault>> {
    let seen = walk::walk(source);
    if !seen.faults.is_empty() {
        return Err(faults_of(name, seen.faults));
    }
    let mut guarded = String::with_capacity(source.len() + seen.in_attributes.len() * 16);
    let mut read = 0;
    for value in seen.in_attributes {
        guarded.push_str(source.get(read..value.start).unwrap_or_default());
        guarded.push_str(" (");
        guarded.push_str(source.get(value.clone()).unwrap_or_default());
        guarded.push_str(")|attribute ");
        read = value.end;
    }
    guarded.push_str(source.get(read..).unwrap_or_default());
    Ok(guarded)
}

fn faults_of(name: &str, faults: Vec<(usize, String)>) -> Vec<TemplateFault> {
    faults
        .into_iter()
        .map(|(line, reason)| TemplateFault {
            name: name.to_owned(),
            line,
            reason,
        })
        .collect()
}

#[cfg(test)]
mod tests;
