//! A session as Django itself holds it, step by step, on every back end that Django has.
//!
//! [`Session`](super::Session) is what a service wants: typed, asynchronous, merged on save. This is for programs that must do exactly what
//! a Django process beside them does, with its races and its order of reads and writes: a command that repairs or moves
//! sessions, a test. One [`EngineSession`] is Django's `SessionBase` with its back ends `db`, `cache`, `cached_db`, `file` and
//! `signed_cookies`; where rows and cache entries are, a [`Storage`] knows.
//!
//! # Security
//!
//! A save overwrites what another request has written meanwhile, as in Django. Use [`Session`](super::Session) for requests.
//!
//! # Example
//!
//! ```
//! use std::time::SystemTime;
//!
//! use palisade::core::{KeyRing, SecretKey};
//! use palisade::session::engine::{Deployment, Engine, EngineSession, NoStorage};
//!
//! let django = Deployment::new(&KeyRing::new(SecretKey::new("secret")), SystemTime::UNIX_EPOCH);
//! let mut session = EngineSession::new(Engine::SignedCookies, None, &django, NoStorage);
//! session.set("theme", "\"dark\"".to_owned())?;
//! session.save(false)?;
//! let cookie = session.key().unwrap().to_owned();
//! let mut read = EngineSession::new(Engine::SignedCookies, Some(cookie), &django, NoStorage);
//! assert_eq!(read.get("theme")?.as_deref(), Some("\"dark\""));
//! # Ok::<(), palisade::session::engine::EngineError>(())
//! ```

mod backend;
mod expiry;
mod file;
mod respond;
mod storage;

use std::fmt;
use std::time::SystemTime;

use palisade_core::KeyRing;
use palisade_core::moment::{InvalidMoment, Moment};
use palisade_core::session::{InvalidValue, SIGNED_COOKIES_SALT, SessionCodec, SessionData};
use palisade_core::signing::DecodeError;

pub use file::FileSessions;
pub use palisade_core::session::{Age, StoredExpiry};
pub use respond::CookieChange;
pub use storage::{NoStorage, Row, Storage, StorageError};

/// The key that says whether the browser keeps cookies, and its value.
const TEST_COOKIE: (&str, &str) = ("testcookie", "\"worked\"");
/// How short a session key must not be.
const SHORTEST_KEY: usize = 8;

/// Says whether Django would look a session key up at all: it has eight characters or more.
pub fn is_acceptable_key(key: &str) -> bool {
    key.chars().count() >= SHORTEST_KEY
}

/// Where sessions are kept: Django's `SESSION_ENGINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// Rows of a database.
    Db,
    /// A cache alone.
    Cache,
    /// Rows of a database behind a cache.
    CachedDb,
    /// Files.
    File(FileSessions),
    /// The cookie itself.
    SignedCookies,
    /// Nowhere.
    None,
}

/// What a session did wrong, or what was done to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The record to save into is gone (`UpdateError`).
    #[error("the session was deleted meanwhile")]
    Update,
    /// The key of a new record is taken (`CreateError`).
    #[error("the session key is taken")]
    Create,
    /// There is no such value (`KeyError`).
    #[error("{0}")]
    NoSuchKey(String),
    /// The key of a session in a file has characters that no such key has.
    #[error("Invalid characters in session key")]
    InvalidKey,
    /// No new key was free in ten thousand.
    #[error("Unable to create a new session key. It is likely that the cache is unavailable.")]
    NoFreeKey,
    /// The session was deleted while a request used it.
    #[error(
        "The request's session was deleted before the request completed. The user may have logged out in a \
         concurrent request, for example."
    )]
    Interrupted,
    /// The time at which the session ends cannot be read.
    #[error(transparent)]
    Expiry(#[from] InvalidMoment),
    /// A value is no JSON.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// The storage failed.
    #[error("the session storage failed: {0}")]
    Storage(StorageError),
}

impl From<StorageError> for EngineError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Taken => Self::Create,
            StorageError::Missing => Self::Update,
            error => Self::Storage(error),
        }
    }
}

