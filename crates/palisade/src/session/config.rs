//! How sessions are kept and sent: the store, the codec and the cookie, shared by all requests.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use palisade_core::cookie::{CookieAttributes, SetCookie};
use palisade_core::dated_key::DatedKeys;
use palisade_core::session::{Expiry, SessionCodec, SessionData};
use palisade_core::settings::{Folder, Settings};

use super::hashed_keys::HashedKeys;
use super::sealed::SealedSessions;
use super::store::{SessionStore, StoreError, Stored};
use crate::clock::Clock;
use crate::seal::SealKeys;
use crate::sqlite::datetime::unix_seconds;

/// When the session began, in Unix seconds: a key of the session's data, which Django carries along.
pub(super) const STARTED: &str = "_palisade_started";

/// How many ended sessions one step of the cleaning takes, so that no writer waits long behind it.
const CLEAN_BATCH: usize = 500;

/// Sessions of a service: the store, and how the cookie is sent. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Config>);

struct Config {
    store: Arc<dyn SessionStore>,
    codec: SessionCodec,
    /// Where the cookie carries the data.
    carried: Option<SessionCodec>,
    clock: Clock,
    cookie_name: String,
    attributes: CookieAttributes,
    age: Duration,
    idle: Duration,
    absolute: Option<Duration>,
    browser_close: bool,
    save_every_request: bool,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// Keeps sessions in this store, as the settings say: sealed (`session_seal_keys`), and under the hashes of their keys
    /// (`session_hashed_keys`).
    pub fn new(store: impl SessionStore, settings: &Settings, clock: Clock) -> Self {
        let age = settings.session_cookie_age;
        Self(Arc::new(Config {
            carried: store
                .is_the_cookie()
                .then(|| super::signed_cookies::codec(settings)),
            store: as_settings_say(store, settings, &clock),
            codec: SessionCodec::new(&settings.key_ring()),
            clock,
            cookie_name: settings.session_cookie_name.clone(),
            // Each session has its own age, or none: the settings' would outlive the browser of who asked to be forgotten.
            attributes: CookieAttributes {
                max_age: None,
                ..settings.session_cookie_attributes()
            },
            age,
            idle: settings.session_idle_limit(),
            absolute: settings.session_absolute_age,
            browser_close: settings.session_expire_at_browser_close,
            save_every_request: settings.session_save_every_request,
        }))
    }

    /// The store.
    pub fn store(&self) -> &dyn SessionStore {
        &*self.0.store
    }

    /// The name of the session cookie.
    pub fn cookie_name(&self) -> &str {
        &self.0.cookie_name
    }

    /// Deletes the sessions that have ended, a batch at a time, and says how many there were.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn clear_expired(&self) -> Result<usize, StoreError> {
        let mut cleared = 0;
        loop {
            let batch = self.0.store.clear_expired(CLEAN_BATCH, self.now()).await?;
            cleared += batch;
            if batch < CLEAN_BATCH {
                return Ok(cleared);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Clears ended sessions now and then, until the task is aborted or the runtime ends.
    pub fn clear_expired_every(&self, interval: Duration) -> tokio::task::JoinHandle<()> {
        let sessions = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match sessions.clear_expired().await {
                    Ok(0) => {}
                    Ok(cleared) => {
                        tracing::info!(target: "palisade::session", cleared, "cleared expired sessions");
                    }
                    Err(error) => {
                        tracing::warn!(target: "palisade::session", %error, "could not clear expired sessions");
                    }
                }
            }
        })
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    pub(super) fn save_every_request(&self) -> bool {
        self.0.save_every_request
    }

    /// Reads what the store holds; data that no key of ours signed is no data.
    pub(super) fn decode(&self, stored: &Stored) -> Option<SessionData> {
        match self.0.codec.decode(&stored.data) {
            Ok(data) => Some(data),
            Err(error) => {
                tracing::warn!(target: "palisade::session", %error, "Session data corrupted");
                None
            }
        }
    }

    /// Encodes data with the time it ends.
    pub(super) fn encode(&self, data: &SessionData, now: SystemTime) -> Stored {
        Stored {
            data: self.0.codec.encode(data, now),
            expires: self.end(data, now),
        }
    }

    /// How the cookie carries the data, if it does.
    pub(super) fn carried(&self) -> Option<&SessionCodec> {
        self.0.carried.as_ref()
    }

