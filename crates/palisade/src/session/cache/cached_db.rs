//! Sessions in a database with Django's cache in front of it: the `cached_db` session back end.
//!
//! The database decides: every change is made there, and merged there. The cache is only read, and filled from the database.
//! What it holds must never outlive what it is a copy of, or a logout would not be one; and a copy that was read before
//! a change must not be put there after it. So a change is announced in the cache before it is made: for a minute there
//! stands `None`, which Django takes for nothing, and over which we put no copy. If it cannot be announced,
//! what ends or moves a session is refused; what only adds to it is made all the same.

use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::settings::Settings;

use super::DjangosCache;
use crate::redis::{Life, Redis, RedisError};
use crate::session::key::SessionKey;
use crate::session::redis::{Form, Record};
use crate::session::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};

/// For how long a change that is announced may take.
const ANNOUNCED: Duration = Duration::from_mins(1);

/// `None`, as a pickle.
const NONE: &[u8] = b"\x80\x04N.";

/// Keeps sessions in a database, behind the cache of Django's `cached_db` session back end.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"` with `RedisCache`, over the same database.
/// While the cache cannot be reached, sessions are read from the database, and none can be ended or given a new key: that is
/// answered with 503, because the cache may come back with what it held.
///
/// # Security
///
/// Nothing in the cache is signed: see [`CacheSessions`](super::CacheSessions).
///
/// # Example
///
/// ```
/// use palisade::redis::Redis;
/// use palisade::session::{CachedDbSessions, SqliteSessions};
/// use palisade::{SecretKey, Settings, sqlite::Sqlite};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let database = SqliteSessions::new(Sqlite::in_memory()?)?;
/// let sessions = CachedDbSessions::new(database, Redis::open("redis://127.0.0.1:6379/1")?, &settings);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CachedDbSessions<S> {
    database: S,
    redis: Redis,
    format: DjangosCache,
}

impl<S: SessionStore> CachedDbSessions<S> {
    /// Keeps sessions in this database behind this cache, for a service with these settings.
    pub fn new(database: S, redis: Redis, settings: &Settings) -> Self {
        Self {
            database,
            redis,
            format: DjangosCache::of("cached_db", settings),
        }
    }

    /// Sets the `KEY_PREFIX` of the cache, as Django's settings have it.
    #[must_use]
    pub fn with_key_prefix(mut self, prefix: &str) -> Self {
        self.format.prefix = prefix.into();
        self
    }

    /// Sets the `VERSION` of the cache, as Django's settings have it.
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.format.version = version;
        self
    }

    /// What the cache holds; nothing if it holds nothing, or nothing that can be read.
    async fn cached(&self, key: &SessionKey) -> Result<Option<Stored>, RedisError> {
        let name = self.format.name(key);
        match self.redis.within(self.redis.value_with_end(&name)).await? {
            Some(held) if held.value == NONE => Ok(None),
            Some(held) => Ok(Some(self.format.read(&held)?.stored)),
            None => Ok(None),
        }
    }

    /// Puts a copy into the cache, unless there is one, or a change is announced.
    async fn fill(&self, key: &SessionKey, stored: &Stored, now: SystemTime) -> Result<(), RedisError> {
        let record = Record::new(stored.clone(), None, now);
        let value = self.format.write(&record)?;
        let life = self.format.life(&record, now);
        let name = self.format.name(key);
        match self.redis.within(self.redis.add(&name, &value, life)).await {
            Err(RedisError::Taken) => Ok(()),
            added => added,
        }
    }

    /// Takes the copy out of the cache, and lets none be put there for a while.
    async fn announce(&self, key: &SessionKey) -> Result<(), StoreError> {
        let name = self.format.name(key);
        let put = self.redis.put(&name, NONE, Life::For(ANNOUNCED));
        self.redis.within(put).await.map_err(StoreError::unavailable)
    }

    async fn end(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.announce(key).await?;
        self.database.delete(key).await
    }

    /// Ends a user's sessions one by one, and looks again until there is none that it has not seen: one may move meanwhile.
    async fn end_others(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<usize, StoreError> {
        let mut seen = std::collections::HashSet::new();
        loop {
            let mut listed = self.database.list(user_id, SystemTime::UNIX_EPOCH).await?;
            listed.retain(|line| Some(&line.key) != keep && !seen.contains(&line.key));
            if listed.is_empty() {
                return Ok(seen.len());
            }
            for line in listed {
                self.end(&line.key).await?;
                seen.insert(line.key);
            }
        }
    }
}

fn without_cache(what: &str, error: &dyn std::error::Error) {
    let error = error.source().unwrap_or(error);
    tracing::warn!(target: "palisade::session", %error, "{what}");
}

impl<S: SessionStore> SessionStore for CachedDbSessions<S> {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move {
            match self.cached(key).await {
                Ok(Some(stored)) => return Ok(Some(stored).filter(|stored| stored.expires > now)),
                Ok(None) => {}
                Err(error) => without_cache("read a session from the database, not from the cache", &error),
            }
            let stored = self.database.load(key, now).await?;
            if let Some(stored) = &stored
                && let Err(error) = self.fill(key, stored, now).await
            {
                without_cache("could not put a session into the cache", &error);
            }
            Ok(stored)
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            if let Some(replaced) = replaces {
                self.announce(replaced).await?;
            }
            self.database.create(key, session, device, replaces, now).await
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        async move {
            if let Err(error) = self.announce(key).await {
                without_cache("changed a session without the cache", &error);
            }
            self.database.update(key, merge, now).await
        }
        .boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        async move {
            self.announce(old).await?;
            self.database.cycle(old, new, merge, device, now).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.end(key).boxed()
    }

    /// Clears the database; the cache clears itself.
    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.database.clear_expired(at_most, now)
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        self.database.list(user_id, now)
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        self.end_others(user_id, keep).boxed()
    }
}
