//! Sessions in Redis or Valkey, for services of several machines.
//!
//! 1. A session is one value under one key, which expires by itself when the session ends.
//! 2. A change is written only if what it was made of is still there (`redis/swap.rs`): nothing of another request's is lost
//!    (defect D1 of peers), and a session that was deleted meanwhile stays deleted (D2, D5, D8).
//! 3. Whose sessions there are stands in a sorted set for each user. It says no more than where to look: an entry without
//!    its session is left out, and swept out by whoever meets it.
//! 4. Two sessions are two keys, which in a cluster live on different servers: no script can move one to the other in one
//!    step. So a move has an order in which every step but one can be the last: the new key is listed, written under a
//!    key that nobody knows yet, and then the old one is deleted *if it is still what was read*. That one step decides. Before it,
//!    nothing has happened; whoever fails there takes the new key away, or leaves it to expire, known to nobody. After it, the
//!    session is under its new key only. The order is the same on one server, so that there is one to be tested.
//!
//! # Security
//!
//! The data is signed and not encrypted, and the keys are the sessions' own: whoever reads Redis has the sessions. A server that
//! evicts keys when its memory is full (`maxmemory-policy allkeys-…` or `volatile-…`) logs people out; `noeviction` answers with
//! errors instead. What is acknowledged is as durable as the server is told to make it: `appendfsync everysec` may
//! lose a second of logins, and of logouts.

mod draft;
mod format;
mod list;
mod record;

pub(super) use format::sealed::Form;
pub use format::{Format, Own};
pub(super) use record::Record;

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};

use super::key::SessionKey;
use super::queue::{Batch, UpdateQueue};
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated, to_the_end};
use crate::redis::{Held, Redis, RedisError, Swapped};
use draft::Draft;

/// Keeps sessions in Redis or Valkey.
///
/// Django does not read these sessions. To share sessions with Django on Redis, use its `cache` or `cached_db` back end,
/// as `CacheSessions` and `CachedDbSessions` do.
///
/// # Example
///
/// ```
/// use palisade::redis::Redis;
/// use palisade::session::RedisSessions;
///
/// let sessions = RedisSessions::new(Redis::open("redis://127.0.0.1:6379/0")?).with_prefix("shop:");
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedisSessions<F = Own> {
    redis: Redis,
    format: F,
    updates: UpdateQueue,
}

impl RedisSessions {
    /// Keeps sessions in this Redis, under keys that begin with `palisade:`.
    pub fn new(redis: Redis) -> Self {
        Self::with_format(redis, Own::with_prefix("palisade:"))
    }

    /// Begins all keys with `prefix`, for several services in one Redis.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self {
            format: Own::with_prefix(prefix),
            ..self
        }
    }
}

impl<F: Format> RedisSessions<F> {
    pub(super) fn with_format(redis: Redis, format: F) -> Self {
        Self {
            redis,
            format,
            updates: UpdateQueue::default(),
        }
    }

    pub(super) fn format_mut(&mut self) -> &mut F {
        &mut self.format
    }

    fn name(&self, key: &SessionKey) -> String {
        self.format.name(key)
    }

    /// Does something within the time limit of the server.
    fn within<'a, T: Send + 'a>(
        &'a self,
        operation: impl Future<Output = Result<T, RedisError>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        self.redis
            .within(operation)
            .map(|done| done.map_err(StoreError::unavailable))
            .boxed()
    }

    /// Does something to its end, or to the time limit of the server.
    fn carry_out<'a, T: Send + 'static, W>(
        &self,
        operation: impl FnOnce(Self) -> W,
    ) -> BoxFuture<'a, Result<T, StoreError>>
    where
        W: Future<Output = Result<T, RedisError>> + Send + 'static,
    {
        let (redis, operation) = (self.redis.clone(), operation(self.clone()));
        let work = async move { redis.within(operation).await.map_err(StoreError::unavailable) };
        to_the_end(work).boxed()
    }

    async fn value(&self, name: &str) -> Result<Option<Held>, RedisError> {
        if F::ENDS_WITH_ITS_KEY {
            self.redis.value_with_end(name).await
        } else {
            let value = self.redis.value(name).await?;
            Ok(value.map(|value| Held { value, ends: None }))
        }
    }

    async fn read(&self, key: &SessionKey) -> Result<Option<Record>, RedisError> {
        let value = self.value(&self.name(key)).await?;
        value.map(|value| self.format.read(&value)).transpose()
    }

    /// Writes what a batch of updates makes of a session, if it is still there.
    async fn write(&self, key: &SessionKey, batch: &mut Batch) -> Result<(), RedisError> {
        let name = self.name(key);
        let now = batch.now();
        let mut read = self.value(&name).await?;
        loop {
            let Some(old) = read else {
                batch.gone();
                return Ok(());
            };
            let mut record = self.format.read(&old)?;
            let Some(merged) = batch.merge(record.stored) else {
                return Ok(());
            };
            record.stored = merged;
            self.enlist(key, &mut record, now).await?;
            let new = self.format.write(&record)?;
            match self
                .redis
                .swap(&name, &old.value, &new, self.format.life(&record, now))
                .await?
            {
                Swapped::Done => return Ok(()),
                // A cluster's connection may have sent it twice.
                Swapped::Changed(other) if F::EVERY_WRITE_IS_DIFFERENT && other == new => return Ok(()),
                Swapped::Changed(_) | Swapped::Gone => read = self.value(&name).await?,
            }
        }
    }

