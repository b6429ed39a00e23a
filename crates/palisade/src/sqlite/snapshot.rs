//! Reads that belong together, in one read transaction: one consistent view, and one lock for all.
//!
//! A reader takes and gives back a lock of the file, by two system calls during which SQLite stops the process's other
//! readers at this point: measured, half of what a look-up by key costs. A request that reads its session and then its
//! user pays that once.
//!
//! The transaction never outlives the poll that began it, so it neither moves to another thread nor keeps the log from
//! being written back, and it ends before a write is queued, so that whoever writes reads what was written.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use rusqlite::Connection;

use super::seat;

thread_local! {
    /// Whether a poll with a snapshot is under way.
    static OPEN: Cell<bool> = const { Cell::new(false) };
}

/// Lets all reads of each poll of `future` see the same state of a database.
pub(crate) fn in_one_snapshot<F: Future>(future: F) -> InOneSnapshot<F> {
    InOneSnapshot { future }
}

pin_project! {
    /// A future whose reads see one state.
    pub(crate) struct InOneSnapshot<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InOneSnapshot<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _scope = Scope::open();
        self.project().future.poll(context)
    }
}

/// Begins the snapshot on a connection, if one is asked for and not begun.
pub(super) fn join(connection: &Connection) -> rusqlite::Result<()> {
    if OPEN.get() && connection.is_autocommit() {
        connection.prepare_cached("BEGIN")?.execute([])?;
    }
    Ok(())
}

/// Ends the snapshots of this thread; the next read begins another.
pub(super) fn end() {
    if OPEN.get() {
        seat::for_each(|connection| {
            connection.is_autocommit()
                || connection
                    .prepare_cached("COMMIT")
                    .and_then(|mut commit| commit.execute([]))
                    .is_ok()
        });
    }
}

/// The time of one poll; one within another changes nothing.
struct Scope {
    outermost: bool,
}

impl Scope {
    fn open() -> Self {
        Self {
            outermost: !OPEN.replace(true),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.outermost {
            end();
            OPEN.set(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sqlite::{Sqlite, SqliteError, in_one_snapshot};

    async fn add(db: &Sqlite) {
        db.write(|writer| -> Result<(), SqliteError> {
            writer.execute("INSERT INTO note DEFAULT VALUES", [])?;
            Ok(())
        })
        .await
        .unwrap();
    }

    fn count(db: &Sqlite) -> i64 {
        let rows = db.read(|reader| reader.one("SELECT count(*) FROM note", [], |row| row.get(0)));
        rows.unwrap().unwrap()
    }

    async fn notes() -> Sqlite {
        let db = Sqlite::in_memory().unwrap();
        db.write(|writer| -> Result<(), SqliteError> {
            writer.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)", [])?;
            Ok(())
        })
        .await
        .unwrap();
        db
    }

    #[tokio::test]
    async fn reads_of_one_poll_see_one_state_and_those_afterwards_the_newest() {
        let db = notes().await;
        let (seen, other) = (db.clone(), db.clone());
        let runtime = tokio::runtime::Handle::current();
        in_one_snapshot(async move {
            assert_eq!(count(&seen), 0);
            std::thread::spawn(move || runtime.block_on(add(&other)))
                .join()
                .unwrap();
            assert_eq!(count(&seen), 0, "the same poll");
            tokio::task::yield_now().await;
            assert_eq!(count(&seen), 1, "the next poll");
        })
        .await;
        assert_eq!(count(&db), 1);
    }

    #[tokio::test]
    async fn whoever_writes_reads_what_was_written() {
        let db = notes().await;
        in_one_snapshot(async {
            for written in 0..20 {
                assert_eq!(count(&db), written);
                add(&db).await;
            }
            assert_eq!(count(&db), 20);
        })
        .await;
    }

    #[tokio::test]
    async fn snapshot_ends_with_its_poll() {
        let db = notes().await;
        let seen = db.clone();
        in_one_snapshot(async { assert_eq!(count(&seen), 0) }).await;
        add(&db).await;
        assert_eq!(count(&db), 1);
    }
}
