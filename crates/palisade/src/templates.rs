//! Templates of minijinja that cannot be written so that a value becomes script (threat `cross-site-scripting`).
//!
//! [`environment`] escapes whatever a template prints, in files of every name, with Django's entities; it refuses to print what is not
//! there; and it has the filters for the places where escaping is not enough. [`load`] reads each template before it is used and
//! refuses one whose values stand in a dangerous place, with file and line ([`crate::html::check_template`]).
//!
//! | where | write | what it does |
//! |---|---|---|
//! | text, quoted attributes | `{{ x }}` | escapes |
//! | `href`, `src`, `action` … | `{{ x|url }}` | `javascript:` and its like become `about:invalid#refused`, see [`palisade_core::safe_url`] |
//! | data for a script | `{{ x|json_script("id") }}` | the element with JSON in it: Django's `json_script` |
//! | a string in a script | `"{{ x|escapejs }}"` | Django's `escapejs` |
//! | a value in a script | `{{ x|tojson }}` | JSON with `<`, `>`, `&` and `'` as escapes |
//! | HTML of ours | `{{ x }}` | a [`SafeHtml`](crate::html::SafeHtml), a [`form`] or the [`csrf`] field is printed as it is, in an attribute escaped; nothing else ever is |
//! | JSON in an attribute | `data-x="{{ x|tojson }}"` | its quotes are escaped there |
//!
//! There is no filter `safe`.
//!
//! # Example
//!
//! ```
//! use minijinja::{context, Value};
//! use palisade::html::markdown;
//! use palisade::templates::{environment, load};
//!
//! let mut templates = environment();
//! load(&mut templates, &[("note.html", r#"<a href="{{ link|url }}">{{ title }}</a>{{ body }}"#)])?;
//! let html = templates.get_template("note.html")?.render(context! {
//!     link => "javascript:alert(1)",
//!     title => "<b>",
//!     body => Value::from(markdown("*hi* <script>")),
//! })?;
//! assert_eq!(html, "<a href=\"about:invalid#refused\">&lt;b&gt;</a><p><em>hi</em> &lt;script&gt;</p>\n");
//!
//! let refused = load(&mut templates, &[("bad.html", "<p title={{ x }}>")]).unwrap_err().to_string();
//! assert!(refused.contains("bad.html:1: {{ x }} stands in the attribute title without quotes"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A secret has no way into a template, since it cannot be serialised:
//!
//! ```compile_fail,E0277
//! use palisade::Sensitive;
//!
//! let password = Sensitive::new(String::from("secret"));
//! minijinja::Value::from_serialize(&password);
//! ```
//!
//! # Security
//!
//! A template is code: load only those that are part of the program.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use palisade_core::escape::{Escaped, escape_js, json_script};
use palisade_core::json;
use palisade_core::safe_url::safe_url;
use serde::Serialize;

use crate::csrf::CsrfToken;
use crate::form::{Bound, Form};
use crate::html::{SafeHtml, TemplateFault, harden_template, in_attribute};

