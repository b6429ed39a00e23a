//! When a session ends: Django's `_session_expiry`, the cookie's age where it is absent, and what is written for it.
//!
//! Django stores a number of seconds (sliding from each save), `0` (until the browser closes), or a point in time as an
//! ISO 8601 text (absolute). Everything here is a pure function of the data, the time of the last change and two settings.

use std::time::{Duration, SystemTime};

use super::SessionData;
use crate::moment::{MICROS, Moment};

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
    let from = Moment::utc(modified).unix_micros();
    let default = i128::try_from(cookie_age.as_micros()).unwrap_or(i128::MAX / 4);
    let (length, at_browser_close) = match Stored::read(data) {
        Stored::Absent => (default, browser_close_default),
        Stored::Zero => (default, true),
        Stored::Sliding(length) => (length, false),
        Stored::At(end) => (end - from, false),
        Stored::Unreadable => (0, false),
    };
    Expiry {
        age: i64::try_from(length.div_euclid(MICROS)).unwrap_or(if length < 0 { i64::MIN } else { i64::MAX }),
        date: Moment::utc_micros(from + length).system_time(),
        at_browser_close,
    }
}

impl SessionData {
    /// Sets when the session ends, as Django's `set_expiry` does.
    pub fn set_expiry(&mut self, expiry: SessionExpiry, now: SystemTime) {
        let text = match expiry {
            SessionExpiry::Default => {
                self.remove(EXPIRY_KEY);
                return;
            }
            SessionExpiry::AtBrowserClose => "0".to_owned(),
            SessionExpiry::Sliding(seconds) => seconds.to_string(),
            SessionExpiry::At(end) => format!("\"{}\"", Moment::utc(end)),
            SessionExpiry::In(length) => {
                let length = i128::try_from(length.as_micros()).unwrap_or(i128::MAX / 4);
                format!("\"{}\"", Moment::utc(now).plus_micros(length))
            }
        };
        self.put(EXPIRY_KEY, text);
    }
}

/// What stands under [`EXPIRY_KEY`], in microseconds.
enum Stored {
    Absent,
    Zero,
    Sliding(i128),
    At(i128),
    Unreadable,
}

impl Stored {
    fn read(data: &SessionData) -> Self {
        let Some(raw) = data.raw(EXPIRY_KEY) else {
            return Self::Absent;
        };
        match raw {
            "null" => Self::Absent,
            "false" => Self::Zero,
            "true" => Self::Sliding(MICROS),
            _ if raw.starts_with('"') => {
                let text = data.get::<String>(EXPIRY_KEY).and_then(Result::ok);
                text.and_then(|text| text.parse().ok())
                    .map_or(Self::Unreadable, |end: Moment| Self::At(end.unix_micros()))
            }
            _ => match (raw.parse::<i64>(), raw.parse::<f64>()) {
                (Ok(0), _) => Self::Zero,
                (Ok(seconds), _) => Self::Sliding(i128::from(seconds) * MICROS),
                (_, Ok(0.0)) => Self::Zero,
                (_, Ok(seconds)) if seconds.abs() < 1e12 => Self::Sliding(rounded(seconds * 1e6)),
                _ => Self::Unreadable,
            },
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller bounds the value far below the limit"
)]
fn rounded(micros: f64) -> i128 {
    micros.round_ties_even() as i128
}

#[cfg(test)]
mod tests;
