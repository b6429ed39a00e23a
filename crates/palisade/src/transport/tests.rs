//! What the transport guard lets in, redirects and refuses.

use std::sync::Mutex;

use super::*;

fn request(method: &str, uri: &str, peer: &str, tls: bool, headers: &[(&str, &str)]) -> request::Parts {
    let mut builder = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "example.com");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let (mut parts, ()) = builder.body(()).unwrap().into_parts();
    parts.extensions.insert(Peer {
        addr: peer.parse().unwrap(),
        tls,
    });
    parts
}

fn behind_proxy() -> TransportGuard {
    TransportGuard {
        scheme_header: Some((
            HeaderName::from_static("x-forwarded-proto"),
            ProxyHeader {
                name: "X-Forwarded-Proto".parse().unwrap(),
                value: "https".to_owned(),
            },
        )),
        proxies: TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]),
        ..TransportGuard::default()
    }
}

#[test]
fn plain_requests_are_redirected_with_path_and_query() {
    let mut parts = request("GET", "/notes/?page=2", "192.0.2.1:999", false, &[]);
    let rejection = TransportGuard::default().admit(&mut parts).unwrap_err();
    let response = axum::response::IntoResponse::into_response(rejection);
    assert_eq!(response.status(), 301);
    assert_eq!(
        response.headers()["location"],
        "https://example.com/notes/?page=2"
    );
}

#[test]
fn a_session_cookie_over_plain_http_is_refused_and_revoked() {
    let revoked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&revoked);
    let guard = TransportGuard {
        session_cookie: Some("sessionid".to_owned()),
        ..TransportGuard::default()
    }
    .with_revocation(move |key| seen.lock().unwrap().push(key.to_owned()));
    let mut parts = request(
        "GET",
        "/",
        "192.0.2.1:999",
        false,
        &[("cookie", "a=b; sessionid=0123456789abcdef")],
    );
    let rejection = guard.admit(&mut parts).unwrap_err();
    assert_eq!(rejection.status(), 403);
    assert_eq!(rejection.threat(), Some(Threat::InsecureTransport));
    assert_eq!(*revoked.lock().unwrap(), ["0123456789abcdef"]);
}

#[test]
fn an_unsafe_plain_request_is_refused_rather_than_redirected() {
    let mut parts = request("POST", "/login/", "192.0.2.1:999", false, &[]);
    assert_eq!(
        TransportGuard::default().admit(&mut parts).unwrap_err().status(),
        403
    );
}

#[test]
fn a_stranger_cannot_claim_https() {
    let mut parts = request(
        "GET",
        "/",
        "192.0.2.1:999",
        false,
        &[("x-forwarded-proto", "https")],
    );
    assert_eq!(behind_proxy().admit(&mut parts).unwrap_err().status(), 301);
    assert!(!parts.headers.contains_key("x-forwarded-proto"));
}

#[test]
fn a_listed_proxy_says_the_scheme_and_its_http_wins_over_tls() {
    let mut parts = request(
        "GET",
        "/",
        "10.1.2.3:999",
        false,
        &[("x-forwarded-proto", "https")],
    );
    assert!(behind_proxy().admit(&mut parts).unwrap());
    let mut parts = request("GET", "/", "10.1.2.3:999", true, &[("x-forwarded-proto", "http")]);
    assert_eq!(
        behind_proxy().admit(&mut parts).unwrap_err().status(),
        301,
        "CVE-2019-12781"
    );
}

#[test]
fn the_client_is_the_right_most_address_that_is_no_proxy() {
    let cases = [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("6.6.6.6, nonsense, 10.9.9.9", "10.9.9.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
    ];
    for (header, client) in cases {
        let headers = [("x-forwarded-proto", "https"), ("x-forwarded-for", header)];
        let mut parts = request("GET", "/", "10.1.2.3:999", false, &headers);
        behind_proxy().admit(&mut parts).unwrap();
        assert_eq!(
            parts.extensions.get::<Connection>().unwrap().client,
            client.parse::<IpAddr>().unwrap(),
            "{header}"
        );
    }
}

#[test]
fn hsts_is_stamped_over_tls_only_and_never_on_localhost() {
    for (host, expected) in [
        ("example.com", true),
        ("localhost:8443", false),
        ("127.0.0.1", false),
        ("[::1]:8443", false),
    ] {
        let mut parts = request("GET", "/", "192.0.2.1:999", true, &[]);
        parts.headers.insert(HOST, HeaderValue::from_static(host));
        let guard = TransportGuard::default();
        let pass = guard.admit(&mut parts).unwrap();
        let (mut response, ()) = http::Response::new(()).into_parts();
        guard.release(pass, &mut response);
        assert_eq!(
            response.headers.contains_key(STRICT_TRANSPORT_SECURITY),
            expected,
            "{host}"
        );
    }
}

#[test]
fn a_handlers_own_hsts_is_not_overwritten() {
    let guard = TransportGuard::default();
    let (mut response, ()) = http::Response::builder()
        .header(STRICT_TRANSPORT_SECURITY, "max-age=5")
        .body(())
        .unwrap()
        .into_parts();
    guard.release(true, &mut response);
    assert_eq!(response.headers[STRICT_TRANSPORT_SECURITY], "max-age=5");
}

#[test]
fn the_redirect_goes_to_the_port_that_serves_https() {
    let guard = TransportGuard::default().dangerous_without_redirect();
    let mut parts = request("GET", "/a", "127.0.0.1:999", false, &[]);
    parts.extensions.insert(PlainDoor { https_port: 8443 });
    parts
        .headers
        .insert(HOST, HeaderValue::from_static("localhost:8080"));
    let response = axum::response::IntoResponse::into_response(guard.admit(&mut parts).unwrap_err());
    assert_eq!(response.headers()["location"], "https://localhost:8443/a");
}
