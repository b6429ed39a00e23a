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
/// It knows where a value stands and not what it holds. A value that a filter of one's own has declared safe is trusted; one that
/// stands in an attribute is escaped there if the template went through [`harden_template`].
pub fn check_template(name: &str, source: &str) -> Vec<TemplateFault> {
    named(name, walk::walk(source).faults)
}

/// Reads a template as [`check_template`] does, and writes the filter `in_attribute` behind each value in a quoted attribute, a title
/// and a text area.
///
/// What is declared safe was made for a place between tags: its quotes would end the attribute, and what stands behind them would be
/// attributes of its own, such as `onclick`. The filter, [`in_attribute`], escapes them. `palisade::templates::load` does this by itself;
/// another engine that reads Jinja's syntax needs a filter of that name.
///
/// # Errors
///
/// The faults, if there are any.
///
/// # Example
///
/// ```
/// use palisade::html::harden_template;
///
/// let hardened = harden_template("note.html", r#"<p title="{{ note }}">{{ note }}</p>"#)?;
/// assert_eq!(hardened, r#"<p title="{{ (note)|in_attribute }}">{{ note }}</p>"#);
/// # Ok::<(), Vec<palisade::html::TemplateFault>>(())
/// ```
pub fn harden_template(name: &str, source: &str) -> Result<String, Vec<TemplateFault>> {
    let walked = walk::walk(source);
    if walked.faults.is_empty() {
        return Ok(walked.rewritten);
    }
    Err(named(name, walked.faults))
}

/// Escapes what stands for itself in HTML for a quoted attribute: quotes and angle brackets become entities, entities stay.
///
/// # Example
///
/// ```
/// use palisade::html::in_attribute;
///
/// assert_eq!(in_attribute("<b class=\"x\">1 &lt; 2</b>"), "&lt;b class=&quot;x&quot;&gt;1 &lt; 2&lt;/b&gt;");
/// ```
pub fn in_attribute(html: &str) -> String {
    let mut escaped = String::with_capacity(html.len() + html.len() / 8);
    for character in html.chars() {
        match character {
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character => escaped.push(character),
        }
    }
    escaped
}

fn named(name: &str, faults: Vec<(usize, String)>) -> Vec<TemplateFault> {
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
