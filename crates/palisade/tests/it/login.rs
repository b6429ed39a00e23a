//! Login and logout through the whole stack: what ends, what stays, and what nobody learns.

use axum::body::Body;
use http::{Request, StatusCode};
use palisade::core::password::{Algorithm, Parameters};
use palisade::password::Hashers;
use palisade::session::SessionStore;
use palisade::{SecretKey, Sensitive, Settings};

use crate::client::{Answer, Client, KEY, settings};
use crate::login_site::{PASSWORD, Site, form};

#[tokio::test]
async fn whoever_may_not_log_in_learns_nothing_of_why() {
    let site = Site::new();
    for name in ["ada", "inactive", "unusable", "malformed"] {
        site.member(name).await;
    }
    site.store_password("unusable", palisade::core::password::unusable())
        .await;
    site.store_password("malformed", "argon2$what".to_owned()).await;
    let inactive = "UPDATE auth_user SET is_active = 0 WHERE username = 'inactive'";
    site.database
        .write(|writer| writer.execute(inactive, []))
        .await
        .unwrap();
    let too_long = "x".repeat(100_000);
    let mut answers = Vec::new();
    for (name, password) in [
        ("nobody", PASSWORD),
        ("ada", "wrong"),
        ("ada", ""),
        ("", ""),
        ("ada", &too_long),
        ("nobody", &too_long),
        ("inactive", PASSWORD),
        ("unusable", PASSWORD),
        ("malformed", PASSWORD),
        ("ADA", PASSWORD),
        ("ada%00", PASSWORD),
    ] {
        let client = site.visitor().await;
        let Answer {
            status,
            mut headers,
            text,
        } = client.post("/login/", &form(name, password)).await;
        assert_eq!(client.get("/who").await.text, "nobody", "{name}");
        headers.remove("x-request-id");
        answers.push((status, headers, text));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].2, "wrong name or password");
}

#[tokio::test]
async fn an_old_hash_is_replaced_at_login_and_sessions_begun_with_it_end() {
    let site = Site::new();
    let early = site.member("ada").await;
    let old = Hashers::new([Algorithm::Pbkdf2Sha256])
        .unwrap()
        .with_parameters(Parameters {
            pbkdf2_iterations: 1000,
            ..Parameters::default()
        });
    let old = old.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
    assert!(old.starts_with("pbkdf2_sha256$1000$"));
    site.store_password("ada", old).await;
    assert_eq!(
        early.get("/who").await.text,
        "nobody",
        "the password column has changed"
    );
    let late = site.member("ada").await;
    let stored = site.user("ada").await.unwrap().password;
    assert!(
        stored.expose().starts_with("argon2$argon2id$"),
        "replaced while it was at hand"
    );
    assert_eq!(late.get("/who").await.text, "ada");
    site.member("ada").await;
    assert_eq!(
        site.user("ada").await.unwrap().password.expose(),
        stored.expose(),
        "once"
    );
    assert_eq!(late.get("/who").await.text, "ada");
}

#[tokio::test]
async fn two_logins_that_upgrade_the_same_hash_at_once_both_stay_logged_in() {
    let site = Site::new();
    site.member("ada").await;
    let old = Hashers::new([Algorithm::Pbkdf2Sha256])
        .unwrap()
        .with_parameters(Parameters {
            pbkdf2_iterations: 1,
            ..Parameters::default()
        });
    for _ in 0..5 {
        let old = old.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
        site.store_password("ada", old).await;
        let (one, two) = (site.visitor().await, site.visitor().await);
        let body = form("ada", PASSWORD);
        let (first, second) = tokio::join!(one.post("/login/", &body), two.post("/login/", &body));
        assert_eq!((first.text.as_str(), second.text.as_str()), ("in", "in"));
        assert_eq!(
            (one.get("/who").await.text, two.get("/who").await.text),
            ("ada".into(), "ada".into())
        );
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_upgraded_keeps_nobody_out() {
    let bcrypt = Hashers::new([Algorithm::Bcrypt, Algorithm::Argon2])
        .unwrap()
        .with_parameters(Parameters {
            bcrypt_work_factor: 4,
            ..Parameters::default()
        });
    let site = Site::with(settings(), bcrypt);
    site.member("ada").await;
    let long = "correct horse battery staple ".repeat(4);
    let argon = Hashers::dangerous_cheap()
        .hash(&Sensitive::new(long.clone()))
        .await
        .unwrap();
    site.store_password("ada", argon.clone()).await;
    let client = site.visitor().await;
    let answer = client.post("/login/", &form("ada", &long)).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, "in"),
        "bcrypt reads 72 bytes only"
    );
    assert_eq!(site.user("ada").await.unwrap().password.expose(), &argon);
    assert_eq!(client.get("/who").await.text, "ada");
}

