//! Origins as browsers and Django write them.

use super::{Origin, OriginFault, TrustedOrigins, good_referer};

fn trusted(origins: &[&str]) -> TrustedOrigins {
    TrustedOrigins::parse(origins.iter().copied()).unwrap()
}

#[test]
fn an_origin_reads_back_what_it_renders() {
    for text in [
        "https://a.example",
        "http://[::1]:8000",
        "moz-extension://0c6a",
        "HTTPS://A.Example:1",
    ] {
        let origin: Origin = text.parse().unwrap();
        assert_eq!(origin.to_string(), text.to_lowercase());
        assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
    }
}

#[test]
fn entries_that_could_never_match_are_all_named() {
    let faults = TrustedOrigins::parse([
        "a.example",
        "https://a.example",
        "https://a.example/",
        "https://",
        "https://*",
        "https://a.*.example",
        "https://*a.example",
        "https://[a.example",
        "https://me@a.example",
        "null",
        " https://a.example",
    ])
    .unwrap_err();
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| (fault.origin(), fault.fault().clone()))
        .collect();
    assert_eq!(
        faults,
        [
            ("a.example", OriginFault::NoScheme),
            ("https://a.example/", OriginFault::NotOnlyOrigin),
            ("https://", OriginFault::Incomplete),
            ("https://*", OriginFault::Wildcard),
            ("https://a.*.example", OriginFault::Wildcard),
            ("https://*a.example", OriginFault::Wildcard),
            (
                "https://[a.example",
                OriginFault::Url(crate::url::InvalidUrl::UnbalancedBrackets)
            ),
            ("https://me@a.example", OriginFault::NotOnlyOrigin),
            ("null", OriginFault::NoScheme),
            (" https://a.example", OriginFault::NotOnlyOrigin),
        ]
    );
}

#[test]
fn a_list_taken_as_django_takes_it_matches_as_there() {
    let list =
        TrustedOrigins::parse_leniently(["https://a.example/", "https://**.b.example:81", "c"]).unwrap();
    assert!(list.referer_hosts().eq(["a.example", ".b.example:81", ""]));
    assert!(list.exact().eq(["https://a.example/", "c"]));
    assert!(list.subdomains().eq([("https", ".b.example:81")]));
    assert!(list.allows_origin("https://x.b.example:81"));
    assert!(!list.allows_origin("https://a.example"));
    assert!(TrustedOrigins::parse_leniently(["https://["]).is_err());
}

#[test]
fn the_site_itself_is_trusted_by_scheme_host_and_port() {
    let none = TrustedOrigins::default();
    assert!(
        none.check_origin("https://a.example:8443", true, Some("a.example:8443"))
            .is_ok()
    );
    for (origin, secure, own) in [
        ("http://a.example", true, Some("a.example")),
        ("https://a.example", false, Some("a.example")),
        ("https://a.example", true, Some("a.example:8443")),
        ("https://A.example", true, Some("a.example")),
        ("https://a.example.evil.example", true, Some("a.example")),
        ("https://a.example", true, None),
        ("null", true, Some("a.example")),
        ("", true, Some("a.example")),
    ] {
        let refusal = none.check_origin(origin, secure, own).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("Origin checking failed - {origin} does not match any trusted origins.")
        );
    }
}

#[test]
fn a_referer_fails_with_the_reason_that_django_logs() {
    let trusted = trusted(&["http://pay.example"]);
    for (referer, reason) in [
        (None, "Referer checking failed - no Referer."),
        (Some(""), "Referer checking failed - Referer is malformed."),
        (
            Some("https://"),
            "Referer checking failed - Referer is malformed.",
        ),
        (
            Some("//a.example/"),
            "Referer checking failed - Referer is malformed.",
        ),
        (
            Some("https://["),
            "Referer checking failed - Referer is malformed.",
        ),
        (
            Some("http://a.example/"),
            "Referer checking failed - Referer is insecure while host is secure.",
        ),
        (
            Some("HTTPS://evil.example?#"),
            "Referer checking failed - https://evil.example does not match any trusted origins.",
        ),
    ] {
        let refusal = trusted.check_referer(referer, Some("a.example")).unwrap_err();
        assert_eq!(refusal.to_string(), reason, "{referer:?}");
    }
    assert!(
        trusted
            .check_referer(Some("https://a.example/form?x"), Some("a.example"))
            .is_ok()
    );
    assert!(
        trusted.check_referer(Some("https://pay.example/"), None).is_ok(),
        "the entry's scheme is ignored"
    );
    assert!(
        trusted
            .check_referer(Some("https://b.a.example"), Some(".a.example"))
            .is_ok()
    );
}

#[test]
fn the_cookie_domain_stands_for_the_host_with_an_unusual_port() {
    assert_eq!(
        good_referer(Some(".a.example"), Some("x"), "80").as_deref(),
        Some(".a.example")
    );
    assert_eq!(
        good_referer(Some(".a.example"), None, "4443").as_deref(),
        Some(".a.example:4443")
    );
    assert_eq!(
        good_referer(None, Some("a.example:4443"), "4443").as_deref(),
        Some("a.example:4443")
    );
    assert_eq!(good_referer(None, None, "443"), None);
}
