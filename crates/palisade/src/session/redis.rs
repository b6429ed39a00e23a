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

mod format;
mod record;

pub(super) use format::sealed::Form;
pub use format::{Format, Own};
pub(super) use record::Record;

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use ::redis::cmd;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use palisade_core::token;

use super::key::SessionKey;
use super::queue::{Batch, UpdateQueue};
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated, to_the_end};
use super::whose::micros;
use crate::redis::{Held, Redis, RedisError, Swapped};

/// For how long an entry of a list may be without its session, because the session is about to be written.
const ABOUT_TO_BE_WRITTEN: Duration = Duration::from_mins(5);

/// `KEYS[1]`, a user's list, gets the entry `ARGV[1]` with its time `ARGV[2]`, and lives for `ARGV[3]` milliseconds at least.
const ENLIST: &str = "redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('ZCARD', KEYS[1])";

/// Beyond so many entries some of a list are swept when one is added.
const SWEPT_FROM: usize = 32;

/// How many are swept then. One is added and up to so many go, so that few are ever stale, and a login costs the same
/// however many sessions the user has.
const SWEPT_AT_ONCE: usize = 16;

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

    fn list_name(&self, user_id: &str) -> String {
        self.format.list_name(user_id)
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

    /// Lists a session that is about to be written, if its user's list may not know of it for as long as it lives.
    async fn enlist(&self, key: &SessionKey, record: &mut Record, now: SystemTime) -> Result<(), RedisError> {
        let Some((user, lives)) = record.outlives_its_list(now) else {
            return Ok(());
        };
        let mut command = cmd("EVAL");
        command.arg(ENLIST).arg(1).arg(self.list_name(&user));
        command.arg(key.expose()).arg(micros(record.created) / 1000);
        let lives = u64::try_from(lives.as_millis()).unwrap_or(u64::MAX / 2);
        let entries: usize = self.redis.ask(command.arg(lives)).await?;
        if entries > SWEPT_FROM {
            let random = u64::from_le_bytes(token::random_bytes());
            let first = usize::try_from(random).unwrap_or_default() % (entries - SWEPT_AT_ONCE);
            let some = self.entries(&user, first, Some(first + SWEPT_AT_ONCE)).await?;
            self.living(&user, some, now).await?;
        }
        Ok(())
    }

    /// Takes a session that is gone off its user's list. That it may fail is no harm: lists are swept.
    async fn strike(&self, key: &SessionKey, record: &Record) {
        if let Some(device) = &record.device {
            let _ = self.strike_all(&device.user_id, std::slice::from_ref(key)).await;
        }
    }

    async fn strike_all(&self, user_id: &str, keys: &[SessionKey]) -> Result<(), RedisError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut command = cmd("ZREM");
        command.arg(self.list_name(user_id));
        for key in keys {
            command.arg(key.expose());
        }
        self.redis.ask(&command).await
    }

    /// The entries of a user's list in order of the times at which they were made, which are told; all after the first ones, or those
    /// up to the last.
    async fn entries(
        &self,
        user_id: &str,
        first: usize,
        last: Option<usize>,
    ) -> Result<Vec<(SessionKey, SystemTime)>, RedisError> {
        let mut command = cmd("ZRANGE");
        command.arg(self.list_name(user_id)).arg(first);
        match last {
            Some(last) => command.arg(last),
            None => command.arg(-1),
        };
        command.arg("WITHSCORES");
        let entries: Vec<(String, u64)> = self.redis.ask(&command).await?;
        let entry = |(key, created): (String, u64)| {
            let created = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(created))?;
            Some((SessionKey::parse(&key)?, created))
        };
        Ok(entries.into_iter().filter_map(entry).collect())
    }

    /// Those of a user's sessions that are there, and the list swept of those that are not.
    async fn living(
        &self,
        user_id: &str,
        entries: Vec<(SessionKey, SystemTime)>,
        now: SystemTime,
    ) -> Result<Vec<(SessionKey, Record)>, RedisError> {
        let records = try_join_all(entries.iter().map(|(key, _)| self.read(key))).await?;
        let (mut there, mut stale) = (Vec::new(), Vec::new());
        for ((key, created), record) in entries.into_iter().zip(records) {
            match record {
                Some(record) => there.push((key, record)),
                None if created + ABOUT_TO_BE_WRITTEN < now => stale.push(key),
                None => {}
            }
        }
        self.strike_all(user_id, &stale).await?;
        there.retain(|(_, record)| {
            record
                .device
                .as_ref()
                .is_some_and(|device| device.user_id == user_id)
        });
        Ok(there)
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

    /// Ends a user's sessions but one. Each entry is ended once: a session that moves meanwhile lists its new key before it
    /// gives up the old one, so that whoever found the old one gone finds the new one in the next round.
    async fn end_others(&self, user_id: &str, keep: Option<&SessionKey>) -> Result<usize, RedisError> {
        let mut seen = HashSet::new();
        let mut ended = 0;
        loop {
            let mut entries = self.entries(user_id, 0, None).await?;
            entries.retain(|(key, _)| Some(key) != keep && !seen.contains(key));
            if entries.is_empty() {
                return Ok(ended);
            }
            let there = try_join_all(entries.iter().map(|(key, _)| self.end(key))).await?;
            ended += there.into_iter().filter(|there| *there).count();
            seen.extend(entries.into_iter().map(|(key, _)| key));
        }
    }
}

/// A value under a key that nobody knows yet; it is taken away again unless it stays, whoever gives up and why.
struct Draft<'a, F: Format> {
    sessions: &'a RedisSessions<F>,
    key: &'a SessionKey,
    value: Option<Vec<u8>>,
}

impl<'a, F: Format> Draft<'a, F> {
    fn of(sessions: &'a RedisSessions<F>, key: &'a SessionKey) -> Self {
        Self {
            sessions,
            key,
            value: None,
        }
    }

    /// Notes what is about to be written, and gives what was written before.
    fn is(&mut self, value: Vec<u8>) -> Option<Vec<u8>> {
        self.value.replace(value)
    }

    fn stays(&mut self) {
        self.value = None;
    }

    /// Takes it away now, where somebody waits for the answer.
    async fn goes(&mut self) -> Result<(), RedisError> {
        if let Some(value) = self.value.clone() {
            let name = self.sessions.name(self.key);
            self.sessions.redis.take(&name, &value).await?;
        }
        self.value = None;
        Ok(())
    }
}

impl<F: Format> Drop for Draft<'_, F> {
    fn drop(&mut self) {
        let (Some(value), Ok(runtime)) = (self.value.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (redis, name) = (self.sessions.redis.clone(), self.sessions.name(self.key));
        runtime.spawn(async move {
            // If this fails, too, it expires.
            let _ = redis.within(redis.take(&name, &value)).await;
        });
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
