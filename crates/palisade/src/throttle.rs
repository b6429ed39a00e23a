//! Throttles: how often somebody may try a password, a code or a name (threat `credential-guessing`, CWE-307).
//!
//! 1. A try is counted as failed **before** anything is verified ([`Throttles::reserve`]), and given back if it was right
//!    ([`Reservation::refund`]): so ten thousand tries at one moment are ten thousand failures, and all but the first few end
//!    before a password is hashed.
//! 2. It is counted for the account, whether or not there is one of that name, and for the network. The first few are free,
//!    then each failure doubles the wait ([`palisade_core::throttle`]). A try that is refused is not counted.
//! 3. Nobody is locked out of a device that they have used: a browser that has been logged in has a signed cookie
//!    ([`DEVICE_COOKIE`]), and with it a count of its own for that account, which strangers cannot reach.
//! 4. Counts are kept in memory, or in a store that the processes of a site share ([`ThrottleStore`]): SQLite, `PostgreSQL`, MySQL,
//!    Redis. What a store must promise stands in [`contract`].
//!
//! [`crate::auth::Auth::authenticate`], [`crate::auth::Auth::finish_second_factor`], [`crate::auth::Auth::change_password`],
//! [`crate::auth::Auth::confirm`], [`crate::auth::Auth::request_reset`] and [`crate::auth::Auth::sign_up`] reserve by themselves: no
//! handler can forget it. What else can be guessed reserves with one of the scopes.
//!
//! # Example
//!
//! ```
//! use palisade::throttle::{Attempt, Scope, ThrottleError, Throttles};
//! use palisade::transport::Connection;
//!
//! async fn pin_is_right(throttles: &Throttles, user: &str, connection: Connection, pin: &str) -> Result<bool, ThrottleError> {
//!     let attempt = Attempt::new(Scope::Reauthentication).of_account(user).at_address(connection.client);
//!     let reservation = throttles.reserve(&attempt).await?;
//!     let right = pin == "123456";
//!     if right {
//!         reservation.refund().await;
//!     }
//!     Ok(right)
//! }
//! ```
//!
//! # Security
//!
//! Names of accounts are kept as a keyed digest of twenty bits, addresses as they are. So there are at most a million counts of a kind
//! and scope, whoever floods them with names, and no count is ever dropped to make room for another; two accounts share one with a
//! chance of one in a million.
//! A person who logs in from a new device while strangers guess at the account waits as the strangers do. A guesser with very many
//! addresses is stopped by the account's count alone.

mod admin;
mod attempt;
mod bucket;
mod columns;
pub mod contract;
mod device;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod reservation;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;

pub use admin::Throttled;
pub use attempt::Attempt;
pub use bucket::{Bucket, InvalidBucket, Kind, Scope};
pub use device::{DEVICE_COOKIE, KnownDevice};
pub(crate) use device::{Devices, SentDevices};
pub use memory::MemoryThrottle;
#[cfg(feature = "mysql")]
pub use mysql::MySqlThrottle;
#[cfg(feature = "postgres")]
pub use postgres::PostgresThrottle;
#[cfg(feature = "redis")]
pub use redis::RedisThrottle;
pub use reservation::Reservation;
pub use sqlite::SqliteThrottle;
pub use store::{Counted, ThrottleStore, ThrottleStoreError};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request;
use ipnet::IpNet;
use palisade_core::settings::OnOutage;
use palisade_core::throttle::Rule;
use palisade_core::{SecretKey, Settings, Threat};

use crate::clock::Clock;
use crate::rejection::Rejection;
use crate::stack::StackContext;
use crate::turn::Turns;

/// The throttles of a site: an extractor. Cheap to clone.
#[derive(Clone)]
pub struct Throttles(Arc<Inner>);

struct Inner {
    store: Arc<dyn ThrottleStore>,
    turns: Turns,
    clock: Clock,
    key: SecretKey,
    account: Rule,
    network: Rule,
    on_outage: OnOutage,
}

/// Why a try may not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThrottleError {
    /// There were too many. The sentence is for the person, and the same for every account.
    #[error("Too many tries. Please try again in {}.", in_words(*retry_after))]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Nobody can say how many there were, and the setting `login_throttle_on_outage` is `closed`, or a code was tried.
    #[error(transparent)]
    Unavailable(#[from] ThrottleStoreError),
}

impl From<ThrottleError> for Rejection {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::Throttled { retry_after } => {
                Rejection::too_many_requests("too many tries", whole_seconds(retry_after))
                    .with_threat(Threat::CredentialGuessing)
                    .with_hint(error.to_string())
            }
            ThrottleError::Unavailable(error) => error.into(),
        }
    }
}

impl axum::response::IntoResponse for ThrottleError {
    fn into_response(self) -> axum::response::Response {
        Rejection::from(self).into_response()
    }
}

impl fmt::Debug for Throttles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttles")
            .field("store", &self.0.store)
            .field("account", &self.0.account)
            .field("network", &self.0.network)
            .finish_non_exhaustive()
    }
}

impl Throttles {
    /// Throttles as the settings say (`login_throttle_…`), with counts in this store.
    ///
    /// [`crate::Palisade::with_throttle`] makes them for a site; by themselves they are for tests and for programs beside it.
    pub fn new(store: impl ThrottleStore, settings: &Settings, clock: Clock) -> Self {
        let base = settings.login_throttle_base_delay;
        let rule = |free: usize, cap| Rule::new(u32::try_from(free).unwrap_or(u32::MAX), base, cap);
        Self(Arc::new(Inner {
            store: Arc::new(store),
            turns: Turns::default(),
            clock,
            key: settings.secret_key.clone(),
            account: rule(
                settings.login_throttle_free_attempts,
                settings.login_throttle_max_delay,
            ),
            network: rule(
                settings.login_throttle_network_free_attempts,
                settings.login_throttle_network_max_delay,
            ),
            on_outage: settings.login_throttle_on_outage,
        }))
    }

    /// The rule by which a kind of counts goes.
    pub fn rule(&self, kind: Kind) -> Rule {
        match kind {
            Kind::Account | Kind::Device => self.0.account,
            Kind::Network => self.0.network,
        }
    }

    fn of_account(&self, scope: Scope, account: &str) -> Bucket {
        Bucket::keyed(&self.0.key, scope, Kind::Account, &attempt::folded(account))
    }

    fn of_network(&self, scope: Scope, network: IpNet) -> Bucket {
        Bucket::keyed(&self.0.key, scope, Kind::Network, &network.to_string())
    }

    fn of_device(&self, scope: Scope, account: &str, device: &KnownDevice) -> Bucket {
        let part = format!("{} {}", device.id(), attempt::folded(account));
        Bucket::keyed(&self.0.key, scope, Kind::Device, &part)
    }
}

impl<S: Sync> FromRequestParts<S> for Throttles {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        Ok(StackContext::of(&parts.extensions)?.throttles()?.clone())
    }
}

/// A wait in whole seconds, as `Retry-After` has it: never too short.
pub(crate) fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// A wait as a person reads it.
pub(crate) fn in_words(wait: Duration) -> String {
    match whole_seconds(wait) {
        1 => "a second".to_owned(),
        seconds @ ..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}
