//! Palisade's side: the same paths as the Django site, on the same tables.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use axum::Form;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use palisade::auth::{
    Auth, EnrolError, LoggedIn, LoginStep, MemorySecondFactors, PasswordChangeError, Recent,
    SecondFactorStep, UserStore, UserStoreError,
};
use palisade::clock::Clock;
use palisade::core::KeyRing;
use palisade::core::cookie::{self, SetCookie};
use palisade::core::dated_key::{DatedKey, DatedKeys};
use palisade::core::password::{ResetSubject, ResetTokens};
use palisade::core::permission::PermissionName;
use palisade::core::settings::DjangoSettings;
use palisade::core::signing::{self, CookieSigner};
use palisade::csrf::CsrfToken;
use palisade::seal::SealKeys;
use palisade::serve::{Bound, Listen};
use palisade::session::Session;
use palisade::{Palisade, Rejection, Router, SecretKey, Sensitive, Settings};
use serde_json::{Map, Value};
use tokio::runtime::{self, Runtime};
use tokio::task::AbortHandle;

use super::Oracle;
use super::ground::Ground;
use super::keeper::Opened;

/// What values are signed for, here and there.
const SALT: &str = "shop.values";

/// Where all services run, whichever test began them: a test's own runtime ends with the test.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
});

/// A running service; its port closes when this is dropped.
#[derive(Debug)]
pub(super) struct Service {
    address: SocketAddr,
    task: AbortHandle,
}

