//! The promises of [`ThrottleStore`] as a test-suite, for whoever writes a store of their own.
//!
//! A store is easily written so that it counts, and yet lets two tries pass on one count in the moment when they meet. The suite
//! makes those moments, also between several handles of one store, as between processes. Each promise is a sentence; a store that
//! breaks one panics with that sentence. All stores of this crate pass it.
//!
//! # Example
//!
//! ```
//! use palisade::throttle::MemoryThrottle;
//! use palisade::throttle::contract::Contract;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let contract = Contract::of(MemoryThrottle::new());
//! contract.holds().await;
//! contract.admits_no_more(10_000).await;
//! # });
//! ```

mod admitting;
mod keeping;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use palisade_core::throttle::Tally;
use palisade_core::token;

use super::bucket::{Bucket, Kind, Scope};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use crate::clock::Clock;
use crate::promise::{Broken, answered, kept};
use crate::sqlite::datetime::unix_seconds;

/// A store, held to its promises.
///
/// The counts of the suite stand in places that are drawn by lot; it may run beside other things on one store.
#[derive(Debug)]
pub struct Contract {
    handles: Vec<Handle>,
    expires_by_itself: bool,
    start: SystemTime,
    next_place: AtomicU32,
}

type Handle = Arc<dyn ThrottleStore>;

impl ThrottleStore for Handle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        (**self).load(bucket)
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        (**self).swap(bucket, old, new, now)
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        (**self).list(at_most, now)
    }
}

impl Contract {
    /// Holds a store to its promises.
    pub fn of(store: impl ThrottleStore) -> Self {
        Self {
            handles: vec![Arc::new(store)],
            expires_by_itself: false,
            start: UNIX_EPOCH + Duration::from_secs(unix_seconds(Clock::system().now())),
            next_place: AtomicU32::new(u32::from_le_bytes(token::random_bytes())),
        }
    }

    /// Uses the same store by another handle, too, as another process has one.
    #[must_use]
    pub fn and(mut self, handle: impl ThrottleStore) -> Self {
        self.handles.push(Arc::new(handle));
        self
    }

    /// Expects counts that are over to go by themselves, as keys in Redis do, by the server's own clock.
    #[must_use]
    pub fn with_counts_that_expire_by_themselves(self) -> Self {
        Self {
            expires_by_itself: true,
            ..self
        }
    }

    /// Checks what can be asked of any store: that it keeps counts as they were given, replaces only what was read, lists who has
    /// to wait, and forgets what is over.
    ///
    /// # Panics
    ///
    /// When the store breaks a promise, with the promise.
    pub async fn holds(&self) {
        let checks = async {
            self.keeps().await?;
            self.replaces_what_was_read().await?;
            self.lets_one_win().await?;
            self.lists_who_waits().await?;
            self.forgets_what_is_over().await
        };
        kept(checks.await);
    }

    /// Makes so many tries at once, by all handles: at one account, as many as are free are let through and not one more; and those
    /// that are given back leave nothing behind.
    ///
    /// # Panics
    ///
    /// When the store breaks a promise, with the promise.
    pub async fn admits_no_more(&self, tries: usize) {
        let checks = async {
            self.admits_the_free_ones(tries).await?;
            self.opens_to_nobody_else(tries).await?;
            self.gives_back_all(tries.min(40)).await
        };
        kept(checks.await);
    }

    fn store(&self) -> Handle {
        self.handle(0)
    }

    #[expect(clippy::expect_used, reason = "a contract is made of one store at least")]
    fn handle(&self, nth: u64) -> Handle {
        let nth = usize::try_from(nth).unwrap_or_default();
        let handle = self.handles.iter().cycle().nth(nth % self.handles.len().max(1));
        Arc::clone(handle.expect("a store"))
    }

    fn bucket(&self, kind: Kind) -> Bucket {
        Bucket::at(
            Scope::PasswordReset,
            kind,
            self.next_place.fetch_add(1, Ordering::Relaxed),
        )
    }

    async fn at(&self, bucket: &Bucket) -> Result<Option<Counted>, Broken> {
        answered("a place can be looked at", self.store().load(bucket).await)
    }

    fn counted(&self, debt: u64, lives: u64) -> Counted {
        let at = self.start + Duration::from_millis(1);
        Counted {
            tally: Tally {
                debt,
                at: unix_seconds(self.start) * 1000 + 1,
            },
            until: at,
            expires: at + Duration::from_secs(lives),
            network: None,
        }
    }
}