/// Why templates were not loaded.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Values stand in places where they could become script; all places of all templates at once.
    #[error("templates put values where they could become script:\n{}", listed(.0))]
    Unsafe(Vec<TemplateFault>),
    /// A template cannot be read.
    #[error("a template cannot be read: {0:#}")]
    Unreadable(#[from] Error),
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn listed(faults: &[TemplateFault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
    lines.join("\n")
}

/// Makes an environment that escapes everything, in templates of every name, and has the filters `url`, `json_script` and `escapejs`.
///
/// To print what is not there is an error; to ask whether it is there (`{% if x %}`) is none. Errors name no values, in no build: they
/// go to the log.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // An error names its place in the template, and not the values around it: it goes to the log.
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_formatter(print);
    environment.remove_filter("safe");
    environment.add_filter("url", |address: &str| safe_url(address).to_owned());
    environment.add_filter("escapejs", |text: &str| Value::from_safe_string(escape_js(text)));
    environment.add_filter("json_script", |value: &Value, id: Option<&str>| {
        let json = json::to_string(value).map_err(|error| {
            Error::new(ErrorKind::BadSerialization, "the value has no form in JSON").with_source(error)
        })?;
        Ok::<_, Error>(Value::from_safe_string(json_script(&json, id)))
    });
    environment
}

/// Reads templates, all of them before any is used.
///
/// # Errors
///
/// [`TemplateError::Unsafe`] lists every value that stands in a dangerous place, with file and line; a template that cannot be read
/// is named.
pub fn load(environment: &mut Environment<'static>, sources: &[(&str, &str)]) -> Result<(), TemplateError> {
    let (mut hardened, mut faults) = (Vec::with_capacity(sources.len()), Vec::new());
    for (name, source) in sources {
        match harden_template(name, source) {
            Ok(source) => hardened.push(((*name).to_owned(), source)),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(TemplateError::Unsafe(faults));
    }
    environment.add_filter("in_attribute", quoted);
    for (name, source) in hardened {
        environment.add_template_owned(name, source)?;
    }
    Ok(())
}

/// Escapes also what is declared safe; the rest is escaped where it is printed.
fn quoted(value: &Value) -> Value {
    match value.as_str() {
        Some(html) if value.is_safe() => Value::from_safe_string(in_attribute(html)),
        _ => value.clone(),
    }
}

/// Shows a form to a template; its controls, which this library has written and escaped, are printed as they are.
///
/// # Example
///
/// ```
/// use minijinja::context;
/// use palisade::form::Form;
/// use palisade::templates::{environment, form, load};
///
/// #[derive(palisade::Form)]
/// struct Search {
///     words: String,
/// }
///
/// let mut templates = environment();
/// load(&mut templates, &[("search.html", "{{ form.field.words.label }} {{ form.field.words.input }}")])?;
/// let shown = form(&Search::blank().with_initial("words", ["\"><b>"]));
/// let html = templates.get_template("search.html")?.render(context! { form => shown })?;
/// assert!(html.starts_with("Words <input") && html.contains("value=\"&quot;&gt;&lt;b&gt;\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn form<F: Form>(bound: &Bound<F>) -> Value {
    let view = bound.view();
    let fields: Vec<(&str, Value)> = view
        .fields
        .iter()
        .map(|field| {
            (
                field.name,
                with_html(field, &[("input", &field.input), ("html", &field.html)]),
            )
        })
        .collect();
    let whole = with_html(&view, &[("html", &view.html)]);
    let mut shown = members(&whole);
    shown.insert(
        "fields".to_owned(),
        fields.iter().map(|(_, field)| field.clone()).collect(),
    );
    shown.insert("field".to_owned(), Value::from_pairs(fields));
    Value::from_pairs(shown)
}

/// Shows the hidden field with the token to a template: `{{ csrf }}`, as Django's `{% csrf_token %}`.
///
/// # Example
///
/// ```
/// use minijinja::context;
/// use palisade::csrf::CsrfToken;
/// use palisade::templates::{csrf, environment, load};
///
/// async fn ask(token: CsrfToken) -> Result<String, minijinja::Error> {
///     let mut templates = environment();
///     load(&mut templates, &[("ask.html", "<form method=\"post\">{{ csrf }}<button>Send</button></form>")]).unwrap();
///     templates.get_template("ask.html")?.render(context! { csrf => csrf(&token) })
/// }
/// ```
pub fn csrf(token: &CsrfToken) -> Value {
    Value::from_safe_string(token.input())
}

/// A value with some of its members declared HTML.
fn with_html<T: Serialize>(value: &T, html: &[(&str, &str)]) -> Value {
    let mut shown = members(&Value::from(Serde(value)));
    for (name, html) in html {
        shown.insert((*name).to_owned(), Value::from_safe_string((*html).to_owned()));
    }
    Value::from_pairs(shown)
}

fn members(value: &Value) -> BTreeMap<String, Value> {
    let names = value.try_iter().into_iter().flatten();
    names
        .filter_map(|name| Some((name.as_str()?.to_owned(), value.get_item(&name).ok()?)))
        .collect()
}

/// HTML of ours is printed as it is.
impl From<SafeHtml> for Value {
    fn from(html: SafeHtml) -> Self {
        Self::from_safe_string(html.into_string())
    }
}

/// Prints a value escaped, whatever the template says of escaping.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return minijinja::escape_formatter(out, state, value);
    }
    let written = match value.as_str() {
        Some(html) if value.is_safe() => out.write_str(html),
        Some(text) => write!(out, "{}", Escaped(text)),
        None => write!(out, "{}", Escaped(&value.to_string())),
    };
    written.map_err(Error::from)
}

#[cfg(test)]
mod tests;
