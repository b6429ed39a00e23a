//! A small site with a reset of passwords by mail, a second factor, and a page that needs a recent login.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use palisade::auth::{
    Auth, EnrolError, LoggedIn, LoginStep, MemorySecondFactors, NewUser, Next, Recent, ResetError, ResetStep,
    SecondFactorStep, SqliteUsers, User, UserStore,
};
use palisade::clock::Clock;
use palisade::core::dated_key::{DatedKey, DatedKeys};
use palisade::core::settings::EmailBackend;
use palisade::csrf::CsrfToken;
use palisade::mail::{Mail, Mailer};
use palisade::password::{Hashers, PasswordPolicy};
use palisade::seal::SealKeys;
use palisade::session::SqliteSessions;
use palisade::sqlite::Sqlite;
use palisade::throttle::{MemoryThrottle, ThrottleStore, Throttles};
use palisade::{Palisade, Policies as _, Protected, Rejection, Router, Sensitive, Settings};

use crate::client::{Client, settings};

pub(crate) const PASSWORD: &str = "a fine long passphrase";

/// A site, and what stands behind it.
pub(crate) struct Site {
    pub(crate) app: Protected,
    pub(crate) users: SqliteUsers,
    pub(crate) factors: MemorySecondFactors,
    pub(crate) sessions: SqliteSessions,
    pub(crate) mailer: Mailer,
    pub(crate) throttles: Throttles,
    pub(crate) clock: Clock,
}

type Fields = Form<HashMap<String, String>>;

fn field(fields: &Fields, name: &str) -> Sensitive<String> {
    Sensitive::new(fields.0.get(name).cloned().unwrap_or_default())
}

pub(crate) fn mail_settings() -> Settings {
    let mut settings = settings();
    settings.site_url = Some("https://example.com".parse().unwrap());
    settings.email_backend = EmailBackend::Memory;
    "Shop <shop@example.com>".clone_into(&mut settings.default_from_email);
    settings
}

pub(crate) fn seal_keys(clock: &Clock) -> SealKeys {
    let key = DatedKey::parse("2020-01-01", "secret = \"thirty-two bytes or more of chance\"").unwrap();
    SealKeys::of(DatedKeys::new([key]), clock.clone())
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(mail_settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::throttled_by(settings, MemoryThrottle::new())
    }

    pub(crate) fn throttled_by(settings: Settings, throttle: impl ThrottleStore) -> Self {
        let clock = Clock::fixed(UNIX_EPOCH + Duration::from_hours(500_000));
        let database = Sqlite::in_memory().unwrap();
        let users = SqliteUsers::new(database.clone()).unwrap();
        let sessions = SqliteSessions::new(database).unwrap();
        let factors = MemorySecondFactors::default();
        let mailer = Mailer::from_settings(&settings).unwrap();
        let palisade = Palisade::new(settings)
            .with_clock(clock.clone())
            .with_sessions(sessions.clone())
            .with_users_and(
                users.clone(),
                Hashers::dangerous_cheap(),
                PasswordPolicy::default(),
            )
            .with_second_factors(factors.clone(), seal_keys(&clock))
            .with_mailer(mailer.clone())
            .with_throttle(throttle);
        let router = Router::new()
            .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
            .route("/login/second/", post(second))
            .route("/login/half/", get(half))
            .route("/login/confirm/", post(confirm).logged_in())
            .route(
                "/who/",
                get(async |user: Option<LoggedIn>| {
                    user.map_or("nobody".to_owned(), |user| user.username.clone())
                }),
            )
            .route("/forgot/", post(forgot))
            .route("/reset/{uid}/{token}/", get(open_link).post(set_password))
            .route("/change/", post(change).logged_in())
            .route(
                "/recent/",
                get(async |user: Recent<LoggedIn>| user.username.clone())
                    .post(async |_: Recent<LoggedIn>| "done"),
            )
            .route("/recent/rule/", get(async || "let through").logged_in().recent())
            .route("/factor/", post(begin).logged_in())
            .route("/factor/confirm/", post(enrol).logged_in())
            .route("/factor/codes/", post(renew).logged_in())
            .route("/factor/remove/", post(remove).logged_in());
        let throttles = palisade.throttles().unwrap().clone();
        Self {
            app: palisade.protect(router.public()).unwrap(),
            users,
            factors,
            sessions,
            mailer,
            throttles,
            clock,
        }
    }

    /// A browser that has seen the login page.
    pub(crate) async fn visitor(&self) -> Client {
        let client = Client::new(&self.app);
        client.get("/login/").await;
        client
    }

    pub(crate) async fn account(&self, name: &str, email: &str) -> User {
        let hashers = Hashers::dangerous_cheap();
        let hash = hashers.hash(&Sensitive::new(PASSWORD.to_owned())).await;
        let new = NewUser {
            username: name.to_owned(),
            email: email.to_owned(),
            ..NewUser::default()
        };
        let password = Sensitive::new(hash.unwrap());
        self.users.create(new, password, self.clock.now()).await.unwrap()
    }

    pub(crate) async fn log_in(&self, name: &str) -> (Client, String) {
        let client = self.visitor().await;
        let answer = client.post("/login/", &login(name, PASSWORD)).await;
        (client, answer.text)
    }

    /// Somebody with an account, logged in.
    pub(crate) async fn member(&self, name: &str) -> Client {
        self.account(name, &format!("{name}@example.com")).await;
        let (client, answer) = self.log_in(name).await;
        assert_eq!(answer, "in");
        client
    }

    /// All mails that were sent.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        self.mailer.sent().await;
        self.mailer.outbox().unwrap().sent()
    }

    /// The path of the link in the last mail.
    pub(crate) async fn link(&self) -> String {
        let mails = self.mails().await;
        let link = mails
            .last()
            .expect("a mail")
            .text()
            .lines()
            .find(|line| line.contains("/reset/"));
        let path = link.expect("a link").trim().strip_prefix("https://example.com");
        path.expect("a link to the site").to_owned()
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.users.by_username(name).await.unwrap().unwrap()
    }
}

