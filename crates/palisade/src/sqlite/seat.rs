//! Each thread's own reading connections.
//!
//! A thread keeps a seat for each of the few databases it read last, the database remembers all seats given out: so
//! the thread's end closes its connections, the database's end closes those of all threads, and neither leaks.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rusqlite::Connection;

use super::SqliteError;
use super::open::Database;

/// Every so many reads of a thread the keeper is told that there are some: one read now and then is not worth waking it.
const READS_WORTH_KEEPING: u32 = 16;

/// How many databases a thread keeps connections to; opening one more closes the one longest unused.
const DATABASES_PER_THREAD: usize = 8;

/// A place for one connection of one thread; empty while it is in use, and for ever once the database is gone.
type Seat = Mutex<Option<Connection>>;

thread_local! {
    /// The seats of this thread with the ids of their databases, the last used first.
    static SEATS: RefCell<Vec<(u64, Arc<Seat>)>> = const { RefCell::new(Vec::new()) };

    /// How often this thread has read, whatever the database.
    static READS: Cell<u32> = const { Cell::new(0) };
}

/// All seats that were given out for one database.
#[derive(Default)]
pub(super) struct Seats(Mutex<Vec<Weak<Seat>>>);

impl Seats {
    fn add(&self, seat: &Arc<Seat>) {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(seat));
    }

    /// Counts the connections that are open and not in use.
    #[cfg(test)]
    pub(super) fn open_connections(&self) -> usize {
        let seats = self.0.lock().unwrap();
        seats
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|seat| seat.lock().unwrap().is_some())
            .count()
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        let seats = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for seat in seats.iter().filter_map(Weak::upgrade) {
            drop(seat.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// Lends this thread's connection to `database`, opening it at the first use.
///
/// A read within a read finds the seat empty and gets a connection of its own for that while.
pub(super) fn with_connection<R>(
    database: &Database,
    use_it: impl FnOnce(&Connection) -> Result<R, SqliteError>,
) -> Result<R, SqliteError> {
    let seat = SEATS
        .try_with(|seats| seat_for(database, &mut seats.borrow_mut()))
        .unwrap_or_default();
    let seated = seat.lock().unwrap_or_else(PoisonError::into_inner).take();
    let loan = Loan {
        connection: Some(match seated {
            Some(connection) => connection,
            None => database.connect_to_read()?,
        }),
        seat: &seat,
    };
    match &loan.connection {
        Some(connection) => {
            count(database);
            use_it(connection)
        }
        None => Err(SqliteError::Closed),
    }
}

fn count(database: &Database) {
    let reads = READS.try_with(|reads| reads.replace(reads.get().wrapping_add(1)));
    if reads.is_ok_and(|reads| reads % READS_WORTH_KEEPING == 0) {
        database.demand().notice();
    }
}

fn seat_for(database: &Database, seats: &mut Vec<(u64, Arc<Seat>)>) -> Arc<Seat> {
    match seats.iter().position(|(id, _)| *id == database.id()) {
        Some(0) => {}
        Some(place) => {
            if let Some(used) = seats.get_mut(..=place) {
                used.rotate_right(1);
            }
        }
        None => {
            let seat = Arc::default();
            database.seats().add(&seat);
            seats.insert(0, (database.id(), seat));
            seats.truncate(DATABASES_PER_THREAD);
        }
    }
    seats
        .first()
        .map(|(_, seat)| Arc::clone(seat))
        .unwrap_or_default()
}

/// Puts the connection back when the reading ends, also by a panic.
struct Loan<'s> {
    connection: Option<Connection>,
    seat: &'s Seat,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = self.connection.take();
    }
}
