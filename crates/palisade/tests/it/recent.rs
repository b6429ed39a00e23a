//! A session alone does not do what cannot be taken back.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http::header::{ACCEPT, HOST};

use crate::recovery_site::{PASSWORD, Site, login};

async fn page(client: &crate::client::Client, path: &str) -> crate::client::Answer {
    let request = Request::get(path)
        .header(HOST, "example.com")
        .header(ACCEPT, "text/html");
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn stolen_session_does_not_reach_what_asks_for_a_recent_login() {
    let site = Site::new();
    let member = site.member("ada").await;
    assert_eq!(member.get("/recent/").await.text, "ada");
    assert_eq!(member.get("/recent/rule/").await.text, "let through");
    site.clock.advance(Duration::from_mins(15));
    assert_eq!(member.get("/recent/").await.text, "ada", "the last second");
    site.clock.advance(Duration::from_secs(1));

    let thief = member.thief();
    for path in ["/recent/", "/recent/rule/"] {
        let sent = page(&thief, path).await;
        assert_eq!(
            (sent.status.as_u16(), sent.header("location")),
            (302, format!("/login/confirm/?next={path}").as_str())
        );
        let refused = thief.get(path).await;
        assert_eq!(refused.status, 401, "a program");
        assert_eq!(
            refused.header("www-authenticate"),
            "Session error=\"reauthenticate\""
        );
    }
    assert_eq!(thief.post("/recent/", "").await.status, 401);
    assert_eq!(
        thief.post("/login/confirm/", "password=a+guess").await.text,
        "wrong"
    );
    assert_eq!(thief.get("/recent/").await.status, 401);
    assert_eq!(
        member.get("/who/").await.text,
        "ada",
        "and is logged in all the same"
    );

    let before = member.cookie("sessionid");
    let confirmed = member.post("/login/confirm/", &login("ada", PASSWORD)).await;
    assert_eq!(confirmed.text, "confirmed");
    assert_ne!(member.cookie("sessionid"), before, "under a new key");
    assert_eq!(member.get("/recent/").await.text, "ada");
    assert_ne!(
        thief.get("/who/").await.text,
        "ada",
        "what the thief has is worth nothing now"
    );
}

#[tokio::test]
async fn nobody_is_sent_to_the_login_and_not_to_the_confirmation() {
    let site = Site::new();
    let sent = page(&site.visitor().await, "/recent/").await;
    assert_eq!(sent.header("location"), "/login/?next=/recent/");
}

#[tokio::test]
async fn login_that_says_nothing_of_its_time_is_not_recent() {
    let site = Site::new();
    let member = site.member("ada").await;
    // A clock that was set back by more than the limit: the proof is of tomorrow.
    site.clock.set(site.clock.now() - Duration::from_hours(1));
    assert_eq!(member.get("/recent/").await.status, 401);
    site.clock.advance(Duration::from_mins(55));
    assert_eq!(
        member.get("/recent/").await.text,
        "ada",
        "a little back is no matter"
    );
}