impl Service {
    pub(super) async fn start(ground: &Arc<Ground>, oracle: &Oracle) -> Result<Service> {
        let runtime = RUNTIME.as_ref().map_err(|error| anyhow!("no runtime: {error}"))?;
        let (ground, settings) = (Arc::clone(ground), settings(oracle)?);
        let bound = runtime.spawn(bind(ground, settings)).await??;
        let address = *bound.addresses().first().context("the service listens nowhere")?;
        let task = runtime.spawn(async move { bound.await }).abort_handle();
        Ok(Service { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn bind(ground: Arc<Ground>, settings: Settings) -> Result<Bound> {
    let (keys, opened) = (settings.key_ring(), Opened::of(&ground).await?);
    let palisade = Palisade::new(settings.clone());
    let palisade = opened.with_sessions(&ground, &settings, palisade).await?;
    let (palisade, users) = opened.with_users(palisade).await?;
    let palisade = palisade.with_second_factors(MemorySecondFactors::default(), seal_keys()?);
    let app = palisade.protect(router(&Shop { keys, users }).public())?;
    let listen = Listen::plain_behind_proxy("127.0.0.1:0");
    Ok(palisade::serve(app, listen).bind().await?)
}

/// Django's own settings, and the one thing that Django does not ask: which proxy is to be believed.
pub(super) fn settings(oracle: &Oracle) -> Result<Settings> {
    let django = DjangoSettings {
        file: "settings.json",
        json: &oracle.settings()?,
    };
    let defaults = Settings::new(SecretKey::new(""), [""; 0]);
    let toml = "trusted_proxies = [\"127.0.0.0/8\"]";
    let mut settings = defaults.overlaid_on_django(django, Some(toml), [])?;
    // Here Argon2id is preferred whatever Django prefers, so that there is something to upgrade.
    settings.password_hashers = Settings::for_tests(SecretKey::new("")).password_hashers;
    Ok(settings)
}

/// Keys of the service's own: Django knows of no second factor.
fn seal_keys() -> Result<SealKeys> {
    let key = DatedKey::parse(
        "2020-01-01",
        "secret = \"what secrets of second factors lie sealed under\"",
    )?;
    Ok(SealKeys::of(DatedKeys::new([key]), Clock::system()))
}

/// What the handlers know beside what Palisade gives them.
#[derive(Clone)]
struct Shop {
    keys: KeyRing,
    users: Arc<dyn UserStore>,
}

type Fields = Form<HashMap<String, String>>;

fn field(fields: &Fields, name: &str) -> String {
    fields.0.get(name).cloned().unwrap_or_default()
}

fn secret(fields: &Fields, name: &str) -> Sensitive<String> {
    Sensitive::new(field(fields, name))
}

fn router(shop: &Shop) -> Router {
    let with = |shop: &Shop| shop.clone();
    let (signs, reads, greets, greeted) = (with(shop), with(shop), with(shop), with(shop));
    let (resets, checks) = (with(shop), with(shop));
    Router::new()
        .route("/form/", get(page).post(note))
        .route("/login/", post(log_in))
        .route("/login/second/", post(second_step))
        .route("/second-factor/", post(begin_second_factor))
        .route("/second-factor/confirm/", post(confirm_second_factor))
        .route("/logout/", post(log_out))
        .route("/password/", post(change_password))
        .route("/who/", get(who))
        .route("/can/", post(can))
        .route("/session/", get(session).post(keep))
        .route("/sign/", post(async move |fields: Fields| signs.sign(&fields)))
        .route(
            "/unsign/",
            post(async move |fields: Fields| reads.unsign(&fields)),
        )
        .route(
            "/greeting/",
            get(async move |headers: HeaderMap| greets.greeting(&headers))
                .post(async move |fields: Fields| greeted.greet(&fields)),
        )
        .route(
            "/reset/",
            post(async move |fields: Fields| resets.reset(&fields).await),
        )
        .route(
            "/reset/check/",
            post(async move |fields: Fields| checks.check_reset(&fields).await),
        )
}

async fn page(token: CsrfToken) -> Html<String> {
    Html(format!("<form>{}</form>", token.input()))
}

async fn note(fields: Fields) -> String {
    format!("read {}", field(&fields, "note"))
}

async fn log_in(auth: Auth, fields: Fields) -> Result<&'static str, Rejection> {
    let user = auth
        .authenticate(&field(&fields, "username"), &secret(&fields, "password"))
        .await?
        .ok_or_else(|| Rejection::forbidden("wrong name or password"))?;
    match auth.login(&user).await? {
        LoginStep::Done => Ok("in"),
        _ => Ok("and the code"),
    }
}

async fn second_step(auth: Auth, fields: Fields) -> Result<&'static str, Rejection> {
    match auth.finish_second_factor(&secret(&fields, "code")).await? {
        SecondFactorStep::Done(_) => Ok("in"),
        SecondFactorStep::Ended => Ok("log in anew"),
        _ => Err(Rejection::forbidden("wrong code")),
    }
}

async fn begin_second_factor(auth: Auth, user: Recent<LoggedIn>) -> Result<String, Rejection> {
    let told = auth.begin_second_factor(&user, "Shop").await.map_err(not_added)?;
    Ok(told.secret.expose().replace(' ', ""))
}

async fn confirm_second_factor(
    auth: Auth,
    user: Recent<LoggedIn>,
    fields: Fields,
) -> Result<&'static str, Rejection> {
    let code = secret(&fields, "code");
    let _recovery = auth
        .confirm_second_factor(&user, &code)
        .await
        .map_err(not_added)?;
    Ok("asked for from now on")
}

fn not_added(error: EnrolError) -> Rejection {
    match error {
        EnrolError::Auth(error) => error.into(),
        error => Rejection::forbidden(error.to_string()),
    }
}

async fn log_out(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Ok("out")
}

async fn change_password(auth: Auth, user: LoggedIn, fields: Fields) -> Result<&'static str, Rejection> {
    match auth
        .change_password(&user, &secret(&fields, "old"), &secret(&fields, "new"))
        .await
    {
        Ok(()) => Ok("changed"),
        Err(PasswordChangeError::Auth(error)) => Err(error.into()),
        Err(error) => Err(Rejection::forbidden(error.to_string())),
    }
}

async fn who(user: Option<LoggedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username.clone())
}

