//! Sessions in Django's format: lazy, typed, and merged on save (threat `session-hijacking`, CWE-384, 613).
//!
//! 1. Nothing is read until a handler asks; nothing is written unless it changed something; a response says
//!    `Vary: Cookie` only if the session was touched.
//! 2. The client's key is only looked up. A key that the store does not know is dropped, never adopted.
//! 3. Changes are steps ([`Session::update`] takes the function itself), replayed in the store's transaction on what is
//!    there then: concurrent requests lose nothing of each other's.
//! 4. A session that was logged out meanwhile is not written again: the request gets 400 *session interrupted*.
//! 5. Key changes ([`Session::cycle_key`], [`Session::flush`]) happen with the response, in one step with the data: a handler
//!    that fails afterwards with a 5xx leaves the session as it was.
//! 6. A store that cannot answer is a 503, never an empty session.
//!
//! The table, the signature and the key names are Django's (`django.contrib.sessions.backends.db`): a Django process
//! with the same `SECRET_KEY` reads and writes the same sessions.
//!
//! # Security
//!
//! Whoever has the cookie has the session: it is `Secure`, `HttpOnly` and `SameSite=Lax` unless settings say otherwise.
//! The data is signed, and whoever reads the database reads it and the keys of the sessions, unless the settings
//! `session_seal_keys` and `session_hashed_keys` say otherwise ([`SealedSessions`], [`HashedKeys`]).
//!
//! # Example
//!
//! ```
//! use palisade::session::{Session, SessionError};
//!
//! async fn cart(session: Session) -> Result<String, SessionError> {
//!     let items: u32 = session.update("items", |items: &mut u32| { *items += 1; *items }).await?;
//!     Ok(format!("{items} in the cart"))
//! }
//! # let _: axum::Router = axum::Router::new().route("/cart", axum::routing::post(cart));
//! ```

#[cfg(feature = "redis")]
mod cache;
mod change;
mod config;
pub mod contract;
pub mod engine;
mod file;
mod hashed_keys;
mod key;
mod layer;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod private;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod sealed;
mod signed_cookies;
mod sqlite;
pub mod store;
mod whose;

#[cfg(feature = "redis")]
pub use cache::{CacheSessions, CachedDbSessions, DjangosCache};
pub use config::Sessions;
pub use file::{FileSessions, FolderError};
pub use hashed_keys::HashedKeys;
pub use key::SessionKey;
pub(crate) use layer::vary_on_cookie;
pub use layer::{SessionFuture, SessionLayer, SessionService};
pub use memory::MemorySessions;
#[cfg(feature = "mysql")]
pub use mysql::MySqlSessions;
#[cfg(feature = "postgres")]
pub use postgres::PostgresSessions;
pub(crate) use private::Cacheable;
#[cfg(feature = "redis")]
pub use redis::{Format, Own, RedisSessions};
pub use sealed::SealedSessions;
pub use signed_cookies::SignedCookies;
pub use sqlite::SqliteSessions;
pub use store::{Device, Listed, SessionStore};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, request};
use palisade_core::Threat;
use palisade_core::session::{InvalidValue, KeyAction, LoginPlan, SessionData, SessionExpiry};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard};

use crate::cookies;
use crate::rejection::Rejection;
use change::Change;
use store::StoreError;

/// What can go wrong with a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value is not of the type that was asked for, or cannot be written as JSON.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// The session was deleted while the request ran.
    #[error(
        "The request's session was deleted before the request completed. The user may have logged out in a \
         concurrent request, for example."
    )]
    Interrupted,
    /// The session does not fit into the cookie that carries it.
    #[error(
        "the session makes a cookie of {0} bytes, and browsers keep 4096: keep less in it, or keep sessions in a store"
    )]
    TooLarge(usize),
    /// The response's head has been sent: what a stream does to the session can no longer be saved.
    #[error("the session is closed: the response has begun")]
    Closed,
}

impl From<SessionError> for Rejection {
    fn from(error: SessionError) -> Self {
        let rejection = match &error {
            SessionError::Store(store) => {
                let source = std::error::Error::source(store).map_or_else(String::new, ToString::to_string);
                Rejection::unavailable(format!("{store}: {source}"), 5).with_hint("Please try again in a moment.")
            }
            SessionError::Value(_) | SessionError::Closed | SessionError::TooLarge(_) => Rejection::internal(error.to_string()),
            SessionError::Interrupted => Rejection::bad_request(error.to_string())
                .with_hint("You were logged out while this request was under way. Nothing was saved; please log in again."),
        };
        match error {
            SessionError::Interrupted => rejection.with_threat(Threat::SessionHijacking),
            _ => rejection,
        }
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        Rejection::from(self).into_response()
    }
}

