//! Holds the lock that reading needs, so that hardly any read has to take it.
//!
//! A read of SQLite's takes a shared lock of the log and gives it back, by a system call each, and during these calls
//! the process's other readers wait in line: measured on two cores, a sixth of what a page for a logged-in user costs,
//! half of it for threads put to sleep and woken. But where one connection of a process holds the lock, the others only count
//! themselves in and out. This is that connection.
//!
//! Nothing else changes: each read is still a transaction of its own and sees what was committed last, by whomever.
//!
//! A lock that is always held would keep the log from ever beginning anew. So the keeper stands aside while our writer
//! writes, leaves when nobody has read for a [`TICK`], and leaves one tick in [`ROUND`] in any case: that is when another
//! process, such as the Django beside us, gets to start its log afresh.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use rusqlite::Connection;

use super::SqliteError;
use super::queue::run;

/// How old the keeper's view of the log may be; a newer one costs readers nothing, an old one delays checkpoints.
const TICK: Duration = Duration::from_millis(100);

/// Of so many ticks the keeper is away for one.
const ROUND: u32 = 10;

/// Nobody reads: the keeper sleeps until it is woken.
const IDLE: u8 = 0;
/// Nobody has read since the tick began.
const QUIET: u8 = 1;
/// Somebody has.
const READING: u8 = 2;

/// Whether there are reads that a keeper would help.
#[derive(Clone)]
pub(super) struct Demand(Arc<Shared>);

impl Demand {
    /// Says that there are reads; costs next to nothing, and wakes the keeper if it sleeps.
    pub(super) fn notice(&self) {
        let seen = self.0.demand.load(Ordering::Relaxed);
        if seen != READING && self.0.demand_becomes(seen, READING) && seen == IDLE {
            self.0.wake();
        }
    }

    #[cfg(test)]
    pub(super) fn is_kept(&self) -> bool {
        self.0.lock().held
    }
}

/// The keeper, owned by the writer; its end closes the connection.
pub(super) struct Keeper(Arc<Shared>);

struct Shared {
    demand: AtomicU8,
    thread: OnceLock<Thread>,
    lock: Mutex<Lock>,
}

impl Keeper {
    pub(super) fn start(connection: Connection) -> Result<Self, SqliteError> {
        let shared = Arc::new(Shared {
            demand: AtomicU8::new(IDLE),
            thread: OnceLock::new(),
            lock: Mutex::new(Lock {
                connection: Some(connection),
                held: false,
            }),
        });
        let kept = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("palisade-keeper".into())
            .spawn(move || kept.keep())
            .map_err(SqliteError::NoThread)?;
        shared.thread.get_or_init(|| thread.thread().clone());
        Ok(Self(shared))
    }

    pub(super) fn demand(&self) -> Demand {
        Demand(Arc::clone(&self.0))
    }

    /// Stands aside until the answer is dropped.
    pub(super) fn stand_aside(&self) -> Aside<'_> {
        let mut lock = self.0.lock();
        let held = lock.held;
        lock.release();
        Aside { lock, held }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.lock().close();
        self.0.wake();
    }
}

