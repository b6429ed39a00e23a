//! The pages of the attacker's site. The first field of the address is the target, the others are what is sent there.

use axum::extract::Query;
use axum::response::{Html, IntoResponse, Response};
use http::header::SET_COOKIE;
use serde_json::json;

type Fields = Query<Vec<(String, String)>>;

pub(super) async fn form(Query(fields): Fields) -> Html<String> {
    let (target, fields) = aim(&fields);
    let inputs = fields.iter().fold(String::new(), |form, (name, value)| {
        let (name, value) = (escape(name), escape(value));
        form + &format!(r#"<input type="hidden" name="{name}" value="{value}">"#)
    });
    page(
        &format!(
            r#"<form method="post" action="{}">{inputs}</form>"#,
            escape(target)
        ),
        "document.forms[0].submit()",
    )
}

pub(super) async fn fetch(Query(fields): Fields) -> Html<String> {
    let (target, fields) = aim(&fields);
    page(
        "",
        &attempt(
            target,
            &json!({ "method": "POST", "credentials": "include", "mode": "no-cors" }),
            fields,
        ),
    )
}

pub(super) async fn fetch_with_header(Query(fields): Fields) -> Html<String> {
    let (target, fields) = aim(&fields);
    let options = json!({
        "method": "POST", "credentials": "include", "mode": "cors", "headers": { "X-CSRFToken": "guessed" },
    });
    page("", &attempt(target, &options, fields))
}

pub(super) async fn steal(Query(fields): Fields) -> Html<String> {
    let (target, _) = aim(&fields);
    let script = format!(
        "fetch({}, {{ credentials: 'include' }})
            .then(answer => answer.text())
            .then(text => report('read ' + text), error => report('unreadable ' + error))",
        literal(target)
    );
    page("", &script)
}

pub(super) async fn frame(Query(fields): Fields) -> Html<String> {
    let (target, _) = aim(&fields);
    page(
        r#"<p>You have won. Press the button below.</p><iframe width="900" height="500"></iframe>"#,
        // Browsers report a refused frame as loaded too; what is in it has to be looked at from inside.
        &format!(
            "const frame = document.querySelector('iframe');
            frame.onload = () => report('loaded');
            frame.src = {}",
            literal(target)
        ),
    )
}

pub(super) async fn plant(Query(fields): Fields) -> Response {
    let (target, fields) = aim(&fields);
    let domain = target.trim_start_matches("https://").trim_end_matches('/');
    let cookies: Vec<_> = fields
        .iter()
        .map(|(name, value)| {
            (
                SET_COOKIE,
                format!("{name}={value}; Domain={domain}; Path=/; Secure; SameSite=None"),
            )
        })
        .collect();
    (
        axum::response::AppendHeaders(cookies),
        page("", "report('planted')"),
    )
        .into_response()
}

fn attempt(target: &str, options: &serde_json::Value, fields: &[(String, String)]) -> String {
    format!(
        "fetch({}, {{ ...{options}, body: new URLSearchParams({}) }})
            .then(() => report('sent'), error => report('refused ' + error))",
        literal(target),
        literal(fields)
    )
}

fn page(content: &str, script: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>You have won</title></head>
        <body>{content}<script>
        const report = text => {{ document.documentElement.dataset.result = text; }};
        {script}
        </script></body></html>"#
    ))
}

/// Splits the target from the fields that are sent to it.
fn aim(fields: &[(String, String)]) -> (&str, &[(String, String)]) {
    fields
        .split_first()
        .map_or(("", fields), |((_, target), rest)| (target, rest))
}

/// Writes a value as a script's literal that cannot end the script element.
fn literal(value: impl Into<Literal>) -> String {
    value.into().0.to_string().replace('<', "\\u003c")
}

struct Literal(serde_json::Value);

impl From<&str> for Literal {
    fn from(text: &str) -> Literal {
        Literal(json!(text))
    }
}

impl From<&[(String, String)]> for Literal {
    fn from(fields: &[(String, String)]) -> Literal {
        Literal(json!(fields))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}