pub(crate) fn login(name: &str, password: &str) -> String {
    format!("username={name}&password={}", password.replace(' ', "+"))
}

/// The code that an authenticator shows at a time.
pub(crate) fn code_at(secret: &str, at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    testkit::authenticator::code(&secret.replace(' ', ""), seconds).unwrap()
}

async fn log_in(auth: Auth, next: Next, fields: Fields) -> Result<String, Rejection> {
    let name = fields.0.get("username").cloned().unwrap_or_default();
    let Some(user) = auth.authenticate(&name, &field(&fields, "password")).await? else {
        return Ok("wrong name or password".to_owned());
    };
    Ok(match auth.login(&user).await? {
        LoginStep::Done => next.or_default(None, "in"),
        _ => "and the code".to_owned(),
    })
}

async fn second(auth: Auth, fields: Fields) -> Result<String, Rejection> {
    Ok(match auth.finish_second_factor(&field(&fields, "code")).await? {
        SecondFactorStep::Done(user) => format!("in as {}", user.username),
        SecondFactorStep::Wrong => "wrong code".to_owned(),
        SecondFactorStep::TooMany { retry_after } => format!("wait {}", retry_after.as_secs()),
        SecondFactorStep::Ended => "log in anew".to_owned(),
        other => format!("{other:?}"),
    })
}

async fn half(auth: Auth) -> Result<String, Rejection> {
    Ok(auth.half_login().await?.unwrap_or_default())
}

async fn confirm(auth: Auth, user: LoggedIn, fields: Fields) -> Result<&'static str, Rejection> {
    Ok(if auth.confirm(&user, &field(&fields, "password")).await? {
        "confirmed"
    } else {
        "wrong"
    })
}

async fn forgot(auth: Auth, fields: Fields) -> Result<&'static str, Rejection> {
    auth.request_reset(field(&fields, "email").expose()).await?;
    Ok("If we know this address, a mail is on its way.")
}

async fn open_link(auth: Auth, Path((uid, token)): Path<(String, String)>) -> Result<Response, Rejection> {
    Ok(match auth.open_reset(&uid, &token).await? {
        ResetStep::Elsewhere(page) => Redirect::to(&page).into_response(),
        ResetStep::Ask(link) => format!("a new password for {}", link.username()).into_response(),
        _ => "no good link".into_response(),
    })
}

async fn set_password(
    auth: Auth,
    Path((uid, token)): Path<(String, String)>,
    fields: Fields,
) -> Result<String, Rejection> {
    let ResetStep::Ask(link) = auth.open_reset(&uid, &token).await? else {
        return Ok("no good link".to_owned());
    };
    Ok(
        match auth.reset_password(&link, &field(&fields, "password")).await {
            Ok(user) => format!("set for {}", user.username),
            Err(ResetError::Auth(error)) => return Err(error.into()),
            Err(ResetError::Password(problems)) => problems[0].to_string(),
            Err(error) => error.to_string(),
        },
    )
}

async fn change(auth: Auth, user: LoggedIn, fields: Fields) -> Result<&'static str, Rejection> {
    let changed = auth
        .change_password(&user, &field(&fields, "old"), &field(&fields, "new"))
        .await;
    Ok(if changed.is_ok() { "changed" } else { "refused" })
}

fn enrolled<T>(done: Result<T, EnrolError>, say: impl FnOnce(T) -> String) -> Result<String, Rejection> {
    match done {
        Ok(done) => Ok(say(done)),
        Err(EnrolError::Auth(error)) => Err(error.into()),
        Err(error) => Ok(error.to_string()),
    }
}

async fn begin(auth: Auth, user: Recent<LoggedIn>) -> Result<String, Rejection> {
    enrolled(auth.begin_second_factor(&user, "Shop").await, |told| {
        told.secret.expose().clone()
    })
}

async fn enrol(auth: Auth, user: Recent<LoggedIn>, fields: Fields) -> Result<String, Rejection> {
    let codes = auth.confirm_second_factor(&user, &field(&fields, "code")).await;
    enrolled(codes, |codes| {
        codes
            .iter()
            .map(Sensitive::expose)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    })
}

async fn renew(auth: Auth, user: Recent<LoggedIn>) -> Result<String, Rejection> {
    let codes = auth.renew_recovery_codes(&user).await;
    enrolled(codes, |codes| {
        codes
            .iter()
            .map(Sensitive::expose)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    })
}

async fn remove(auth: Auth, user: Recent<LoggedIn>) -> Result<String, Rejection> {
    Ok(auth.remove_second_factor(&user).await?.to_string())
}

/// Somebody with a second factor: the browser that added it, the secret, and the recovery codes.
pub(crate) async fn with_second_factor(site: &Site, name: &str) -> (Client, String, Vec<String>) {
    let client = site.member(name).await;
    let secret = client.post("/factor/", "").await.text;
    let code = code_at(&secret, site.clock.now());
    let codes = client
        .post("/factor/confirm/", &format!("code={code}"))
        .await
        .text;
    let codes: Vec<String> = codes.lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    (client, secret, codes)
}
