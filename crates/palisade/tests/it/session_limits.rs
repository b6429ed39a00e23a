//! How long a session lasts: the cookie, idle and absolute limits, and what use alone does.

use std::time::Duration;

use crate::client::{Client, settings};
use crate::flaky::Flaky;
use crate::session_site::{DAY, HOUR, cookies, site, site_on, then};

#[tokio::test]
async fn the_cookie_is_djangos_to_the_byte() {
    let site = site(settings());
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!(
            "sessionid={key}; expires=Tue, 28 Nov 2023 22:13:20 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax; \
             Secure"
        )]
    );
    let answer = client.get("/flush").await;
    assert_eq!(
        cookies(&answer),
        ["sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"]
    );
}

#[tokio::test]
async fn the_cookies_attributes_are_the_settings() {
    let mut settings = settings();
    settings.session_cookie_name = "__Secure-s".to_owned();
    settings.session_cookie_domain = Some("example.com".to_owned());
    settings.session_cookie_path = "/app".to_owned();
    settings.session_cookie_age = HOUR;
    settings.session_cookie_samesite = palisade::core::cookie::SameSite::Strict;
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("__Secure-s").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!(
            "__Secure-s={key}; Domain=example.com; expires=Tue, 14 Nov 2023 23:13:20 GMT; HttpOnly; Max-Age=3600; \
             Path=/app; SameSite=Strict; Secure"
        )]
    );
    assert_eq!(
        cookies(&client.get("/flush").await),
        [
            "__Secure-s=\"\"; Domain=example.com; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/app; \
          SameSite=Strict; Secure"
        ],
        "a deletion that the browser does not match to the cookie deletes nothing"
    );
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_goes_on() {
    let site = site(settings());
    let (idle, used) = (Client::new(&site.app), Client::new(&site.app));
    idle.get("/set/apple").await;
    used.get("/set/pear").await;
    for _ in 0..3 {
        site.clock.advance(DAY * 7);
        assert_eq!(used.get("/show").await.text, "pear");
    }
    assert_eq!(idle.get("/show").await.text, "");
    assert_eq!(idle.cookie("sessionid"), None, "its cookie is taken away");
}

#[tokio::test]
async fn a_session_ends_exactly_at_its_idle_limit() {
    let mut settings = settings();
    settings.session_idle_age = Some(HOUR);
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    assert!(
        cookies(&answer)[0].contains("Max-Age=3600"),
        "{:?}",
        cookies(&answer)
    );
    site.clock.advance(Duration::from_secs(3599));
    assert_eq!(client.thief().get("/show").await.text, "apple");
    site.clock.set(then() + Duration::from_secs(7199));
    assert_eq!(
        client.thief().get("/show").await.text,
        "",
        "the touch moved the end to an hour after it, no further"
    );
}

#[tokio::test]
async fn no_use_moves_a_session_beyond_its_absolute_limit() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    for day in 1..30 {
        site.clock.advance(DAY);
        assert_eq!(client.get("/show").await.text, "apple", "day {day}");
    }
    site.clock.advance(DAY);
    assert_eq!(client.get("/show").await.text, "", "day 30");
}

#[tokio::test]
async fn the_absolute_limit_caps_the_cookie_too() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    site.clock.advance(DAY * 10);
    client.get("/show").await;
    site.clock.advance(DAY * 10);
    let answer = client.get("/set/pear").await;
    assert!(
        cookies(&answer)[0].contains("Max-Age=864000;"),
        "{:?}",
        cookies(&answer)
    );
}

#[tokio::test]
async fn without_an_absolute_limit_use_keeps_a_session_for_ever() {
    let mut settings = settings();
    settings.session_absolute_age = None;
    let site = site(settings);
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    for _ in 0..30 {
        site.clock.advance(DAY * 10);
        assert_eq!(client.get("/show").await.text, "apple");
    }
}

