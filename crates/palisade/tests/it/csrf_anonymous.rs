//! With the secrets in sessions: a visitor who is not logged in has one without a session.

use std::time::{Duration, SystemTime};

use axum::Form;
use axum::routing::get;
use palisade::auth::SqliteUsers;
use palisade::core::Sensitive;
use palisade::csrf::{AnonymousSecrets, CsrfToken, MemoryAnonymousSecrets};
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::{MemorySessions, Session};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Protected, Rejection, Router};

use crate::client::{Answer, Client, settings};
use crate::csrf_site::{FORM, OURS, request};
use crate::login_site::{form, log_in, log_out, sign_up};

pub(crate) const COOKIE: &str = "__Host-anoncsrf";

fn site() -> Protected {
    site_with(MemoryAnonymousSecrets::new())
}

/// A site that keeps the secrets of its visitors there.
pub(crate) fn site_with(secrets: impl AnonymousSecrets) -> Protected {
    let mut settings = settings();
    settings.csrf_use_sessions = true;
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let page = async |csrf: CsrfToken| csrf.masked();
    let note = async |_: Form<Vec<(String, String)>>| "noted";
    let router = Router::new()
        .route("/form/", get(page).post(note))
        .route("/login/", get(page).post(log_in))
        .route("/sign-up/", get(page).post(sign_up))
        .route("/logout/", get(page).post(log_out))
        .route("/remember/", get(crate::login_site::remember))
        .route("/forget/", get(forget));
    Palisade::new(settings)
        .with_sessions(MemorySessions::new())
        .with_anonymous_csrf(secrets)
        .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
        .protect(router.public())
        .unwrap()
}

/// A session without a secret, as one that another service began.
async fn forget(session: Session) -> Result<&'static str, Rejection> {
    session.remove("_csrftoken").await?;
    Ok("forgotten")
}

pub(crate) async fn send(client: &Client, path: &str, token: &str, fields: &str) -> Answer {
    let body = format!("csrfmiddlewaretoken={token}&{fields}");
    client.send(request("POST", path, &[OURS, FORM], body)).await
}

/// What every cache of these secrets must do.
pub(crate) async fn keeps_secrets_as_long_as_it_should(secrets: impl AnonymousSecrets) {
    let minute = Duration::from_mins(1);
    let now = SystemTime::now();
    let found = async |digest: &str, now: SystemTime| {
        let found = secrets.load(digest, now).await.unwrap();
        found.map(|secret| secret.expose().clone())
    };
    let keep = async |digest: &str, secret: &str, until: SystemTime, now: SystemTime| {
        let secret = Sensitive::new(secret.to_owned());
        secrets.keep(digest, secret, until, now).await.unwrap();
    };
    assert_eq!(
        found("anoncsrf:a", now).await,
        None,
        "nothing is there at the beginning"
    );
    keep("anoncsrf:a", "one", now + minute, now).await;
    keep("anoncsrf:b", "two", now + minute, now).await;
    assert_eq!(found("anoncsrf:a", now).await.unwrap(), "one");
    assert_eq!(found("anoncsrf:b", now).await.unwrap(), "two");
    for other in ["anoncsrf:A", "anoncsrf:", "anoncsrf:ab", ""] {
        assert_eq!(found(other, now).await, None, "{other:?} is another digest");
    }
    keep("anoncsrf:a", "three", now + minute, now).await;
    assert_eq!(
        found("anoncsrf:a", now).await.unwrap(),
        "three",
        "the latest counts"
    );
    assert_eq!(
        found("anoncsrf:a", now + minute - Duration::from_secs(1))
            .await
            .unwrap(),
        "three"
    );
    assert_eq!(found("anoncsrf:a", now + minute).await, None, "its time is over");
    keep("anoncsrf:a", "four", now + minute * 3, now + minute).await;
    let later = now + minute * 2;
    assert_eq!(
        found("anoncsrf:a", later).await.unwrap(),
        "four",
        "its time began anew"
    );
    assert_eq!(found("anoncsrf:b", later).await, None);
    keep("anoncsrf:c", "five", now, now + minute).await;
    assert_eq!(
        found("anoncsrf:c", now + minute).await,
        None,
        "it was over before it was kept"
    );
}

