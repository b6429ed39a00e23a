//! A user's list: whose sessions there are stands in a sorted set for each user.
//!
//! It says no more than where to look: an entry without its session is left out, and swept out by whoever meets it.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use ::redis::cmd;
use futures_util::future::try_join_all;
use palisade_core::token;

use super::{Format, Record, RedisSessions};
use crate::redis::RedisError;
use crate::session::key::SessionKey;
use crate::session::whose::micros;

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

impl<F: Format> RedisSessions<F> {
    fn list_name(&self, user_id: &str) -> String {
        self.format.list_name(user_id)
    }

    /// Lists a session that is about to be written, if its user's list may not know of it for as long as it lives.
    pub(super) async fn enlist(
        &self,
        key: &SessionKey,
        record: &mut Record,
        now: SystemTime,
    ) -> Result<(), RedisError> {
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
    pub(super) async fn strike(&self, key: &SessionKey, record: &Record) {
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
    pub(super) async fn entries(
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
    pub(super) async fn living(
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

    /// Ends a user's sessions but one. Each entry is ended once: a session that moves meanwhile lists its new key before it
    /// gives up the old one, so that whoever found the old one gone finds the new one in the next round.
    pub(super) async fn end_others(
        &self,
        user_id: &str,
        keep: Option<&SessionKey>,
    ) -> Result<usize, RedisError> {
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