/// What Django would have written to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// `Session data corrupted`, a warning on `django.security.SuspiciousSession`.
    Corrupted,
    /// `Error saving to cache`, an error on `django.contrib.sessions`.
    CacheNotWritten,
}

/// What of a Django's settings sessions depend on, and what time it is there.
#[derive(Clone, Debug)]
pub struct Deployment {
    codec: SessionCodec,
    cookie_codec: SessionCodec,
    now: SystemTime,
    now_written: Moment,
    cookie_age: i64,
    browser_close: bool,
}

impl Deployment {
    /// Takes Django's defaults: sessions of two weeks, times in UTC, the salt of the class `SessionStore`.
    pub fn new(keys: &KeyRing, now: SystemTime) -> Self {
        Self {
            codec: SessionCodec::new(keys).with_compression_from(0),
            cookie_codec: SessionCodec::with_salt(keys, SIGNED_COOKIES_SALT).with_compression_from(0),
            now,
            now_written: Moment::utc(now),
            cookie_age: 1_209_600,
            browser_close: false,
        }
    }

    /// Signs with another salt: `django.contrib.sessions.` and the name of the site's own class.
    #[must_use]
    pub fn with_salt(mut self, keys: &KeyRing, salt: &str) -> Self {
        self.codec = SessionCodec::with_salt(keys, salt).with_compression_from(0);
        self
    }

    /// Writes the time so: without an offset where `USE_TZ` is off.
    #[must_use]
    pub const fn with_time_written_as(mut self, now: Moment) -> Self {
        self.now_written = now;
        self
    }

    /// Lets sessions last so many seconds: `SESSION_COOKIE_AGE`.
    #[must_use]
    pub const fn with_cookie_age(mut self, seconds: i64) -> Self {
        self.cookie_age = seconds;
        self
    }

    /// Lets sessions end with the browser that do not say otherwise: `SESSION_EXPIRE_AT_BROWSER_CLOSE`.
    #[must_use]
    pub const fn with_browser_close(mut self, browser_close: bool) -> Self {
        self.browser_close = browser_close;
        self
    }

    /// Encodes data as the back ends `db`, `cached_db` and `file` keep them.
    pub fn encode(&self, data: &SessionData) -> String {
        self.codec.encode(data, self.now)
    }

    /// Decodes what those back ends keep; what cannot be read is no data, and may be worth a line in the log.
    pub fn decode(&self, text: &str) -> (SessionData, Option<Notice>) {
        match self.codec.decode(text) {
            Ok(data) => (data, None),
            Err(DecodeError::BadSignature(_)) => (SessionData::new(), Some(Notice::Corrupted)),
            Err(_) => (SessionData::new(), None),
        }
    }
}

/// One session: Django's `SessionBase`.
pub struct EngineSession<'d, S> {
    engine: Engine,
    deployment: &'d Deployment,
    storage: S,
    key: Option<String>,
    data: Option<SessionData>,
    accessed: bool,
    modified: bool,
    notices: Vec<Notice>,
}

/// Neither key nor data.
impl<S> fmt::Debug for EngineSession<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineSession")
            .field("engine", &self.engine)
            .field("accessed", &self.accessed)
            .field("modified", &self.modified)
            .finish_non_exhaustive()
    }
}

impl<'d, S: Storage> EngineSession<'d, S> {
    /// Begins with a key, perhaps from a cookie; a too short one counts as none.
    pub fn new(engine: Engine, key: Option<String>, deployment: &'d Deployment, storage: S) -> Self {
        Self {
            engine,
            deployment,
            storage,
            key: key.filter(|key| is_acceptable_key(key)),
            data: None,
            accessed: false,
            modified: false,
            notices: Vec::new(),
        }
    }

    /// Goes on with data that were loaded before, and with what was done to them.
    #[must_use]
    pub fn with_state(mut self, data: Option<SessionData>, accessed: bool, modified: bool) -> Self {
        self.data = data;
        self.accessed = accessed;
        self.modified = modified;
        self
    }

