//! How much of a multipart body lies in memory while it is read: no more than its place in the site's room, and no head without an end.
//!
//! The multipart reader holds what it was given until it has found what it looks for. Where that never comes (the end of a part's head, the
//! first boundary), it would hold the whole body; so nothing more is given after [`MOST_UNREAD`] bytes of which it made nothing.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::FormRejection;
use crate::csrf::{Place, Room};

/// What the multipart reader is given at once.
pub(super) const PIECE: usize = 128 * 1024;
/// As much as it is given while it makes nothing of it. A head may begin at the end of a piece.
const MOST_UNREAD: usize = 2 * PIECE;
/// What is gathered for the next piece, and what the reader holds.
const MOST_AT_ONCE: usize = MOST_UNREAD + 2 * PIECE;

/// What one body holds.
#[derive(Debug)]
pub(super) struct Held {
    room: Room,
    place: Mutex<Place>,
    arrived: AtomicUsize,
    values: AtomicUsize,
    unread: AtomicUsize,
}

/// Why no more of a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the forms that are being read take all the memory they may")]
    NoRoom,
    #[error("a part's head has no end")]
    NoEnd,
}

impl Refused {
    /// Finds it among what an error came of.
    pub(super) fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| error.source())
            .find_map(|error| error.downcast_ref::<Self>().copied())
    }
}

impl From<Refused> for FormRejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoRoom => Self::NoRoom,
            Refused::NoEnd => {
                Self::MalformedMultipart("a part is not begun, or its headers are too long".into())
            }
        }
    }
}

impl Held {
    pub(super) fn within(room: Room) -> Arc<Self> {
        Arc::new(Self {
            room,
            place: Mutex::default(),
            arrived: AtomicUsize::new(0),
            values: AtomicUsize::new(0),
            unread: AtomicUsize::new(0),
        })
    }

    /// So many bytes have come from the client.
    pub(super) fn arrive(&self, bytes: usize) -> Result<(), Refused> {
        self.arrived.fetch_add(bytes, Relaxed);
        self.widen()
    }

    /// So many bytes are a value, which is held until the form is read.
    pub(super) fn keep(&self, bytes: usize) -> Result<(), Refused> {
        self.values.fetch_add(bytes, Relaxed);
        self.widen()
    }

    /// So many bytes go to the reader.
    pub(super) fn give(&self, bytes: usize) -> Result<(), Refused> {
        let before = self.unread.fetch_add(bytes, Relaxed);
        if before < MOST_UNREAD {
            Ok(())
        } else {
            Err(Refused::NoEnd)
        }
    }

    /// The reader has made something of what it was given.
    pub(super) fn progress(&self) {
        self.unread.store(0, Relaxed);
    }

    fn widen(&self) -> Result<(), Refused> {
        let on_its_way = self.arrived.load(Relaxed).min(MOST_AT_ONCE);
        let needed = on_its_way.saturating_add(self.values.load(Relaxed));
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.room.widen(&mut place, needed).map_err(|_| Refused::NoRoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_more_is_given_to_who_makes_nothing_of_it() {
        let held = Held::within(Room::for_forms_of(1000));
        for _ in 0..10 {
            held.give(PIECE).unwrap();
            held.give(PIECE).unwrap();
            held.progress();
        }
        held.give(PIECE).unwrap();
        held.give(PIECE).unwrap();
        assert_eq!(held.give(1), Err(Refused::NoEnd));
    }

    #[test]
    fn slow_uploads_together_hold_no_more_than_the_room() {
        let room = Room::for_forms_of(1000);
        let full: Vec<Arc<Held>> = (0..512).map(|_| Held::within(room.clone())).collect();
        // What is beyond a small form counts: a few more than 512 find a place.
        let taken = full
            .iter()
            .filter(|held| held.arrive(MOST_AT_ONCE).is_ok())
            .count();
        assert_eq!(taken, 512);
        let more: Vec<Arc<Held>> = (0..64).map(|_| Held::within(room.clone())).collect();
        let taken = more
            .iter()
            .filter(|held| held.arrive(100_000_000).is_ok())
            .count();
        assert!(taken < 32, "{taken}");
        Held::within(room.clone()).arrive(16 * 1024).unwrap();
        drop((full, more));
        Held::within(room).arrive(MOST_AT_ONCE).unwrap();
    }
}