    async fn begin(
        &self,
        key: &SessionKey,
        mut record: Record,
        replaces: Option<&SessionKey>,
        now: SystemTime,
    ) -> Result<(), RedisError> {
        self.enlist(key, &mut record, now).await?;
        let value = self.format.write(&record)?;
        let mut draft = Draft::of(self, key);
        draft.is(value.clone());
        self.redis
            .add(&self.name(key), &value, self.format.life(&record, now))
            .await?;
        if let Some(replaced) = replaces {
            self.end(replaced).await?;
        }
        draft.stays();
        Ok(())
    }

    /// Deletes a session, and says whether it was there.
    async fn end(&self, key: &SessionKey) -> Result<bool, RedisError> {
        let was = self.redis.pop(&self.name(key)).await?;
        let there = was.is_some();
        let held = was.map(|value| Held { value, ends: None });
        if let Some(record) = held.and_then(|held| self.format.read(&held).ok()) {
            self.strike(key, &record).await;
        }
        Ok(there)
    }

    async fn move_to(
        &self,
        old: &SessionKey,
        new: &SessionKey,
        merge: &Merge,
        device: Option<&Device>,
        now: SystemTime,
    ) -> Result<Updated, RedisError> {
        let (old_name, new_name) = (self.name(old), self.name(new));
        let mut draft = Draft::of(self, new);
        let mut read = self.value(&old_name).await?;
        loop {
            let before = match &read {
                Some(held) => Some(self.format.read(held)?).filter(|before| before.stored.expires > now),
                None => None,
            };
            let (Some(value), Some(before)) = (read, before) else {
                draft.goes().await?;
                return Ok(Updated::Gone);
            };
            let merged = merge.apply(&before.stored);
            let mut after = match device {
                Some(device) => Record::new(merged, Some(device.clone()), now),
                None => Record {
                    stored: merged,
                    // It is another key that the list has to know.
                    listed_until: SystemTime::UNIX_EPOCH,
                    ..before.clone()
                },
            };
            self.enlist(new, &mut after, now).await?;
            let written = self.format.write(&after)?;
            match draft.is(written.clone()) {
                None => {
                    self.redis
                        .add(&new_name, &written, self.format.life(&after, now))
                        .await?;
                }
                Some(draft) => {
                    self.redis
                        .swap(&new_name, &draft, &written, self.format.life(&after, now))
                        .await?;
                }
            }
            match self.redis.take(&old_name, &value.value).await? {
                Swapped::Done => {
                    draft.stays();
                    self.strike(old, &before).await;
                    return Ok(Updated::Saved);
                }
                Swapped::Gone => read = None,
                Swapped::Changed(_) => read = self.value(&old_name).await?,
            }
        }
    }
}

impl<F: Format> SessionStore for RedisSessions<F> {
    fn looks_into_data(&self) -> bool {
        F::LOOKS_INTO_DATA
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.within(async move {
            let record = self.read(key).await?;
            Ok(record
                .map(|record| record.stored)
                .filter(|stored| stored.expires > now))
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (key, replaces) = (key.clone(), replaces.cloned());
        let record = Record::new(session, device, now);
        self.carry_out(
            move |sessions| async move { sessions.begin(&key, record, replaces.as_ref(), now).await },
        )
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (sessions, name) = (self.clone(), key.clone());
        let write = move |mut batch: Batch| {
            let (sessions, key) = (sessions.clone(), name.clone());
            async move {
                let done = sessions.within(sessions.write(&key, &mut batch)).await;
                (batch, done)
            }
        };
        let updated = self.updates.update(key, merge, now, write);
        tokio::time::timeout(self.redis.time_limit(), updated)
            .map(move |done| done.unwrap_or_else(|_| Err(StoreError::unavailable(self.redis.too_late()))))
            .boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (old, new) = (old.clone(), new.clone());
        self.carry_out(move |sessions| async move {
            sessions.move_to(&old, &new, &merge, device.as_ref(), now).await
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = key.clone();
        self.carry_out(move |sessions| async move { sessions.end(&key).await.map(drop) })
    }

    /// There is nothing to do: Redis does it.
    fn clear_expired(&self, _at_most: usize, _now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        futures_util::future::ready(Ok(0)).boxed()
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        self.within(async move {
            let entries = self.entries(user_id, 0, None).await?;
            let mut listed: Vec<Listed> = self
                .living(user_id, entries, now)
                .await?
                .into_iter()
                .filter(|(_, record)| record.stored.expires > now)
                .filter_map(|(key, record)| {
                    Some(Listed {
                        key,
                        device: record.device?,
                        created: record.created,
                        expires: record.stored.expires,
                    })
                })
                .collect();
            listed.sort_by_key(|line| std::cmp::Reverse(line.created));
            Ok(listed)
        })
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let (user_id, keep) = (user_id.to_owned(), keep.cloned());
        self.carry_out(move |sessions| async move { sessions.end_others(&user_id, keep.as_ref()).await })
    }
}
