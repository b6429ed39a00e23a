//! Palisade's stores, chosen by what both sides agreed on, and its sessions without a request around them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use palisade::auth::{MySqlUsers, PostgresUsers, SqliteUsers, UserStore};
use palisade::core::session::{SessionCodec, SessionData};
use palisade::mysql::{MySql, MySqlOptions};
use palisade::postgres::{Postgres, PostgresOptions};
use palisade::redis::Redis;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{
    CacheSessions, CachedDbSessions, FileSessions, MySqlSessions, PostgresSessions, SessionKey, SessionStore,
    SignedCookies, SqliteSessions,
};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Settings};

use super::ground::{Database, Ground, SessionEngine};
use super::{Agreement, Oracle, service};

/// Waits long: what is tested is not the speed of a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// `KEY_PREFIX` and `VERSION` of the cache, as the site's settings have them.
const CACHE: (&str, u32) = ("shop", 3);

/// The database of both, opened.
#[derive(Clone, Debug)]
pub(super) enum Opened {
    Sqlite(Sqlite),
    Postgres(Postgres),
    MariaDb(MySql),
}

impl Opened {
    pub(super) async fn of(ground: &Ground) -> Result<Opened> {
        Ok(match ground.database() {
            Database::Sqlite => Opened::Sqlite(Sqlite::open(ground.file())?),
            Database::Postgres => {
                let options = PostgresOptions::new()
                    .connection_deadline(PATIENCE)
                    .statement_deadline(PATIENCE);
                Opened::Postgres(options.open(ground.address()).await?)
            }
            Database::MariaDb => {
                let options = MySqlOptions::new()
                    .connection_deadline(PATIENCE)
                    .statement_deadline(PATIENCE);
                Opened::MariaDb(options.open(ground.address()).await?)
            }
        })
    }

    /// Gives `palisade` the users of this database, and them to whoever wants to ask them beside it.
    pub(super) async fn with_users(&self, palisade: Palisade) -> Result<(Palisade, Arc<dyn UserStore>)> {
        fn both(palisade: Palisade, users: impl UserStore + Clone) -> (Palisade, Arc<dyn UserStore>) {
            (palisade.with_users(users.clone()), Arc::new(users))
        }
        Ok(match self.clone() {
            Opened::Sqlite(database) => both(palisade, SqliteUsers::new(database)?),
            Opened::Postgres(database) => both(palisade, PostgresUsers::new(database).await?),
            Opened::MariaDb(database) => both(palisade, MySqlUsers::new(database).await?),
        })
    }

    /// Gives `taker` the store of sessions that both agreed on.
    pub(super) async fn with_sessions<T: Takes>(
        &self,
        ground: &Ground,
        settings: &Settings,
        taker: T,
    ) -> Result<T::Taken> {
        match self.clone() {
            Opened::Sqlite(database) => kept(SqliteSessions::new(database)?, ground, settings, taker),
            Opened::Postgres(database) => {
                kept(PostgresSessions::new(database).await?, ground, settings, taker)
            }
            Opened::MariaDb(database) => kept(MySqlSessions::new(database).await?, ground, settings, taker),
        }
    }
}

/// Whoever takes a store, of whichever type it is.
pub(super) trait Takes {
    type Taken;

    fn take(self, store: impl SessionStore) -> Self::Taken;
}

impl Takes for Palisade {
    type Taken = Palisade;

    fn take(self, store: impl SessionStore) -> Palisade {
        self.with_sessions(store)
    }
}

struct Shelf;

impl Takes for Shelf {
    type Taken = Box<dyn SessionStore>;

    fn take(self, store: impl SessionStore) -> Box<dyn SessionStore> {
        Box::new(store)
    }
}

fn kept<T: Takes>(
    database: impl SessionStore,
    ground: &Ground,
    settings: &Settings,
    taker: T,
) -> Result<T::Taken> {
    let (prefix, version) = CACHE;
    Ok(match ground.sessions() {
        SessionEngine::Db => taker.take(database),
        SessionEngine::Cache => {
            let store = CacheSessions::in_cache(Redis::open(&ground.cache()?)?, settings);
            taker.take(store.with_key_prefix(prefix).with_version(version))
        }
        SessionEngine::CachedDb => {
            let store = CachedDbSessions::new(database, Redis::open(&ground.cache()?)?, settings);
            taker.take(store.with_key_prefix(prefix).with_version(version))
        }
        SessionEngine::File => taker.take(FileSessions::new(ground.session_folder(), settings)?),
        SessionEngine::SignedCookies => taker.take(SignedCookies::without_server_side_logout()),
    })
}

