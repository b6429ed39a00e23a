//! What the policy says, and what it must not be made to say.

use super::*;
use crate::Threat;

fn threats(text: &str) -> Vec<Threat> {
    let policy: Csp = text.parse().unwrap();
    policy
        .weaknesses()
        .into_iter()
        .map(|weakness| weakness.threat)
        .collect()
}

/// A policy without weaknesses, to which a test adds one.
const SOUND: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[test]
fn the_strict_policy_is_written_as_documented() {
    assert_eq!(
        Csp::strict().to_string(),
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; object-src 'none'"
    );
}

#[test]
fn the_nonce_fills_every_place() {
    let rendered = Csp::strict().render(Some("AAAAAAAAAAAAAAAAAAAAAA"));
    assert_eq!(rendered.matches("'nonce-AAAAAAAAAAAAAAAAAAAAAA'").count(), 2);
    assert!(!rendered.contains('{'));
}

#[test]
fn without_a_nonce_the_policy_allows_less() {
    let rendered = Csp::strict().render(None);
    assert!(
        rendered.contains("script-src 'none'; style-src 'self'; img-src"),
        "{rendered}"
    );
}

#[test]
fn a_text_that_is_no_nonce_cannot_enter_the_policy() {
    for evil in [
        "",
        "a' 'unsafe-inline",
        "a; script-src *",
        "a\r\nx: y",
        "===",
        "a=b",
        "{nonce}",
    ] {
        assert_eq!(
            Csp::strict().render(Some(evil)),
            Csp::strict().render(None),
            "{evil}"
        );
    }
}

#[test]
fn a_source_cannot_start_a_directive_or_a_header() {
    let policy = Csp::new().with_frame_ancestors(["https://a.example/x; script-src *,\r\ny"]);
    assert_eq!(
        policy.to_string(),
        "frame-ancestors https://a.example/x%3B%20script-src%20*%2C%0D%0Ay"
    );
}

#[test]
fn an_empty_list_of_sources_allows_nobody() {
    assert_eq!(
        Csp::new().with_frame_ancestors([""; 0]).to_string(),
        "frame-ancestors 'none'"
    );
}

#[test]
fn a_directive_from_text_is_checked() {
    let policy = Csp::strict()
        .with_directive("Script-Src", " 'self'  'nonce-{nonce}' ")
        .unwrap();
    assert_eq!(
        policy.sources("script-src").unwrap(),
        ["'self'", "'nonce-{nonce}'"]
    );
    assert_eq!(
        Csp::new()
            .with_directive("upgrade-insecure-requests", "")
            .unwrap()
            .to_string(),
        "upgrade-insecure-requests"
    );
    for (name, value) in [
        ("script src", ""),
        ("", ""),
        ("a;b", ""),
        ("img-src", "a; b"),
        ("img-src", "a,b"),
        ("img-src", "é"),
    ] {
        assert!(Csp::new().with_directive(name, value).is_err(), "{name} {value}");
    }
}

#[test]
fn the_first_of_two_directives_wins_and_both_are_kept() {
    let policy: Csp = "SCRIPT-SRC 'self';script-src *".parse().unwrap();
    assert_eq!(policy.sources("script-src").unwrap(), ["'self'"]);
    assert_eq!(policy.to_string(), "script-src 'self'; script-src *");
    assert!(
        policy
            .weaknesses()
            .iter()
            .any(|weakness| weakness.what.contains("stands twice"))
    );
}

#[test]
fn unknown_directives_are_kept_and_reported() {
    let policy: Csp = format!("{SOUND}; scrip-src 'self'; plugin-types a/b")
        .parse()
        .unwrap();
    assert_eq!(policy.sources("scrip-src").unwrap(), ["'self'"]);
    let found: Vec<_> = policy
        .weaknesses()
        .into_iter()
        .map(|weakness| weakness.what)
        .collect();
    assert_eq!(
        found,
        [
            "scrip-src is not a directive: browsers ignore it",
            "plugin-types is obsolete: browsers ignore it"
        ]
    );
}

#[test]
fn a_directive_outside_ascii_is_skipped_as_browsers_do() {
    let policy: Csp = "img-src é; font-src 'self';; ;".parse().unwrap();
    assert_eq!(policy.to_string(), "font-src 'self'");
}

#[test]
fn a_comma_separates_policies() {
    assert!("img-src a, font-src b".parse::<Csp>().is_err());
    let policies = Csp::parse_list("img-src a,, font-src b").unwrap();
    assert_eq!(policies.len(), 2);
    assert!("img-src \u{1}".parse::<Csp>().is_err());
}

#[test]
fn a_sound_policy_has_no_weaknesses() {
    assert_eq!(threats(SOUND), []);
    assert_eq!(
        threats(
            "default-src 'none'; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'strict-dynamic' https: 'unsafe-inline'; base-uri 'self'; form-action 'none'; frame-ancestors 'self' https://a.example"
        ),
        []
    );
}

#[test]
fn an_empty_policy_stops_nothing() {
    let expected = [
        Threat::CrossSiteScripting,
        Threat::CrossSiteScripting,
        Threat::CrossSiteScripting,
        Threat::Clickjacking,
        Threat::SensitiveDataExposure,
    ];
    assert_eq!(threats(""), expected);
}

#[test]
fn each_hole_is_seen() {
    let cases = [
        ("script-src 'unsafe-inline'", Threat::CrossSiteScripting),
        ("script-src 'self' 'unsafe-eval'", Threat::CrossSiteScripting),
        ("script-src 'self' 'unsafe-hashes'", Threat::CrossSiteScripting),
        ("script-src *", Threat::CrossSiteScripting),
        ("script-src https:", Threat::CrossSiteScripting),
        ("script-src data:", Threat::CrossSiteScripting),
        ("script-src 'nonce-abc'", Threat::CrossSiteScripting),
        ("script-src-attr 'unsafe-inline'", Threat::CrossSiteScripting),
        ("object-src 'self'", Threat::CrossSiteScripting),
        ("style-src 'unsafe-inline'", Threat::SensitiveDataExposure),
        ("img-src http://a.example", Threat::InsecureTransport),
        ("img-src self", Threat::InertDefence),
        ("img-src nonce-abc", Threat::InertDefence),
        ("img-src 'slef'", Threat::InertDefence),
        ("img-src 'none' a.example", Threat::InertDefence),
    ];
    for (directive, threat) in cases {
        assert_eq!(threats(&format!("{SOUND}; {directive}")), [threat], "{directive}");
    }
    let open = "default-src 'none'; base-uri *; form-action *; frame-ancestors https:";
    assert_eq!(
        threats(open),
        [
            Threat::CrossSiteScripting,
            Threat::Clickjacking,
            Threat::SensitiveDataExposure
        ]
    );
}