    /// When a session ends that stands in a cookie since `signed_at`: never later than the settings' age.
    pub(super) fn carried_until(&self, data: &SessionData, signed_at: SystemTime) -> SystemTime {
        self.end(data, signed_at).min(signed_at + self.0.age)
    }

    fn expiry(&self, data: &SessionData, now: SystemTime) -> Expiry {
        palisade_core::session::expiry(data, now, self.0.age, self.0.browser_close)
    }

    fn end(&self, data: &SessionData, now: SystemTime) -> SystemTime {
        let end = self.expiry(data, now).date.min(now + self.0.idle);
        self.absolute_end(data).map_or(end, |absolute| end.min(absolute))
    }

    /// When the session ends however often it is used.
    pub(super) fn absolute_end(&self, data: &SessionData) -> Option<SystemTime> {
        let started: u64 = data.get(STARTED)?.ok()?;
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(started))?
            .checked_add(self.0.absolute?)
    }

    /// Whether use alone should move the session's end: when a tenth of its idle time, or five minutes, is gone.
    pub(super) fn wants_touch(&self, data: &SessionData, expires: SystemTime, now: SystemTime) -> bool {
        let step = (self.0.idle / 10).min(Duration::from_mins(5));
        let gains = |end: SystemTime| end.duration_since(expires).is_ok_and(|gained| gained >= step);
        // No session ends later than its idle time allows: mostly that alone says no.
        gains(now + self.0.idle) && gains(self.end(data, now))
    }

    /// The cookie that carries the key, or the data.
    pub(super) fn cookie(&self, value: &str, data: &SessionData, now: SystemTime) -> Option<HeaderValue> {
        let cookie = SetCookie::new(&self.0.cookie_name, value).ok()?;
        let cookie = cookie.with_attributes(self.0.attributes.clone()).ok()?;
        let cookie = if self.expiry(data, now).at_browser_close {
            cookie
        } else {
            cookie.with_age_from(now, self.end(data, now).duration_since(now).unwrap_or_default())
        };
        sensitive(&cookie)
    }

    /// The cookie that takes the key away.
    pub(super) fn deletion(&self) -> Option<HeaderValue> {
        sensitive(&SetCookie::delete(&self.0.cookie_name, &self.0.attributes).ok()?)
    }
}

/// Puts around a store what the settings ask for.
fn as_settings_say(store: impl SessionStore, settings: &Settings, clock: &Clock) -> Arc<dyn SessionStore> {
    let asked = settings.session_seal_keys.is_some() || settings.session_hashed_keys;
    if asked && store.is_the_cookie() {
        tracing::error!(
            target: "palisade::session",
            "session_seal_keys and session_hashed_keys do nothing here: the sessions are in their owners' cookies, and not in a store"
        );
        return Arc::new(store);
    }
    match (&settings.session_seal_keys, settings.session_hashed_keys) {
        (None, false) => Arc::new(store),
        (None, true) => Arc::new(hashed(store, settings)),
        (Some(folder), false) => Arc::new(sealed(store, folder, settings, clock)),
        (Some(folder), true) => Arc::new(hashed(sealed(store, folder, settings, clock), settings)),
    }
}

fn hashed<S: SessionStore>(store: S, settings: &Settings) -> HashedKeys<S> {
    let hashed = HashedKeys::over(store);
    if settings.dangerous_accept_unsealed_sessions {
        hashed.dangerous_accept_unhashed()
    } else {
        hashed
    }
}

fn sealed<S: SessionStore>(store: S, keys: &Folder, settings: &Settings, clock: &Clock) -> SealedSessions<S> {
    // `load_settings` has tried the folder. Where it is gone since, no session is read and none is written.
    let keys = SealKeys::read(keys.path(), clock.clone()).unwrap_or_else(|error| {
        tracing::error!(target: "palisade::session", %error, "session_seal_keys cannot be used; every request that asks for its session is answered 503");
        SealKeys::of(DatedKeys::new([]), clock.clone())
    });
    let sealed = SealedSessions::over(store, keys, settings);
    if settings.dangerous_accept_unsealed_sessions {
        sealed.dangerous_accept_unsealed()
    } else {
        sealed
    }
}

fn sensitive(cookie: &SetCookie) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(cookie.to_string()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Writes when the session began.
pub(super) fn start(data: &mut SessionData, now: SystemTime) {
    // A number is JSON.
    let _ = data.insert(STARTED, &unix_seconds(now));
}
