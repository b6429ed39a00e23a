//! Reports of violated policies, through the whole stack: asked for in the headers, taken without a token, and never too many.

use std::net::SocketAddr;

use axum::body::Body;
use http::{Request, StatusCode};
use palisade::core::header::Csp;
use palisade::headers::csp_report::{self, CspReports, MOST_BYTES};
use palisade::serve::Peer;
use palisade::{Palisade, Policies, Router};

use crate::client::{Client, settings};

fn site(reports: &CspReports) -> Client {
    let mut settings = settings();
    settings.secure_csp_report_uri = Some("/csp-report".parse().unwrap());
    settings.secure_csp_report_only = Some(Csp::strict().with_style_src(["'none'"]));
    let routes = Router::new()
        .route("/", axum::routing::get(async || "hello").public())
        .merge(csp_report::routes("/csp-report", reports));
    Client::new(&Palisade::new(settings).protect(routes).unwrap())
}

fn report(body: impl Into<Body>, kind: &str) -> Request<Body> {
    Request::post("/csp-report")
        .header("content-type", kind)
        .header("origin", "https://example.com")
        .body(body.into())
        .unwrap()
}

fn about(document: &str) -> String {
    format!(
        r#"{{"csp-report":{{"document-uri":"{document}","blocked-uri":"inline","effective-directive":"script-src-elem"}}}}"#
    )
}

#[tokio::test]
async fn both_policies_say_where_to_report_in_the_old_way_and_the_new() {
    let answer = site(&CspReports::new()).get("/").await;
    for name in ["content-security-policy", "content-security-policy-report-only"] {
        let policy = answer.header(name);
        assert!(
            policy.contains("report-uri /csp-report; report-to csp-endpoint"),
            "{name}: {policy}"
        );
    }
    assert_eq!(
        answer.header("reporting-endpoints"),
        "csp-endpoint=\"/csp-report\""
    );
    let silent = Client::new(&Palisade::new(settings()).protect(Router::new()).unwrap());
    assert_eq!(silent.get("/").await.header("reporting-endpoints"), "");
}

#[tokio::test]
async fn a_report_is_counted_without_a_token_and_everything_is_answered_alike() {
    let reports = CspReports::new();
    let site = site(&reports);
    for (body, kind) in [
        (about("https://example.com/a?q=secret"), "application/csp-report"),
        (about("https://other.example/"), "application/csp-report"),
        ("nonsense".to_owned(), "application/csp-report"),
        (String::new(), "text/plain"),
    ] {
        let answer = site.send(report(body, kind)).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::NO_CONTENT, "")
        );
        assert_eq!(answer.header("set-cookie"), "");
    }
    let listed = reports.list();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].violation.document(), listed[0].count), ("/a", 1));
}

#[tokio::test]
async fn behind_a_proxy_each_client_is_counted_by_itself() {
    let reports = CspReports::new();
    let mut settings = settings();
    settings.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
    let routes = csp_report::routes("/csp-report", &reports);
    let site = Client::new(&Palisade::new(settings).protect(routes).unwrap());
    let send = async |peer: &str, client: Option<&str>, path: &str| {
        let mut sent = report(
            about(&format!("https://example.com/{path}/")),
            "application/csp-report",
        );
        let addr = SocketAddr::new(peer.parse().unwrap(), 4711);
        sent.extensions_mut().insert(Peer { addr, tls: true });
        if let Some(client) = client {
            sent.headers_mut()
                .insert("x-forwarded-for", client.parse().unwrap());
        }
        site.send(sent).await;
        reports
            .list()
            .iter()
            .any(|seen| seen.violation.document() == format!("/{path}/"))
    };
    for _ in 0..40 {
        send("192.0.2.1", Some("203.0.113.9"), "flood").await;
    }
    assert_eq!(reports.list()[0].count, 30);
    assert!(send("192.0.2.1", Some("203.0.113.7"), "named").await);
    // Where the proxy names nobody, what is one client's is not everybody's.
    for number in 0..40 {
        assert!(
            send("192.0.2.1", None, &format!("unnamed-{number}")).await,
            "{number}"
        );
    }
    // Who is no proxy speaks for itself, whatever it says.
    let mut taken = 0;
    for number in 0..40 {
        let client = format!("198.51.100.{number}");
        taken += usize::from(send("192.0.2.3", Some(&client), &format!("forged-{number}")).await);
    }
    assert_eq!(taken, 30);
}

#[tokio::test]
async fn a_large_body_is_not_read() {
    let reports = CspReports::new();
    let padded = format!("{}{}", " ".repeat(MOST_BYTES), about("https://example.com/"));
    let answer = site(&reports)
        .send(report(padded, "application/csp-report"))
        .await;
    assert_ne!(answer.status, StatusCode::OK);
    assert!(reports.list().is_empty());
}

#[tokio::test]
async fn ten_thousand_reports_cost_what_the_budget_allows() {
    let reports = CspReports::new();
    let site = site(&reports);
    for number in 0..10_000 {
        let document = format!("https://example.com/{number}");
        let answer = site
            .send(report(about(&document), "application/csp-report"))
            .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let kept = reports.list().len() as u64;
    assert!(kept <= 1_000, "{kept} reports are kept");
    assert!(reports.dropped() >= 9_000, "{} are dropped", reports.dropped());
}
