//! Security headers on every answer of the whole stack, whoever gives it.

use axum::body::Body;
use axum::response::Html;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use palisade::headers::{CspNonce, FramePolicy};
use palisade::{Palisade, Policies, Rejection, Router};

use crate::client::{Answer, Client, settings};

fn routes() -> Router {
    let own = [
        ("x-frame-options", "SAMEORIGIN"),
        ("content-security-policy", "default-src 'self'"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=1"),
        ("cross-origin-opener-policy", "unsafe-none"),
    ];
    Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/nonce",
            get(async |nonce: CspNonce| Html(format!("<script nonce=\"{nonce}\">1</script>"))),
        )
        .route("/own", get(async move || (own, "own")))
        .route("/form", post(async || "done"))
        .route("/panic", get(async || -> &'static str { panic!("oh") }))
        .route("/busy", get(async || Rejection::unavailable("busy", 5)))
        .route("/same", get(async || "framed").frame_same_origin())
        .route("/deny", get(async || "framed").frame_deny())
        .route("/widget", get(async || "framed").frame_exempt("a public widget"))
        .route(
            "/partner",
            get(async || "framed")
                .frame_ancestors(["https://partner.example"])
                .unwrap(),
        )
        .route(
            "/chosen",
            get(async || (FramePolicy::SameOrigin, "framed")).frame_deny(),
        )
        .route(
            "/framed-panic",
            get(async || -> &'static str { panic!("oh") }).frame_exempt("a public widget"),
        )
        .route(
            "/nonce-partner",
            get(async |nonce: CspNonce| nonce.as_str().to_owned())
                .frame_ancestors(["https://partner.example"])
                .unwrap(),
        )
}

fn site() -> Client {
    Client::new(&Palisade::new(settings()).protect(routes().public()).unwrap())
}

fn carries_all(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(
        answer.header("cross-origin-opener-policy"),
        "same-origin",
        "{what}"
    );
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        "same-origin",
        "{what}"
    );
    assert_eq!(answer.header("x-xss-protection"), "0", "{what}");
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{what}"
    );
    assert_eq!(answer.header("x-frame-options"), "DENY", "{what}");
    let csp = answer.header("content-security-policy");
    assert!(
        csp.contains("frame-ancestors 'none'") && !csp.contains("unsafe-inline"),
        "{what}: {csp}"
    );
    for name in ["content-security-policy", "x-frame-options", "referrer-policy"] {
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{what}: {name}");
    }
}

const HSTS: &str = "max-age=31536000; includeSubDomains; preload";

#[tokio::test]
async fn every_answer_carries_them_whoever_gives_it() {
    let client = site();
    for (path, status) in [
        ("/", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/form", StatusCode::METHOD_NOT_ALLOWED),
        ("/?password=x", StatusCode::BAD_REQUEST),
        ("/panic", StatusCode::INTERNAL_SERVER_ERROR),
        ("/busy", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, status);
        carries_all(&answer, path);
        assert_eq!(answer.header("strict-transport-security"), HSTS, "{path}");
    }
    let refused = client.post("/form", "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    carries_all(&refused, "403");
    let too_big = Request::post("/form")
        .body(Body::from(vec![0; 3_000_000]))
        .unwrap();
    let too_big = client.send(too_big).await;
    assert_eq!(too_big.status, StatusCode::PAYLOAD_TOO_LARGE);
    carries_all(&too_big, "413");
}

#[tokio::test]
async fn a_refused_host_and_a_redirect_to_https_carry_them_too() {
    let client = site();
    let bad_host = Request::get("/")
        .header("host", "evil.example")
        .body(Body::empty())
        .unwrap();
    let answer = client.send(bad_host).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    carries_all(&answer, "bad host");
    let mut plain = Request::get("/?a=b").body(Body::empty()).unwrap();
    plain.extensions_mut().insert(palisade::serve::Peer {
        addr: "192.0.2.7:1".parse().unwrap(),
        tls: false,
    });
    let answer = client.send(plain).await;
    assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(answer.header("location"), "https://example.com/?a=b");
    assert_eq!(
        answer.header("strict-transport-security"),
        "",
        "HSTS in clear means nothing (RFC 6797 §7.2)"
    );
    carries_all(&answer, "redirect");
}

#[tokio::test]
async fn a_routes_frame_policy_decides_both_headers_and_only_there() {
    let client = site();
    for (path, options, ancestors) in [
        ("/", "DENY", "frame-ancestors 'none'"),
        ("/same", "SAMEORIGIN", "frame-ancestors 'self'"),
        ("/deny", "DENY", "frame-ancestors 'none'"),
        ("/widget", "", "frame-ancestors *"),
        ("/partner", "", "frame-ancestors https://partner.example"),
        ("/chosen", "SAMEORIGIN", "frame-ancestors 'self'"),
        ("/nonce-partner", "", "frame-ancestors https://partner.example"),
        ("/framed-panic", "DENY", "frame-ancestors 'none'"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.header("x-frame-options"), options, "{path}");
        let csp = answer.header("content-security-policy");
        assert!(
            csp.split("; ").any(|directive| directive == ancestors),
            "{path}: {csp}"
        );
        assert_eq!(csp.matches("frame-ancestors").count(), 1, "{path}");
    }
    let other_method = client.post("/same", "").await;
    assert_eq!(
        other_method.header("x-frame-options"),
        "SAMEORIGIN",
        "the route's 405 is the route's"
    );
}

#[tokio::test]
async fn the_nonce_on_the_page_is_the_nonce_in_the_policy_and_never_the_same() {
    let client = site();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let answer = client.get("/nonce").await;
        let nonce = answer.text.split('"').nth(1).unwrap().to_owned();
        assert!(nonce.len() >= 22, "{nonce}");
        let csp = answer.header("content-security-policy");
        assert!(csp.contains(&format!("'nonce-{nonce}'")), "{csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
        assert!(seen.insert(nonce), "a nonce is used once");
    }
    assert!(
        !client
            .get("/")
            .await
            .header("content-security-policy")
            .contains("nonce")
    );
    let partner = client.get("/nonce-partner").await;
    assert!(
        partner
            .header("content-security-policy")
            .contains(&format!("'nonce-{}'", partner.text))
    );
}

#[tokio::test]
async fn a_handlers_own_headers_win() {
    let answer = site().get("/own").await;
    for (name, value) in [
        ("x-frame-options", "SAMEORIGIN"),
        ("content-security-policy", "default-src 'self'"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=1"),
        ("cross-origin-opener-policy", "unsafe-none"),
    ] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [value]);
    }
    assert_eq!(
        answer.header("x-content-type-options"),
        "nosniff",
        "what it did not set is set"
    );
}

#[tokio::test]
async fn settings_turn_them_off_one_by_one() {
    let mut settings = settings();
    settings.secure_hsts_seconds = 0;
    settings.secure_content_type_nosniff = false;
    settings.secure_referrer_policy = None;
    settings.secure_cross_origin_opener_policy = None;
    settings.secure_cross_origin_resource_policy = None;
    settings.permissions_policy = None;
    settings.secure_csp_report_only = settings.secure_csp.take();
    let answer = Client::new(&Palisade::new(settings).protect(routes().public()).unwrap())
        .get("/nonce")
        .await;
    for name in [
        "strict-transport-security",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
        "content-security-policy",
    ] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    let report_only = answer.header("content-security-policy-report-only");
    assert!(
        report_only.contains("'nonce-") && report_only.contains("frame-ancestors 'none'"),
        "{report_only}"
    );
    assert_eq!(answer.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn a_host_that_is_an_address_is_not_pinned() {
    let mut settings = settings();
    settings.allowed_hosts =
        palisade::core::host::AllowedHosts::parse(["127.0.0.1", "app.localhost", "example.com"]);
    let client = Client::new(&Palisade::new(settings).protect(routes().public()).unwrap());
    for (host, hsts) in [
        ("127.0.0.1:8443", ""),
        ("app.localhost", ""),
        ("example.com:8443", HSTS),
    ] {
        let request = Request::get("/")
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            client.send(request).await.header("strict-transport-security"),
            hsts,
            "{host}"
        );
    }
}
