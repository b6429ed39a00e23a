//! CSRF through the whole stack: every reason, every way in, and nothing else.

use axum::routing::get;
use http::StatusCode;
use palisade::core::origin::TrustedOrigins;
use palisade::csrf::CsrfToken;
use palisade::serve::Peer;
use palisade::{Palisade, Router};

use crate::client::{Client, settings};
use crate::csrf_site::{FORM, OURS, open, request, site, verdict, visitor};

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
    let any = Palisade::new(open()).protect(router.public()).unwrap();
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
    let client = Client::new(&Palisade::new(settings).protect(router.public()).unwrap());
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
