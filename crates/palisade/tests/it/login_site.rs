//! A small site with a login, a sign-up and a change of password.

use std::collections::HashMap;

use axum::Form;
use axum::routing::{get, post};
use http::StatusCode;
use palisade::auth::{Auth, LoggedIn, LoginStep, NewUser, Next, SignUpError, SqliteUsers, User, UserStore};
use palisade::clock::Clock;
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::sqlite::{Sqlite, params};
use palisade::{Palisade, Protected, Rejection, Router, Sensitive, Settings};

use crate::client::{Client, settings};
use crate::flaky::Flaky;

pub(crate) const PASSWORD: &str = "a fine long passphrase";

/// A site with accounts, and what stands behind it.
pub(crate) struct Site {
    pub(crate) app: Protected,
    pub(crate) database: Sqlite,
    pub(crate) sessions: Flaky,
    pub(crate) users: SqliteUsers,
}

pub(crate) type Fields = Form<HashMap<String, String>>;

pub(crate) fn field(fields: &Fields, name: &str) -> Sensitive<String> {
    Sensitive::new(fields.0.get(name).cloned().unwrap_or_default())
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(settings(), Hashers::dangerous_cheap())
    }

    pub(crate) fn with(settings: Settings, hashers: Hashers) -> Self {
        Self::on(settings, hashers, Sqlite::in_memory().unwrap(), Flaky::default())
    }

    pub(crate) fn on(settings: Settings, hashers: Hashers, database: Sqlite, sessions: Flaky) -> Self {
        let users = SqliteUsers::new(database.clone()).unwrap();
        let palisade = Palisade::new(settings)
            .with_clock(Clock::system())
            .with_sessions(sessions.clone())
            .with_users_and(users.clone(), hashers, PasswordPolicy::default());
        let nested = Router::new().route("/inside", get(async |user: LoggedIn| user.username.clone()));
        let router = Router::new()
            .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
            .route("/logout/", post(log_out))
            .route("/logout-and-fail/", post(log_out_and_fail))
            .route("/sign-up/", post(sign_up))
            .route("/change/", post(change))
            .route("/everywhere-else/", post(everywhere_else))
            .route("/who", get(who))
            .route("/remember", get(remember))
            .route("/private", get(async |user: LoggedIn| user.username.clone()))
            .nest("/nest", nested);
        Self {
            app: palisade.protect(router.public()).unwrap(),
            database,
            sessions,
            users,
        }
    }

    /// A browser that has seen the login page.
    pub(crate) async fn visitor(&self) -> Client {
        let client = Client::new(&self.app);
        client.get("/login/").await;
        client
    }

    pub(crate) async fn member(&self, name: &str) -> Client {
        let client = self.visitor().await;
        if self.user(name).await.is_none() {
            let answer = client.post("/sign-up/", &form(name, PASSWORD)).await;
            assert_eq!(answer.text, "made");
        }
        assert_eq!(client.post("/login/", &form(name, PASSWORD)).await.text, "in");
        client
    }

    pub(crate) async fn user(&self, name: &str) -> Option<User> {
        self.users.by_username(name).await.unwrap()
    }

    pub(crate) async fn store_password(&self, name: &'static str, encoded: String) {
        self.database
            .write(move |writer| {
                writer.execute(
                    "UPDATE auth_user SET password = ?2 WHERE username = ?1",
                    params![name, encoded],
                )
            })
            .await
            .unwrap();
    }
}

pub(crate) fn form(name: &str, password: &str) -> String {
    format!("username={name}&password={}", password.replace(' ', "+"))
}

pub(crate) async fn log_in(
    auth: Auth,
    next: Next,
    fields: Fields,
) -> Result<(StatusCode, String), Rejection> {
    let name = fields.0.get("username").cloned().unwrap_or_default();
    match auth.authenticate(&name, &field(&fields, "password")).await? {
        Some(user) => {
            assert_eq!(auth.login(&user).await?, LoginStep::Done);
            let place = next.or_default(fields.0.get("next").map(String::as_str), "in");
            Ok((StatusCode::OK, place))
        }
        None => Ok((StatusCode::OK, "wrong name or password".to_owned())),
    }
}

pub(crate) async fn log_out(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Ok("out")
}

pub(crate) async fn log_out_and_fail(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Err(Rejection::internal("after the logout"))
}

pub(crate) async fn sign_up(auth: Auth, fields: Fields) -> Result<String, Rejection> {
    let new = NewUser {
        username: fields.0.get("username").cloned().unwrap_or_default(),
        ..NewUser::default()
    };
    match auth.sign_up(new, &field(&fields, "password")).await {
        Ok(_) => Ok("made".to_owned()),
        Err(SignUpError::Auth(error)) => Err(error.into()),
        Err(SignUpError::Password(problems)) => Ok(problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")),
        Err(error) => Ok(error.to_string()),
    }
}

pub(crate) async fn change(auth: Auth, user: LoggedIn, fields: Fields) -> Result<String, Rejection> {
    use palisade::auth::PasswordChangeError;
    match auth
        .change_password(&user, &field(&fields, "old"), &field(&fields, "new"))
        .await
    {
        Ok(()) => Ok("changed".to_owned()),
        Err(PasswordChangeError::Auth(error)) => Err(error.into()),
        Err(error) => Ok(error.to_string()),
    }
}

pub(crate) async fn everywhere_else(auth: Auth, user: LoggedIn) -> Result<String, Rejection> {
    Ok(auth.log_out_everywhere_else(&user).await?.to_string())
}

pub(crate) async fn who(user: Option<LoggedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username.clone())
}

pub(crate) async fn remember(session: palisade::session::Session) -> Result<&'static str, Rejection> {
    session.insert("cart", "apple").await?;
    Ok("remembered")
}