#[tokio::test]
async fn a_password_change_ends_the_other_sessions_and_keeps_this_one() {
    let site = Site::new();
    let (here, there) = (site.member("ada").await, site.member("ada").await);
    let thief = here.thief();
    let other = site.member("bob").await;
    let rows = site.sessions.count();
    let answer = here
        .post(
            "/change/",
            &format!("old=wrong&new={}", "another fine passphrase".replace(' ', "+")),
        )
        .await;
    assert_eq!(
        answer.text,
        "Your old password was entered incorrectly. Please enter it again."
    );
    assert_eq!(there.get("/who").await.text, "ada");
    let old = PASSWORD.replace(' ', "+");
    let weak = here.post("/change/", &format!("old={old}&new=12345")).await;
    assert_eq!(weak.text, "the password is too weak");
    let too_long = here
        .post(
            "/change/",
            &format!("old={}&new=another+fine+passphrase", "x".repeat(100_000)),
        )
        .await;
    assert_eq!(
        too_long.text,
        "Your old password was entered incorrectly. Please enter it again."
    );
    let answer = here
        .post("/change/", &format!("old={old}&new=another+fine+passphrase"))
        .await;
    assert_eq!(answer.text, "changed");
    assert_eq!(here.get("/who").await.text, "ada", "this one stays");
    assert_eq!(there.get("/who").await.text, "nobody", "the other one ends");
    assert_eq!(
        thief.get("/who").await.text,
        "nobody",
        "and so does a stolen copy of this one's old key"
    );
    assert_eq!(other.get("/who").await.text, "bob");
    assert_eq!(site.sessions.count(), rows - 1, "the rows of the others are gone");
    let client = site.visitor().await;
    assert_eq!(
        client.post("/login/", &form("ada", PASSWORD)).await.text,
        "wrong name or password"
    );
    assert_eq!(
        client
            .post("/login/", &form("ada", "another fine passphrase"))
            .await
            .text,
        "in"
    );
}

#[tokio::test]
async fn logging_out_elsewhere_ends_the_others_at_once() {
    let site = Site::new();
    let (here, there, third) = (
        site.member("ada").await,
        site.member("ada").await,
        site.member("ada").await,
    );
    let bob = site.member("bob").await;
    assert_eq!(here.post("/everywhere-else/", "").await.text, "2");
    assert_eq!(here.get("/who").await.text, "ada");
    for ended in [there, third] {
        assert_eq!(ended.get("/who").await.text, "nobody");
    }
    assert_eq!(bob.get("/who").await.text, "bob");
}

#[tokio::test]
async fn after_logout_a_replayed_cookie_is_nobody() {
    let site = Site::new();
    let client = site.member("ada").await;
    let thief = client.thief();
    assert_eq!(thief.get("/who").await.text, "ada");
    let answer = client.post("/logout/", "").await;
    assert_eq!(answer.text, "out");
    assert_eq!(client.cookie("sessionid"), None);
    assert_eq!(thief.get("/who").await.text, "nobody");
    assert_eq!(site.sessions.count(), 0, "the row is gone");
    assert_eq!(
        client.post("/logout/", "").await.text,
        "out",
        "nobody may log out, too"
    );
}

