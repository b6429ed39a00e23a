//! What Django hides in an error report is hidden here, whatever it is called and wherever it stands; and the letters are Django's.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use axum::body::Body;
use axum::routing::post;
use gauntlet::beside::{Agreement, Oracle};
use http::{Request, header};
use palisade::core::secret::CLEANSED;
use palisade::core::settings::{Admin, EmailBackend, REGISTRY};
use palisade::form::{Checked, Form};
use palisade::mail::Mailer;
use palisade::redact::{Redactor, ReportFilter};
use palisade::report::{ErrorReport, ReportSink};
use palisade::{Palisade, Policies, Rejection, Router, SecretKey, Settings};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::answers::{compare, fails};

/// Of what the names of secrets, and those that look like one, are made.
const PIECES: &[&str] = &[
    "api",
    "AUTH",
    "Token",
    "key",
    "Secret",
    "pass",
    "word",
    "signature",
    "http",
    "cookie",
    "sessionid",
    "session",
    "id",
    "csrf",
    "card",
    "pin",
    "title",
    "o",
    "x",
    "_",
    "-",
    "2",
];

#[derive(Debug)]
struct Desk(Sender<String>);

impl ReportSink for Desk {
    fn take(&self, report: &ErrorReport) {
        // The test may have failed and gone.
        let _gone = self.0.send(report.text.clone());
    }
}

#[derive(Form)]
struct Order {
    #[form(optional)]
    article: String,
}

async fn fail(form: Checked<Order>) -> Rejection {
    let variable = form.validate().map(|order| order.article.clone());
    Rejection::internal(format!("the price list cannot be read {}", variable.is_ok()))
}

/// What a request and the code that fails on it hold: each value is one that stands nowhere else.
#[derive(Clone, Debug)]
struct Fault {
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    posted: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    /// What `sensitive_post_parameters` and `sensitive_variables` name: nobody asked, all, or these.
    marked: Option<Vec<String>>,
}

fn name(odd: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![12 => select(PIECES), 1 => select(odd)];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// Gives each name a value of its own.
fn valued(names: BTreeSet<String>, kind: char) -> Vec<(String, String)> {
    let valued = names.into_iter().enumerate();
    valued
        .map(|(number, name)| (name, format!("zq{kind}{number}qz")))
        .collect()
}

fn fault() -> impl Strategy<Value = Fault> {
    let names = |odd| prop::collection::btree_set(name(odd), 0..8);
    // In a header's name there are few letters; in a field's there is anything.
    let fields = || names(&["[]", "ſ", "\u{212a}", "İ", "ı", " ", "é", "&", "=", "\n", "%"]);
    (names(&["."]), names(&["."]), fields(), names(&["_"]), any::<u8>()).prop_map(
        |(headers, cookies, posted, variables, mark)| {
            let headers: BTreeSet<String> = headers
                .iter()
                .map(|name| format!("x-{}", name.to_ascii_lowercase().replace('_', "-")))
                .collect();
            let variables = variables
                .iter()
                .map(|name| format!("v_{}", name.replace('-', "_")))
                .collect();
            let named = posted.iter().chain(&variables).step_by(2).cloned();
            Fault {
                marked: match mark % 3 {
                    0 => None,
                    1 => Some(Vec::new()),
                    _ => Some(named.collect()),
                },
                headers: valued(headers, 'h'),
                cookies: valued(cookies, 'c'),
                posted: valued(posted, 'p'),
                variables: valued(variables, 'v'),
            }
        },
    )
}

impl Fault {
    fn cookie(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn body(&self) -> String {
        let quoted = |text: &str| {
            let bytes = text.bytes();
            bytes.fold(String::new(), |quoted, byte| quoted + &format!("%{byte:02X}"))
        };
        let pairs: Vec<_> = self
            .posted
            .iter()
            .map(|(name, value)| format!("{}={value}", quoted(name)))
            .collect();
        pairs.join("&")
    }

    /// The report of a site here on which it happens.
    async fn report(&self, settings: Settings) -> String {
        let (sender, reports) = channel();
        let route = post(fail).csrf_exempt("no page shows the form").public();
        let route = match &self.marked {
            Some(marked) => route.sensitive_post_parameters(marked.clone()),
            None => route,
        };
        let palisade = Palisade::new(settings).with_reports(Desk(sender));
        let app = palisade.protect(Router::new().route("/order", route)).unwrap();
        let mut request = Request::post("/order")
            .header(header::HOST, "shop.test")
            .header("x-forwarded-proto", "https")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        let request = request.body(Body::from(self.body())).unwrap();
        let answer = app.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 500);
        reports.recv_timeout(Duration::from_mins(1)).unwrap()
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new(
        SecretKey::new("Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ"),
        ["shop.test"],
    );
    settings.secure_ssl_redirect = false;
    settings
}

#[test]
fn whatever_django_hides_in_a_report_is_hidden_here() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (hidden, shown) = (AtomicUsize::new(0), AtomicUsize::new(0));
    compare(300, &fault(), |fault| {
        let variables: Map<String, Value> = fault
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let mut headers = fault.headers.clone();
        headers.push(("cookie".to_owned(), fault.cookie()));
        let asked = json!({
            "path": "/order", "headers": headers, "body": fault.body(), "marked": fault.marked, "variables": variables,
            "hidden": fault.marked,
        });
        let answer = oracle.ask(asked, "fault_report").map_err(fails)?;
        let (django, frame) = (answer[0].as_str().unwrap(), answer[1].to_string());
        let ours = runtime.block_on(fault.report(settings()));
        for (name, value) in fault.headers.iter().chain(&fault.cookies).chain(&fault.posted) {
            if django.contains(value) {
                shown.fetch_add(usize::from(ours.contains(value)), Ordering::Relaxed);
            } else {
                hidden.fetch_add(1, Ordering::Relaxed);
                prop_assert!(
                    !ours.contains(value),
                    "Django hides {:?}, and here is\n{}",
                    name,
                    ours
                );
            }
        }
        for (name, value) in &fault.variables {
            hidden.fetch_add(usize::from(!frame.contains(value)), Ordering::Relaxed);
            prop_assert!(!ours.contains(value), "the variable {:?} is in\n{}", name, ours);
        }
        Ok(())
    });
    let (hidden, shown) = (hidden.into_inner(), shown.into_inner());
    assert!(
        hidden > 500 && shown > 200,
        "{hidden} hidden, {shown} shown: it tells nothing"
    );
}

/// Values in one another, as settings have them, with a name that is used once for each leaf.
fn nested() -> impl Strategy<Value = (String, Value)> {
    let name = || name(&["ſ", "\u{212a}", "İ", "ı", "é", " "]);
    let leaf = (0..1000u32).prop_map(|number| json!(format!("zq{number}qz")));
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    });
    (name(), value)
}

