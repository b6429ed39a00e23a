//! Each of our stores of throttles is held to their contract, by several handles, and the contract to finding what breaks it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use palisade::core::throttle::Tally;
use palisade::sqlite::Sqlite;
use palisade::throttle::contract::Contract;
use palisade::throttle::{
    Bucket, Counted, MemoryThrottle, SqliteThrottle, ThrottleStore, ThrottleStoreError,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_the_contract() {
    let contract = Contract::of(MemoryThrottle::new());
    contract.holds().await;
    contract.admits_no_more(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_openings_of_one_sqlite_file_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SqliteThrottle::new(Sqlite::open(folder.path().join("db")).unwrap()).unwrap();
    let contract = Contract::of(open()).and(open());
    contract.holds().await;
    contract.admits_no_more(4000).await;
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_pools_of_one_postgresql_keep_the_contract() {
    use palisade::throttle::PostgresThrottle;
    let server = crate::servers::postgres();
    let one = crate::servers::postgres_database(&server, "throttles").await;
    let other = crate::servers::patient()
        .open(&server.url_of("throttles"))
        .await
        .unwrap();
    let contract = Contract::of(PostgresThrottle::new(one).await.unwrap())
        .and(PostgresThrottle::new(other).await.unwrap());
    contract.holds().await;
    contract.admits_no_more(1000).await;
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_pools_of_one_mariadb_keep_the_contract() {
    use palisade::throttle::MySqlThrottle;
    let server = crate::servers::mariadb();
    let one = crate::servers::mariadb_database(&server, "throttles", None).await;
    let other = crate::servers::patient_mysql()
        .open(&server.url_of("throttles"))
        .await
        .unwrap();
    let contract =
        Contract::of(MySqlThrottle::new(one).await.unwrap()).and(MySqlThrottle::new(other).await.unwrap());
    contract.holds().await;
    contract.admits_no_more(1000).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_connections_to_one_redis_keep_the_contract() {
    use palisade::redis::Redis;
    use palisade::throttle::RedisThrottle;
    let server = testkit::Redis::start().unwrap();
    let open = || {
        let redis = Redis::open(&server.url()).unwrap();
        RedisThrottle::new(redis.with_time_limit(Duration::from_mins(1)))
    };
    let contract = Contract::of(open())
        .and(open())
        .with_counts_that_expire_by_themselves();
    contract.holds().await;
    contract.admits_no_more(4000).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_count_expires_in_redis_by_itself_and_its_account_is_not_named_there() {
    use palisade::clock::Clock;
    use palisade::redis::Redis;
    use palisade::throttle::{Attempt, RedisThrottle, Scope, Throttles};
    let server = testkit::Redis::start().unwrap();
    let store = RedisThrottle::new(Redis::open(&server.url()).unwrap()).with_prefix("shop:");
    let throttles = Throttles::new(store, &crate::client::settings(), Clock::system());
    let attempt = Attempt::new(Scope::Login).of_account("ada");
    throttles.reserve(&attempt).await.unwrap().keep();
    let key = "redis.call('KEYS', '*')[1]";
    let name = server
        .ask(&format!("EVAL \"return redis.status_reply({key})\" 0"))
        .unwrap();
    assert!(name.starts_with("+shop:throttle:login/account/"), "{name}");
    assert!(!name.contains("ada"), "{name}");
    let left = server
        .ask(&format!("EVAL \"return redis.call('PTTL', {key})\" 0"))
        .unwrap();
    let left: u64 = left.trim_start_matches(':').parse().unwrap();
    assert!(
        (890_000..=900_000).contains(&left),
        "fifteen minutes, not {left} ms"
    );
}

/// What can be wrong with a store.
#[derive(Clone, Copy, Debug)]
enum Fault {
    WritesWithoutComparing,
    ComparesByTheCountAlone,
    KeepsWholeSeconds,
    ForgetsNothing,
    ListsEverybody,
    KeepsWhatIsTakenAway,
}

#[derive(Debug)]
struct Faulty {
    inner: Arc<MemoryThrottle>,
    fault: Fault,
}

impl ThrottleStore for Faulty {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        self.inner.load(bucket)
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        async move {
            let held = self.inner.load(bucket).await?.map(|held| held.tally);
            let (old, new, now) = match self.fault {
                Fault::WritesWithoutComparing => {
                    tokio::task::yield_now().await;
                    (self.inner.load(bucket).await?.map(|held| held.tally), new, now)
                }
                Fault::ComparesByTheCountAlone if old.map(|old| old.debt) == held.map(|held| held.debt) => {
                    (held, new, now)
                }
                Fault::KeepsWholeSeconds => {
                    let whole = |mut new: Counted| {
                        new.tally.at -= new.tally.at % 1000;
                        new
                    };
                    (old, new.map(whole), now)
                }
                Fault::ForgetsNothing => (old, new, SystemTime::UNIX_EPOCH),
                Fault::KeepsWhatIsTakenAway if new.is_none() => return Ok(held == old),
                _ => (old, new, now),
            };
            self.inner.swap(bucket, old, new, now).await
        }
        .boxed()
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        match self.fault {
            Fault::ListsEverybody => self.inner.list(at_most, SystemTime::UNIX_EPOCH),
            _ => self.inner.list(at_most, now),
        }
    }
}

#[tokio::test]
async fn a_store_that_breaks_the_contract_is_told_which_promise_it_breaks() {
    for (fault, promise) in [
        (Fault::WritesWithoutComparing, "nothing is not something"),
        (Fault::ComparesByTheCountAlone, "another time is another count"),
        (Fault::KeepsWholeSeconds, "a count comes back as it was given"),
        (Fault::ForgetsNothing, "what is over goes when others come"),
        (Fault::ListsEverybody, "those who wait are listed"),
        (Fault::KeepsWhatIsTakenAway, "what was taken away is not there"),
    ] {
        let checked = async move {
            let store = Faulty {
                inner: Arc::new(MemoryThrottle::new()),
                fault,
            };
            let contract = Contract::of(store);
            contract.holds().await;
            contract.admits_no_more(100).await;
        };
        let panic = AssertUnwindSafe(checked).catch_unwind().await;
        let verdict = panic.expect_err("the fault was not found");
        let verdict = verdict.downcast_ref::<String>().unwrap();
        assert!(verdict.contains(promise), "{fault:?}: {verdict}");
    }
}

/// A store that is down.
#[derive(Debug)]
pub(crate) struct Down;

/// A store in which somebody else is always quicker.
#[derive(Debug)]
pub(crate) struct Crowded;

impl ThrottleStore for Crowded {
    fn load<'a>(&'a self, _: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        ready(Ok(None)).boxed()
    }

    fn swap<'a>(
        &'a self,
        _: &'a Bucket,
        _: Option<Tally>,
        _: Option<Counted>,
        _: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        ready(Ok(false)).boxed()
    }

    fn list(
        &self,
        _: usize,
        _: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        ready(Ok(Vec::new())).boxed()
    }
}

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, ThrottleStoreError>> {
    ready(Err(ThrottleStoreError::unavailable("connection refused"))).boxed()
}

impl ThrottleStore for Down {
    fn load<'a>(&'a self, _: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        refused()
    }

    fn swap<'a>(
        &'a self,
        _: &'a Bucket,
        _: Option<Tally>,
        _: Option<Counted>,
        _: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        refused()
    }

    fn list(
        &self,
        _: usize,
        _: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        refused()
    }
}
