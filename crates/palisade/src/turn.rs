//! Turns at one thing, such as a session: who would wait for the lock of its row waits here first, without a connection to the database.
//!
//! Whoever has a session can send twenty requests that change it, or end it. Where another holds its row locked (a Django in the midst
//! of a transaction), each of them would wait on a connection of its own, until there is none left and nobody can log in.
//! So a session takes one connection of a process, however many want to change it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Line, OwnedMutexGuard};
use tokio::time::timeout;

/// The lines, one for each thing at which somebody is or waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<String, Arc<Line<()>>>>>);

/// One's turn. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    // Dropped in this order.
    _held: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in a line. The last to leave takes the line away.
#[derive(Debug)]
struct Place {
    turns: Turns,
    at: String,
    /// None once the place is given up.
    line: Option<Arc<Line<()>>>,
}

impl Turns {
    /// Waits for one's turn, so long at most.
    pub(crate) async fn take(&self, at: &str, limit: Duration) -> Option<Turn> {
        let line = Arc::clone(self.lines().entry(at.to_owned()).or_default());
        let place = Place {
            turns: self.clone(),
            at: at.to_owned(),
            line: Some(Arc::clone(&line)),
        };
        let held = timeout(limit, line.lock_owned()).await.ok()?;
        Some(Turn {
            _held: held,
            _place: place,
        })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Arc<Line<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        // Places are made and given up while the table is locked, so the last one leaves the table's alone.
        drop(self.line.take());
        if lines
            .get(&self.at)
            .is_some_and(|line| Arc::strong_count(line) == 1)
        {
            lines.remove(&self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn one_at_a_time_and_nobody_waits_longer_than_told() {
        let turns = Turns::default();
        let first = turns.take("a", LONG).await.unwrap();
        assert!(turns.take("a", Duration::ZERO).await.is_none());
        assert!(turns.take("b", Duration::ZERO).await.is_some(), "another's");
        drop(first);
        assert!(turns.take("a", Duration::ZERO).await.is_some());
    }

    #[tokio::test]
    async fn no_line_is_left_when_all_have_gone() {
        let turns = Turns::default();
        let first = turns.take("a", LONG).await.unwrap();
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take("a", LONG).await.is_some() }
        });
        assert!(turns.take("a", Duration::ZERO).await.is_none());
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(turns.lines().is_empty());
    }
}
