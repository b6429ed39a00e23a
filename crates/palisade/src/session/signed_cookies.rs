//! Sessions that the cookie itself carries: Django's `signed_cookies` session back end.
//!
//! Nothing is kept on the server, and so nothing can be taken back there. What a store does for a session cannot be done:
//! concurrent changes are not merged (the last answer's cookie wins), a session that was ended is ended in that browser only,
//! and nobody knows whose sessions there are. Those parts of the contract of stores it breaks by its nature.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use http::StatusCode;
use palisade_core::session::{AUTH_USER_ID, SessionCodec};
use palisade_core::settings::Settings;

use super::key::SessionKey;
use super::layer::CookieChange;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use super::{Fate, Session, SessionError, State, config};

/// What browsers keep of a cookie, with its name and attributes.
const LARGEST: usize = 4096;

/// Room for the attributes.
const ATTRIBUTES: usize = 200;

/// Keeps sessions in the cookie, as Django's `signed_cookies` session back end does.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"`. Choose it only where there is no place for a
/// store.
///
/// # Security
///
/// **There is no logout on the server.** Whoever has copied the cookie stays logged in until it is too old
/// (`session_cookie_age`), whatever its owner does; only a new password, or a new secret key, ends it. The data is signed and not
/// encrypted: its owner reads it. An old cookie can be sent again, so nothing that must not be undone, such as a count of tries,
/// belongs into it.
///
/// # Example
///
/// ```
/// use palisade::session::SignedCookies;
/// use palisade::{Palisade, SecretKey, Settings};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let palisade = Palisade::new(settings).with_sessions(SignedCookies::without_server_side_logout());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SignedCookies(());

impl SignedCookies {
    /// Keeps sessions in the cookie, where no logout reaches a copy of it. The log says so at each start.
    pub fn without_server_side_logout() -> Self {
        tracing::warn!(
            target: "palisade::session",
            "sessions are kept in signed cookies: a logout does not end a copy of the cookie"
        );
        Self(())
    }
}

/// The codec of Django's back end, which compresses whatever becomes shorter by it.
pub(super) fn codec(settings: &Settings) -> SessionCodec {
    SessionCodec::with_salt(
        &settings.key_ring(),
        "django.contrib.sessions.backends.signed_cookies",
    )
    .with_compression_from(0)
}

impl Session {
    /// Reads the data out of the cookie; what nobody signed, or too long ago, is no session.
    pub(super) fn read_carried(&self, codec: &SessionCodec, text: &str, state: &mut State) {
        let sessions = &self.0.sessions;
        let Ok((data, signed_at)) = codec.decode_dated(text) else {
            tracing::warn!(target: "palisade::session", "Session data corrupted");
            return;
        };
        let ends = sessions.carried_until(&data, signed_at);
        if ends > sessions.now() {
            state.view = data;
            state.carried = Some(ends);
        }
    }

    /// Puts what the request did into the cookie.
    pub(super) fn carry(
        &self,
        codec: &SessionCodec,
        state: &mut State,
        status: StatusCode,
        now: SystemTime,
    ) -> Result<CookieChange, SessionError> {
        let sessions = &self.0.sessions;
        let logged_out = state.fate == Fate::Flush && !state.view.contains(AUTH_USER_ID);
        match (state.carried, state.changes.is_empty()) {
            (_, _) if status.is_server_error() => Ok(if logged_out && state.sent {
                CookieChange::Delete
            } else {
                CookieChange::None
            }),
            (Some(_), true) if state.fate == Fate::Flush => Ok(CookieChange::Delete),
            (None, true) if state.sent => Ok(CookieChange::Delete),
            (None, true) => Ok(CookieChange::None),
            (Some(ends), true)
                if state.fate == Fate::Keep
                    && !sessions.save_every_request()
                    && !sessions.wants_touch(&state.view, ends, now) =>
            {
                Ok(CookieChange::None)
            }
            _ => {
                if !state.view.contains(config::STARTED) {
                    config::start(&mut state.view, now);
                }
                let text = codec.encode(&state.view, now);
                let size = sessions.cookie_name().len() + text.len() + ATTRIBUTES;
                if size > LARGEST {
                    return Err(SessionError::TooLarge(size));
                }
                Ok(CookieChange::Carry(text))
            }
        }
    }
}

fn cannot<'a, T: Send + 'a>(what: &'static str) -> BoxFuture<'a, Result<T, StoreError>> {
    ready(Err(StoreError::Unsupported(what))).boxed()
}

/// What would have to be on the server for.
impl SessionStore for SignedCookies {
    fn is_the_cookie(&self) -> bool {
        true
    }

    fn load<'a>(
        &'a self,
        _key: &'a SessionKey,
        _now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        cannot("find a session by a key: it is in the cookie")
    }

    fn create<'a>(
        &'a self,
        _key: &'a SessionKey,
        _session: Stored,
        _device: Option<Device>,
        _replaces: Option<&'a SessionKey>,
        _now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        cannot("keep a session under a key: it is in the cookie")
    }

    fn update<'a>(
        &'a self,
        _key: &'a SessionKey,
        _merge: Merge,
        _now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        cannot("change a session by its key: it is in the cookie")
    }

    fn cycle<'a>(
        &'a self,
        _old: &'a SessionKey,
        _new: &'a SessionKey,
        _merge: Merge,
        _device: Option<Device>,
        _now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        cannot("move a session to another key: it is in the cookie")
    }

    fn delete<'a>(&'a self, _key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        cannot("end a session: it is in the cookie")
    }

    /// There is nothing to clear.
    fn clear_expired(&self, _at_most: usize, _now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        ready(Ok(0)).boxed()
    }

    fn list<'a>(
        &'a self,
        _user_id: &'a str,
        _now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        cannot("list a user's sessions: they are in cookies")
    }

    fn delete_others<'a>(
        &'a self,
        _user_id: &'a str,
        _keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        cannot("end a user's sessions: they are in cookies")
    }
}
