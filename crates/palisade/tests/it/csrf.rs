//! Cross-site request forgery through the whole stack: each of Django's reasons, and what passes.

use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::stream;
use http::header::{CONTENT_TYPE, ORIGIN, REFERER};
use http::{Request, StatusCode};
use palisade::clock::Clock;
use palisade::core::origin::TrustedOrigins;
use palisade::csrf::{CsrfToken, SCAN_LIMIT};
use palisade::serve::Peer;
use palisade::session::{MemorySessions, Session};
use palisade::{Palisade, Policies, Protected, Rejection, Router, Settings};
use proptest::prelude::*;

use crate::client::{Answer, Client, settings};

const OURS: (&str, &str) = ("origin", "https://example.com");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn site(settings: Settings) -> Protected {
    let form = get(async |csrf: CsrfToken| csrf.masked())
        .post(async || "done")
        .put(async || "done")
        .delete(async || "done");
    let router = Router::new()
        .route("/form", form)
        .route("/quiet", get(async || "quiet"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/short", post(async |body: Bytes| body).body_limit(100))
        .route(
            "/hook",
            post(async || "thanks").csrf_exempt("a test of exemption"),
        )
        .route("/keep", get(keep));
    Palisade::new(settings)
        .with_clock(Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
        .with_sessions(MemorySessions::new())
        .protect(router)
}

async fn keep(session: Session) -> Result<&'static str, Rejection> {
    session.insert("cart", "apple").await?;
    Ok("kept")
}

/// Settings that show the reason.
fn open() -> Settings {
    let mut settings = settings();
    settings.debug = true;
    settings
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// `ok`, or the reason for the refusal.
fn verdict(answer: &Answer) -> String {
    if answer.status.is_success() {
        return "ok".to_owned();
    }
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    format!("{} {}", answer.status.as_u16(), json["reason"].as_str().unwrap())
}

/// A browser that has the form, and its token.
async fn visitor(app: &Protected) -> (Client, String) {
    let client = Client::new(app);
    let token = client.get("/form").await.text;
    assert_eq!(token.len(), 64);
    (client, token)
}

#[tokio::test]
async fn every_reason_is_djangos() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let good = format!("csrfmiddlewaretoken={token}");
    let short = "csrfmiddlewaretoken=abc".to_owned();
    let odd = format!("csrfmiddlewaretoken={}", "%".repeat(64));
    let wrong = format!("csrfmiddlewaretoken={}", "a".repeat(64));
    let none = String::new();
    let referer = |referer: &'static str| ("referer", referer);
    let cases = [
        (
            "Origin checking failed - https://evil.example does not match any trusted origins.",
            vec![("origin", "https://evil.example")],
            &good,
        ),
        (
            "Origin checking failed - null does not match any trusted origins.",
            vec![("origin", "null")],
            &good,
        ),
        (
            "Origin checking failed - http://example.com does not match any trusted origins.",
            vec![("origin", "http://example.com")],
            &good,
        ),
        (
            "Origin checking failed - https://evil.example does not match any trusted origins.",
            vec![
                ("origin", "https://evil.example"),
                referer("https://example.com/"),
            ],
            &good,
        ),
        ("Referer checking failed - no Referer.", vec![], &good),
        (
            "Referer checking failed - Referer is malformed.",
            vec![referer("form")],
            &good,
        ),
        (
            "Referer checking failed - Referer is malformed.",
            vec![referer("https://[")],
            &good,
        ),
        (
            "Referer checking failed - Referer is insecure while host is secure.",
            vec![referer("http://example.com/form")],
            &good,
        ),
        (
            "Referer checking failed - https://evil.example/form does not match any trusted origins.",
            vec![referer("https://evil.example/form")],
            &good,
        ),
        (
            "Sec-Fetch-Site checking failed - another site made the request.",
            vec![referer("https://example.com/"), ("sec-fetch-site", "cross-site")],
            &good,
        ),
        ("CSRF token missing.", vec![OURS], &none),
        ("CSRF token from POST has incorrect length.", vec![OURS], &short),
        ("CSRF token from POST has invalid characters.", vec![OURS], &odd),
        ("CSRF token from POST incorrect.", vec![OURS], &wrong),
        (
            "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.",
            vec![OURS, ("x-csrftoken", "abc")],
            &none,
        ),
        (
            "CSRF token from the 'X-Csrftoken' HTTP header has invalid characters.",
            vec![OURS, ("x-csrftoken", "--------------------------------")],
            &none,
        ),
        (
            "CSRF token from the 'X-Csrftoken' HTTP header incorrect.",
            vec![OURS, ("x-csrftoken", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
            &none,
        ),
    ];
    for (reason, mut headers, body) in cases {
        headers.push(FORM);
        let answer = client
            .send(request("POST", "/form", &headers, body.clone()))
            .await;
        assert_eq!(verdict(&answer), format!("403 {reason}"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_cookies_faults_are_told_in_djangos_words() {
    let app = site(open());
    let token = "a".repeat(32);
    for (cookie, reason) in [
        (None, "403 CSRF cookie not set."),
        (Some("short".to_owned()), "403 CSRF cookie has incorrect length."),
        (Some("-".repeat(32)), "403 CSRF cookie has invalid characters."),
    ] {
        let client = Client::new(&app);
        if let Some(cookie) = &cookie {
            client.plant("csrftoken", cookie);
        }
        let body = format!("csrfmiddlewaretoken={token}");
        let answer = client.send(request("POST", "/form", &[OURS, FORM], body)).await;
        assert_eq!(verdict(&answer), reason);
        if cookie.is_some() {
            let replaced = client.cookie("csrftoken").unwrap();
            assert_eq!(replaced.len(), 32, "a cookie that cannot be read is replaced");
            let answer = client.post("/form", "").await;
            assert_eq!(answer.text, "done", "and then it works");
        }
    }
}

#[tokio::test]
async fn without_debug_the_reason_stays_here() {
    let app = site(settings());
    let answer = Client::new(&app)
        .send(request("POST", "/form", &[OURS, FORM], ""))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.text.contains("CSRF"), "{}", answer.text);
    assert!(
        answer.text.contains("Allow cookies for this site"),
        "but what to do is said: {}",
        answer.text
    );
}

#[tokio::test]
async fn bare_and_masked_tokens_pass_in_field_and_header() {
    let app = site(open());
    let (client, masked) = visitor(&app).await;
    let bare = client.cookie("csrftoken").unwrap();
    assert_eq!(bare.len(), 32);
    for token in [&bare, &masked] {
        let field = request(
            "POST",
            "/form",
            &[OURS, FORM],
            format!("a=1&csrfmiddlewaretoken={token}&b=2"),
        );
        assert_eq!(verdict(&client.send(field).await), "ok");
        let header = request(
            "POST",
            "/form",
            &[OURS, FORM, ("x-csrftoken", token)],
            "csrfmiddlewaretoken=",
        );
        assert_eq!(
            verdict(&client.send(header).await),
            "ok",
            "an empty field leaves the word to the header"
        );
        let both = request(
            "POST",
            "/form",
            &[OURS, FORM, ("x-csrftoken", token)],
            "csrfmiddlewaretoken=wrong",
        );
        assert_ne!(verdict(&client.send(both).await), "ok", "but a wrong one has it");
        let doubled = format!("csrfmiddlewaretoken={token}&csrfmiddlewaretoken=wrong");
        let doubled = request("POST", "/form", &[OURS, FORM], doubled);
        assert_ne!(
            verdict(&client.send(doubled).await),
            "ok",
            "the last of two counts"
        );
    }
    client.plant("csrftoken", &masked);
    let field = request(
        "POST",
        "/form",
        &[OURS, FORM],
        format!("csrfmiddlewaretoken={bare}"),
    );
    assert_eq!(
        verdict(&client.send(field).await),
        "ok",
        "the cookie may be masked, as of Django before 4.1"
    );
    let another = client.thief();
    another.plant("csrftoken", &"b".repeat(32));
    let field = request(
        "POST",
        "/form",
        &[OURS, FORM],
        format!("csrfmiddlewaretoken={masked}"),
    );
    assert_eq!(
        verdict(&another.send(field).await),
        "403 CSRF token from POST incorrect."
    );
}

#[tokio::test]
async fn json_put_and_delete_need_the_header() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let json = ("content-type", "application/json");
    let body = format!("{{\"csrfmiddlewaretoken\":\"{token}\"}}");
    let form = format!("csrfmiddlewaretoken={token}");
    for (method, kind, body) in [
        ("POST", json, &body),
        ("PUT", FORM, &form),
        ("DELETE", FORM, &form),
    ] {
        let without = request(method, "/form", &[OURS, kind], body.clone());
        assert_eq!(
            verdict(&client.send(without).await),
            "403 CSRF token missing.",
            "{method}"
        );
        let with = request(
            method,
            "/form",
            &[OURS, kind, ("x-csrftoken", &token)],
            body.clone(),
        );
        assert_eq!(verdict(&client.send(with).await), "ok", "{method}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencodedx", ""] {
        let disguised = request("POST", "/form", &[OURS, ("content-type", kind)], form.clone());
        assert_eq!(
            verdict(&client.send(disguised).await),
            "403 CSRF token missing.",
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_unsafe() {
    let app = site(open());
    let router = Router::new().route("/any", axum::routing::any(async || "done"));
    let any = Palisade::new(open()).protect(router);
    for method in ["PURGE", "PROPFIND", "get", "PATCH"] {
        let answer = Client::new(&any).send(request(method, "/any", &[OURS], "")).await;
        assert_eq!(verdict(&answer), "403 CSRF cookie not set.", "{method}");
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        let answer = Client::new(&any).send(request(method, "/any", &[], "")).await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
    }
    let answer = Client::new(&app).send(request("POST", "/nowhere", &[], "")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_exempt_route_asks_for_nothing() {
    let app = site(open());
    let foreign = [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = Client::new(&app)
        .send(request("POST", "/hook", &foreign, "x"))
        .await;
    assert_eq!(answer.text, "thanks");
}

#[tokio::test]
async fn trusted_origins_pass_by_origin_and_by_referer() {
    let mut settings = open();
    settings.csrf_trusted_origins =
        TrustedOrigins::parse(["https://shop.example", "https://*.partner.example:8443"]).unwrap();
    let (client, token) = visitor(&site(settings)).await;
    let body = format!("csrfmiddlewaretoken={token}");
    for (origin, passes) in [
        ("https://shop.example", true),
        ("https://a.partner.example:8443", true),
        ("https://a.b.partner.example:8443", true),
        ("https://partner.example:8443", true),
        ("https://a.partner.example", false),
        ("http://shop.example", false),
        ("https://shop.example:8443", false),
        ("https://evilshop.example", false),
        ("https://evilpartner.example:8443", false),
        ("https://shop.example.evil.example", false),
        ("https://SHOP.example", false),
    ] {
        let by_origin = request("POST", "/form", &[("origin", origin), FORM], body.clone());
        assert_eq!(
            client.send(by_origin).await.status.is_success(),
            passes,
            "{origin}"
        );
        let referer = format!("{origin}/page?x");
        let by_referer = request("POST", "/form", &[("referer", &referer), FORM], body.clone());
        let passes = passes && origin.starts_with("https:");
        assert_eq!(
            client.send(by_referer).await.status.is_success(),
            passes,
            "{referer}"
        );
    }
}

#[tokio::test]
async fn a_cookie_domain_lets_sibling_hosts_refer_on_the_port_that_the_proxy_names() {
    let mut settings = open();
    settings.csrf_cookie_domain = Some(".example.com".to_owned());
    settings.use_x_forwarded_port = true;
    settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let (client, token) = visitor(&site(settings)).await;
    for (peer, port, referer, passes) in [
        ("10.0.0.1:1", "8443", "https://sub.example.com:8443/", true),
        ("10.0.0.1:1", "8443", "https://sub.example.com/", false),
        ("10.0.0.1:1", "443", "https://sub.example.com/", true),
        ("192.0.2.7:1", "8443", "https://sub.example.com:8443/", false),
        ("192.0.2.7:1", "8443", "https://sub.example.com/", true),
        ("192.0.2.7:1", "8443", "https://evilexample.com/", false),
    ] {
        let headers = [("referer", referer), ("x-forwarded-port", port), FORM];
        let mut request = request("POST", "/form", &headers, format!("csrfmiddlewaretoken={token}"));
        request.extensions_mut().insert(Peer {
            addr: peer.parse().unwrap(),
            tls: true,
        });
        assert_eq!(
            client.send(request).await.status.is_success(),
            passes,
            "{peer} {port} {referer}"
        );
    }
}

#[tokio::test]
async fn over_plain_http_there_is_no_referer_to_check() {
    let mut settings = open();
    settings.secure_ssl_redirect = false;
    let (client, token) = visitor(&site(settings)).await;
    let plain = |headers: &[(&str, &str)]| {
        let mut request = request("POST", "/form", headers, format!("csrfmiddlewaretoken={token}"));
        request.extensions_mut().insert(Peer {
            addr: "192.0.2.7:1".parse().unwrap(),
            tls: false,
        });
        request
    };
    assert_eq!(verdict(&client.send(plain(&[FORM])).await), "ok");
    assert_eq!(
        verdict(
            &client
                .send(plain(&[FORM, ("referer", "https://evil.example/")]))
                .await
        ),
        "ok"
    );
    assert_ne!(
        verdict(
            &client
                .send(plain(&[FORM, ("sec-fetch-site", "cross-site")]))
                .await
        ),
        "ok"
    );
    assert_ne!(
        verdict(&client.send(plain(&[FORM, OURS])).await),
        "ok",
        "the scheme of the origin is not ours"
    );
}

#[tokio::test]
async fn the_secret_may_live_in_the_session() {
    let mut settings = open();
    settings.csrf_use_sessions = true;
    let app = site(settings);
    let (client, token) = visitor(&app).await;
    assert_eq!(client.cookie("csrftoken"), None, "no cookie of its own");
    let body = format!("csrfmiddlewaretoken={token}");
    assert_eq!(
        verdict(
            &client
                .send(request("POST", "/form", &[OURS, FORM], body.clone()))
                .await
        ),
        "ok"
    );
    let again = client.get("/form").await.text;
    assert_ne!(again, token, "masked anew");
    assert_eq!(
        verdict(
            &client
                .send(request("POST", "/form", &[OURS, FORM], body.clone()))
                .await
        ),
        "ok"
    );
    let stranger = Client::new(&app);
    let refused = stranger
        .send(request("POST", "/form", &[OURS, FORM], body.clone()))
        .await;
    assert_eq!(verdict(&refused), "403 CSRF cookie not set.");
    stranger.plant("csrftoken", &"a".repeat(32));
    let planted = format!("csrfmiddlewaretoken={}", "a".repeat(32));
    let refused = stranger
        .send(request("POST", "/form", &[OURS, FORM], planted))
        .await;
    assert_eq!(
        verdict(&refused),
        "403 CSRF cookie not set.",
        "a cookie that a sibling site planted means nothing"
    );
    let (other, _) = visitor(&app).await;
    let refused = other.send(request("POST", "/form", &[OURS, FORM], body)).await;
    assert_eq!(verdict(&refused), "403 CSRF token from POST incorrect.");
}

#[tokio::test]
async fn without_sessions_csrf_use_sessions_names_what_is_missing() {
    let mut settings = open();
    settings.csrf_use_sessions = true;
    let router = Router::new().route(
        "/form",
        get(async |csrf: CsrfToken| csrf.masked()).post(async || "done"),
    );
    let client = Client::new(&Palisade::new(settings).protect(router));
    for request in [
        request("GET", "/form", &[], ""),
        request("POST", "/form", &[OURS, FORM], ""),
    ] {
        let answer = client.send(request).await;
        assert!(
            verdict(&answer).starts_with("500 csrf_use_sessions is on"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn only_a_page_with_a_token_sets_the_cookie_and_varies() {
    let app = site(settings());
    let client = Client::new(&app);
    let quiet = client.get("/quiet").await;
    assert_eq!((quiet.header("set-cookie"), quiet.header("vary")), ("", ""));
    let page = client.get("/form").await;
    let secret = client.cookie("csrftoken").unwrap();
    assert_eq!(
        page.header("set-cookie"),
        format!(
            "csrftoken={secret}; expires=Tue, 12 Nov 2024 22:13:20 GMT; HttpOnly; Max-Age=31449600; Path=/; \
             SameSite=Lax; Secure"
        )
    );
    assert_eq!(page.header("vary"), "Cookie");
    assert!(!page.text.contains(&secret), "the page has the masked token");
    let again = client.get("/form").await;
    assert_eq!(
        client.cookie("csrftoken").unwrap(),
        secret,
        "the secret stays, its age is renewed"
    );
    assert!(again.header("set-cookie").contains("Max-Age=31449600"));
    let quiet = client.get("/quiet").await;
    assert_eq!((quiet.header("set-cookie"), quiet.header("vary")), ("", ""));
    client.plant("csrftoken", "malformed");
    client.get("/form").await;
    assert_eq!(
        client.cookie("csrftoken").unwrap().len(),
        32,
        "a malformed one is replaced"
    );
}

#[tokio::test]
async fn a_csrf_age_of_none_makes_a_cookie_that_goes_with_the_browser() {
    let mut settings = settings();
    settings.csrf_cookie_age = None;
    let page = Client::new(&site(settings)).get("/form").await;
    assert!(
        !page.header("set-cookie").contains("Max-Age"),
        "{}",
        page.header("set-cookie")
    );
}

fn part(disposition: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn multipart(path: &str, body: impl Into<Body>) -> Request<Body> {
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    request("POST", path, &[OURS, kind], body)
}

#[tokio::test]
async fn the_token_of_a_multipart_form_stands_before_its_large_files() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let field = part("name=\"csrfmiddlewaretoken\"", &token);
    let file = |size: usize| part("name=\"f\"; filename=\"a.bin\"", &"x".repeat(size));
    let end = "--XX--\r\n";
    for (body, reason) in [
        (format!("{field}{}{end}", file(500_000)), "ok"),
        (format!("{}{field}{end}", file(1000)), "ok"),
        (
            format!("{}{field}{end}", file(SCAN_LIMIT + 1)),
            "403 CSRF token missing.",
        ),
        (format!("{}{end}", file(10)), "403 CSRF token missing."),
        (
            format!(
                "{}{end}",
                part("name=\"csrfmiddlewaretoken\"; filename=\"t\"", &token)
            ),
            "403 CSRF token missing.",
        ),
        (
            format!("{}{end}", part("name=\"csrfmiddlewaretoken\"", "")),
            "403 CSRF token missing.",
        ),
        (field.replace("--XX\r\n", "--YY\r\n"), "403 CSRF token missing."),
        (field.trim_end().to_owned(), "403 CSRF token missing."),
        (String::new(), "403 CSRF token missing."),
    ] {
        let answer = client.send(multipart("/echo", body.clone())).await;
        assert_eq!(verdict(&answer), reason, "{} bytes", body.len());
        if reason == "ok" {
            assert_eq!(answer.text, body);
        }
    }
}

#[tokio::test]
async fn a_form_that_is_too_big_is_refused_before_it_is_kept() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let reason = "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.";
    let body = format!("csrfmiddlewaretoken={token}&x={}", "x".repeat(2_621_440));
    let declared = client
        .send(request("POST", "/form", &[OURS, FORM], body.clone()))
        .await;
    assert_eq!(
        verdict(&declared),
        format!("413 {reason}"),
        "declared: refused unread"
    );
    let pieces: Vec<_> = body
        .as_bytes()
        .chunks(65_536)
        .map(|piece| Ok::<_, axum::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let found = request(
        "POST",
        "/form",
        &[OURS, FORM],
        Body::from_stream(stream::iter(pieces)),
    );
    assert_eq!(
        verdict(&client.send(found).await),
        format!("400 {reason}"),
        "found, as in Django"
    );
    let lied = [OURS, FORM, ("content-length", "99999999")];
    let lied = client
        .send(request(
            "POST",
            "/form",
            &lied,
            Body::from_stream(stream::empty::<Result<Bytes, axum::Error>>()),
        ))
        .await;
    assert_eq!(verdict(&lied), format!("400 {reason}"));
    let piece = Ok::<_, axum::Error>(Bytes::from(format!(
        "csrfmiddlewaretoken={token}&x={}",
        "x".repeat(100)
    )));
    let over = request(
        "POST",
        "/short",
        &[OURS, FORM],
        Body::from_stream(stream::iter([piece])),
    );
    assert_eq!(
        verdict(&client.send(over).await),
        format!("400 {reason}"),
        "the route's own limit"
    );
    let long = format!(
        "{}{}--XX--\r\n",
        part("name=\"a\"", &"x".repeat(200)),
        part("name=\"csrfmiddlewaretoken\"", &token)
    );
    let over = multipart(
        "/short",
        Body::from_stream(stream::iter([Ok::<_, axum::Error>(Bytes::from(long))])),
    );
    assert_eq!(verdict(&client.send(over).await), format!("400 {reason}"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400_and_no_pass() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=XX",
    ] {
        let pieces = [
            Ok(Bytes::from(format!("csrfmiddlewaretoken={token}"))),
            Err(std::io::Error::other("reset by peer")),
        ];
        let broken = request(
            "POST",
            "/form",
            &[OURS, ("content-type", kind)],
            Body::from_stream(stream::iter(pieces)),
        );
        assert_eq!(
            verdict(&client.send(broken).await),
            "400 the request's body broke off"
        );
    }
}

/// The body, in frames that end at these places.
fn in_frames(body: &str, ends: &[prop::sample::Index]) -> Body {
    let mut ends: Vec<usize> = ends.iter().map(|end| end.index(body.len() + 1)).collect();
    ends.push(body.len());
    ends.sort_unstable();
    let mut begin = 0;
    let frames: Vec<_> = ends
        .into_iter()
        .map(|end| {
            let frame = Bytes::copy_from_slice(&body.as_bytes()[begin..end]);
            begin = end;
            Ok::<_, axum::Error>(frame)
        })
        .collect();
    Body::from_stream(stream::iter(frames))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn however_a_multipart_body_is_cut_into_frames_the_verdict_and_the_bytes_are_the_same(
        before in prop::collection::vec("[ -~\r\n]{0,60}", 0..4),
        filler in prop_oneof![Just(0_usize), Just(1000), SCAN_LIMIT - 300..SCAN_LIMIT + 300],
        with_token: bool,
        after in "[ -~\r\n]{0,400}",
        cut_short in prop::option::of(any::<prop::sample::Index>()),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = site(open());
            let (client, token) = visitor(&app).await;
            let mut body: String = before.iter().map(|content| part("name=\"a\"", content)).collect();
            body.push_str(&part("name=\"filler\"", &"y".repeat(filler)));
            if with_token {
                body.push_str(&part("name=\"csrfmiddlewaretoken\"", &token));
            }
            body.push_str(&part("name=\"f\"; filename=\"x\"", &after));
            body.push_str("--XX--\r\n");
            if let Some(cut) = cut_short {
                body.truncate(cut.index(body.len()));
            }
            let whole = client.send(multipart("/echo", body.clone())).await;
            let framed = client.send(multipart("/echo", in_frames(&body, &ends))).await;
            assert_eq!(verdict(&framed), verdict(&whole));
            for answer in [whole, framed] {
                match verdict(&answer).as_str() {
                    "ok" => assert_eq!(answer.text, body),
                    reason => assert_eq!(reason, "403 CSRF token missing."),
                }
            }
        });
    }
}

#[tokio::test]
async fn two_origins_or_an_origin_that_is_not_text_are_refused() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let mut odd = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
    odd.headers_mut().insert(
        ORIGIN,
        http::HeaderValue::from_bytes(b"https://ex\xe4mple.com").unwrap(),
    );
    assert_eq!(client.send(odd).await.status, StatusCode::FORBIDDEN);
    let mut odd = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
    odd.headers_mut().insert(
        REFERER,
        http::HeaderValue::from_bytes(b"https://ex\xe4mple.com/").unwrap(),
    );
    assert_eq!(
        verdict(&client.send(odd).await),
        "403 Referer checking failed - Referer is malformed."
    );
    for origins in [
        ["https://evil.example", "https://example.com"],
        ["https://example.com", "https://evil.example"],
    ] {
        let mut two = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
        for origin in origins {
            two.headers_mut().append(ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(
            client.send(two).await.status,
            StatusCode::FORBIDDEN,
            "{origins:?}"
        );
    }
}

#[tokio::test]
async fn two_content_types_do_not_hide_a_form() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let mut two = request(
        "POST",
        "/form",
        &[OURS, FORM],
        format!("csrfmiddlewaretoken={token}"),
    );
    two.headers_mut()
        .append(CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(
        verdict(&client.send(two).await),
        "ok",
        "the first is read, and the token has to be right"
    );
}
