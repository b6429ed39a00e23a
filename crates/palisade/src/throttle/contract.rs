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

use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use ipnet::IpNet;
use palisade_core::throttle::Tally;
use palisade_core::{SecretKey, Settings, token};

use super::attempt::network_of;
use super::bucket::{Bucket, Kind, Scope};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use super::{Attempt, ThrottleError, Throttles};
use crate::clock::Clock;
use crate::sqlite::datetime::unix_seconds;

/// How many counts that are over are made, and how many others to sweep them.
const OVER: u32 = 1500;

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

/// A promise that was not kept.
#[derive(Debug)]
struct Broken(String);

impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks its contract: {}", self.0)
    }
}

impl ThrottleStore for Handle {
    fn load<'a>(
        &'a self,
        bucket: &'a Bucket,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        (**self).load(bucket)
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> futures_util::future::BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        (**self).swap(bucket, old, new, now)
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> futures_util::future::BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
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

    async fn keeps(&self) -> Result<(), Broken> {
        let store = self.store();
        let bucket = self.bucket(Kind::Network);
        let network: IpNet = network_of([0x2001, 0xdb8, 7, 9, 1, 2, 3, 4].into());
        same("an empty place is empty", &self.at(&bucket).await?, &None)?;
        let counted = Counted {
            network: Some(network),
            ..self.counted(3, 60)
        };
        let added = answered(
            "a count can be added",
            store.swap(&bucket, None, Some(counted), self.start).await,
        )?;
        same("a count is added where there is none", &added, &true)?;
        same(
            "a count comes back as it was given, to the millisecond",
            &self.at(&bucket).await?,
            &Some(counted),
        )?;
        let other = self.bucket(Kind::Network);
        same(
            "one place knows nothing of another",
            &self.at(&other).await?,
            &None,
        )
    }

    async fn replaces_what_was_read(&self) -> Result<(), Broken> {
        let store = self.store();
        let bucket = self.bucket(Kind::Account);
        let (first, second) = (self.counted(1, 60), self.counted(2, 120));
        let swap = async |old: Option<Counted>, new: Option<Counted>| {
            let old = old.map(|old| old.tally);
            answered(
                "a count can be replaced",
                store.swap(&bucket, old, new, self.start).await,
            )
        };
        same(
            "nothing is not something",
            &swap(Some(first), Some(second)).await?,
            &false,
        )?;
        same(
            "what is not there is not taken away",
            &swap(Some(first), None).await?,
            &false,
        )?;
        same("nothing is nothing", &swap(None, None).await?, &true)?;
        same(
            "nothing can be replaced by a count",
            &swap(None, Some(first)).await?,
            &true,
        )?;
        same(
            "something is not nothing",
            &swap(None, Some(second)).await?,
            &false,
        )?;
        same(
            "something is not nothing, to be kept so",
            &swap(None, None).await?,
            &false,
        )?;
        let later = Counted {
            tally: Tally {
                at: first.tally.at + 1,
                ..first.tally
            },
            ..first
        };
        same(
            "another time is another count",
            &swap(Some(later), Some(second)).await?,
            &false,
        )?;
        same(
            "a count that was refused is not written",
            &self.at(&bucket).await?,
            &Some(first),
        )?;
        same(
            "what was read is replaced",
            &swap(Some(first), Some(second)).await?,
            &true,
        )?;
        same(
            "what was replaced is gone",
            &swap(Some(first), None).await?,
            &false,
        )?;
        same(
            "what was read is taken away",
            &swap(Some(second), None).await?,
            &true,
        )?;
        same(
            "what was taken away is not there",
            &self.at(&bucket).await?,
            &None,
        )
    }

