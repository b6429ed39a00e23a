//! How much memory the forms that are being read may take together.
//!
//! One form is bounded by `data_upload_max_memory_size`, but a client has a hundred streams on each of its connections, and
//! may be slow on all of them: one address held gigabytes. So what is beyond a small form takes its place from one room,
//! for as long as the request lasts, and where there is none the client is told to come back (CWE-770).

use std::sync::Arc;

use palisade_core::Threat;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::rejection::Rejection;

/// A form of this size needs no place: a login is never kept out by those who fill the room.
const SMALL: usize = 16 * 1024;
/// The room, in [`UNIT`]s: 256 MiB.
const UNITS: usize = 256 * 1024;
const UNIT: usize = 1024;

/// The room of one site.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// What one request holds of it: an extension of the request, given back with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Option<Arc<OwnedSemaphorePermit>>);

impl Room {
    /// Makes the room of a site whose forms have at most so many bytes; the largest fits in any case.
    pub(crate) fn for_forms_of(bytes: usize) -> Self {
        let units = UNITS.max(bytes.div_ceil(UNIT)).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(units)))
    }

    /// Makes the place fit for so many bytes.
    pub(crate) fn widen(&self, place: &mut Place, bytes: usize) -> Result<(), Rejection> {
        let needed = bytes.saturating_sub(SMALL).div_ceil(UNIT);
        let held = place.0.as_ref().map_or(0, |held| held.num_permits());
        let Some(more) = needed.checked_sub(held).filter(|more| *more > 0) else {
            return Ok(());
        };
        let more = u32::try_from(more).map_err(|_| full())?;
        let mut wider = Arc::clone(&self.0)
            .try_acquire_many_owned(more)
            .map_err(|_| full())?;
        // Nobody else has this place yet.
        if let Some(held) = place.0.take().and_then(Arc::into_inner) {
            wider.merge(held);
        }
        place.0 = Some(Arc::new(wider));
        Ok(())
    }
}

/// What a client is told for whom there is no room.
pub(crate) fn full() -> Rejection {
    Rejection::unavailable("the forms that are being read take all the memory they may", 2)
        .with_threat(Threat::ResourceExhaustion)
        .with_hint("Many large forms are being sent right now. Please try again in a moment.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_clients_together_hold_no_more_than_the_room() {
        let size = 2_621_440;
        let room = Room::for_forms_of(size);
        let mut places = Vec::new();
        let refused = loop {
            let mut place = Place::default();
            // As it comes: in pieces.
            let widened = (1..=160).try_for_each(|piece| room.widen(&mut place, size / 160 * piece));
            places.push(place);
            if let Err(refused) = widened {
                break refused;
            }
        };
        assert_eq!(refused.status(), 503);
        assert!((100..=110).contains(&places.len()), "{}", places.len());
        room.widen(&mut Place::default(), SMALL).unwrap();
        drop(places);
        assert_eq!(room.0.available_permits(), UNITS, "all is given back");
    }
}
