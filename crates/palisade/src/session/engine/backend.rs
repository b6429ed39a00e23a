//! Loading, saving and deleting on each back end, in Django's order.

use std::time::Duration;

use palisade_core::moment::Moment;
use palisade_core::session::{SESSION_KEY_LENGTH, SessionData};
use palisade_core::token::{Alphabet, random_string};

use super::{
    Engine, EngineError, EngineSession, Notice, Row, Storage, StorageError, StoredExpiry, is_acceptable_key,
};

/// What stands before a session key in the cache.
const CACHE_PREFIX: &str = "django.contrib.sessions.cache";
/// What stands before it where the cache is in front of a database.
const CACHED_DB_PREFIX: &str = "django.contrib.sessions.cached_db";
/// How often a new key is tried where a full cache and a taken key look the same.
const ATTEMPTS: usize = 10_000;

impl<S: Storage> EngineSession<'_, S> {
    /// Reads what is kept under the key; the data in hand stay as they are. What is not there, or has ended, leaves no key.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn load(&mut self) -> Result<SessionData, EngineError> {
        let Some(key) = self.key.clone() else {
            if self.engine == Engine::SignedCookies {
                self.modified = true;
            }
            return Ok(SessionData::new());
        };
        match self.engine.clone() {
            Engine::Db => {
                let row = self.row(&key)?;
                Ok(row.map(|row| self.decode(&row.data)).unwrap_or_default())
            }
            Engine::Cache => {
                let cached = self.cached(CACHE_PREFIX, &key);
                if cached.is_none() {
                    self.key = None;
                }
                Ok(cached.unwrap_or_default())
            }
            Engine::CachedDb => self.load_through_cache(&key),
            Engine::File(files) => self.load_file(&files, &key),
            Engine::SignedCookies => Ok(self.load_cookie(&key)),
            Engine::None => Ok(SessionData::new()),
        }
    }

    fn load_through_cache(&mut self, key: &str) -> Result<SessionData, EngineError> {
        if let Some(data) = self.cached(CACHED_DB_PREFIX, key) {
            return Ok(data);
        }
        let Some(row) = self.row(key)? else {
            return Ok(SessionData::new());
        };
        let data = self.decode(&row.data);
        let age = self.expiry_age(None, Some(StoredExpiry::At(row.expires.to_string())))?;
        let written = self
            .storage
            .cache_set(&format!("{CACHED_DB_PREFIX}{key}"), &data, age);
        self.note_cache(&written);
        Ok(data)
    }

    fn load_cookie(&mut self, key: &str) -> SessionData {
        let seconds = u64::try_from(self.deployment.cookie_age).ok();
        let read = seconds.and_then(|seconds| {
            let codec = &self.deployment.cookie_codec;
            codec
                .decode_within(key, Duration::from_secs(seconds), self.deployment.now)
                .ok()
        });
        self.modified |= read.is_none();
        read.unwrap_or_default()
    }

    /// The row of a session that has not ended. Without one there is no key any more.
    fn row(&mut self, key: &str) -> Result<Option<Row>, EngineError> {
        let now = self.deployment.now_written;
        let row = self.storage.load(key)?;
        let row = row.filter(|row| row.expires.micros_since(now) > 0);
        if row.is_none() {
            self.key = None;
        }
        Ok(row)
    }

    /// What the cache holds; a cache that cannot be read holds nothing.
    fn cached(&mut self, prefix: &str, key: &str) -> Option<SessionData> {
        self.storage.cache_get(&format!("{prefix}{key}")).ok().flatten()
    }

    pub(super) fn decode(&mut self, text: &str) -> SessionData {
        let (data, notice) = self.deployment.decode(text);
        self.notices.extend(notice);
        data
    }

    fn note_cache(&mut self, written: &Result<(), StorageError>) {
        if written.is_err() {
            self.notices.push(Notice::CacheNotWritten);
        }
    }

    /// Says whether there is a record of that key.
    ///
    /// # Errors
    ///
    /// When the storage fails; [`EngineError::InvalidKey`] in files.
    pub fn exists(&mut self, key: Option<&str>) -> Result<bool, EngineError> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return Ok(false);
        };
        Ok(match &self.engine {
            Engine::Db => self.storage.exists(key)?,
            Engine::Cache => self
                .storage
                .cache_has(&format!("{CACHE_PREFIX}{key}"))
                .unwrap_or(false),
            Engine::CachedDb => {
                let cached = self.storage.cache_has(&format!("{CACHED_DB_PREFIX}{key}"));
                cached.unwrap_or(false) || self.storage.exists(key)?
            }
            Engine::File(files) => files.path_of(key)?.exists(),
            Engine::SignedCookies | Engine::None => false,
        })
    }

    /// Draws a key that no record has.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn new_key(&mut self) -> Result<String, EngineError> {
        loop {
            let key = random_string(SESSION_KEY_LENGTH, Alphabet::Base36);
            if !self.exists(Some(&key))? {
                return Ok(key);
            }
        }
    }

    /// Takes a new key and stores the data in hand under it at once.
    ///
    /// # Errors
    ///
    /// When the storage fails; [`EngineError::NoFreeKey`] in a cache.
    pub fn create(&mut self) -> Result<(), EngineError> {
        if matches!(self.engine, Engine::SignedCookies | Engine::None) {
            self.modified = true;
            return Ok(());
        }
        let most = if self.engine == Engine::Cache {
            ATTEMPTS
        } else {
            usize::MAX
        };
        for _ in 0..most {
            self.key = Some(self.new_key()?);
            match self.save(true) {
                Err(EngineError::Create) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.modified = true;
                    return Ok(());
                }
            }
        }
        Err(EngineError::NoFreeKey)
    }

    /// Stores the data: into the record there is, or, if `must_create`, as a new one. Without a key, creates one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Update`] where the record is gone, [`EngineError::Create`] where the key is taken; when the storage fails.
    pub fn save(&mut self, must_create: bool) -> Result<(), EngineError> {
        match self.engine.clone() {
            Engine::Db => self.save_row(must_create),
            Engine::CachedDb => {
                self.save_row(must_create)?;
                let data = self.session()?.clone();
                let age = self.expiry_age(None, None)?;
                if let Some(key) = self.key.clone() {
                    let written = self
                        .storage
                        .cache_set(&format!("{CACHED_DB_PREFIX}{key}"), &data, age);
                    self.note_cache(&written);
                }
                Ok(())
            }
            Engine::Cache => self.save_cached(must_create),
            Engine::File(files) => self.save_file(&files, must_create),
            Engine::SignedCookies => {
                let data = self.session()?.clone();
                let cookie = self.deployment.cookie_codec.encode(&data, self.deployment.now);
                self.key = Some(cookie).filter(|key| is_acceptable_key(key));
                self.modified = true;
                Ok(())
            }
            Engine::None => Ok(()),
        }
    }

    fn save_row(&mut self, must_create: bool) -> Result<(), EngineError> {
        let Some(key) = self.key.clone() else {
            return self.create();
        };
        let data = self.data_to_save(must_create)?;
        // Loading may have found that the session has ended.
        // Django then draws a key that has no row to update.
        let key = if self.key.is_some() { key } else { self.new_key()? };
        self.key = Some(key.clone());
        let row = Row {
            data: self.deployment.encode(&data),
            expires: self.expiry_date(None, None)?,
        };
        if must_create {
            self.storage.insert(&key, &row)?;
        } else {
            self.storage.update(&key, &row)?;
        }
        Ok(())
    }

    fn save_cached(&mut self, must_create: bool) -> Result<(), EngineError> {
        let Some(key) = self.key.clone() else {
            return self.create();
        };
        let entry = format!("{CACHE_PREFIX}{key}");
        if !must_create && self.storage.cache_get(&entry).ok().flatten().is_none() {
            return Err(EngineError::Update);
        }
        let data = self.data_to_save(must_create)?;
        let age = self.expiry_age(None, None)?;
        if !must_create {
            return Ok(self.storage.cache_set(&entry, &data, age)?);
        }
        if self.storage.cache_add(&entry, &data, age)? {
            Ok(())
        } else {
            Err(EngineError::Create)
        }
    }

    /// A copy of the data; for a new record those in hand only.
    pub(super) fn data_to_save(&mut self, must_create: bool) -> Result<SessionData, EngineError> {
        let data = if must_create {
            self.session_unloaded()
        } else {
            self.session()?
        };
        Ok(data.clone())
    }

    /// Deletes a record: of that key, or the session's own.
    ///
    /// # Errors
    ///
    /// When the storage fails; [`EngineError::InvalidKey`] in files.
    pub fn delete(&mut self, key: Option<&str>) -> Result<(), EngineError> {
        if self.engine == Engine::SignedCookies {
            self.key = None;
            self.data = Some(SessionData::new());
            self.modified = true;
            return Ok(());
        }
        let Some(key) = key.map(str::to_owned).or_else(|| self.key.clone()) else {
            return Ok(());
        };
        match &self.engine {
            Engine::Db => self.storage.delete(&key)?,
            Engine::Cache => self.storage.cache_delete(&format!("{CACHE_PREFIX}{key}"))?,
            Engine::CachedDb => {
                self.storage.delete(&key)?;
                self.storage.cache_delete(&format!("{CACHED_DB_PREFIX}{key}"))?;
            }
            Engine::File(files) => files.delete(&key)?,
            Engine::SignedCookies | Engine::None => {}
        }
        Ok(())
    }

    /// Drops data, record and key, as at logout.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn flush(&mut self) -> Result<(), EngineError> {
        self.clear();
        self.delete(None)?;
        self.key = None;
        Ok(())
    }

    /// Moves the data to a new key at once, as at login.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn cycle_key(&mut self) -> Result<(), EngineError> {
        if self.engine == Engine::SignedCookies {
            return self.save(false);
        }
        let data = self.session()?.clone();
        let old = self.key.clone();
        self.create()?;
        self.data = Some(data);
        match old {
            Some(old) => self.delete(Some(&old)),
            None => Ok(()),
        }
    }

    /// Deletes the sessions that have ended; a cache and a cookie forget by themselves.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn clear_expired(&mut self) -> Result<(), EngineError> {
        match self.engine.clone() {
            Engine::Db | Engine::CachedDb => {
                let now: Moment = self.deployment.now_written;
                Ok(self.storage.delete_expired(now)?)
            }
            Engine::File(files) => self.clear_expired_files(&files),
            Engine::Cache | Engine::SignedCookies | Engine::None => Ok(()),
        }
    }
}
