//! The promises of [`SessionStore`] as a test-suite, for whoever writes a store of their own.
//!
//! A store is easily written so that it works and yet loses an update, or brings a session back after its logout, in the one
//! moment in a thousand when two requests meet. The suite makes those moments. Each promise is a sentence; a store that
//! breaks one panics with that sentence. All stores of this crate pass it.
//!
//! It stands behind no feature: it needs nothing that the library has not got, the linker drops it from a program that does not
//! call it, and a store's tests find it without asking.
//!
//! # Example
//!
//! ```
//! use palisade::session::MemorySessions;
//! use palisade::session::contract::Contract;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let contract = Contract::of(MemorySessions::new());
//! contract.holds().await;
//! contract.counts_exactly(10_000).await;
//! # });
//! ```

mod changing;
mod ending;
mod hanging_up;
mod keeping;
mod moving;
mod outage;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::SecretKey;
use palisade_core::session::{SessionCodec, SessionData};
use palisade_core::settings::Settings;

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, Stored};
use crate::clock::Clock;
use crate::promise::{Broken, answered, broken, kept};
use crate::sqlite::datetime::unix_seconds;

pub use outage::Server;

/// How far a time that a store gives back may be from the one it was given.
const PRECISION: Duration = Duration::from_secs(1);

/// How long a store may take for one answer, whatever has become of its server.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store, held to its promises.
///
/// The sessions that the suite makes are signed and encoded as Django's are, end some minutes after the present, and belong to
/// users whom nobody else knows; it may run beside other things on one store, but for the clearing of ended sessions.
#[derive(Debug)]
pub struct Contract {
    store: Arc<dyn SessionStore>,
    codec: SessionCodec,
    expires_by_itself: bool,
    start: SystemTime,
}

impl Contract {
    /// Holds a store to its promises.
    pub fn of(store: impl SessionStore) -> Self {
        let key = SecretKey::new("nobody's sessions, which a contract is tested with");
        Self {
            store: Arc::new(store),
            codec: SessionCodec::new(&Settings::for_development(key).key_ring()),
            expires_by_itself: false,
            start: UNIX_EPOCH + Duration::from_secs(unix_seconds(Clock::system().now())),
        }
    }

    /// Signs the sessions' data with this codec, for a store that looks into it.
    #[must_use]
    pub fn with_codec(self, codec: SessionCodec) -> Self {
        Self { codec, ..self }
    }

    /// Expects ended sessions to go by themselves, as keys in Redis do, so that there may be none to clear.
    #[must_use]
    pub fn with_sessions_that_expire_by_themselves(self) -> Self {
        Self {
            expires_by_itself: true,
            ..self
        }
    }

    /// Checks what can be asked of any store: that it keeps, finds, merges, moves, ends, lists and clears sessions, and does
    /// so to the end when the client hangs up.
    ///
    /// # Panics
    ///
    /// When the store breaks a promise, with the promise.
    pub async fn holds(&self) {
        let checks = async {
            keeping::check(self).await?;
            changing::check(self).await?;
            moving::check(self).await?;
            hanging_up::check(self).await?;
            ending::check(self).await
        };
        kept(checks.await);
    }

    /// Adds one to a number in one session, so many times at once, and checks that every one has counted.
    ///
    /// # Panics
    ///
    /// When the store refuses an update or loses one.
    pub async fn counts_exactly(&self, updates: usize) {
        kept(changing::count(self, updates).await);
    }

    /// Stops the store's server while requests are under way, and starts it again.
    ///
    /// `turn` brings the server into the state it is asked for, and returns when it is in it. It should stop it as a fault would,
    /// without a goodbye; what the server had acknowledged before must be durable, or there is no promise to keep.
    ///
    /// While the server is down, every answer must be an error, given in good time: neither an empty session nor a session that
    /// is gone. Afterwards the same store must answer again; what it had acknowledged is there, once, and
    /// what had been deleted is not.
    ///
    /// # Panics
    ///
    /// When the store breaks a promise, with the promise.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use palisade::session::{MemorySessions, contract::{Contract, Server}};
    /// # struct Database; impl Database { async fn stop(&self) {} async fn start(&self) {} }
    /// # async fn test(store: MemorySessions, database: Database) {
    /// Contract::of(store)
    ///     .survives_outage(async |server| match server {
    ///         Server::Down => database.stop().await,
    ///         Server::Up => database.start().await,
    ///     })
    ///     .await;
    /// # }
    /// ```
    pub async fn survives_outage(&self, turn: impl AsyncFnMut(Server)) {
        kept(outage::check(self, turn).await);
    }

    /// Some seconds after the suite began.
    fn at(&self, seconds: u64) -> SystemTime {
        self.start + Duration::from_secs(seconds)
    }

    /// A session whose data is one number under one name.
    fn stored(&self, name: &str, value: u64, ends: u64) -> Stored {
        let mut data = SessionData::new();
        // A number is JSON.
        let _ = data.insert(name, &value);
        Stored {
            data: self.codec.encode(&data, self.start),
            expires: self.at(ends),
        }
    }

    /// What a session says. A store that keeps it in another form may sign it anew.
    fn says(&self, stored: &Stored) -> Option<String> {
        let data = self.codec.decode(&stored.data).ok()?;
        Some(data.to_json().to_string())
    }

    /// A merge that changes one number, and leaves everything else and the session's end as they are.
    fn merge(&self, name: &'static str, change: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Merge {
        let (codec, start) = (self.codec.clone(), self.start);
        Merge::new(move |current| {
            let mut data = codec.decode(&current.data).unwrap_or_default();
            let value = data.get(name).and_then(Result::ok).unwrap_or_default();
            // A number is JSON.
            let _ = data.insert(name, &change(value));
            Stored {
                data: codec.encode(&data, start),
                expires: current.expires,
            }
        })
    }

    /// Begins a session with `number` = 1, for a user or for nobody.
    async fn begin(&self, user: Option<&str>, ends: u64) -> Result<SessionKey, Broken> {
        let key = SessionKey::generate();
        let created = self
            .store
            .create(
                &key,
                self.stored("number", 1, ends),
                user.map(device),
                None,
                self.at(0),
            )
            .await;
        answered("a session can be made", created)?;
        Ok(key)
    }

    /// Reads a number of a session, if there is the session: `Some(0)` when it has no such number.
    async fn number(
        &self,
        promise: &str,
        key: &SessionKey,
        name: &str,
        now: u64,
    ) -> Result<Option<u64>, Broken> {
        let Some(stored) = answered(promise, self.store.load(key, self.at(now)).await)? else {
            return Ok(None);
        };
        match self.codec.decode(&stored.data) {
            Ok(data) => Ok(Some(data.get(name).and_then(Result::ok).unwrap_or_default())),
            Err(_) => Err(broken(
                promise,
                "the data that came back is not the data that was written",
            )),
        }
    }

    async fn list(&self, user: &str, now: u64) -> Result<Vec<Listed>, Broken> {
        answered(
            "a user's sessions can be listed",
            self.store.list(user, self.at(now)).await,
        )
    }
}

/// Says whether two times are the same as far as stores keep them.
fn near(one: SystemTime, other: SystemTime) -> bool {
    let apart = one.duration_since(other).or_else(|_| other.duration_since(one));
    apart.is_ok_and(|apart| apart <= PRECISION)
}

fn device(user: &str) -> Device {
    Device {
        user_id: user.to_owned(),
        address: "2001:db8::7".to_owned(),
        user_agent: "Mozilla/5.0 (X11) — ünï 'quoted\"".to_owned(),
    }
}
