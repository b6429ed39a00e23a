//! What stands on a response, and what is never overwritten.

use http::Response;
use palisade_core::django::{SecuritySettings, x_frame_options};

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

/// What is compared with a real Django are functions over settings as loose as Django's; what stands on responses comes of typed
/// values. Here the two are held together.
#[test]
fn headers_are_those_that_are_compared_with_django() {
    let policies = ["no-referrer", "strict-origin, same-origin", "origin"];
    let openers = ["same-origin", "same-origin-allow-popups", "unsafe-none"];
    for round in 0..64_usize {
        let mut settings = Settings::for_development(palisade_core::SecretKey::new("k"));
        settings.secure_content_type_nosniff = round & 1 == 0;
        settings.secure_hsts_seconds = u64::from(round & 2 == 0) * 3600;
        settings.secure_hsts_include_subdomains = round & 4 == 0;
        settings.secure_hsts_preload = round & 8 == 0;
        let (policy, opener) = (policies.get(round % 4), openers.get(round % 5));
        settings.secure_referrer_policy = policy.map(|policy| policy.parse().unwrap());
        settings.secure_cross_origin_opener_policy = opener.map(|opener| opener.parse().unwrap());
        let loose = SecuritySettings {
            hsts_seconds: (round & 2 == 0).then(|| "3600".to_owned()),
            hsts_include_subdomains: settings.secure_hsts_include_subdomains,
            hsts_preload: settings.secure_hsts_preload,
            content_type_nosniff: settings.secure_content_type_nosniff,
            referrer_policy: policy.map(|policy| SecuritySettings::policies(policy)),
            cross_origin_opener_policy: opener.map(|opener| (*opener).to_owned()),
            ..SecuritySettings::default()
        };
        let mut stamped = stamped(&HeaderGuard::from_settings(&settings), false, Response::new(()));
        if let Some(hsts) = settings.hsts() {
            // The transport guard's part: the same text, for names that can be pinned.
            stamped.insert("strict-transport-security", hsts.to_string().parse().unwrap());
        }
        let of_django = loose.headers(true, |_| false);
        for name in [
            "Strict-Transport-Security",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Cross-Origin-Opener-Policy",
        ] {
            let expected = of_django.iter().find(|(known, _)| *known == name);
            let found = stamped
                .get(name)
                .map(|value| value.to_str().unwrap().replace(", ", ","));
            assert_eq!(found, expected.map(|(_, value)| value.clone()), "{name}");
        }
        let frames = x_frame_options("deny", false, false);
        assert_eq!(stamped["x-frame-options"].to_str().ok(), frames.as_deref());
    }
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
