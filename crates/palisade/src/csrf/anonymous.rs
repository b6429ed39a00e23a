//! CSRF secrets of visitors who have no session, where the secrets of the others are kept in theirs (`csrf_use_sessions`).
//!
//! A session for everybody who opens the login page would be a row for every robot. So a visitor without one gets a cookie
//! with a random key, and the secret lies under the key's digest in a cache for two hours: what django-session-csrf calls its
//! anonymous mode. Here the token is masked, the secret is made anew at login, a key that the cache does not know is
//! never adopted, and the `__Host-` name keeps other hosts of the domain from planting one.

#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "redis")]
pub use redis::RedisAnonymousSecrets;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, FutureExt, ready};
use http::HeaderValue;
use palisade_core::Sensitive;
use palisade_core::cookie::SetCookie;
use palisade_core::token::{Alphabet, random_string};
use sha2::{Digest, Sha256};

use crate::cookies;
use crate::session::store::StoreError;

/// The cookie with the key.
pub const ANONYMOUS_COOKIE: &str = "__Host-anoncsrf";
/// How long a secret is kept after it was last asked for.
pub const ANONYMOUS_AGE: Duration = Duration::from_hours(2);

const KEY_LENGTH: usize = 32;
/// How many secrets are kept in memory.
const MOST: usize = 100_000;

/// A cache for the secrets of anonymous visitors. Several machines need one that they share: `RedisAnonymousSecrets`, with the
/// Cargo feature `redis`.
///
/// # Errors
///
/// One that cannot answer says so, within a time limit of its own: the client gets a 503, never a pass.
pub trait AnonymousSecrets: fmt::Debug + Send + Sync + 'static {
    /// Finds what was kept under a digest, if its time is not over.
    fn load<'a>(
        &'a self,
        digest: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Sensitive<String>>, StoreError>>;

    /// Keeps a secret under a digest until then, instead of what was kept there. What is over goes by itself.
    fn keep<'a>(
        &'a self,
        digest: &'a str,
        secret: Sensitive<String>,
        until: SystemTime,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Keeps the secrets in this process: for a site on one machine.
///
/// It keeps the latest 100 000; whoever floods it makes others load their form again, and nothing worse.
#[derive(Default)]
pub struct MemoryAnonymousSecrets(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    secrets: HashMap<String, (Sensitive<String>, SystemTime)>,
    by_end: BTreeSet<(SystemTime, String)>,
}

impl MemoryAnonymousSecrets {
    /// Begins with none.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for MemoryAnonymousSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryAnonymousSecrets")
    }
}

impl AnonymousSecrets for MemoryAnonymousSecrets {
    fn load<'a>(
        &'a self,
        digest: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Sensitive<String>>, StoreError>> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = memory.secrets.get(digest).filter(|(_, until)| *until > now);
        ready(Ok(found.map(|(secret, _)| secret.clone()))).boxed()
    }

    fn keep<'a>(
        &'a self,
        digest: &'a str,
        secret: Sensitive<String>,
        until: SystemTime,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { secrets, by_end } = &mut *memory;
        while by_end.first().is_some_and(|(end, _)| *end <= now) {
            if let Some((_, over)) = by_end.pop_first() {
                secrets.remove(&over);
            }
        }
        if let Some((_, before)) = secrets.insert(digest.to_owned(), (secret, until)) {
            by_end.remove(&(before, digest.to_owned()));
        }
        by_end.insert((until, digest.to_owned()));
        while secrets.len() > MOST {
            let Some((_, oldest)) = by_end.pop_first() else {
                break;
            };
            secrets.remove(&oldest);
        }
        ready(Ok(())).boxed()
    }
}

/// The key in a visitor's cookie.
#[derive(Clone)]
pub(super) struct AnonymousKey(Sensitive<String>);

impl fmt::Debug for AnonymousKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnonymousKey")
    }
}

impl AnonymousKey {
    pub(super) fn generate() -> Self {
        Self(Sensitive::new(random_string(KEY_LENGTH, Alphabet::Base36)))
    }

    pub(super) fn sent(cookies: Option<&HeaderValue>) -> Option<Self> {
        let key = cookies::value(cookies?, ANONYMOUS_COOKIE)?;
        let is_one = key.len() == KEY_LENGTH
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_one.then(|| Self(Sensitive::new(key.into_owned())))
    }

    /// What the cache knows the key by: whoever reads the cache has no cookie to send.
    pub(super) fn digest(&self) -> String {
        let digest = Sha256::digest(self.0.expose().as_bytes());
        digest.iter().fold(String::from("anoncsrf:"), |text, byte| {
            format!("{text}{byte:02x}")
        })
    }

    pub(super) fn cookie(&self, now: SystemTime) -> Option<HeaderValue> {
        let cookie = SetCookie::new(ANONYMOUS_COOKIE, self.0.expose().as_str()).ok()?;
        let mut value = HeaderValue::try_from(cookie.with_age_from(now, ANONYMOUS_AGE).to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
