//! The pages of the attacker's site. The first field of the address is the target, the others are what is sent there.

use axum::extract::Query;
use axum::response::{Html, IntoResponse, Response};
use http::header::SET_COOKIE;
use serde_json::json;

type Fields = Query<Vec<(String, String)>>;

pub(super) async fn form(Query(fields): Fields) -> Html<String> {
    submitting(&fields, "")
}

pub(super) async fn form_without_origin(Query(fields): Fields) -> Html<String> {
    submitting(&fields, r#"<meta name="referrer" content="no-referrer">"#)
}

fn submitting(fields: &[(String, String)], head: &str) -> Html<String> {
    let (target, fields) = aim(fields);
    let inputs = fields.iter().fold(String::new(), |form, (name, value)| {
        let (name, value) = (escape(name), escape(value));
        form + &format!(r#"<input type="hidden" name="{name}" value="{value}">"#)
    });
    page(
        &format!(
            r#"{head}<form method="post" action="{}">{inputs}</form>"#,
            escape(target)
        ),
        "document.forms[0].submit()",
    )
}

pub(super) async fn fetch_with_stolen_token(Query(fields): Fields) -> Html<String> {
    let (target, fields) = aim(&fields);
    let script = format!(
        "const post = page => {{
            const token = /name=.csrfmiddlewaretoken. value=.([^'\"]+)/.exec(page)?.[1] ?? '';
            const body = new URLSearchParams([...{fields}, ['csrfmiddlewaretoken', token]]);
            return fetch({target}, {{ method: 'POST', credentials: 'include', mode: 'no-cors', body }});
        }};
        // Where the page cannot be read, it is posted without.
        fetch({target}, {{ credentials: 'include' }})
            .then(answer => answer.text()).catch(() => '')
            .then(post)
            .then(() => report('sent'), error => report('refused ' + error))",
        target = literal(target),
        fields = literal(fields),
    );
    page("", &script)
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
    framing(aim(&fields).0, "")
}

pub(super) async fn nest(Query(fields): Fields) -> Html<String> {
    let inner = crate::visitor::form(&[("target", aim(&fields).0)]);
    framing(&format!("/frame/?{inner}"), "")
}

pub(super) async fn sandbox(Query(fields): Fields) -> Html<String> {
    framing(
        aim(&fields).0,
        r#" sandbox="allow-forms allow-scripts allow-same-origin""#,
    )
}

fn framing(target: &str, attributes: &str) -> Html<String> {
    page(
        &format!(
            r#"<p>You have won. Press the button below.</p><iframe width="900" height="500"{attributes}></iframe>"#
        ),
        // Browsers report a refused frame as loaded too; what is in it has to be looked at from inside.
        &format!(
            "const frame = document.querySelector('iframe');
            frame.onload = () => report('loaded');
            frame.src = {}",
            literal(target)
        ),
    )
}

pub(super) async fn cover(Query(fields): Fields) -> Html<String> {
    let (target, fields) = aim(&fields);
    let (element, address) = match fields.first().map(|(_, with)| with.as_str()) {
        Some("object") => ("<object type=\"text/html\"></object>", "data"),
        Some("embed") => ("<embed type=\"text/html\">", "src"),
        _ => ("<iframe></iframe>", "src"),
    };
    let style = "<style>body { margin: 0 } iframe, object, embed { position: fixed; inset: 0; width: 100vw; height: 100vh;
        border: 0; opacity: 0.001 }</style>";
    page(
        &format!("{style}<button>Press me, quickly</button>{element}"),
        // A refusal is told as one or the other, as the element likes it.
        &format!(
            "const cover = document.querySelector('iframe, object, embed');
            cover.onload = cover.onerror = () => report('covered');
            cover.{address} = {target}",
            target = literal(target)
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
