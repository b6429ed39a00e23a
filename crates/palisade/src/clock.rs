//! The one source of time.
//!
//! Expiry, signatures and throttles all ask a [`Clock`] that is handed to them. A test moves that clock instead of
//! sleeping, and nothing in the library can be fooled by a second, forgotten way to ask for the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Tells the time, of the machine or of a test.
///
/// Clones share the same time, so a test keeps one and moves it for all.
///
/// # Example
///
/// ```
/// use palisade::clock::Clock;
/// use std::time::{Duration, SystemTime};
///
/// let clock = Clock::fixed(SystemTime::UNIX_EPOCH);
/// let seen_by_the_store = clock.clone();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(seen_by_the_store.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Arc<Mutex<SystemTime>>>,
}

impl Clock {
    /// Reads the machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Stands still at `at` until it is moved.
    pub fn fixed(at: SystemTime) -> Self {
        Self {
            fixed: Some(Arc::new(Mutex::new(at))),
        }
    }

    /// Tells what time it is.
    pub fn now(&self) -> SystemTime {
        match &self.fixed {
            None => SystemTime::now(),
            Some(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock forward; the machine's clock goes its own way and is not changed.
    pub fn advance(&self, by: Duration) {
        if let Some(time) = &self.fixed {
            *time.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// Sets a fixed clock to `to`, also backwards; the machine's clock is not changed.
    pub fn set(&self, to: SystemTime) {
        if let Some(time) = &self.fixed {
            *time.lock().unwrap_or_else(PoisonError::into_inner) = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_clock_moves_for_every_clone() {
        let clock = Clock::fixed(SystemTime::UNIX_EPOCH);
        let other = clock.clone();
        other.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        clock.set(SystemTime::UNIX_EPOCH);
        assert_eq!(other.now(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn system_clock_cannot_be_moved() {
        let clock = Clock::system();
        clock.advance(Duration::from_hours(24));
        clock.set(SystemTime::UNIX_EPOCH);
        assert!(clock.now() < SystemTime::now() + Duration::from_mins(1));
        assert!(clock.now() > SystemTime::UNIX_EPOCH + Duration::from_hours(24));
    }
}
