//! What somebody may try with a token that was theirs before the login.

use axum::routing::get;
use palisade::auth::SqliteUsers;
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Router};

use crate::client::{Client, settings};
use crate::csrf_site::{FORM, OURS, request};
use crate::login_site::{form, log_in, sign_up};

#[tokio::test]
async fn a_token_from_before_the_login_is_worth_nothing_where_the_secret_is_in_the_session() {
    let mut settings = settings();
    settings.csrf_use_sessions = true;
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let page = async |csrf: CsrfToken| csrf.masked();
    let router = Router::new()
        .route("/form/", get(page).post(async || "noted"))
        .route("/login/", get(page).post(log_in))
        .route("/sign-up/", get(page).post(sign_up));
    let app = Palisade::new(settings)
        .with_sessions(MemorySessions::new())
        .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
        .protect(router.public())
        .unwrap();
    let client = Client::new(&app);
    let send = async |path: &str, token: &str, fields: &str| {
        let body = format!("csrfmiddlewaretoken={token}&{fields}");
        client.send(request("POST", path, &[OURS, FORM], body)).await
    };
    let before = client.get("/login/").await.text;
    let fields = form("ann", "a fine long passphrase");
    assert_eq!(send("/sign-up/", &before, &fields).await.text, "made");
    assert_eq!(send("/form/", &before, "a=1").await.text, "noted");
    assert_eq!(send("/login/", &before, &fields).await.text, "in");
    assert_eq!(send("/form/", &before, "a=1").await.status, 403);
}