#[tokio::test]
async fn use_alone_writes_at_most_once_a_step_and_renews_the_cookie() {
    let store = Flaky::default();
    let site = site_on(settings(), store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    for _ in 0..4 {
        site.clock.advance(Duration::from_mins(1));
        assert_eq!(cookies(&client.get("/show").await), [""; 0]);
    }
    assert_eq!(store.writes(), before, "four minutes are not worth a write");
    site.clock.advance(Duration::from_mins(1));
    let answer = client.get("/show").await;
    assert!(cookies(&answer)[0].contains("Max-Age=1209600"));
    assert_eq!(store.writes(), before + 1);
    client.get("/show").await;
    assert_eq!(store.writes(), before + 1, "once a step");
    site.clock.advance(HOUR);
    client.get("/quiet").await;
    assert_eq!(
        store.writes(),
        before + 1,
        "a request that does not ask for the session does not use it"
    );
}

#[tokio::test]
async fn a_short_idle_limit_has_a_short_step() {
    let mut settings = settings();
    settings.session_idle_age = Some(Duration::from_mins(10));
    let store = Flaky::default();
    let site = site_on(settings, store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    site.clock.advance(Duration::from_secs(59));
    client.get("/show").await;
    assert_eq!(store.writes(), before);
    site.clock.advance(Duration::from_secs(1));
    client.get("/show").await;
    assert_eq!(store.writes(), before + 1, "a tenth of ten minutes");
}

#[tokio::test]
async fn a_session_that_ends_with_the_browser_has_no_age_but_its_row_has() {
    let mut settings = settings();
    settings.session_expire_at_browser_close = true;
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!("sessionid={key}; HttpOnly; Path=/; SameSite=Lax; Secure")]
    );
    site.clock.advance(DAY * 14);
    assert_eq!(
        client.get("/show").await.text,
        "",
        "a browser that is never closed"
    );
}

#[tokio::test]
async fn each_form_of_set_expiry_does_what_djangos_does() {
    for (how, age) in [
        ("sliding", Some(3600)),
        ("at", Some(86_400)),
        ("in", Some(7200)),
        ("close", None),
        ("default", Some(1_209_600)),
    ] {
        let site = site(settings());
        let client = Client::new(&site.app);
        client.get("/set/apple").await;
        let lines = cookies(&client.get(&format!("/expire/{how}")).await);
        match age {
            Some(age) => {
                assert!(
                    lines[0].contains(&format!("; Max-Age={age};")),
                    "{how}: {lines:?}"
                );
                site.clock.advance(Duration::from_secs(age));
                assert_eq!(client.thief().get("/show").await.text, "", "{how}");
            }
            None => assert!(
                !lines[0].contains("Max-Age") && !lines[0].contains("expires"),
                "{how}: {lines:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_fixed_end_does_not_slide_and_a_sliding_one_slides_with_writes() {
    let site = site(settings());
    let (fixed, sliding) = (Client::new(&site.app), Client::new(&site.app));
    for client in [&fixed, &sliding] {
        client.get("/set/apple").await;
    }
    fixed.get("/expire/in").await;
    sliding.get("/expire/sliding").await;
    for _ in 0..2 {
        site.clock.advance(Duration::from_mins(50));
        fixed.get("/set/pear").await;
        sliding.get("/set/pear").await;
    }
    site.clock.advance(Duration::from_mins(50));
    assert_eq!(
        fixed.get("/show").await.text,
        "",
        "two hours from the call, whatever came between"
    );
    assert_eq!(sliding.get("/show").await.text, "pear");
}

#[tokio::test]
async fn an_end_in_the_past_ends_the_session_at_once() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let thief = client.thief();
    client.get("/expire/past").await;
    assert_eq!(thief.get("/show").await.text, "");
    assert_eq!(client.cookie("sessionid"), None);
}

#[tokio::test]
async fn save_every_request_saves_what_was_only_read() {
    let mut settings = settings();
    settings.session_save_every_request = true;
    let store = Flaky::default();
    let site = site_on(settings, store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    let answer = client.get("/show").await;
    assert_eq!(store.writes(), before + 1);
    assert!(cookies(&answer)[0].contains("Max-Age=1209600"));
    assert_eq!(answer.header("vary"), "Cookie", "CVE-2026-35192");
    let stranger = Client::new(&site.app).get("/show").await;
    assert_eq!(cookies(&stranger), [""; 0], "an empty session is not worth a row");
}
