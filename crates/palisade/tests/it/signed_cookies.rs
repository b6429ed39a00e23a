//! Sessions in signed cookies: what holds without a store, and what by its nature does not.

use std::time::Duration;

use http::StatusCode;
use palisade::SecretKey;
use palisade::session::{SessionKey, SessionStore, SignedCookies};
use palisade_core::session::SessionCodec;

use crate::client::{Answer, Client, settings};
use crate::session_site::{DAY, Site, cookies, site_on, then};

fn site() -> Site {
    site_on(settings(), SignedCookies::without_server_side_logout())
}

/// The cookie of an answer, as a client sends it back.
fn cookie(answer: &Answer) -> String {
    let lines = cookies(answer);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].split(';').next().unwrap().to_owned()
}

async fn ask(site: &Site, path: &str, cookie: Option<&str>) -> Answer {
    let client = Client::new(&site.app);
    if let Some((name, value)) = cookie.and_then(|cookie| cookie.split_once('=')) {
        client.plant(name, value);
    }
    client.get(path).await
}

fn codec() -> SessionCodec {
    SessionCodec::with_salt(
        &settings().key_ring(),
        "django.contrib.sessions.backends.signed_cookies",
    )
}

#[tokio::test]
async fn the_cookie_carries_the_session_and_is_only_sent_when_it_changed() {
    let site = site();
    assert_eq!(cookies(&ask(&site, "/show", None).await), [""; 0]);
    let set = cookie(&ask(&site, "/set/apple", None).await);
    let (_, text) = set.split_once('=').unwrap();
    let (data, signed_at) = codec().decode_dated(text).unwrap();
    assert_eq!(data.get::<String>("cart").unwrap().unwrap(), "apple");
    assert_eq!(signed_at, then());
    let shown = ask(&site, "/show", Some(&set)).await;
    assert_eq!(shown.text, "apple");
    assert_eq!(cookies(&shown), [""; 0]);
    let counted = cookie(&ask(&site, "/count", Some(&set)).await);
    assert_eq!(ask(&site, "/count", Some(&counted)).await.text, "2");
    let failed = ask(&site, "/fail/server", Some(&set)).await;
    assert_eq!(cookies(&failed), [""; 0], "nothing of a 5xx is kept");
}

#[tokio::test]
async fn a_cookie_that_nobody_signed_or_too_long_ago_is_no_session() {
    let site = site();
    let set = cookie(&ask(&site, "/set/apple", None).await);
    let forged = format!("{}x", &set[..set.len() - 1]);
    let other = SessionCodec::with_salt(&settings().key_ring(), "django.contrib.sessions.SessionStore");
    let (name, text) = set.split_once('=').unwrap();
    let stored = other.encode(&codec().decode(text).unwrap(), then());
    let strangers = SessionCodec::with_salt(
        &palisade_core::KeyRing::new(SecretKey::new("the attacker's own")),
        "django.contrib.sessions.backends.signed_cookies",
    )
    .encode(&codec().decode(text).unwrap(), then());
    for bad in [
        forged,
        format!("{name}={stored}"),
        format!("{name}={strangers}"),
        format!("{name}={}", SessionKey::generate().expose()),
    ] {
        let shown = ask(&site, "/show", Some(&bad)).await;
        assert_eq!(shown.text, "", "{bad}");
        assert!(cookies(&shown)[0].contains("Max-Age=0"), "and is taken away");
    }
    site.clock.advance(DAY * 13);
    assert_eq!(ask(&site, "/show", Some(&set)).await.text, "apple");
    site.clock.advance(DAY + Duration::from_secs(1));
    assert_eq!(ask(&site, "/show", Some(&set)).await.text, "");
}

#[tokio::test]
async fn an_end_of_its_own_holds_here_where_djangos_does_not() {
    let site = site();
    let set = cookie(&ask(&site, "/set/apple", None).await);
    let short = cookie(&ask(&site, "/expire/sliding", Some(&set)).await);
    site.clock.advance(Duration::from_hours(2));
    assert_eq!(ask(&site, "/show", Some(&short)).await.text, "");
}

/// What the page on stores says: nobody but the browser is told of a logout.
#[tokio::test]
async fn a_logout_takes_the_cookie_away_and_reaches_no_copy_of_it() {
    let site = site();
    let set = cookie(&ask(&site, "/set/apple", None).await);
    let out = ask(&site, "/flush", Some(&set)).await;
    assert!(cookies(&out)[0].contains("Max-Age=0"));
    assert_eq!(ask(&site, "/show", Some(&set)).await.text, "apple");
    let store = SignedCookies::without_server_side_logout();
    assert!(
        store.delete_others("7", None).await.is_err(),
        "and nobody is told otherwise"
    );
    assert!(store.list("7", then()).await.is_err());
}

#[tokio::test]
async fn a_session_that_does_not_fit_into_a_cookie_is_an_error_and_not_cut() {
    let site = site();
    let long = palisade_core::token::random_string(6000, palisade_core::token::Alphabet::Base62);
    let set = ask(&site, &format!("/set/{long}"), None).await;
    assert_eq!(set.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(cookies(&set), [""; 0]);
}
