//! What a header renders it parses back, for every header and every value; and a default has no weaknesses.

use std::fmt::Debug;

use palisade_core::header::{
    AllowList, Allowed, CacheControl, ContentTypeOptions, CrossOriginOpenerPolicy as Opener,
    CrossOriginResourcePolicy as Resource, Csp, FrameOptions, Hsts, PermissionsPolicy, Referrer,
    ReferrerPolicy, SecurityHeader, XssProtection,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Asserts that a value survives being rendered, and that what is rendered can stand in a header.
#[track_caller]
fn survives<H: SecurityHeader + PartialEq + Debug>(value: &H) {
    let text = value.to_string();
    assert!(
        text.bytes().all(|b| matches!(b, b' '..=b'~')),
        "{} renders {text:?}",
        H::NAME
    );
    match text.parse::<H>() {
        Ok(read) => assert_eq!(&read, value, "{}: {text}", H::NAME),
        Err(error) => panic!("{text:?} does not parse: {error}"),
    }
}

/// Asserts that a text either does not parse or is understood the same after being rendered.
#[track_caller]
fn settles<H: SecurityHeader + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<H>() {
        survives(&value);
        let _ = value.weaknesses();
    }
}

#[test]
fn a_default_has_no_weaknesses() {
    fn sound<H: SecurityHeader + Default + PartialEq + Debug>() {
        assert_eq!(H::default().weaknesses(), [], "{}", H::NAME);
        survives(&H::default());
    }
    sound::<CacheControl>();
    sound::<ContentTypeOptions>();
    sound::<Opener>();
    sound::<Resource>();
    sound::<Csp>();
    sound::<FrameOptions>();
    sound::<Hsts>();
    sound::<PermissionsPolicy>();
    sound::<ReferrerPolicy>();
    sound::<XssProtection>();
}

#[test]
fn each_value_of_a_closed_list_survives() {
    [FrameOptions::Deny, FrameOptions::SameOrigin]
        .iter()
        .for_each(survives);
    [XssProtection::Off, XssProtection::Filter, XssProtection::Block]
        .iter()
        .for_each(survives);
    [
        Opener::SameOrigin,
        Opener::SameOriginAllowPopups,
        Opener::NoopenerAllowPopups,
        Opener::UnsafeNone,
    ]
    .iter()
    .for_each(survives);
    [Resource::SameOrigin, Resource::SameSite, Resource::CrossOrigin]
        .iter()
        .for_each(survives);
}

#[test]
fn names_are_lower_case() {
    let names = [
        CacheControl::NAME,
        ContentTypeOptions::NAME,
        Opener::NAME,
        Resource::NAME,
        Csp::NAME,
        Csp::REPORT_ONLY_NAME,
        FrameOptions::NAME,
        Hsts::NAME,
        PermissionsPolicy::NAME,
        ReferrerPolicy::NAME,
        XssProtection::NAME,
    ];
    for name in names {
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{name}"
        );
    }
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "'self'",
            "'none'",
            "*",
            "data:",
            "'strict-dynamic'",
            "'unsafe-inline'",
            Csp::NONCE
        ])
        .prop_map(String::from),
        "[!-~]{1,12}",
        ".{0,12}",
    ]
}

fn csp() -> impl Strategy<Value = Csp> {
    let directive = (
        select(vec!["script-src", "img-src", "x-unknown", "sandbox", "base-uri"]),
        vec(source(), 0..4),
    );
    (any::<bool>(), vec(directive, 0..4), vec(source(), 0..3)).prop_map(|(strict, directives, ancestors)| {
        let mut policy = if strict { Csp::strict() } else { Csp::new() };
        for (name, sources) in directives {
            policy = policy
                .clone()
                .with_directive(name, &sources.join(" "))
                .unwrap_or(policy)
                .with_script_src(sources);
        }
        policy.with_frame_ancestors(ancestors)
    })
}

fn permissions() -> impl Strategy<Value = PermissionsPolicy> {
    let entry = prop_oneof![
        Just(Allowed::SameOrigin),
        Just(Allowed::FrameSource),
        "[ -~]{0,12}".prop_map(Allowed::Origin),
    ];
    vec(("[a-z*][a-z0-9_.*-]{0,8}", vec(entry, 0..4)), 0..5).prop_map(|features| {
        features
            .into_iter()
            .fold(PermissionsPolicy::new(), |policy, (name, who)| {
                policy.allow(&name, who).unwrap()
            })
    })
}

proptest! {
    #[test]
    fn hsts_survives(max_age: u64, include_subdomains: bool, preload: bool) {
        survives(&Hsts { max_age, include_subdomains, preload });
    }

    #[test]
    fn referrer_policies_survive(first in select(&Referrer::ALL[..]), others in vec(select(&Referrer::ALL[..]), 0..4)) {
        survives(&others.into_iter().fold(ReferrerPolicy::new(first), ReferrerPolicy::with_fallback));
    }

    #[test]
    fn content_security_policies_survive(policy in csp()) {
        survives(&policy);
        let template = policy.template();
        prop_assert_eq!(template.needs_nonce(), policy.needs_nonce());
        prop_assert_eq!(template.render("cmFuZG9t"), policy.render(Some("cmFuZG9t")));
        prop_assert_eq!(template.without_nonce(), policy.render(None));
    }

    #[test]
    fn permissions_policies_survive(policy in permissions()) {
        survives(&policy);
    }

    #[test]
    fn an_allow_list_for_everybody_survives(name in "[a-z]{1,8}") {
        let policy: PermissionsPolicy = format!("{name}=*").parse().unwrap();
        prop_assert_eq!(policy.feature(&name), Some(&AllowList::Everybody));
        survives(&policy);
    }

    #[test]
    fn cache_controls_survive(max_age: Option<u64>, shared_max_age: Option<u64>, flags: [bool; 6]) {
        let [no_cache, no_store, must_revalidate, private, public, immutable] = flags;
        let mut value = CacheControl::new();
        (value.max_age, value.shared_max_age) = (max_age, shared_max_age);
        (value.no_cache, value.no_store, value.must_revalidate) = (no_cache, no_store, must_revalidate);
        (value.private, value.public, value.immutable) = (private, public, immutable);
        survives(&value);
    }

    #[test]
    fn any_text_settles_or_does_not_parse(text in ".{0,40}") {
        settles::<CacheControl>(&text);
        settles::<Csp>(&text);
        settles::<Hsts>(&text);
        settles::<PermissionsPolicy>(&text);
    }

    #[test]
    fn text_that_looks_like_a_header_settles(text in r#"([a-z-]{1,8}|max-age=[0-9]{1,3}|a=\(self "x"\)|[=;, "*\\()]){0,9}"#) {
        settles::<CacheControl>(&text);
        settles::<ContentTypeOptions>(&text);
        settles::<Opener>(&text);
        settles::<Resource>(&text);
        settles::<Csp>(&text);
        settles::<FrameOptions>(&text);
        settles::<Hsts>(&text);
        settles::<PermissionsPolicy>(&text);
        settles::<ReferrerPolicy>(&text);
        settles::<XssProtection>(&text);
    }
}