    async fn lets_one_win(&self) -> Result<(), Broken> {
        for begun in [false, true] {
            let bucket = self.bucket(Kind::Account);
            let old = begun.then(|| self.counted(1, 60));
            if begun {
                answered(
                    "a count can be added",
                    self.store().swap(&bucket, None, old, self.start).await,
                )?;
            }
            let old = old.map(|old| old.tally);
            let swaps = (0..100_u64).map(|nth| {
                let (store, new, now) = (self.handle(nth), self.counted(nth + 2, 60), self.start);
                tokio::spawn(async move { store.swap(&bucket, old, Some(new), now).await })
            });
            let mut won = 0;
            for swapped in join_all(swaps).await {
                let swapped = swapped.map_err(|_| broken("a swap ends", "it panicked"))?;
                won += u32::from(answered("swaps may meet", swapped)?);
            }
            same("of those who have read the same, one writes", &won, &1)?;
        }
        Ok(())
    }

    async fn lists_who_waits(&self) -> Result<(), Broken> {
        // Later than whatever anybody else has in the store.
        let far = Duration::from_hours(24 * 365 * 10);
        let mut expected = Vec::new();
        for (nth, waits) in [(1, 300), (2, 900), (3, 600), (4, 0)] {
            let bucket = self.bucket(Kind::Account);
            let counted = Counted {
                until: self.start + far + Duration::from_secs(waits),
                expires: self.start + far + Duration::from_hours(1),
                ..self.counted(nth, 0)
            };
            answered(
                "a count can be added",
                self.store().swap(&bucket, None, Some(counted), self.start).await,
            )?;
            expected.push((bucket, counted));
        }
        expected.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.until));
        expected.truncate(3);
        let now = self.start + far + Duration::from_millis(1);
        let list = async |at_most| answered("there is a list", self.store().list(at_most, now).await);
        same(
            "those who wait are listed, the longest first",
            &list(100).await?,
            &expected,
        )?;
        expected.truncate(2);
        same("a list is as long as was asked for", &list(2).await?, &expected)
    }

    async fn forgets_what_is_over(&self) -> Result<(), Broken> {
        if self.expires_by_itself {
            return Ok(());
        }
        let add = async |now: SystemTime, lives: u64| {
            let bucket = self.bucket(Kind::Account);
            let counted = Counted {
                until: now,
                expires: now + Duration::from_secs(lives),
                ..self.counted(1, 0)
            };
            answered(
                "a count can be added",
                self.store().swap(&bucket, None, Some(counted), now).await,
            )?;
            Ok(bucket)
        };
        let mut over = Vec::new();
        for _ in 0..OVER {
            over.push(add(self.start, 60).await?);
        }
        let later = self.start + Duration::from_secs(61);
        for _ in 0..OVER {
            add(later, 3600).await?;
        }
        let mut left = 0;
        for bucket in &over {
            left += u32::from(self.at(bucket).await?.is_some());
        }
        ensure(
            "what is over goes when others come, so that a store is as large as what it has to remember",
            left <= OVER / 10,
            format_args!("{left} of {OVER} are left"),
        )
    }

    async fn admits_the_free_ones(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, clock) = self.throttles();
        let name = stranger();
        let free = free_tries();
        same(
            "as many tries as are free are let through at once, and not one more",
            &self.tried(&throttles, &name, tries).await?,
            &free,
        )?;
        clock.advance(Duration::from_secs(1));
        same(
            "after the first wait there is one more",
            &self.tried(&throttles, &name, tries).await?,
            &1,
        )?;
        clock.set(self.start - Duration::from_hours(24));
        same(
            "a clock that is set back lets nobody through",
            &self.tried(&throttles, &name, tries.min(100)).await?,
            &0,
        )?;
        clock.advance(Duration::from_hours(12));
        let through = self.tried(&throttles, &name, tries.min(100)).await?;
        ensure(
            "and keeps nobody out for as long as it was wrong",
            through > 0,
            "all were refused",
        )
    }

    async fn opens_to_nobody_else(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, _clock) = self.throttles();
        let name = stranger();
        let first = self.first(&throttles)?;
        let attempt = Attempt::new(Scope::Login).of_account(&name);
        let right = first.reserve(&attempt).await;
        let right = right.map_err(|error| broken("the first try is let through", error))?;
        let before = self.tried(&throttles, &name, tries / 2).await?;
        right.refund().await;
        let after = self.tried(&throttles, &name, tries / 2).await?;
        same(
            "a success gives back its own try, and opens the door to nobody else",
            &(before + after),
            &free_tries(),
        )
    }

    async fn gives_back_all(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, _clock) = self.throttles();
        let name = stranger();
        for _ in 0..3 {
            let right = (0..tries).map(|nth| {
                let (throttles, name) = (throttles.clone(), name.clone());
                tokio::spawn(async move {
                    let throttles = throttles.get(nth % throttles.len())?;
                    let attempt = Attempt::new(Scope::Login).of_account(&name);
                    let reservation = throttles.reserve(&attempt).await.ok()?;
                    reservation.refund().await;
                    Some(())
                })
            });
            join_all(right).await;
        }
        let counted = self.first(&throttles)?.of_account_named(&name).await;
        same(
            "tries that were right leave no failure behind",
            &answered("a count can be looked up", counted)?.len(),
            &0,
        )
    }

    /// So many tries at once, by all handles in turn; how many were let through.
    async fn tried(&self, throttles: &[Throttles], name: &str, tries: usize) -> Result<usize, Broken> {
        let all = throttles.iter().cycle().take(tries).map(|throttles| {
            let (throttles, name) = (throttles.clone(), name.to_owned());
            tokio::spawn(async move {
                let attempt = Attempt::new(Scope::Login).of_account(&name);
                match throttles.reserve(&attempt).await {
                    Ok(reservation) => {
                        reservation.keep();
                        Ok(true)
                    }
                    Err(ThrottleError::Throttled { .. }) => Ok(false),
                    Err(ThrottleError::Unavailable(error)) => Err(error),
                }
            })
        });
        let mut through = 0;
        for tried in join_all(all).await {
            let tried = tried.map_err(|_| broken("a try ends", "it panicked"))?;
            through += usize::from(answered("many tries may meet", tried)?);
        }
        Ok(through)
    }

    fn throttles(&self) -> (Vec<Throttles>, Clock) {
        let settings = contract_settings();
        let clock = Clock::fixed(self.start);
        let throttles = self
            .handles
            .iter()
            .map(|handle| Throttles::new(Arc::clone(handle), &settings, clock.clone()));
        (throttles.collect(), clock)
    }

    fn first<'t>(&self, throttles: &'t [Throttles]) -> Result<&'t Throttles, Broken> {
        throttles
            .first()
            .ok_or_else(|| broken("there is a store", format_args!("{} handles", self.handles.len())))
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

