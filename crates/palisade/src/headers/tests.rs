//! What stands on a response, and what is never overwritten.

use http::Response;

use super::*;

fn stamped(guard: &HeaderGuard, use_nonce: bool, response: Response<()>) -> HeaderMap {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    let cell = guard.admit(&mut parts).unwrap();
    if use_nonce {
        let nonce = futures_util::FutureExt::now_or_never(
            <CspNonce as axum::extract::FromRequestParts<()>>::from_request_parts(&mut parts, &()),
        );
        assert!(!nonce.unwrap().unwrap().as_str().is_empty());
    }
    let (mut parts, ()) = response.into_parts();
    guard.release(cell, &mut parts);
    parts.headers
}

#[test]
fn every_response_carries_the_headers() {
    let headers = stamped(&HeaderGuard::default(), false, Response::new(()));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    assert_eq!(headers["referrer-policy"], "same-origin");
    assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(headers["x-xss-protection"], "0");
    assert!(headers.contains_key("permissions-policy"));
    let csp = headers["content-security-policy"].to_str().unwrap();
    assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
    assert!(!csp.contains("nonce-"), "no page asked for a nonce: {csp}");
}

#[test]
fn a_page_that_asked_for_the_nonce_gets_a_policy_with_it() {
    let first = stamped(&HeaderGuard::default(), true, Response::new(()));
    let second = stamped(&HeaderGuard::default(), true, Response::new(()));
    let csp = first["content-security-policy"].to_str().unwrap();
    assert!(csp.contains("'nonce-"), "{csp}");
    assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
    assert_ne!(
        first["content-security-policy"], second["content-security-policy"],
        "a nonce is used once"
    );
}

#[test]
fn what_a_handler_set_is_never_overwritten() {
    let response = Response::builder()
        .header("x-frame-options", "SAMEORIGIN")
        .header("content-security-policy", "default-src 'self'")
        .header("referrer-policy", "no-referrer")
        .body(())
        .unwrap();
    let headers = stamped(&HeaderGuard::default(), true, response);
    assert_eq!(headers["x-frame-options"], "SAMEORIGIN");
    assert_eq!(headers["content-security-policy"], "default-src 'self'");
    assert_eq!(headers["referrer-policy"], "no-referrer");
}

#[test]
fn a_routes_frame_policy_decides_both_headers() {
    let partner = FramePolicy::ancestors(["https://partner.example"]).unwrap();
    for (policy, options, ancestors) in [
        (
            FramePolicy::SameOrigin,
            Some("SAMEORIGIN"),
            "frame-ancestors 'self'",
        ),
        (partner, None, "frame-ancestors https://partner.example"),
        (FramePolicy::Exempt("a public widget"), None, "frame-ancestors *"),
    ] {
        let mut response = Response::new(());
        response.extensions_mut().insert(policy);
        let headers = stamped(&HeaderGuard::default(), false, response);
        assert_eq!(
            headers
                .get("x-frame-options")
                .map(|value| value.to_str().unwrap()),
            options
        );
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains(ancestors)
        );
    }
}

#[test]
fn an_ancestor_cannot_smuggle_in_another_directive() {
    for bad in [
        "https://a.example; script-src *",
        "partner.example",
        "https://",
        "*",
        "https://a b",
        "'self'",
        "https://a:x",
    ] {
        assert!(FramePolicy::ancestors([bad]).is_err(), "{bad}");
    }
    assert!(FramePolicy::ancestors(["https://*.partner.example", "http://localhost:*"]).is_ok());
}