/// The session of a request: an extractor. Clones are the same session.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sessions: Sessions,
    cookies: Option<HeaderValue>,
    accessed: AtomicBool,
    /// Whether the response has begun: nothing can be saved any more, even of a session that nobody had asked for.
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    loaded: bool,
    /// Whether the client sent a session cookie at all.
    sent: bool,
    /// The client's key, once the store has said that it knows it, and when that session ends.
    known: Option<(SessionKey, SystemTime)>,
    /// When the session ends that the cookie itself carries.
    carried: Option<SystemTime>,
    view: SessionData,
    changes: Vec<Change>,
    fate: Fate,
    device: Option<Device>,
    /// A cookie that goes out with the session's, if that is saved: the one by which an account knows a browser.
    beside: Option<HeaderValue>,
    /// What the browser is told to forget with the answer.
    farewell: Option<HeaderValue>,
    /// How many changes only keep a login alive: that they came too late is no news to the person.
    housekeeping: usize,
}

/// What becomes of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Keep,
    Cycle,
    Flush,
}

impl Session {
    fn new(sessions: Sessions, cookies: Option<HeaderValue>) -> Self {
        Self(Arc::new(Inner {
            sessions,
            cookies,
            accessed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            state: Mutex::new(State::default()),
        }))
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, or the value is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        Ok(self.state().await?.view.get(key).transpose()?)
    }

