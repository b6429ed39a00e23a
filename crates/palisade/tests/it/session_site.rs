//! A small site whose handlers do with their session what the tests need.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use palisade::clock::Clock;
use palisade::core::session::SessionExpiry;
use palisade::session::{Session, SessionError, SessionStore};
use palisade::{Palisade, Protected, Router, Settings};

use crate::flaky::Flaky;

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// 2023-11-14 22:13:20 UTC.
pub(crate) fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) app: Protected,
}

pub(crate) fn site_on(settings: Settings, store: impl SessionStore) -> Site {
    let clock = Clock::fixed(then());
    let palisade = Palisade::new(settings)
        .with_clock(clock.clone())
        .with_sessions(store);
    Site {
        app: palisade.protect(routes().public()).unwrap(),
        clock,
    }
}

pub(crate) fn site(settings: Settings) -> Site {
    site_on(settings, Flaky::default())
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/quiet", get(async || "quiet"))
        .route("/set/{value}", get(set))
        .route("/show", get(show))
        .route("/take", get(take))
        .route("/count", get(count))
        .route("/flush", get(flush))
        .route("/expire/{how}", get(expire))
        .route("/vary/{names}", get(vary))
        .route("/panic-after-set", get(panic_after_set))
        .route("/fail/{what}", get(fail))
}

pub(crate) async fn set(session: Session, Path(value): Path<String>) -> Result<&'static str, SessionError> {
    session.insert("cart", &value).await?;
    Ok("set")
}

pub(crate) async fn show(session: Session) -> Result<String, SessionError> {
    Ok(session.get::<String>("cart").await?.unwrap_or_default())
}

pub(crate) async fn take(session: Session) -> Result<String, SessionError> {
    Ok(session.take::<String>("cart").await?.unwrap_or_default())
}

pub(crate) async fn count(session: Session) -> Result<String, SessionError> {
    let count = |n: &mut u32| {
        *n += 1;
        *n
    };
    Ok(session.update("n", count).await?.to_string())
}

pub(crate) async fn flush(session: Session) -> Result<&'static str, SessionError> {
    session.flush().await?;
    Ok("flushed")
}

pub(crate) async fn expire(session: Session, Path(how): Path<String>) -> Result<&'static str, SessionError> {
    let expiry = match how.as_str() {
        "default" => SessionExpiry::Default,
        "close" => SessionExpiry::AtBrowserClose,
        "sliding" => SessionExpiry::Sliding(3600),
        "at" => SessionExpiry::At(then() + DAY),
        "past" => SessionExpiry::At(then() - DAY),
        _ => SessionExpiry::In(HOUR * 2),
    };
    session.set_expiry(expiry).await?;
    Ok("set")
}

pub(crate) async fn vary(
    session: Session,
    Path(names): Path<String>,
) -> Result<([(&'static str, String); 1], &'static str), SessionError> {
    session.get::<String>("cart").await?;
    Ok(([("vary", names)], "varied"))
}

pub(crate) async fn panic_after_set(session: Session) -> Result<&'static str, SessionError> {
    session.insert("cart", "poison").await?;
    panic!("after the set");
}

pub(crate) async fn fail(session: Session, Path(what): Path<String>) -> Result<StatusCode, SessionError> {
    session.insert("cart", "failed").await?;
    Ok(match what.as_str() {
        "client" => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    })
}

pub(crate) fn cookies(answer: &crate::client::Answer) -> Vec<String> {
    let lines = answer.headers.get_all("set-cookie").iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}
