//! Counts in this process: for a site that is one process, and until another store is given.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::throttle::Tally;

use super::bucket::Bucket;
use super::store::{Counted, ThrottleStore, ThrottleStoreError};

/// From so many counts on, those that have expired are looked for.
const SWEPT_FROM: usize = 1024;

/// Keeps counts in this process. They are gone when it ends, and other processes do not see them.
///
/// # Security
///
/// A count takes about a hundred bytes. There can be no more than a million of each kind and scope ([`Bucket`]); nothing is
/// ever dropped to make room, so that a flood pushes nobody's count out.
#[derive(Default)]
pub struct MemoryThrottle(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    counts: HashMap<Bucket, Counted>,
    swept_at: usize,
}

impl MemoryThrottle {
    /// Begins with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many counts there are, those that have expired and are not swept yet among them.
    pub fn count(&self) -> usize {
        self.lock().counts.len()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Drops what has expired, each time that there are twice as many as were left.
    fn sweep(&mut self, now: SystemTime) {
        if self.counts.len() >= self.swept_at.max(SWEPT_FROM) {
            self.counts.retain(|_, counted| counted.expires > now);
            self.swept_at = self.counts.len() * 2;
        }
    }
}

impl fmt::Debug for MemoryThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryThrottle")
    }
}

impl ThrottleStore for MemoryThrottle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        ready(Ok(self.lock().counts.get(bucket).copied())).boxed()
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        let mut memory = self.lock();
        let is_old = memory.counts.get(bucket).map(|held| held.tally) == old;
        if is_old {
            match new {
                Some(new) => {
                    memory.sweep(now);
                    memory.counts.insert(*bucket, new);
                }
                None => drop(memory.counts.remove(bucket)),
            }
        }
        ready(Ok(is_old)).boxed()
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        let memory = self.lock();
        let waiting = memory.counts.iter().filter(|(_, counted)| counted.until > now);
        let mut waiting: Vec<_> = waiting.map(|(bucket, counted)| (*bucket, *counted)).collect();
        waiting.sort_by_key(|(bucket, counted)| (std::cmp::Reverse(counted.until), *bucket));
        waiting.truncate(at_most);
        ready(Ok(waiting)).boxed()
    }
}
