//! Updates of one session, made in turn, several in one write.
//!
//! A store that compares and swaps is exact however many writers there are, and slow when there are many: of a hundred that
//! have read the same value one writes, and ninety-nine begin again. So the writers of one process stand in line, a line
//! for each session, and whoever is at its head takes what has gathered behind it along. Writers of other processes are met
//! by comparing, as before.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::key::SessionKey;
use super::store::{Merge, StoreError, Stored, Updated};

/// How many updates one write takes along: a longer line should not hold the processor, nor its first wait for its last.
const BATCH: usize = 64;

/// The lines, one for each session that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct UpdateQueue(Arc<Mutex<HashMap<SessionKey, Vec<Waiting>>>>);

/// An update that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiting {
    merge: Merge,
    now: SystemTime,
    answer: oneshot::Sender<Result<Updated, StoreError>>,
    /// What it was told it did, if the write succeeds.
    updated: Updated,
}

impl UpdateQueue {
    /// Stands in line, and has `write` called for all that gathers, if nobody does so already.
    pub(super) async fn update<W, F>(
        &self,
        key: &SessionKey,
        merge: Merge,
        now: SystemTime,
        write: W,
    ) -> Result<Updated, StoreError>
    where
        W: Fn(Batch) -> F + Send + 'static,
        F: Future<Output = (Batch, Result<(), StoreError>)> + Send,
    {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            merge,
            now,
            answer,
            updated: Updated::Gone,
        };
        if self.join(key, waiting) {
            let mut head = Head {
                queue: self.clone(),
                key: key.clone(),
                closed: false,
            };
            // A task of its own: whoever is at the head may go away, and those behind must not.
            tokio::spawn(async move {
                while let Some(batch) = head.next() {
                    let (batch, done) = write(batch).await;
                    batch.answer(&done);
                    tokio::task::yield_now().await;
                }
            });
        }
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("an update of the same session failed")))
    }

    /// Says whether it is the first.
    fn join(&self, key: &SessionKey, waiting: Waiting) -> bool {
        match self.lines().entry(key.clone()) {
            Entry::Occupied(mut line) => {
                line.get_mut().push(waiting);
                false
            }
            Entry::Vacant(place) => {
                place.insert(vec![waiting]);
                true
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<SessionKey, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of a line. Without it, should a merge panic, nobody would ever be called again.
struct Head {
    queue: UpdateQueue,
    key: SessionKey,
    /// Whether the line is closed, and the next one is another's.
    closed: bool,
}

impl Head {
    /// Takes those who are next, or closes the line.
    fn next(&mut self) -> Option<Batch> {
        let mut lines = self.queue.lines();
        let line = lines.get_mut(&self.key)?;
        // Who has stopped waiting was told that nothing is known; let it be that nothing happened.
        line.retain(|waiting| !waiting.answer.is_closed());
        if line.is_empty() {
            lines.remove(&self.key);
            self.closed = true;
            return None;
        }
        let next = line.drain(..line.len().min(BATCH)).collect();
        Some(Batch(next))
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        if !self.closed {
            self.queue.lines().remove(&self.key);
        }
    }
}

/// The updates that one write takes along.
#[derive(Debug)]
pub(super) struct Batch(Vec<Waiting>);

impl Batch {
    /// Merges all of them, one after the other, and gives what is to be written: nothing if each found that the session has
    /// ended.
    pub(super) fn merge(&mut self, mut current: Stored) -> Option<Stored> {
        let mut changed = false;
        for waiting in &mut self.0 {
            waiting.updated = if current.expires > waiting.now {
                current = waiting.merge.apply(&current);
                changed = true;
                Updated::Saved
            } else {
                Updated::Gone
            };
        }
        changed.then_some(current)
    }

    /// Says that there is no session to merge into.
    pub(super) fn gone(&mut self) {
        for waiting in &mut self.0 {
            waiting.updated = Updated::Gone;
        }
    }

    /// The earliest time at which one of them was asked for.
    pub(super) fn now(&self) -> SystemTime {
        let earliest = self.0.iter().map(|waiting| waiting.now).min();
        earliest.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn answer(self, done: &Result<(), StoreError>) {
        for waiting in self.0 {
            let answer = match done {
                Ok(()) => Ok(waiting.updated),
                Err(error) => Err(StoreError::unavailable(reason(error))),
            };
            // Nobody may be waiting any more.
            let _ = waiting.answer.send(answer);
        }
    }
}

fn reason(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