/// Palisade's store of sessions, with a Django to ask about the same sessions.
pub struct Keeper {
    store: Box<dyn SessionStore>,
    codec: SessionCodec,
    oracle: Oracle,
}

impl Keeper {
    /// Opens the store that was agreed on.
    ///
    /// # Errors
    /// When Django cannot be installed, or something does not start.
    pub async fn start(agreement: &Agreement) -> Result<Keeper> {
        ensure!(
            agreement.sessions != SessionEngine::SignedCookies,
            "sessions in cookies are in no store"
        );
        let ground = Arc::new(Ground::new(agreement)?);
        let oracle = Oracle::start(&ground, agreement)?;
        let settings = service::settings(&oracle)?;
        let opened = Opened::of(&ground).await?;
        Ok(Keeper {
            store: opened.with_sessions(&ground, &settings, Shelf).await?,
            codec: SessionCodec::new(&settings.key_ring()),
            oracle,
        })
    }

    /// The Django.
    pub fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// The store itself.
    pub fn store(&self) -> &dyn SessionStore {
        &*self.store
    }

    /// Begins a session with this JSON, which ends in `age`.
    ///
    /// # Errors
    /// When the store fails, or that is no JSON.
    pub async fn begin(&self, json: &str, age: Duration) -> Result<SessionKey> {
        let now = SystemTime::now();
        self.begin_at(json, now, now + age).await
    }

    /// Begins a session that was begun a while ago, and has ended.
    ///
    /// # Errors
    /// When the store fails, or that is no JSON.
    pub async fn begin_ended(&self, json: &str) -> Result<SessionKey> {
        let (now, minute) = (SystemTime::now(), Duration::from_mins(1));
        self.begin_at(json, now - 2 * minute, now - minute).await
    }

    async fn begin_at(&self, json: &str, began: SystemTime, expires: SystemTime) -> Result<SessionKey> {
        let key = SessionKey::generate();
        let data = SessionData::from_json(json.to_owned())?;
        let stored = Stored {
            data: self.codec.encode(&data, began),
            expires,
        };
        self.store.create(&key, stored, None, None, began).await?;
        Ok(key)
    }

    /// The JSON of a session; nothing if it has ended.
    ///
    /// # Errors
    /// When the store fails, or its data was not signed with the agreed key.
    pub async fn read(&self, key: &SessionKey) -> Result<Option<String>> {
        let Some(stored) = self.store.load(key, SystemTime::now()).await? else {
            return Ok(None);
        };
        Ok(Some(self.codec.decode(&stored.data)?.to_json().to_string()))
    }

    /// In how many seconds a session ends.
    ///
    /// # Errors
    /// When the store fails, or the session has ended.
    pub async fn ends_in(&self, key: &SessionKey) -> Result<Duration> {
        let now = SystemTime::now();
        let stored = self.store.load(key, now).await?;
        let ends = stored.context("the session has ended")?.expires;
        Ok(ends.duration_since(now)?)
    }

    /// Sets one value to this JSON.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set(&self, key: &SessionKey, name: &str, json: &str) -> Result<Updated> {
        let (name, json) = (name.to_owned(), json.to_owned());
        self.change(key, move |data| {
            // What is no JSON is not set, and the test that reads it back sees that.
            let _set = data.insert_raw(&name, json.clone());
        })
        .await
    }

    /// Removes one value.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, key: &SessionKey, name: &str) -> Result<Updated> {
        let name = name.to_owned();
        self.change(key, move |data| drop(data.remove(&name))).await
    }

    async fn change(
        &self,
        key: &SessionKey,
        change: impl Fn(&mut SessionData) + Send + Sync + 'static,
    ) -> Result<Updated> {
        let codec = self.codec.clone();
        let merge = Merge::new(move |current| {
            let Ok(mut data) = codec.decode(&current.data) else {
                return current.clone();
            };
            change(&mut data);
            Stored {
                data: codec.encode(&data, SystemTime::now()),
                ..current.clone()
            }
        });
        Ok(self.store.update(key, merge, SystemTime::now()).await?)
    }

    /// Moves a session to a new key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cycle(&self, key: &SessionKey) -> Result<SessionKey> {
        let (new, same) = (SessionKey::generate(), Merge::new(Clone::clone));
        self.store.cycle(key, &new, same, None, SystemTime::now()).await?;
        Ok(new)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