#[tokio::test]
async fn memory_keeps_secrets_as_long_as_it_should() {
    keeps_secrets_as_long_as_it_should(MemoryAnonymousSecrets::new()).await;
}

#[tokio::test]
async fn a_visitors_form_is_accepted_and_begins_no_session() {
    let client = Client::new(&site());
    let token = client.get("/form/").await.text;
    let key = client.cookie(COOKIE).unwrap();
    assert!(client.cookie("sessionid").is_none());
    assert_eq!(send(&client, "/form/", &token, "a=1").await.text, "noted");
    let again = client.get("/form/").await.text;
    assert_ne!(again, token, "masked anew");
    assert_eq!(client.cookie(COOKIE).unwrap(), key, "of the same secret");
    assert_eq!(send(&client, "/form/", &token, "a=1").await.text, "noted");
    // A session that something else has begun changes nothing about that.
    client.get("/remember/").await;
    assert!(client.cookie("sessionid").is_some());
    assert_eq!(send(&client, "/form/", &token, "a=1").await.text, "noted");
}

#[tokio::test]
async fn another_visitors_token_and_a_planted_key_are_refused() {
    let app = site();
    let (mallory, ann) = (Client::new(&app), Client::new(&app));
    let stolen = mallory.get("/form/").await.text;
    assert_eq!(send(&ann, "/form/", &stolen, "a=1").await.status, 403);
    ann.get("/form/").await;
    assert_eq!(send(&ann, "/form/", &stolen, "a=1").await.status, 403);
    // A key that the cache does not know is not adopted.
    let planted = "a".repeat(32);
    ann.plant(COOKIE, &planted);
    let token = ann.get("/form/").await.text;
    assert_ne!(ann.cookie(COOKIE).unwrap(), planted);
    assert_eq!(send(&ann, "/form/", &token, "a=1").await.text, "noted");
    ann.plant(COOKIE, "short");
    assert_eq!(send(&ann, "/form/", &token, "a=1").await.status, 403);
}

#[tokio::test]
async fn a_visitors_token_is_worth_nothing_after_the_login() {
    let client = Client::new(&site());
    let token = client.get("/login/").await.text;
    let fields = form("ann", "a fine long passphrase");
    assert_eq!(send(&client, "/sign-up/", &token, &fields).await.text, "made");
    assert_eq!(send(&client, "/login/", &token, &fields).await.text, "in");
    assert_eq!(send(&client, "/form/", &token, "a=1").await.status, 403);
    let inside = client.get("/form/").await.text;
    assert_eq!(send(&client, "/form/", &inside, "a=1").await.text, "noted");
    assert_eq!(send(&client, "/logout/", &inside, "a=1").await.text, "out");
    assert_eq!(send(&client, "/form/", &inside, "a=1").await.status, 403);
}

/// The attack: a visitor's own key, planted in the browser of somebody who is logged in, and a form with the token of it.
#[tokio::test]
async fn a_visitors_secret_is_never_that_of_somebody_who_is_logged_in() {
    let app = site();
    let (mallory, ann) = (Client::new(&app), Client::new(&app));
    let token = ann.get("/login/").await.text;
    let fields = form("ann", "a fine long passphrase");
    assert_eq!(send(&ann, "/sign-up/", &token, &fields).await.text, "made");
    assert_eq!(send(&ann, "/login/", &token, &fields).await.text, "in");
    assert_eq!(ann.get("/forget/").await.text, "forgotten");
    let token = mallory.get("/form/").await.text;
    assert_eq!(send(&mallory, "/form/", &token, "a=1").await.text, "noted");
    ann.plant(COOKIE, &mallory.cookie(COOKIE).unwrap());
    assert_eq!(send(&ann, "/form/", &token, "a=1").await.status, 403);
}