    /// Sets a value.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, or the value has no JSON form.
    pub async fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), SessionError> {
        let mut state = self.open().await?;
        state.view.insert(key, value)?;
        let raw = state.view.raw(key).unwrap_or("null").to_owned();
        state.changes.push(Change::Set(key.into(), raw));
        Ok(())
    }

    /// Changes a value by a function of what is there (`T::default()` if nothing is), and gives what it returns.
    ///
    /// The function runs now, on this request's view, and again when the session is saved if another request wrote
    /// meanwhile: ten thousand concurrent requests that add one have added ten thousand. So it must depend on its
    /// argument only.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, or the value is not a `T`.
    pub async fn update<T, R>(
        &self,
        key: &str,
        update: impl Fn(&mut T) -> R + Send + Sync + 'static,
    ) -> Result<R, SessionError>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        let mut state = self.open().await?;
        let mut value: T = state.view.get(key).transpose()?.unwrap_or_default();
        let result = update(&mut value);
        state.view.insert(key, &value)?;
        let key: Box<str> = key.into();
        state
            .changes
            .push(Change::Update(Arc::new(move |data: &mut SessionData| {
                let mut value: T = data.get(&key).and_then(Result::ok).unwrap_or_default();
                update(&mut value);
                // The same type has been written to the view: it has a JSON form.
                let _ = data.insert(&key, &value);
            })));
        Ok(result)
    }

    /// Removes a value and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn remove(&self, key: &str) -> Result<bool, SessionError> {
        let mut state = self.open().await?;
        let removed = state.view.remove(key).is_some();
        if removed {
            state.changes.push(Change::Remove(key.into()));
        }
        Ok(removed)
    }

    /// Takes a value out: reads and removes it.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, or the value is not a `T`; then it stays.
    pub async fn take<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        let value = self.get(key).await?;
        self.remove(key).await?;
        Ok(value)
    }

    /// Lists the keys that are set.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn keys(&self) -> Result<Vec<String>, SessionError> {
        Ok(self.state().await?.view.keys().map(ToOwned::to_owned).collect())
    }

    /// Moves the data to a new key when the response is made, as at each login: a key that an attacker knew before is
    /// worth nothing afterwards.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn cycle_key(&self) -> Result<(), SessionError> {
        let mut state = self.open().await?;
        if state.fate == Fate::Keep {
            state.fate = Fate::Cycle;
        }
        Ok(())
    }

    /// Drops the data and the key, as at logout. What is set afterwards begins a new session.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn flush(&self) -> Result<(), SessionError> {
        let mut state = self.open().await?;
        state.fate = Fate::Flush;
        state.view = SessionData::new();
        state.changes.clear();
        state.housekeeping = 0;
        state.device = None;
        Ok(())
    }

    /// Says when this session ends, instead of what the settings say.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn set_expiry(&self, expiry: SessionExpiry) -> Result<(), SessionError> {
        let mut state = self.open().await?;
        let mut written = SessionData::new();
        written.set_expiry(expiry, self.0.sessions.now());
        let change = match written.raw(palisade_core::session::EXPIRY_KEY) {
            Some(raw) => Change::Set(palisade_core::session::EXPIRY_KEY.into(), raw.to_owned()),
            None => Change::Remove(palisade_core::session::EXPIRY_KEY.into()),
        };
        change.apply(&mut state.view);
        state.changes.push(change);
        Ok(())
    }

    /// The key under which the store knows this session, if it does.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn key(&self) -> Result<Option<SessionKey>, SessionError> {
        Ok(self.state().await?.known.as_ref().map(|(key, _)| key.clone()))
    }

    /// The store behind this session, for what concerns other sessions, such as the list of a user's.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Records whose session this is, and begins its absolute lifetime anew. Written with the session.
    pub(crate) async fn begin(&self, device: Device) -> Result<(), SessionError> {
        let mut state = self.open().await?;
        let mut started = SessionData::new();
        config::start(&mut started, self.0.sessions.now());
        if let Some(raw) = started.raw(config::STARTED) {
            let change = Change::Set(config::STARTED.into(), raw.to_owned());
            change.apply(&mut state.view);
            state.changes.push(change);
        }
        state.device = Some(device);
        Ok(())
    }

    /// Sends a cookie along with the session's, if the session is saved.
    pub(crate) async fn send_beside(&self, cookie: Option<HeaderValue>) -> Result<(), SessionError> {
        self.open().await?.beside = cookie;
        Ok(())
    }

    /// Reads several values at once.
    pub(crate) async fn read<R>(
        &self,
        read: impl FnOnce(&SessionData) -> R + Send,
    ) -> Result<R, SessionError> {
        Ok(read(&self.state().await?.view))
    }

    /// Tells the browser with the answer what to forget (`Clear-Site-Data`).
    pub(crate) async fn say_farewell(&self, forget: HeaderValue) -> Result<(), SessionError> {
        self.open().await?.farewell = Some(forget);
        Ok(())
    }

    /// Does what a login asks for: first to the key, then to the values.
    pub(crate) async fn carry_out(&self, plan: &LoginPlan) -> Result<(), SessionError> {
        match plan.action {
            KeyAction::Keep => {}
            KeyAction::Cycle => self.cycle_key().await?,
            KeyAction::Flush => self.flush().await?,
        }
        for (key, value) in &plan.set {
            self.insert(key, value).await?;
        }
        Ok(())
    }

    /// Does what a look at a login asks for: one that an older key of ours signed is signed again, under a new session key. A
    /// concurrent request may have done it first; then this one has nothing to tell.
    pub(crate) async fn keep_login(&self, plan: &LoginPlan) -> Result<(), SessionError> {
        self.carry_out(plan).await?;
        if !plan.set.is_empty() {
            self.open().await?.housekeeping += plan.set.len();
        }
        Ok(())
    }

    /// The state, loaded.
    async fn state(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        self.0.accessed.store(true, Ordering::SeqCst);
        let mut state = self.0.state.lock().await;
        if !state.loaded {
            self.load(&mut state).await?;
        }
        Ok(state)
    }

    /// The state, loaded and open for changes.
    async fn open(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        let state = self.state().await?;
        if self.0.closed.load(Ordering::SeqCst) {
            Err(SessionError::Closed)
        } else {
            Ok(state)
        }
    }

    async fn load(&self, state: &mut State) -> Result<(), SessionError> {
        let sessions = &self.0.sessions;
        let sent = self
            .0
            .cookies
            .as_ref()
            .and_then(|line| cookies::value(line, sessions.cookie_name()));
        state.sent = sent.is_some();
        if let Some(codec) = sessions.carried() {
            if let Some(text) = &sent {
                self.read_carried(codec, text, state);
            }
            state.loaded = true;
            return Ok(());
        }
        if let Some(key) = sent.as_deref().and_then(SessionKey::parse) {
            let now = sessions.now();
            if let Some(stored) = sessions.store().load(&key, now).await?
                && let Some(data) = sessions.decode(&stored)
                && sessions.absolute_end(&data).is_none_or(|end| end > now)
            {
                state.view = data;
                state.known = Some((key, stored.expires));
            }
        }
        state.loaded = true;
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Rejection::internal("the session layer is missing: give Palisade a store with with_sessions, and serve what protect returns")
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut request::Parts,
        _state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
