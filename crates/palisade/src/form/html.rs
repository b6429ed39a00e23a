//! Writes fields as HTML, with the elements and attributes that Django writes.
//!
//! Everything that is not written here is escaped, labels and help texts too (Django takes those for HTML). There is no
//! style and no script in it, so that the strictest content security policy holds.

use std::fmt::Write as _;

use super::FieldView;
use palisade_core::escape::Escaped;

/// Writes the errors of the form and all its fields.
pub(super) fn form(errors: &[String], fields: &[FieldView]) -> String {
    let mut html = String::new();
    if !errors.is_empty() {
        error_list(&mut html, "errorlist nonfield", None, errors);
        html.push('\n');
    }
    for field in fields {
        if field.widget == "hidden" {
            for error in &field.errors {
                let _ = writeln!(
                    html,
                    "<p class=\"errorlist\">{} {}</p>",
                    Escaped(&field.label),
                    Escaped(error)
                );
            }
            html.push_str(&field.input);
        } else {
            let _ = write!(html, "<div>\n{}\n</div>", field.html);
        }
        html.push('\n');
    }
    html
}

/// Writes label, help, errors and control of one field.
pub(super) fn field(field: &FieldView) -> String {
    let mut html = String::new();
    let id = &field.id_for_label;
    if field.widget != "hidden" {
        let suffix = if field.label.ends_with([':', '?', '.', '!']) || field.label.is_empty() {
            ""
        } else {
            ":"
        };
        let _ = writeln!(
            html,
            "<label for=\"{}\">{}{suffix}</label>",
            Escaped(id),
            Escaped(&field.label)
        );
    }
    if !field.help.is_empty() {
        let _ = writeln!(
            html,
            "<div class=\"helptext\" id=\"{}_helptext\">{}</div>",
            Escaped(id),
            Escaped(field.help)
        );
    }
    if !field.errors.is_empty() {
        error_list(&mut html, "errorlist", Some(id), &field.errors);
        html.push('\n');
    }
    html.push_str(&input(field));
    html
}

/// Writes the control of one field.
pub(super) fn input(field: &FieldView) -> String {
    match field.widget {
        "textarea" => textarea(field),
        "select" => select(field),
        "checkbox" => checkbox(field),
        "file" => file(field),
        kind if field.multiple => repeated(field, kind),
        kind => one_input(field, kind, &field.value, true),
    }
}

fn error_list(html: &mut String, class: &str, id: Option<&str>, errors: &[String]) {
    let _ = write!(html, "<ul class=\"{class}\"");
    if let Some(id) = id {
        let _ = write!(html, " id=\"{}_error\"", Escaped(id));
    }
    html.push('>');
    for error in errors {
        let _ = write!(html, "<li>{}</li>", Escaped(error));
    }
    html.push_str("</ul>");
}

fn textarea(field: &FieldView) -> String {
    let mut html = format!(
        "<textarea name=\"{}\" cols=\"40\" rows=\"10\"",
        Escaped(field.name)
    );
    attributes(&mut html, field, true);
    // The line break belongs to the tag: without it, one that begins the value would be lost.
    let _ = write!(html, ">\n{}</textarea>", Escaped(&field.value));
    html
}

fn select(field: &FieldView) -> String {
    let mut html = format!("<select name=\"{}\"", Escaped(field.name));
    attributes(&mut html, field, true);
    html.push_str(if field.multiple { " multiple>" } else { ">" });
    for choice in &field.choices {
        let selected = if choice.selected { " selected" } else { "" };
        let (value, label) = (Escaped(choice.value), Escaped(choice.label));
        let _ = write!(html, "\n<option value=\"{value}\"{selected}>{label}</option>");
    }
    html.push_str("\n</select>");
    html
}

fn checkbox(field: &FieldView) -> String {
    let mut html = format!("<input type=\"checkbox\" name=\"{}\"", Escaped(field.name));
    attributes(&mut html, field, true);
    html.push_str(if field.checked { " checked>" } else { ">" });
    html
}

fn file(field: &FieldView) -> String {
    let mut html = format!("<input type=\"file\" name=\"{}\"", Escaped(field.name));
    if let Some(accept) = &field.accept {
        let _ = write!(html, " accept=\"{}\"", Escaped(accept));
    }
    if field.multiple {
        html.push_str(" multiple");
    }
    attributes(&mut html, field, true);
    html.push('>');
    html
}

/// One control a value, and one more.
fn repeated(field: &FieldView, kind: &str) -> String {
    let values = field
        .values
        .iter()
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .chain([""]);
    let inputs: Vec<String> = values
        .enumerate()
        .map(|(place, value)| one_input(field, kind, value, place == 0))
        .collect();
    inputs.join("\n")
}

fn one_input(field: &FieldView, kind: &str, value: &str, is_first: bool) -> String {
    let mut html = format!("<input type=\"{kind}\" name=\"{}\"", Escaped(field.name));
    // A password is never written, whatever the type of the field: as in Django.
    if !value.is_empty() && kind != "password" {
        let _ = write!(html, " value=\"{}\"", Escaped(value));
    }
    if kind == "hidden" {
        let _ = write!(html, " id=\"{}\">", Escaped(&field.id_for_label));
        return html;
    }
    attributes(&mut html, field, is_first);
    html.push('>');
    html
}

fn attributes(html: &mut String, field: &FieldView, is_first: bool) {
    let lengths = [("maxlength", field.max_length), ("minlength", field.min_length)];
    if !matches!(field.widget, "select" | "date") {
        for (name, length) in lengths {
            if let Some(length) = length {
                let _ = write!(html, " {name}=\"{length}\"");
            }
        }
    }
    let words = [
        ("autocapitalize", field.autocapitalize),
        ("autocomplete", field.autocomplete),
        ("inputmode", field.inputmode),
        ("min", field.min.as_deref().filter(|_| field.widget == "number")),
        ("max", field.max.as_deref().filter(|_| field.widget == "number")),
        ("step", field.step),
    ];
    for (name, word) in words {
        if let Some(word) = word {
            let _ = write!(html, " {name}=\"{}\"", Escaped(word));
        }
    }
    // Only the first of several is asked for and described: an `id` stands once in a page.
    if !is_first {
        return;
    }
    // HTML wants the first choice of a required `select` to be the empty one.
    let may_ask = field.widget != "select"
        || field.multiple
        || field.choices.first().is_some_and(|c| c.value.is_empty());
    if field.required && may_ask {
        html.push_str(" required");
    }
    if !field.errors.is_empty() {
        html.push_str(" aria-invalid=\"true\"");
    }
    if let Some(ids) = &field.described_by {
        let _ = write!(html, " aria-describedby=\"{}\"", Escaped(ids));
    }
    let _ = write!(html, " id=\"{}\"", Escaped(&field.id_for_label));
}