async fn can(user: LoggedIn, fields: Fields) -> Result<&'static str, Rejection> {
    let name: PermissionName = field(&fields, "permission")
        .parse()
        .map_err(|_| Rejection::bad_request("that is no permission"))?;
    Ok(if user.has_perm(&name).await? { "yes" } else { "no" })
}

async fn session(session: Session) -> Result<String, Rejection> {
    let mut shown = Map::new();
    for key in session.keys().await? {
        if !key.starts_with('_') {
            let value: Option<Value> = session.get(&key).await?;
            shown.insert(key, value.unwrap_or_default());
        }
    }
    Ok(Value::Object(shown).to_string())
}

async fn keep(session: Session, fields: Fields) -> Result<&'static str, Rejection> {
    let value: Value = serde_json::from_str(&field(&fields, "value"))
        .map_err(|_| Rejection::bad_request("the value is not JSON"))?;
    session.insert(&field(&fields, "key"), &value).await?;
    Ok("kept")
}

impl Shop {
    fn sign(&self, fields: &Fields) -> Result<String, Rejection> {
        let value: Value = serde_json::from_str(&field(fields, "value"))
            .map_err(|_| Rejection::bad_request("the value is not JSON"))?;
        signing::dumps(&value, &self.keys, SALT, true, SystemTime::now())
            .map_err(|error| Rejection::internal(error.to_string()))
    }

    fn unsign(&self, fields: &Fields) -> Result<String, Rejection> {
        let signed = field(fields, "signed");
        let value: Result<Value, _> = signing::loads(&signed, &self.keys, SALT, None, SystemTime::now());
        value
            .map(|value| value.to_string())
            .map_err(|_| Rejection::forbidden("forged"))
    }

    fn greeter(&self) -> CookieSigner {
        CookieSigner::new(&self.keys, "greeting", "hall")
    }

    fn greet(&self, fields: &Fields) -> Result<impl IntoResponse + use<>, Rejection> {
        let signed = self.greeter().sign_at(&field(fields, "value"), SystemTime::now());
        let cookie =
            SetCookie::new("greeting", signed).map_err(|error| Rejection::internal(error.to_string()))?;
        Ok(([(SET_COOKIE, cookie.to_string())], "kept"))
    }

    fn greeting(&self, headers: &HeaderMap) -> (StatusCode, String) {
        let line = headers
            .get(COOKIE)
            .and_then(|line| line.to_str().ok())
            .unwrap_or_default();
        let signed = cookie::value(line, "greeting").unwrap_or_default();
        let minute = Some(Duration::from_mins(1));
        let value = self
            .greeter()
            .unsign_at(&signed, minute, SystemTime::now())
            .unwrap_or("none")
            .to_owned();
        (StatusCode::OK, value)
    }

    async fn reset(&self, fields: &Fields) -> Result<String, Rejection> {
        self.with_subject(fields, |tokens, subject| {
            tokens.make_at(subject, SystemTime::now())
        })
        .await
    }

    async fn check_reset(&self, fields: &Fields) -> Result<&'static str, Rejection> {
        let token = field(fields, "token");
        let valid = self
            .with_subject(fields, |tokens, subject| {
                tokens.check_at(subject, &token, SystemTime::now())
            })
            .await?;
        Ok(if valid { "valid" } else { "invalid" })
    }

    async fn with_subject<R>(
        &self,
        fields: &Fields,
        ask: impl FnOnce(&ResetTokens, &ResetSubject<'_>) -> R,
    ) -> Result<R, Rejection> {
        let unavailable = |error: UserStoreError| Rejection::internal(error.to_string());
        let found = self.users.by_username(&field(fields, "username")).await;
        let user = found
            .map_err(unavailable)?
            .ok_or_else(|| Rejection::not_found("there is no such user"))?;
        let id = user.id.to_string();
        let subject = ResetSubject {
            user_id: &id,
            password: user.password.expose(),
            last_login: user.last_login,
            email: &user.email,
        };
        Ok(ask(&ResetTokens::new(&self.keys), &subject))
    }
}
