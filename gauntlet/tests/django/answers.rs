//! Random questions, answered by Django and by us: any difference is a fault, or a row in `docs/django-differences.md`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::SystemTime;

use axum::body::{Body, to_bytes};
use axum::routing;
use gauntlet::beside::{Agreement, HOST, Oracle};
use http::{Method, Request, StatusCode};
use palisade::core::host::AllowedHosts;
use palisade::core::redirect::is_safe_next;
use palisade::core::session::{SessionCodec, SessionData};
use palisade::core::{KeyRing, cookie};
use palisade::csrf::CsrfToken;
use palisade::errors::ErrorPage;
use palisade::serve::Peer;
use palisade::{Palisade, Protected, Router, SecretKey, Settings};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tower::ServiceExt;

/// Asks `cases` random questions; the first that is answered differently is made as small as it gets.
pub(crate) fn compare<S: Strategy>(
    cases: u32,
    questions: &S,
    same: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    if let Err(difference) = TestRunner::new(config).run(questions, same) {
        panic!("{difference}");
    }
}

/// Text of a few of these pieces, so that what means something comes up often.
fn pieces(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let piece = Union::new_weighted(vec![
        (8, select(pieces).prop_map(str::to_owned).boxed()),
        (1, any_age().prop_map(String::from).boxed()),
    ]);
    prop::collection::vec(piece, 0..=most).prop_map(|pieces| pieces.concat())
}

/// A character of any kind that every Python and we have heard of: Unicode grows, and each knows the edition it was built with.
fn any_age() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::char::range('\0', '\u{24f}'),
        prop::char::range('\u{2000}', '\u{206f}'),
        prop::char::range('\u{4e00}', '\u{9fa5}'),
        prop::char::range('\u{e000}', '\u{f8ff}'),
        prop::char::range('\u{ff01}', '\u{ff5e}'),
        prop::char::range('\u{1f600}', '\u{1f64f}'),
    ]
}

/// The JSON of a value as Python may have written it: big numbers, floats, escapes, nesting.
pub(crate) fn json_text() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        any::<String>().prop_map(|text| json!(text).to_string()),
        "[ -~]{0,12}".prop_map(|text| json!(text).to_string()),
        select(&[
            r#""\u00e9\ud83d\ude00""#,
            r#""\ud83d""#,
            r#""\/\b\f\n\r\t""#,
            r#""\u0000""#
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        select(&[
            "null",
            "true",
            "false",
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "-0.0",
            "1e400"
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{18,60}",
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(|number| json!(number).to_string()),
        "-?[1-9][0-9]{0,5}\\.[0-9]{1,9}[eE][+-]?[0-9]{1,3}",
        text.clone(),
    ];
    let nested = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(", "))),
            object(inner),
        ]
    });
    object(nested)
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![any::<String>(), "[a-z_]{1,8}"].prop_map(|key| json!(key).to_string());
    prop::collection::vec((key, value), 0..5).prop_map(|members| {
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        format!("{{{}}}", members.join(", "))
    })
}

pub(crate) fn fails(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

#[test]
fn sessions_are_read_and_written_as_django_does() {
    let agreement = Agreement::new();
    let oracle = Oracle::alone(&agreement).unwrap();
    let codec = SessionCodec::new(&KeyRing::new(SecretKey::new(agreement.key.clone())));
    compare(400, &json_text(), |text| {
        // Python's own form of it is what both must arrive at.
        let said = oracle
            .ask(json!({"text": text}), "encode_session")
            .map_err(fails)?;
        let (encoded, python) = (said[0].as_str().unwrap(), said[1].as_str().unwrap());
        let read = codec.decode(encoded).map_err(fails)?;
        prop_assert_eq!(&**read.to_json(), python, "read what Django wrote");
        let written = codec.encode(&read, SystemTime::now());
        let back = oracle
            .text(json!({"encoded": written}), "decode_session")
            .map_err(fails)?;
        prop_assert_eq!(&*back, python, "Django read what we wrote");
        // What Rust has set stands there as Python would have it, too.
        let ours = SessionData::from_json(text.clone()).map_err(fails)?;
        let back = oracle
            .text(
                json!({"encoded": codec.encode(&ours, SystemTime::now())}),
                "decode_session",
            )
            .map_err(fails)?;
        prop_assert_eq!(back, python);
        Ok(())
    });
}

#[test]
fn cookie_headers_are_read_as_django_does() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let header = pieces(
        &[
            "a",
            "b",
            "sessionid",
            "=",
            "=",
            ";",
            "; ",
            ",",
            "\"",
            "\\",
            "\\\"",
            "\\054",
            "\\3",
            "\\400",
            " ",
            "\t",
            "%20",
            "é",
            "\u{a0}",
            "\u{1c}",
            "{\"x\":1}",
            "$Path=/",
            "__Host-",
        ],
        12,
    );
    compare(1500, &header, |header| {
        let django = oracle.ask(json!({"header": header}), "cookies").map_err(fails)?;
        let ours: BTreeMap<_, _> = cookie::parse(&header)
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        prop_assert_eq!(json!(ours), django);
        Ok(())
    });
}

