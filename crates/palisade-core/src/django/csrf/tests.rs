//! The middleware's decisions, each in Django's words.

use super::*;
use crate::csrf::TokenSource;
use crate::host::AllowedHosts;

const SECRET: &str = "abcdefghijklmnopqrstuvwxyzABCDEF";

fn settings() -> CsrfSettings {
    CsrfSettings {
        cookie_name: "csrftoken".to_owned(),
        header_name: "HTTP_X_CSRFTOKEN".to_owned(),
        hosts: HostSettings {
            allowed_hosts: AllowedHosts::parse(["a.example"]),
            ..HostSettings::default()
        },
        ..CsrfSettings::default()
    }
}

fn post(headers: &[(&str, &str)], cookie: Option<&str>) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        method: Some("POST".to_owned()),
        headers: headers
            .iter()
            .chain(&[("host", "a.example")])
            .map(owned)
            .collect(),
        cookies: cookie
            .iter()
            .map(|cookie| owned(&("csrftoken", cookie)))
            .collect(),
        transport_scheme: "http".to_owned(),
        ..Request::default()
    }
}

fn verdict(request: &Request, form: Option<&str>) -> Decision {
    let form = FormToken::Sent(form.map(ToOwned::to_owned));
    let mut state = CsrfState::default();
    let decision = settings().process_view(request, &Kept::Cookie, &mut state, (false, false), &form);
    let decision = decision.unwrap();
    assert_eq!(state.done, decision == Decision::Accept);
    decision
}

fn reason(request: &Request, form: Option<&str>) -> String {
    match verdict(request, form) {
        Decision::Reject(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_taken_from_the_form_then_from_the_header() {
    let masked = CsrfSecret::parse(SECRET).unwrap().mask();
    for token in [SECRET, &masked] {
        assert_eq!(verdict(&post(&[], Some(SECRET)), Some(token)), Decision::Accept);
        let header = post(&[("x-csrftoken", token)], Some(&masked));
        assert_eq!(verdict(&header, Some("")), Decision::Accept);
    }
    let other = "b".repeat(32);
    let both = post(&[("x-csrftoken", SECRET)], Some(SECRET));
    assert_eq!(reason(&both, Some(&other)), "CSRF token from POST incorrect.");
    let put = Request {
        method: Some("PUT".to_owned()),
        ..post(&[], Some(SECRET))
    };
    assert_eq!(reason(&put, Some(SECRET)), "CSRF token missing.");
}

#[test]
fn reasons_are_djangos() {
    for (headers, cookie, form, expected) in [
        (&[][..], None, None, "CSRF cookie not set."),
        (&[], Some("x"), None, "CSRF cookie has incorrect length."),
        (
            &[],
            Some("****************************-***"),
            None,
            "CSRF cookie has invalid characters.",
        ),
        (
            &[],
            Some(SECRET),
            Some("x"),
            "CSRF token from POST has incorrect length.",
        ),
        (
            &[("x-csrftoken", "x")],
            Some(SECRET),
            None,
            "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.",
        ),
        (
            &[("origin", "null")],
            Some(SECRET),
            Some(SECRET),
            "Origin checking failed - null does not match any trusted origins.",
        ),
    ] {
        assert_eq!(reason(&post(headers, cookie), form), expected);
    }
    let secure = Request {
        secure: Some(true),
        ..post(&[], Some(SECRET))
    };
    assert_eq!(
        reason(&secure, Some(SECRET)),
        "Referer checking failed - no Referer."
    );
}

#[test]
fn a_header_of_ones_own_is_named_in_title_case() {
    let titled = |name: &str| {
        let settings = CsrfSettings {
            header_name: name.to_owned(),
            ..settings()
        };
        settings.header_title()
    };
    let source = |name| TokenSource::Header(titled(name)).to_string();
    assert_eq!(
        source("HTTP_X_CSRFTOKEN2_CUSTOM"),
        "the 'X-Csrftoken2-Custom' HTTP header"
    );
    assert_eq!(source("X_CSRFTOKEN"), "the None HTTP header");
}

#[test]
fn a_broken_connection_is_no_field_and_another_fault_an_error() {
    let request = post(&[("x-csrftoken", SECRET)], Some(SECRET));
    let view = |form| {
        settings().process_view(
            &request,
            &Kept::Cookie,
            &mut CsrfState::default(),
            (false, false),
            &form,
        )
    };
    assert_eq!(view(FormToken::Unreadable), Ok(Decision::Accept));
    assert_eq!(view(FormToken::Failed), Err(ProcessView::Form));
}

#[test]
fn a_session_may_keep_the_secret_and_must_be_there_then() {
    let request = post(&[], None);
    let mut state = CsrfState::default();
    let kept = Kept::Session(Some("a".repeat(64)));
    settings().process_request(&request, &kept, &mut state).unwrap();
    assert_eq!(state.secret, Some("a".repeat(32)));
    let error = settings().process_request(&request, &Kept::NoSession, &mut state);
    assert_eq!(error, Err(ProcessView::Settings(ImproperlyConfigured)));
    let damaged = Kept::Session(Some("*".repeat(64)));
    let error = settings().process_request(&request, &damaged, &mut state);
    assert_eq!(error, Err(ProcessView::Secret(Secret::Character)));
}

#[test]
fn a_malformed_cookie_is_replaced_and_a_token_renews_the_cookie_once() {
    let mut state = CsrfState::default();
    settings()
        .process_request(&post(&[], Some("bad")), &Kept::Cookie, &mut state)
        .unwrap();
    let secret = state.secret.clone().unwrap();
    assert!(state.needs_update);
    assert_eq!(state.take_update(), Some(secret.clone()));
    assert_eq!(state.take_update(), None);
    let token = state.token().unwrap();
    assert_eq!(CsrfSettings::matches(&token, &secret), Ok(true));
    assert!(state.needs_update);
    assert_eq!(CsrfSettings::matches("x", &secret), Err(Secret::Length));
}

#[test]
fn the_cookies_domain_stands_for_the_host_of_a_referer() {
    let request = Request {
        secure: Some(true),
        server_port: Some("4443".to_owned()),
        ..post(&[("referer", "https://x.b.example:4443/")], None)
    };
    let domain = CsrfSettings {
        cookie_domain: Some(".b.example".to_owned()),
        ..settings()
    };
    assert_eq!(domain.bad_referer(&request), Ok(None));
    assert!(settings().bad_referer(&request).unwrap().is_some());
}