/// Whether `ours` hides wherever `django` does.
fn hides_as_much(ours: &Value, django: &Value) -> bool {
    match (ours, django) {
        (Value::Object(ours), Value::Object(django)) => django
            .iter()
            .all(|(name, value)| ours.get(name).is_some_and(|ours| hides_as_much(ours, value))),
        (Value::Array(ours), Value::Array(django)) => {
            ours.len() == django.len()
                && ours
                    .iter()
                    .zip(django)
                    .all(|(ours, django)| hides_as_much(ours, django))
        }
        (ours, django) => ours == django || ours == CLEANSED,
    }
}

#[test]
fn nested_values_are_hidden_where_django_hides_them() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let filter = ReportFilter::new("sessionid");
    compare(1500, &nested(), |(name, value)| {
        let django = oracle
            .ask(json!({"name": name, "value": value}), "cleanse")
            .map_err(fails)?;
        prop_assert_eq!(&filter.cleanse(Some(&name), &value), &django, "to the letter");
        let ours = Redactor::default().value(&name, &value);
        prop_assert!(hides_as_much(&ours, &django), "{} instead of {}", ours, django);
        Ok(())
    });
    assert!(
        !hides_as_much(&json!({"a": [1]}), &json!({"a": [CLEANSED]})),
        "it would be seen"
    );
}

#[tokio::test]
async fn settings_that_django_hides_are_hidden_here() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let fault = Fault {
        headers: Vec::new(),
        cookies: Vec::new(),
        posted: Vec::new(),
        variables: Vec::new(),
        marked: None,
    };
    let report = fault.report(settings()).await;
    let mut hidden = 0;
    for setting in REGISTRY {
        let (name, asked) = (setting.name(), setting.name().to_uppercase());
        let django = oracle
            .text(json!({"name": asked, "value": "shown"}), "cleanse")
            .unwrap();
        let line = report
            .lines()
            .find(|line| line.starts_with(&format!("  {name} = ")))
            .unwrap();
        if django == CLEANSED {
            hidden += 1;
            assert_eq!(line, format!("  {name} = \"{CLEANSED}\""));
        }
    }
    assert!(hidden > 5, "{hidden}");
}

#[tokio::test]
async fn letters_to_admins_are_djangos() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let mut settings = settings();
    settings.email_backend = EmailBackend::Memory;
    settings.site_url = Some("https://shop.test".parse().unwrap());
    "shop@example.com".clone_into(&mut settings.server_email);
    settings.admins = vec![
        Admin::new("Ann", "ann@example.com").unwrap(),
        Admin::new("", "bob@example.com").unwrap(),
    ];
    for (path, prefix) in [("/", "[Django] "), ("/a/b.html", "[Größe] ")] {
        prefix.clone_into(&mut settings.email_subject_prefix);
        let django = oracle
            .ask(json!({"path": path, "prefix": prefix}), "fault_letter")
            .unwrap();
        let mailer = Mailer::from_settings(&settings).unwrap();
        let palisade = Palisade::new(settings.clone()).with_mailer(mailer.clone());
        let route = post(async || Rejection::internal("broken")).csrf_exempt("no page shows the form");
        let app = palisade
            .protect(Router::new().route(path, route.public()))
            .unwrap();
        let request = Request::post(path)
            .header(header::HOST, "shop.test")
            .body(Body::empty());
        app.oneshot(request.unwrap()).await.unwrap();
        palisade.close().await;
        let sent = mailer.outbox().unwrap().sent();
        assert!(
            sent.iter().all(|mail| django["subject"] == mail.subject()),
            "{django} {sent:?}"
        );
        let to: Vec<_> = sent.iter().map(|mail| mail.to().to_owned()).collect();
        assert_eq!(json!(to), django["to"]);
    }
}