/// The time in which the keeper stands aside.
pub(super) struct Aside<'k> {
    lock: MutexGuard<'k, Lock>,
    held: bool,
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        if self.held {
            self.lock.hold();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn demand_becomes(&self, old: u8, new: u8) -> bool {
        self.demand
            .compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// The thread's work, until the connection is gone.
    fn keep(&self) {
        let mut tick = 0;
        while self.lock().connection.is_some() {
            if self.demand_becomes(QUIET, IDLE) || self.demand.load(Ordering::Relaxed) == IDLE {
                self.lock().release();
                std::thread::park();
                continue;
            }
            self.demand.store(QUIET, Ordering::Relaxed);
            tick += 1;
            if tick % ROUND == 0 {
                self.lock().release();
            } else {
                self.lock().hold();
            }
            std::thread::park_timeout(TICK);
        }
    }
}

/// The connection whose open transaction is the lock.
struct Lock {
    connection: Option<Connection>,
    held: bool,
}

impl Lock {
    /// Holds the log as it is now.
    fn hold(&mut self) {
        self.release();
        if let Some(connection) = &self.connection {
            let begun = run(connection, "BEGIN").and_then(|()| {
                let mut first = connection.prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?;
                first.exists([])
            });
            if let Err(error) = begun {
                // Readers then take the lock themselves, as they would without us.
                tracing::debug!(%error, "the lock on the database's log is not kept");
            }
            self.held = !connection.is_autocommit();
        }
    }

    fn release(&mut self) {
        if let Some(connection) = &self.connection
            && self.held
            && let Err(error) = run(connection, "COMMIT")
        {
            tracing::warn!(%error, "the lock on the database's log could not be given back; its connection is closed");
            self.close();
        }
        self.held = false;
    }

    fn close(&mut self) {
        self.connection = None;
        self.held = false;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::Connection;

    use crate::sqlite::{Sqlite, SqliteError, Writer, params};

    fn notes() -> Sqlite {
        let db = Sqlite::in_memory().unwrap();
        db.0.connect_to_write()
            .unwrap()
            .execute_batch("CREATE TABLE note (body BLOB NOT NULL)")
            .unwrap();
        db
    }

    fn count(db: &Sqlite) -> i64 {
        let rows = db.read(|reader| reader.one("SELECT count(*) FROM note", [], |row| row.get(0)));
        rows.unwrap().unwrap()
    }

    /// A page and more, so that the log grows fast.
    fn add(writer: &Writer<'_>) -> Result<(), SqliteError> {
        writer.execute("INSERT INTO note VALUES (zeroblob(8192))", params![])?;
        Ok(())
    }

    fn read_until(db: &Sqlite, kept: bool) {
        while db.0.demand().is_kept() != kept {
            count(db);
        }
    }

    fn log(db: &Sqlite) -> PathBuf {
        let mut log = db.path().as_os_str().to_owned();
        log.push("-wal");
        log.into()
    }

    /// The salt of the log's header, which is new with each beginning of the log.
    fn beginning(db: &Sqlite) -> Option<Vec<u8>> {
        std::fs::read(log(db)).unwrap().get(16..24).map(<[u8]>::to_vec)
    }

    #[test]
    fn who_reads_is_kept_and_who_stops_is_not() {
        let db = notes();
        assert!(!db.0.demand().is_kept());
        read_until(&db, true);
        while db.0.demand().is_kept() {
            std::thread::yield_now();
        }
        read_until(&db, true);
    }

    #[test]
    fn what_another_process_commits_is_seen_at_once() {
        let db = notes();
        let django = Connection::open(db.path()).unwrap();
        for written in 1..200 {
            if written % 20 == 0 {
                read_until(&db, true);
            }
            django
                .execute_batch("INSERT INTO note VALUES (zeroblob(10))")
                .unwrap();
            assert_eq!(count(&db), written);
        }
    }

    #[tokio::test]
    async fn our_own_log_begins_anew_although_somebody_always_reads() {
        let db = notes();
        read_until(&db, true);
        for _ in 0..2_000 {
            db.write(add).await.unwrap();
            count(&db);
        }
        // Written were 24 MB; SQLite writes the log back every 4.
        let size = std::fs::metadata(log(&db)).unwrap().len();
        assert!(size < 10_000_000, "{size}");
    }

    #[test]
    fn the_log_of_another_process_begins_anew_although_somebody_always_reads() {
        let db = notes();
        let django = Connection::open(db.path()).unwrap();
        // More than SQLite writes back at once, so that each commit tries to write back all of it.
        let write = || {
            django
                .execute_batch("INSERT INTO note VALUES (zeroblob(5000000))")
                .unwrap();
        };
        read_until(&db, true);
        write();
        let began = beginning(&db);
        // Several pauses, in case one is over before the writes are.
        let anew = (0..20).any(|_| {
            let away = (0..10_000_000).any(|_| {
                count(&db);
                !db.0.demand().is_kept()
            });
            assert!(away, "a keeper without pauses");
            write();
            write();
            beginning(&db) != began
        });
        assert!(anew);
    }

    #[tokio::test]
    async fn a_closed_database_is_not_kept() {
        let db = notes();
        read_until(&db, true);
        db.close().await.unwrap();
        assert!(!db.0.demand().is_kept());
        assert_eq!(std::fs::metadata(log(&db)).unwrap().len(), 0);
    }
}