#[tokio::test]
async fn a_logout_whose_handler_fails_is_a_logout() {
    for in_session in [false, true] {
        let mut settings = settings();
        settings.csrf_use_sessions = in_session;
        let site = Site::with(settings, Hashers::dangerous_cheap());
        let client = Client::new(&site.app);
        let login = |token: String| {
            let body = format!("csrfmiddlewaretoken={token}&{}", form("ada", PASSWORD));
            move |path: &str| {
                Request::post(path)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", "https://example.com")
                    .body(Body::from(body.clone()))
                    .unwrap()
            }
        };
        let page = login(client.get("/login/").await.text);
        client.send(page("/sign-up/")).await;
        assert_eq!(client.send(page("/login/")).await.text, "in");
        let thief = client.thief();
        assert_eq!(thief.get("/who").await.text, "ada");
        let page = login(client.get("/login/").await.text);
        assert_eq!(
            client.send(page("/logout-and-fail/")).await.status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        assert_eq!(
            thief.get("/who").await.text,
            "nobody",
            "csrf_use_sessions: {in_session}"
        );
    }
}

#[tokio::test]
async fn whoever_logs_in_twice_gets_a_new_key_and_keeps_the_data() {
    let site = Site::new();
    let client = site.member("ada").await;
    client.get("/remember").await;
    let (before, thief) = (client.cookie("sessionid"), client.thief());
    assert_eq!(client.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    assert_ne!(client.cookie("sessionid"), before);
    assert_eq!(client.get("/who").await.text, "ada");
    assert_eq!(
        thief.get("/who").await.text,
        "nobody",
        "the old key is worth nothing"
    );
    assert_eq!(site.sessions.count(), 1);
    let id = site.user("ada").await.unwrap().id.to_string();
    assert_eq!(
        site.sessions
            .list(&id, std::time::SystemTime::now())
            .await
            .unwrap()
            .len(),
        1
    );
}

/// A site whose key has changed, the old one a fallback.
fn rotated(site: &Site) -> Site {
    let mut settings = Settings::new(
        SecretKey::new("fresh-key-Yw8v3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc-2027"),
        ["example.com"],
    );
    settings.secret_key_fallbacks = vec![SecretKey::new(KEY)];
    Site::on(
        settings,
        Hashers::dangerous_cheap(),
        site.database.clone(),
        site.sessions.clone(),
    )
}

fn moved(client: &Client, to: &Site) -> Client {
    let moved = Client::new(&to.app);
    moved.plant("sessionid", &client.cookie("sessionid").unwrap());
    moved
}

#[tokio::test]
async fn a_login_signed_with_an_older_key_goes_on_under_a_new_session_key() {
    let before = Site::new();
    let member = before.member("ada").await;
    let after = rotated(&before);
    let client = moved(&member, &after);
    let key = client.cookie("sessionid");
    assert_eq!(client.get("/who").await.text, "ada");
    let cycled = client.cookie("sessionid");
    assert_ne!(cycled, key, "moved");
    assert_eq!(client.get("/who").await.text, "ada");
    assert_eq!(client.cookie("sessionid"), cycled, "once");
    assert_eq!(member.get("/who").await.text, "nobody");
    let mut dropped = Settings::new(
        SecretKey::new("fresh-key-Yw8v3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc-2027"),
        ["example.com"],
    );
    dropped.secret_key_fallbacks = Vec::new();
    let dropped = Site::on(
        dropped,
        Hashers::dangerous_cheap(),
        after.database.clone(),
        after.sessions.clone(),
    );
    assert_eq!(
        moved(&client, &dropped).get("/who").await.text,
        "ada",
        "the hash is the new key's"
    );
}

#[tokio::test]
async fn requests_that_race_after_a_key_change_are_not_told_that_they_were_logged_out() {
    let before = Site::new();
    let member = before.member("ada").await;
    let after = rotated(&before);
    let one = moved(&member, &after);
    let requests: Vec<_> = (0..8).map(|_| one.thief()).collect();
    let answers = requests.iter().map(|client| client.get("/who"));
    let answers = futures_util::future::join_all(answers).await;
    for answer in &answers {
        assert_ne!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    }
    assert_eq!(before.sessions.count(), 1);
}
