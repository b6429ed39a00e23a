//! Read, merge and write as one step: the value is written only if what it was made of is still there.
//!
//! Redis runs a script alone. So a script that compares before it writes loses nothing of another writer's and writes
//! nothing over a deletion, on one server as in a cluster, and without a lock that somebody who died could have left behind.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::redis::{Value, cmd};

use super::{Redis, RedisError};

/// `KEYS[1]` becomes `ARGV[2]` with the life `ARGV[3]` `ARGV[4]` if it still is `ARGV[1]`; else it is told what it is now.
const SWAP: &str = "local now = redis.call('GET', KEYS[1])
if not now then return 0 end
if now ~= ARGV[1] then return now end
redis.call('SET', KEYS[1], ARGV[2], ARGV[3], ARGV[4])
return 1";

/// `KEYS[1]` is deleted if it still is `ARGV[1]`; else it is told what it is now.
const TAKE: &str = "local now = redis.call('GET', KEYS[1])
if not now then return 0 end
if now ~= ARGV[1] then return now end
redis.call('DEL', KEYS[1])
return 1";

/// `KEYS[1]` is deleted, and what it was is told.
const POP: &str = "local was = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return was";

/// What `KEYS[1]` is, and when it ends, in milliseconds after 1970 by the server's clock: -1 if never.
const VALUE_WITH_END: &str = "local now = redis.call('GET', KEYS[1])
if not now then return false end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then return {now, -1} end
local time = redis.call('TIME')
return {now, time[1] * 1000 + math.floor(time[2] / 1000) + left}";

/// What stands under a key.
#[derive(Debug)]
pub(crate) struct Held {
    /// The value.
    pub(crate) value: Vec<u8>,
    /// When its key ends, if that was asked for and is so.
    pub(crate) ends: Option<SystemTime>,
}

/// How long a value is to stay.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Life {
    /// So long, whatever the server's clock says.
    For(Duration),
    /// Until then, by the server's clock.
    Until(SystemTime),
}

impl Life {
    /// The words for it: never in the past, which some commands refuse.
    fn words(self) -> (&'static str, u64) {
        match self {
            Self::For(length) => ("PX", millis(length)),
            Self::Until(end) => ("PXAT", millis(end.duration_since(UNIX_EPOCH).unwrap_or_default())),
        }
    }
}

/// What became of a write that was to happen only if nothing had changed.
#[derive(Debug)]
pub(crate) enum Swapped {
    /// It is done.
    Done,
    /// There is nothing under the key.
    Gone,
    /// Something else is there by now, and nothing is written.
    Changed(Vec<u8>),
}

impl Redis {
    /// Reads a value.
    pub(crate) async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(cmd("GET").arg(key)).await
    }

    /// Reads a value with its end.
    pub(crate) async fn value_with_end(&self, key: &str) -> Result<Option<Held>, RedisError> {
        let held: Option<(Vec<u8>, i64)> = self.ask(cmd("EVAL").arg(VALUE_WITH_END).arg(1).arg(key)).await?;
        Ok(held.map(|(value, ends)| {
            let ends = u64::try_from(ends).ok().map(Duration::from_millis);
            Held {
                value,
                ends: ends.and_then(|ends| UNIX_EPOCH.checked_add(ends)),
            }
        }))
    }

    /// Writes a value under a key that must be free.
    pub(crate) async fn add(&self, key: &str, value: &[u8], life: Life) -> Result<(), RedisError> {
        let mut command = cmd("SET");
        let (unit, length) = life.words();
        command.arg(key).arg(value).arg("NX").arg(unit).arg(length);
        match self.ask(&command).await? {
            Value::Nil => Err(RedisError::Taken),
            _ => Ok(()),
        }
    }

    /// Writes a value, whatever is there.
    pub(crate) async fn put(&self, key: &str, value: &[u8], life: Life) -> Result<(), RedisError> {
        let (unit, length) = life.words();
        let mut command = cmd("SET");
        self.ask(command.arg(key).arg(value).arg(unit).arg(length)).await
    }

    /// Replaces a value by another, if it is still there and the same.
    pub(crate) async fn swap(
        &self,
        key: &str,
        old: &[u8],
        new: &[u8],
        life: Life,
    ) -> Result<Swapped, RedisError> {
        let mut command = cmd("EVAL");
        let (unit, length) = life.words();
        command.arg(SWAP).arg(1).arg(key).arg(old).arg(new);
        command.arg(unit).arg(length);
        swapped(self.ask(&command).await?)
    }

    /// Deletes a value, if it is still there and the same.
    pub(crate) async fn take(&self, key: &str, old: &[u8]) -> Result<Swapped, RedisError> {
        let mut command = cmd("EVAL");
        command.arg(TAKE).arg(1).arg(key).arg(old);
        swapped(self.ask(&command).await?)
    }

    /// Deletes a value, and gives what it was.
    pub(crate) async fn pop(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(cmd("EVAL").arg(POP).arg(1).arg(key)).await
    }
}

fn swapped(answer: Value) -> Result<Swapped, RedisError> {
    match answer {
        Value::Int(1) => Ok(Swapped::Done),
        Value::Int(_) => Ok(Swapped::Gone),
        Value::BulkString(now) => Ok(Swapped::Changed(now)),
        _ => Err(RedisError::Foreign("not a text".into())),
    }
}

/// A life in the unit of Redis: never none, which Redis refuses.
fn millis(lives: Duration) -> u64 {
    u64::try_from(lives.as_millis()).unwrap_or(u64::MAX / 2).max(1)
}
