//! Sessions in Django's cache: the `cache` session back end over Django's own Redis cache, shared with a Django beside.
//!
//! Django keeps the session's dictionary as a pickle under `KEY_PREFIX:VERSION:django.contrib.sessions.cache<key>`, and the
//! session ends when its key does. We read plain data out of the pickle and refuse everything else (`cache/pickle.rs`).
//! Writing is as in our own store, by comparing with what was read: what Django wrote meanwhile is merged into.
//! Django itself compares nothing: of a request there and one here at the same time, Django's may overwrite ours.
//!
//! Whose session it is stands in the dictionary under `_palisade_device`, which Django carries along and does not read.

mod cached_db;
mod pickle;

pub use cached_db::CachedDbSessions;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::session::{SessionCodec, SessionData};
use palisade_core::settings::{DjangoCache, Settings};

use super::key::SessionKey;
use super::redis::{Form, Record, RedisSessions};
use super::store::Stored;
use super::whose::Whose;
use crate::redis::{Held, Life, Redis, RedisError};

/// Keeps sessions where Django's `cache` session back end keeps them, in its Redis cache.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.cache"` with `RedisCache`. Django's cache knows no cluster;
/// use one server or Sentinel. The server must be Redis 6.2, Valkey, or later.
///
/// # Security
///
/// Nothing in the cache is signed. Whoever writes there writes sessions, and lets Django execute code; whoever can reach it must
/// be trusted.
///
/// # Example
///
/// ```
/// use palisade::redis::Redis;
/// use palisade::session::CacheSessions;
/// use palisade::{SecretKey, Settings};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let sessions = CacheSessions::in_cache(Redis::open("redis://127.0.0.1:6379/1")?, &settings).with_key_prefix("shop");
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
pub type CacheSessions = RedisSessions<DjangosCache>;

impl CacheSessions {
    /// Keeps sessions in this Redis as Django's `cache` back end does, for a service with these settings.
    pub fn in_cache(redis: Redis, settings: &Settings) -> Self {
        Self::with_format(redis, DjangosCache::of("cache", settings))
    }

    /// Keeps sessions in the cache that a Django's own settings name: `CACHES[SESSION_CACHE_ALIAS]`, with its `LOCATION`, `KEY_PREFIX`
    /// and `VERSION`. If it does not answer now, the log says so.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::Palisade;
    /// use palisade::load::load_django_site;
    /// use palisade::session::CacheSessions;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let settings = palisade::load_settings("palisade.toml", std::env::vars())?;
    /// let django = load_django_site("palisade.toml")?.ok_or("palisade.toml names no dump")?;
    /// let sessions = CacheSessions::of_django(&django.session_cache?, &settings)?;
    /// let palisade = Palisade::new(settings).with_sessions(sessions);
    /// # let _ = palisade; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the address is none, or is another machine's and asks for no TLS.
    pub fn of_django(cache: &DjangoCache, settings: &Settings) -> Result<Self, RedisError> {
        let redis = Redis::open(cache.location.expose())?;
        redis.look();
        Ok(Self::in_cache(redis, settings)
            .with_key_prefix(&cache.key_prefix)
            .with_version(cache.version))
    }

    /// Sets the `KEY_PREFIX` of the cache, as Django's settings have it.
    #[must_use]
    pub fn with_key_prefix(mut self, prefix: &str) -> Self {
        self.format_mut().prefix = prefix.into();
        self
    }

    /// Sets the `VERSION` of the cache, as Django's settings have it.
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.format_mut().version = version;
        self
    }
}

/// The form in which Django's back ends `cache` and `cached_db` keep sessions in a cache.
#[derive(Clone, Debug)]
pub struct DjangosCache {
    engine: &'static str,
    /// Sessions are signed text everywhere else; in here they are signed again when they are read.
    codec: SessionCodec,
    age: Duration,
    prefix: Arc<str>,
    version: u32,
}

impl DjangosCache {
    fn of(engine: &'static str, settings: &Settings) -> Self {
        Self {
            engine,
            codec: SessionCodec::new(&settings.key_ring()),
            age: settings.session_cookie_age,
            prefix: "".into(),
            version: 1,
        }
    }
}

#[expect(private_interfaces, reason = "nobody outside can name this trait")]
impl Form for DjangosCache {
    const ENDS_WITH_ITS_KEY: bool = true;
    const LOOKS_INTO_DATA: bool = true;
    const EVERY_WRITE_IS_DIFFERENT: bool = false;

    fn name(&self, key: &SessionKey) -> String {
        let Self {
            prefix,
            version,
            engine,
            ..
        } = self;
        format!(
            "{prefix}:{version}:django.contrib.sessions.{engine}{}",
            key.expose()
        )
    }

    fn list_name(&self, user_id: &str) -> String {
        format!("{}:{}:palisade.sessions-of:{user_id}", self.prefix, self.version)
    }

    fn read(&self, held: &Held) -> Result<Record, RedisError> {
        let refused = |why: Box<dyn std::error::Error + Send + Sync>| {
            tracing::warn!(target: "palisade::session", %why, "refused a session in Django's cache");
            RedisError::Foreign(why)
        };
        let json = match pickle::read(&held.value) {
            Ok(Some(json)) => json,
            Ok(None) => return Err(refused("it holds None".into())),
            Err(why) => return Err(refused(why.into())),
        };
        let mut data = SessionData::from_json(json).map_err(|why| refused(why.into()))?;
        let whose = Whose::take(&mut data);
        // A key without an end is nobody's doing but an administrator's: it ends as if it had been used now.
        let expires = held.ends.unwrap_or_else(|| SystemTime::now() + self.age);
        Ok(Record {
            stored: Stored {
                data: self.codec.encode(&data, UNIX_EPOCH),
                expires,
            },
            created: whose.as_ref().map_or(UNIX_EPOCH, Whose::created),
            listed_until: whose.as_ref().map_or(UNIX_EPOCH, Whose::is_listed_until),
            device: whose.map(Whose::into_device),
        })
    }

    fn write(&self, record: &Record) -> Result<Vec<u8>, RedisError> {
        let mut data = self
            .codec
            .decode(&record.stored.data)
            .map_err(|_| RedisError::Unwritable)?;
        if let Some(device) = &record.device {
            let whose = Whose::new(device.clone(), record.created);
            whose.listed_until(record.listed_until).put(&mut data);
        }
        pickle::write(&data.to_json()).ok_or(RedisError::Unwritable)
    }

    fn life(&self, record: &Record, _now: SystemTime) -> Life {
        Life::Until(record.stored.expires)
    }
}