#[test]
fn hosts_are_allowed_as_django_does() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let host = pieces(
        &[
            "shop.test",
            "a.shop.test",
            "SHOP",
            "evil.example",
            ".",
            "-",
            "_",
            ":",
            ":80",
            ":8443",
            "[::1]",
            "[",
            "]",
            "127.0.0.1",
            "@",
            "/",
            "\\",
            "*",
            "1",
            "xn--",
            "a",
        ],
        5,
    );
    let allowed = [
        "shop.test",
        ".shop.test",
        "[::1]",
        "127.0.0.1",
        "evil.example.shop.test",
    ];
    // A header that is not ASCII is refused by the server, before anybody asks for the host.
    let host = host.prop_filter("not a header", |host| {
        !host.is_empty() && host.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    });
    compare(1500, &host, |host| {
        let django = oracle
            .ask(json!({"header": host, "allowed": allowed}), "host")
            .map_err(fails)?;
        let ours = AllowedHosts::parse(allowed).validate(&host);
        prop_assert_eq!(json!(ours.ok().map(|host| host.as_str().to_owned())), django);
        Ok(())
    });
}

#[test]
fn addresses_to_go_on_to_are_judged_as_django_does() {
    let oracle = Oracle::alone(&Agreement::new()).unwrap();
    let url = pieces(
        &[
            "/",
            "/",
            "//",
            "\\",
            "http:",
            "https:",
            "HTTPS:",
            "javascript:",
            "data:",
            "shop.test",
            "shop.test:8443",
            "evil.example",
            "@",
            "?",
            "#",
            ":",
            ".",
            "\t",
            "\n",
            " ",
            "\u{200b}",
            "\u{0}",
            "\u{1b}",
            "é",
            "℀",
            "%2F",
            "next",
        ],
        7,
    );
    let hosts = ["shop.test", "shop.test:8443"];
    compare(2500, &(url, any::<bool>()), |(url, https)| {
        // Browsers drop these inside an address: `/<TAB>//evil.example` is refused here and not there.
        let dropped: String = url.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        prop_assume!(dropped == url || !dropped.replace('\\', "/").trim().starts_with("///"));
        let django = oracle
            .is(json!({"url": url, "hosts": hosts, "https": https}), "next_url")
            .map_err(fails)?;
        prop_assert_eq!(is_safe_next(&url, &hosts, https), django);
        Ok(())
    });
}

/// A secret of a CSRF cookie, and the same masked.
const SECRET: &str = "abcdefghijklmnopqrstuvwxyzABCDEF";

const ORIGINS: &[&str] = &[
    "https://shop.test",
    "http://shop.test",
    "https://shop.test:443",
    "https://trusted.example",
    "https://a.wild.example",
    "https://wild.example",
    "https://evil.example",
    "null",
    "",
];

/// A request that asks for something: who sends it from where, with which proofs.
#[derive(Clone, Debug)]
struct Ask {
    method: &'static str,
    origin: Option<&'static str>,
    referer: Option<String>,
    cookie: Option<&'static str>,
    header: Option<&'static str>,
    field: Option<&'static str>,
}

