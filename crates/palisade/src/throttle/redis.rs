//! Counts in Redis or Valkey, shared by all machines of a site.
//!
//! A count is one key that Redis drops when all is forgiven, changed by the scripts that change sessions (`redis/swap.rs`). Who
//! has to wait stands in a sorted set besides, for the staff's list alone: it is written after the count, says where to look, and
//! is swept whenever it is written.

use std::time::SystemTime;

use ::redis::cmd;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use palisade_core::throttle::Tally;

use super::bucket::Bucket;
use super::columns::{millis, network, time};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use crate::redis::{Life, Redis, RedisError, Swapped};

/// Keeps counts in Redis or Valkey.
///
/// # Example
///
/// ```
/// use palisade::redis::Redis;
/// use palisade::throttle::RedisThrottle;
///
/// let throttle = RedisThrottle::new(Redis::open("redis://127.0.0.1:6379/0")?).with_prefix("shop:");
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
///
/// # Security
///
/// A server that evicts keys when its memory is full (`maxmemory-policy allkeys-…` or `volatile-…`) forgets failures; with
/// `noeviction` logins are refused instead, as the setting `login_throttle_on_outage` says. Whoever can write to the server
/// can forgive themselves.
#[derive(Clone, Debug)]
pub struct RedisThrottle {
    redis: Redis,
    prefix: String,
}

impl RedisThrottle {
    /// Keeps counts in this Redis, under keys that begin with `palisade:`.
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            prefix: "palisade:".to_owned(),
        }
    }

    /// Begins all keys with `prefix`, for several services in one Redis.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..self
        }
    }

    fn name(&self, bucket: Bucket) -> String {
        format!("{}throttle:{bucket}", self.prefix)
    }

    fn list_name(&self) -> String {
        format!("{}throttled", self.prefix)
    }

    /// Replaces a count, if it still is what was read.
    async fn replace(
        &self,
        bucket: &Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> Result<bool, RedisError> {
        let name = self.name(*bucket);
        let held = self.redis.value(&name).await?;
        if held.as_deref().and_then(read).map(|held| held.tally) != old {
            return Ok(false);
        }
        let life = |new: &Counted| Life::For(new.expires.duration_since(now).unwrap_or_default());
        let done = match (held, new) {
            (None, None) => true,
            (None, Some(new)) => match self.redis.add(&name, &written(&new), life(&new)).await {
                Ok(()) => true,
                Err(RedisError::Taken) => false,
                Err(error) => return Err(error),
            },
            (Some(held), None) => matches!(self.redis.take(&name, &held).await?, Swapped::Done),
            (Some(held), Some(new)) => {
                let swapped = self.redis.swap(&name, &held, &written(&new), life(&new)).await?;
                matches!(swapped, Swapped::Done)
            }
        };
        if done && let Some(new) = new.filter(|new| new.until > now) {
            self.enlist(bucket, &new, now).await?;
        }
        Ok(done)
    }

    /// Notes who has to wait, and strikes out who had.
    async fn enlist(&self, bucket: &Bucket, counted: &Counted, now: SystemTime) -> Result<(), RedisError> {
        let list = self.list_name();
        let mut sweep = cmd("ZREMRANGEBYSCORE");
        sweep.arg(&list).arg("-inf").arg(millis(now));
        self.redis.ask::<()>(&sweep).await?;
        let mut add = cmd("ZADD");
        add.arg(&list).arg(millis(counted.until)).arg(bucket.to_string());
        self.redis.ask::<()>(&add).await
    }

    async fn waiting(&self, at_most: usize, now: SystemTime) -> Result<Vec<(Bucket, Counted)>, RedisError> {
        let mut range = cmd("ZREVRANGEBYSCORE");
        range
            .arg(self.list_name())
            .arg("+inf")
            .arg(format!("({}", millis(now)));
        range.arg("LIMIT").arg(0).arg(at_most);
        let names: Vec<String> = self.redis.ask(&range).await?;
        let buckets: Vec<Bucket> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let held = try_join_all(buckets.iter().map(|bucket| self.held(bucket))).await?;
        let found = buckets.into_iter().zip(held);
        let mut waiting: Vec<_> = found
            .filter_map(|(bucket, held)| Some((bucket, held?)))
            .filter(|(_, held)| held.until > now)
            .collect();
        waiting.sort_by_key(|(bucket, counted)| (std::cmp::Reverse(counted.until), *bucket));
        Ok(waiting)
    }

    async fn held(&self, bucket: &Bucket) -> Result<Option<Counted>, RedisError> {
        let value = self.redis.value(&self.name(*bucket)).await?;
        Ok(value.as_deref().and_then(read))
    }
}

impl ThrottleStore for RedisThrottle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        async move {
            let held = self.redis.within(self.held(bucket)).await;
            held.map_err(ThrottleStoreError::unavailable)
        }
        .boxed()
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        async move {
            let swapped = self.redis.within(self.replace(bucket, old, new, now)).await;
            swapped.map_err(ThrottleStoreError::unavailable)
        }
        .boxed()
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        async move {
            let listed = self.redis.within(self.waiting(at_most, now)).await;
            listed.map_err(ThrottleStoreError::unavailable)
        }
        .boxed()
    }
}

fn written(counted: &Counted) -> Vec<u8> {
    let Tally { debt, at } = counted.tally;
    let (until, expires) = (millis(counted.until), millis(counted.expires));
    format!("{debt} {at} {until} {expires} {}", network(counted)).into_bytes()
}

/// What stands under a key. Anything else is as if nothing had been counted, and is written over.
fn read(value: &[u8]) -> Option<Counted> {
    let mut words = std::str::from_utf8(value).ok()?.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let tally = Tally {
        debt: number()?,
        at: number()?,
    };
    let (until, expires) = (time(number()?), time(number()?));
    Some(Counted {
        tally,
        until,
        expires,
        network: words.next()?.parse().ok(),
    })
}
