//! Sessions in a database with Django's cache in front of it: the `cached_db` session back end.
//!
//! The database's word is taken for everything. The cache is Django's alone: nothing is read from it or put into it here. What
//! Django keeps there is taken out before a change, so that none is made of which Django cannot be told, and again after it,
//! because Django may have read the row in between and put its copy back. What ends or moves a session is refused while
//! the cache cannot be reached; what only adds to it is made all the same.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use ::redis::cmd;
use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::settings::{DjangoCache, Settings};

use super::DjangosCache;
use crate::redis::{Redis, RedisError};
use crate::session::key::SessionKey;
use crate::session::redis::Form;
use crate::session::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated, to_the_end};

/// Keeps sessions in a database, behind the cache of Django's `cached_db` session back end.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"` with `RedisCache`, over the same database.
/// While the cache cannot be reached, sessions are read and changed in the database, and none can be ended or given a new key: that
/// is answered with 503, because the cache may come back with what it held.
///
/// # Security
///
/// Here a session that has ended is one that has no row. Django believes its cache, and has a race of its own: a request there that reads
/// the row before a logout and puts its copy into the cache only after it keeps the session alive at Django, until the
/// copy expires. Copies that come while a session ends here are taken out; one that comes later is not, after Django's own logout
/// neither. So is, until the session's next change, what Django reads from a cache that was away during a change. Where that
/// matters, let Django use `backends.db`.
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
#[derive(Debug)]
pub struct CachedDbSessions<S> {
    database: Arc<S>,
    redis: Redis,
    format: DjangosCache,
}

/// Of the same database, whether it can be cloned or not.
impl<S> Clone for CachedDbSessions<S> {
    fn clone(&self) -> Self {
        Self {
            database: Arc::clone(&self.database),
            redis: self.redis.clone(),
            format: self.format.clone(),
        }
    }
}

impl<S: SessionStore> CachedDbSessions<S> {
    /// Keeps sessions in this database behind this cache, for a service with these settings.
    pub fn new(database: S, redis: Redis, settings: &Settings) -> Self {
        Self {
            database: Arc::new(database),
            redis,
            format: DjangosCache::of("cached_db", settings),
        }
    }

    /// Keeps sessions in this database behind the cache that a Django's own settings name: `CACHES[SESSION_CACHE_ALIAS]`, with its
    /// `LOCATION`, `KEY_PREFIX` and `VERSION`. If it does not answer now, the log says so.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::Palisade;
    /// use palisade::load::load_django_site;
    /// use palisade::session::{CachedDbSessions, SqliteSessions};
    /// use palisade::sqlite::Sqlite;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = palisade::load_settings("palisade.toml", std::env::vars())?;
    /// let django = load_django_site("palisade.toml")?.ok_or("palisade.toml names no dump")?;
    /// let database = SqliteSessions::new(Sqlite::open("db.sqlite3")?)?;
    /// let sessions = CachedDbSessions::of_django(database, &django.session_cache?, &settings)?;
    /// let palisade = Palisade::new(settings).with_sessions(sessions);
    /// # let _ = palisade; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the address is none, or is another machine's and asks for no TLS.
    pub fn of_django(database: S, cache: &DjangoCache, settings: &Settings) -> Result<Self, RedisError> {
        let redis = Redis::open(cache.location.expose())?;
        redis.look();
        Ok(Self::new(database, redis, settings)
            .with_key_prefix(&cache.key_prefix)
            .with_version(cache.version))
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

    /// Takes Django's copy of a session out of the cache.
    async fn evict(&self, key: &SessionKey) -> Result<(), StoreError> {
        let mut command = cmd("DEL");
        let done = self.redis.ask(command.arg(self.format.name(key)));
        self.redis.within(done).await.map_err(StoreError::unavailable)
    }

    /// Makes a change after which this key opens nothing, with no copy of Django's left from before or from the midst of it.
    async fn ending<R>(
        &self,
        key: &SessionKey,
        change: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        self.evict(key).await?;
        let changed = change.await;
        // Also when it failed: nobody knows what of it was done.
        let evicted = self.evict(key).await;
        changed.and_then(|changed| evicted.map(|()| changed))
    }

    async fn end(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.ending(key, self.database.delete(key)).await
    }

    /// Ends a user's sessions one by one, and looks again until there is none that it has not seen: one may move meanwhile.
    async fn end_others(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<usize, StoreError> {
        let mut seen = HashSet::new();
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

    async fn change(&self, key: &SessionKey, merge: Merge, now: SystemTime) -> Result<Updated, StoreError> {
        let before = self.evict(key).await;
        let updated = self.database.update(key, merge, now).await;
        if let Err(error) = before.and(self.evict(key).await) {
            let error: &dyn std::error::Error = &error;
            let error = error.source().unwrap_or(error);
            tracing::warn!(
                target: "palisade::session",
                %error,
                "changed a session that Django may have an older copy of in its cache"
            );
        }
        updated
    }
}

impl<S: SessionStore> SessionStore for CachedDbSessions<S> {
    fn looks_into_data(&self) -> bool {
        self.database.looks_into_data()
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.database.load(key, now)
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (sessions, key, replaces) = (self.clone(), key.clone(), replaces.cloned());
        let work = async move {
            let created = sessions
                .database
                .create(&key, session, device, replaces.as_ref(), now);
            match &replaces {
                Some(replaced) => sessions.ending(replaced, created).await,
                None => created.await,
            }
        };
        to_the_end(work).boxed()
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (sessions, key) = (self.clone(), key.clone());
        to_the_end(async move { sessions.change(&key, merge, now).await }).boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (sessions, old, new) = (self.clone(), old.clone(), new.clone());
        let work = async move {
            let cycled = sessions.database.cycle(&old, &new, merge, device, now);
            sessions.ending(&old, cycled).await
        };
        to_the_end(work).boxed()
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let (sessions, key) = (self.clone(), key.clone());
        to_the_end(async move { sessions.end(&key).await }).boxed()
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
        let (sessions, user_id, keep) = (self.clone(), user_id.to_owned(), keep.cloned());
        to_the_end(async move { sessions.end_others(&user_id, keep.as_ref()).await }).boxed()
    }
}