    /// The key under which the session is kept.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The data, where they have been loaded.
    pub const fn data(&self) -> Option<&SessionData> {
        self.data.as_ref()
    }

    /// Says whether anybody has looked at the data.
    pub const fn is_accessed(&self) -> bool {
        self.accessed
    }

    /// Says whether anybody has changed the data.
    pub const fn is_modified(&self) -> bool {
        self.modified
    }

    /// What Django would have written to its log so far.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Says whether there is neither key nor data. Nothing is loaded for it.
    pub fn is_empty(&self) -> bool {
        self.key.is_none() && self.data.as_ref().is_none_or(SessionData::is_empty)
    }

    /// The JSON text of a value.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn get(&mut self, key: &str) -> Result<Option<String>, EngineError> {
        Ok(self.session()?.raw(key).map(str::to_owned))
    }

    /// Takes a value out.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn pop(&mut self, key: &str) -> Result<Option<String>, EngineError> {
        // As Django, which forgets here that loading may have changed something.
        let before = self.modified;
        let taken = self.session()?.remove(key);
        self.modified = before || taken.is_some();
        Ok(taken)
    }

    /// Sets a value, given as JSON text.
    ///
    /// # Errors
    ///
    /// When the storage fails, or the text is no JSON.
    pub fn set(&mut self, key: &str, value: String) -> Result<(), EngineError> {
        self.session()?.insert_raw(key, value)?;
        self.modified = true;
        Ok(())
    }

    /// Removes a value that must be there.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchKey`]; when the storage fails.
    pub fn remove(&mut self, key: &str) -> Result<(), EngineError> {
        match self.session()?.remove(key) {
            Some(_) => {
                self.modified = true;
                Ok(())
            }
            None => Err(EngineError::NoSuchKey(key.to_owned())),
        }
    }

    /// Says whether there is such a value.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn has_key(&mut self, key: &str) -> Result<bool, EngineError> {
        Ok(self.session()?.contains(key))
    }

    /// Sets a value unless there is one, and gives what is there then.
    ///
    /// # Errors
    ///
    /// When the storage fails, or the text is no JSON.
    pub fn set_default(&mut self, key: &str, value: String) -> Result<String, EngineError> {
        if let Some(present) = self.get(key)? {
            return Ok(present);
        }
        self.set(key, value.clone())?;
        Ok(value)
    }

    /// Sets several values.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn update(&mut self, items: &SessionData) -> Result<(), EngineError> {
        let session = self.session()?;
        for (key, value) in items.iter() {
            session.insert_raw(key, value.to_owned())?;
        }
        self.modified = true;
        Ok(())
    }

    /// All values, in their order.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn items(&mut self) -> Result<&SessionData, EngineError> {
        Ok(self.session()?)
    }

    /// Takes all values away, without looking at them.
    pub fn clear(&mut self) {
        self.data = Some(SessionData::new());
        self.accessed = true;
        self.modified = true;
    }

    /// Sets a value that tells, if it comes back, that the browser keeps cookies.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn set_test_cookie(&mut self) -> Result<(), EngineError> {
        self.set(TEST_COOKIE.0, TEST_COOKIE.1.to_owned())
    }

    /// Says whether that value came back.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn test_cookie_worked(&mut self) -> Result<bool, EngineError> {
        Ok(self.get(TEST_COOKIE.0)?.as_deref() == Some(TEST_COOKIE.1))
    }

    /// Removes that value.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchKey`]; when the storage fails.
    pub fn delete_test_cookie(&mut self) -> Result<(), EngineError> {
        self.remove(TEST_COOKIE.0)
    }

    /// The data, loaded where they were not.
    fn session(&mut self) -> Result<&mut SessionData, EngineError> {
        self.accessed = true;
        if self.data.is_none() && self.key.is_some() {
            let loaded = self.load()?;
            self.data.get_or_insert(loaded);
        }
        Ok(self.data.get_or_insert_default())
    }

    /// The data, or none where they were not loaded: a new record must not load an old one.
    fn session_unloaded(&mut self) -> &mut SessionData {
        self.accessed = true;
        self.data.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests;
