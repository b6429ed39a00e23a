//! One session loaded or saved after the other, in each store.
//!
//! There are a thousand sessions and each turn takes the next, so that no store answers from the one row it has just
//! read. What is saved is different each time. A load that finds nothing, or a save that is not there at the next load, is a fault.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use palisade::core::session::{SessionCodec, SessionData};
use palisade::mysql::MySql;
use palisade::postgres::Postgres;
use palisade::redis::Redis;
use palisade::session::store::{Merge, SessionStore, Stored, Updated};
use palisade::session::{
    CacheSessions, CachedDbSessions, FileSessions, MemorySessions, MySqlSessions, PostgresSessions,
    RedisSessions, SessionKey, SqliteSessions,
};
use palisade::sqlite::Sqlite;
use palisade::{SecretKey, Settings};

use crate::given;

/// How many sessions there are.
const SESSIONS: usize = 1000;

/// The stores that have been opened.
#[derive(Default)]
pub struct Stores(HashMap<String, Filled>);

struct Filled {
    store: Box<dyn SessionStore>,
    codec: SessionCodec,
    keys: Vec<SessionKey>,
    turn: usize,
}

impl Stores {
    pub async fn time(&mut self, store: &str, action: &str, times: usize) -> Result<String, Box<dyn Error>> {
        if !self.0.contains_key(store) {
            self.0.insert(store.to_owned(), Filled::open(store).await?);
        }
        let filled = self.0.get_mut(store).ok_or("a store that is open is there")?;
        let mut taken = Vec::with_capacity(times);
        for _ in 0..times {
            taken.push(match action {
                "load" => filled.load().await?,
                "save" => filled.save().await?,
                _ => return Err(format!("there is no action {action}").into()),
            });
        }
        taken.sort_unstable();
        let percentile = |percent: usize| {
            taken
                .get(taken.len() * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        Ok(format!(
            "{} {}",
            percentile(50).as_nanos(),
            percentile(99).as_nanos()
        ))
    }
}

impl Filled {
    async fn open(name: &str) -> Result<Self, Box<dyn Error>> {
        let settings = Settings::for_development(SecretKey::new(given("BENCH_SECRET_KEY")?));
        let codec = SessionCodec::new(&settings.key_ring());
        let data = SessionData::from_json(given("BENCH_SESSION")?)?;
        let mut filled = Self {
            store: open(name, &settings).await?,
            codec,
            keys: Vec::new(),
            turn: 0,
        };
        let now = SystemTime::now();
        for _ in 0..SESSIONS {
            let key = SessionKey::generate();
            let stored = filled.stored(&data, now);
            filled.store.create(&key, stored, None, None, now).await?;
            filled.keys.push(key);
        }
        filled.prove(&data).await?;
        Ok(filled)
    }

    fn stored(&self, data: &SessionData, now: SystemTime) -> Stored {
        Stored {
            data: self.codec.encode(data, now),
            expires: now + Duration::from_hours(24),
        }
    }

    fn next(&mut self) -> Result<SessionKey, Box<dyn Error>> {
        self.turn += 1;
        let key = self.keys.get(self.turn % SESSIONS);
        Ok(key.ok_or("a store has as many sessions as it was given")?.clone())
    }

    async fn load(&mut self) -> Result<Duration, Box<dyn Error>> {
        let key = self.next()?;
        let now = SystemTime::now();
        let begin = Instant::now();
        let stored = self.store.load(&key, now).await?;
        let taken = begin.elapsed();
        stored.map(|_| taken).ok_or_else(|| "a session is lost".into())
    }

    async fn save(&mut self) -> Result<Duration, Box<dyn Error>> {
        let key = self.next()?;
        let (now, number, codec) = (SystemTime::now(), self.turn, self.codec.clone());
        let begin = Instant::now();
        let merge = Merge::new(move |current: &Stored| {
            let mut data = codec.decode(&current.data).unwrap_or_else(|_| SessionData::new());
            // A number is JSON.
            let _ = data.insert("n", &number);
            Stored {
                data: codec.encode(&data, now),
                expires: current.expires,
            }
        });
        let updated = self.store.update(&key, merge, now).await?;
        let taken = begin.elapsed();
        if updated == Updated::Saved {
            Ok(taken)
        } else {
            Err("a session is lost".into())
        }
    }

    /// Holds the store to it that it gives back what it was given, and what was saved after it.
    async fn prove(&mut self, given: &SessionData) -> Result<(), Box<dyn Error>> {
        let read = async |filled: &Self, key: &SessionKey| {
            let stored = filled.store.load(key, SystemTime::now()).await?;
            let stored = stored.ok_or("a session is lost")?;
            Ok::<_, Box<dyn Error>>(filled.codec.decode(&stored.data)?)
        };
        let key = self.keys.get(1).ok_or("there are sessions")?.clone();
        if *read(self, &key).await?.to_json() != *given.to_json() {
            return Err("the store gives back another session".into());
        }
        self.turn = 0;
        self.save().await?;
        match read(self, &key).await?.get::<usize>("n") {
            Some(Ok(1)) => Ok(()),
            other => Err(format!("the store lost what was saved: {other:?}").into()),
        }
    }
}

async fn open(name: &str, settings: &Settings) -> Result<Box<dyn SessionStore>, Box<dyn Error>> {
    let folder = PathBuf::from(given("BENCH_DATA")?);
    let redis = || -> Result<Redis, Box<dyn Error>> { Ok(Redis::open(&given("BENCH_REDIS")?)?) };
    let postgres = async || -> Result<PostgresSessions, Box<dyn Error>> {
        Ok(PostgresSessions::new(Postgres::open(&given("BENCH_POSTGRES")?).await?).await?)
    };
    Ok(match name {
        "memory" => Box::new(MemorySessions::new()),
        "sqlite" => Box::new(SqliteSessions::new(Sqlite::open(folder.join("stores.sqlite3"))?)?),
        "postgres" => Box::new(postgres().await?),
        "mysql" => Box::new(MySqlSessions::new(MySql::open(&given("BENCH_MYSQL")?).await?).await?),
        "redis" => Box::new(RedisSessions::new(redis()?)),
        "cache" => Box::new(CacheSessions::in_cache(redis()?, settings)),
        "cached_db" => Box::new(CachedDbSessions::new(postgres().await?, redis()?, settings)),
        "file" => {
            let folder = folder.join("sessions");
            std::fs::create_dir_all(&folder)?;
            Box::new(FileSessions::new(folder, settings)?)
        }
        _ => return Err(format!("there is no store {name}").into()),
    })
}