fn ask() -> impl Strategy<Value = Ask> {
    let token = || {
        prop::option::weighted(
            0.7,
            prop_oneof![
                4 => Just(SECRET),
                3 => Just(masked()),
                1 => Just("ABCDEFabcdefghijklmnopqrstuvwxyz"),
                1 => Just("too short"),
                1 => Just("!!!defghijklmnopqrstuvwxyzABCDEF"),
                1 => Just(""),
            ],
        )
    };
    let referer = (
        select(ORIGINS),
        select(&["", "/", "/form/?x=1", "@evil.example/", ":99999/", "/é"]),
    )
        .prop_map(|(origin, path)| format!("{origin}{path}"));
    (
        select(&["POST", "POST", "POST", "PUT", "PATCH", "DELETE", "GET", "HEAD"]),
        prop::option::weighted(0.4, select(ORIGINS)),
        prop::option::weighted(0.8, prop_oneof![Just(format!("https://{HOST}/")), referer]),
        token(),
        token(),
        token(),
    )
        .prop_map(|(method, origin, referer, cookie, header, field)| Ask {
            method,
            origin,
            referer: referer.filter(|referer| referer.is_ascii()),
            cookie,
            header,
            field,
        })
}

/// [`SECRET`] behind the mask of 32 times `b`: each letter moves on by one.
fn masked() -> &'static str {
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcdefghijklmnopqrstuvwxyzABCDEFG"
}

impl Ask {
    fn headers(&self) -> Vec<(&'static str, String)> {
        let cookie = self.cookie.map(|cookie| format!("csrftoken={cookie}"));
        [
            ("host", Some(HOST.to_owned())),
            ("origin", self.origin.map(str::to_owned)),
            ("referer", self.referer.clone()),
            ("cookie", cookie),
            ("x-csrftoken", self.header.map(str::to_owned)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    fn body(&self) -> String {
        self.field.map_or_else(String::new, |token| {
            testkit::visitor::form(&[("csrfmiddlewaretoken", token)])
        })
    }
}

/// A reason of Django's, with stars where an address names a user: here no reason quotes a password.
fn without_user(reason: &str) -> String {
    let found = reason.split_once("://").and_then(|(before, rest)| {
        let (_user, host) = rest.split_once('@')?;
        Some(format!("{before}://{}@{host}", "*".repeat(20)))
    });
    found.unwrap_or_else(|| reason.to_owned())
}

async fn refusal(site: &Protected, ask: &Ask) -> Option<String> {
    let mut request = Request::builder()
        .method(Method::from_bytes(ask.method.as_bytes()).unwrap())
        .uri("/form/")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in ask.headers() {
        request = request.header(name, value);
    }
    let mut request = request.body(Body::from(ask.body())).unwrap();
    request.extensions_mut().insert(Peer {
        addr: SocketAddr::from(([192, 0, 2, 7], 4711)),
        tls: true,
    });
    let Ok(response) = site.clone().oneshot(request).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    match status {
        StatusCode::OK => None,
        StatusCode::FORBIDDEN => Some(text),
        other => panic!("{other}: {text}"),
    }
}

#[test]
fn csrf_requests_are_judged_as_django_does_and_for_the_same_reason() {
    let agreement = Agreement::new();
    let oracle = Oracle::alone(&agreement).unwrap();
    let trusted = ["https://trusted.example", "https://*.wild.example"];
    let mut settings = Settings::new(SecretKey::new(agreement.key), [HOST]);
    settings.csrf_trusted_origins = palisade::core::origin::TrustedOrigins::parse(trusted).unwrap();
    let site = Palisade::new(settings)
        .with_error_page(ErrorPage::new(|trouble| trouble.refusal.reason().to_owned()))
        .protect(
            Router::new()
                .route("/form/", routing::any(async |_: CsrfToken| "taken"))
                .public(),
        )
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    compare(2000, &ask(), |ask| {
        let headers: BTreeMap<_, _> = ask.headers().into_iter().collect();
        let question = json!({"method": ask.method, "path": "/form/", "headers": headers, "body": ask.body(),
            "trusted": trusted});
        let django = oracle.ask(question, "csrf").map_err(fails)?;
        let ours = runtime.block_on(refusal(&site, &ask));
        let django = django.as_str().map(without_user);
        prop_assert_eq!(ours, django);
        Ok(())
    });
}