fn contract_settings() -> Settings {
    Settings::for_development(SecretKey::new(
        "nobody's accounts, which a contract is tested with",
    ))
}

fn free_tries() -> usize {
    contract_settings().login_throttle_free_attempts
}

fn stranger() -> String {
    token::random_string(12, token::Alphabet::Base36)
}

#[expect(
    clippy::panic,
    reason = "a suite for tests: a test that cannot go on says where"
)]
fn kept(result: Result<(), Broken>) {
    if let Err(broken) = result {
        panic!("{broken}");
    }
}

fn broken(promise: &str, found: impl Display) -> Broken {
    Broken(format!("{promise}; {found}"))
}

fn ensure(promise: &str, kept: bool, found: impl Display) -> Result<(), Broken> {
    if kept { Ok(()) } else { Err(broken(promise, found)) }
}

fn same<T: PartialEq + fmt::Debug>(promise: &str, found: &T, expected: &T) -> Result<(), Broken> {
    ensure(
        promise,
        found == expected,
        format_args!("found {found:?}, expected {expected:?}"),
    )
}

fn answered<T>(promise: &str, answer: Result<T, ThrottleStoreError>) -> Result<T, Broken> {
    answer.map_err(|error| {
        let source =
            std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
        broken(promise, format_args!("the store said: {error}{source}"))
    })
}
