//! When a session ends: Django's `_session_expiry`, the cookie's age where it is absent, and what is written for it.
//!
//! Django stores a number of seconds (sliding from each save), `0` (until the browser closes), or a point in time as an
//! ISO 8601 text (absolute). Everything here is a pure function of the data, the time of the last change and two settings.

use std::time::{Duration, SystemTime};

use super::SessionData;
use crate::moment::Moment;

pub use self::stored::{Age, StoredExpiry};

mod stored;

/// A number of seconds that is no time any more, where it has a fraction.
const LONGEST: f64 = 1e12;

/// The session key that holds a session's own expiry.
pub const EXPIRY_KEY: &str = "_session_expiry";

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Whole seconds from the last change to the end, rounded down; negative where it has passed. The cookie's Max-Age.
    pub age: i64,
    /// The end itself: the row's `expire_date`.
    pub date: SystemTime,
    /// Whether the cookie is to go with the browser. The row still ends at `date`.
    pub at_browser_close: bool,
}

/// What a session's expiry can be set to: the arguments of Django's `set_expiry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionExpiry {
    /// What the settings say: `None`.
    Default,
    /// When the browser closes: `0`.
    AtBrowserClose,
    /// So many seconds after each save: an integer. Zero means [`AtBrowserClose`](Self::AtBrowserClose).
    Sliding(i64),
    /// At a point in time: a `datetime`.
    At(SystemTime),
    /// At the point in time that is so far from now: a `timedelta`.
    In(Duration),
}

/// Says when a session ends that was last changed at `modified`.
///
/// `cookie_age` is `SESSION_COOKIE_AGE` and `browser_close_default` is `SESSION_EXPIRE_AT_BROWSER_CLOSE`. An ISO text
/// without an offset is read as UTC.
///
/// # Security
///
/// A value that nobody can read, where Django would answer 500, makes a session that has ended: `age` zero.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::session::{SessionData, expiry};
///
/// let two_weeks = Duration::from_secs(1_209_600);
/// let end = expiry(&SessionData::new(), SystemTime::UNIX_EPOCH, two_weeks, false);
/// assert_eq!((end.age, end.at_browser_close), (1_209_600, false));
/// ```
pub fn expiry(
    data: &SessionData,
    modified: SystemTime,
    cookie_age: Duration,
    browser_close_default: bool,
) -> Expiry {
    let from = Moment::utc(modified);
    let stored = StoredExpiry::of(data);
    let default = match cookie_age.subsec_nanos() {
        0 => Age::Whole(i64::try_from(cookie_age.as_secs()).unwrap_or(i64::MAX)),
        _ => Age::Fractional(cookie_age.as_secs_f64()),
    };
    let ended = Expiry {
        age: 0,
        date: from.system_time(),
        at_browser_close: false,
    };
    let is_readable = match stored {
        StoredExpiry::Absent => data.raw(EXPIRY_KEY).is_none_or(|raw| raw == "null"),
        StoredExpiry::Seconds(Age::Fractional(seconds)) => seconds.abs() < LONGEST,
        _ => true,
    };
    let (age, date) = match (stored.age(from, default), stored.date(from, default)) {
        (Ok(age), Ok(date)) if is_readable => (age, date),
        _ => return ended,
    };
    Expiry {
        age: age.whole_seconds(),
        date: date.system_time(),
        at_browser_close: stored.is_at_browser_close(browser_close_default),
    }
}

impl SessionData {
    /// Sets when the session ends, as Django's `set_expiry` does.
    pub fn set_expiry(&mut self, expiry: SessionExpiry, now: SystemTime) {
        let stored = match expiry {
            SessionExpiry::Default => StoredExpiry::Absent,
            SessionExpiry::AtBrowserClose => StoredExpiry::Seconds(Age::Whole(0)),
            SessionExpiry::Sliding(seconds) => StoredExpiry::Seconds(Age::Whole(seconds)),
            SessionExpiry::At(end) => StoredExpiry::At(Moment::utc(end).to_string()),
            SessionExpiry::In(length) => {
                let length = i128::try_from(length.as_micros()).unwrap_or(i128::MAX / 4);
                StoredExpiry::At(Moment::utc(now).plus_micros(length).to_string())
            }
        };
        match stored.to_json() {
            Some(text) => self.put(EXPIRY_KEY, text),
            None => drop(self.remove(EXPIRY_KEY)),
        }
    }
}

#[cfg(test)]
mod tests;
