//! When a session ends: Django's `_session_expiry`, the cookie's age where it is absent, and what is written for it.
//!
//! Django stores a number of seconds (sliding from each save), `0` (until the browser closes), or a point in time as an
//! ISO 8601 text (absolute). Everything here is a pure function of the data, the time of the last change and two settings.

use std::time::{Duration, SystemTime};

use time::{Date, Month, OffsetDateTime};

use super::SessionData;

/// The session key that holds a session's own expiry.
pub const EXPIRY_KEY: &str = "_session_expiry";

/// Microseconds in a second: the finest time that Python knows.
const MICROS: i128 = 1_000_000;
/// The Julian day number of 1970-01-01.
const EPOCH_DAY: i32 = 2_440_588;
/// The end of the last year that has a form: 9999-12-31T23:59:59.
const LAST_SECOND: i128 = 253_402_300_799;

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
    let from = micros(modified);
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
        date: system_time(from + length),
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
            SessionExpiry::At(end) => format!("\"{}\"", isoformat(micros(end))),
            SessionExpiry::In(length) => {
                let length = i128::try_from(length.as_micros()).unwrap_or(i128::MAX / 4);
                format!("\"{}\"", isoformat(micros(now) + length))
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
                text.and_then(|text| from_isoformat(&text))
                    .map_or(Self::Unreadable, Self::At)
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

/// A time as Python's `isoformat()` writes it in UTC: microseconds only where there are any.
fn isoformat(micros: i128) -> String {
    let micros = micros.clamp(-62_135_596_800 * MICROS, LAST_SECOND * MICROS);
    let moment =
        OffsetDateTime::from_unix_timestamp_nanos(micros * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let fraction = match micros.rem_euclid(MICROS) {
        0 => String::new(),
        fraction => format!(".{fraction:06}"),
    };
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    format!(
        "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00",
        u8::from(month)
    )
}

/// Reads what `isoformat()` writes, in any offset; also without seconds, or with a `Z`.
fn from_isoformat(text: &str) -> Option<i128> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4).and_then(digits)?;
    let month = Month::try_from(u8::try_from(parts.next().and_then(two_digits)?).ok()?).ok()?;
    let day = u8::try_from(parts.next().and_then(two_digits)?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, day)
        .ok()
        .filter(|_| year > 0)?;
    let midnight = i128::from(date.to_julian_day() - EPOCH_DAY) * 86_400 * MICROS;
    let mut after = rest.chars();
    if after.next().is_none() {
        return Some(midnight);
    }
    let (clock, offset) = match after.as_str() {
        rest if rest.ends_with('Z') => (rest.strip_suffix('Z')?, 0),
        rest => match rest.rfind(['+', '-']).and_then(|at| rest.split_at_checked(at)) {
            None => (rest, 0),
            Some((clock, offset)) => match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
                (Some(east), _) => (clock, time_of_day(east)?),
                (_, west) => (clock, -time_of_day(west?)?),
            },
        },
    };
    Some(midnight + time_of_day(clock)? - offset)
}

/// Reads `HH[:MM[:SS[.ffffff]]]` in microseconds.
fn time_of_day(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction).filter(|_| clock.len() == 8)?),
        None => (text, "0"),
    };
    let mut parts = clock.split(':');
    let hour = parts.next().and_then(two_digits).filter(|hour| *hour < 24)?;
    let mut sixtieth = || {
        parts
            .next()
            .map_or(Some(0), |part| two_digits(part).filter(|part| *part < 60))
    };
    let (minute, second) = (sixtieth()?, sixtieth()?);
    if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let micros: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    Some(((hour * 60 + minute) * 60 + second) * MICROS + digits(&micros)?)
}

fn two_digits(text: &str) -> Option<i128> {
    Some(text).filter(|text| text.len() == 2).and_then(digits)
}

fn digits(text: &str) -> Option<i128> {
    if text.bytes().all(|digit| digit.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Microseconds since 1970, rounded down.
fn micros(time: SystemTime) -> i128 {
    let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()),
        Err(before) => i128::try_from(before.duration().as_nanos()).map(std::ops::Neg::neg),
    };
    nanos.unwrap_or_default().div_euclid(1000)
}

/// The time so many microseconds after 1970, or the last one that has a form in a database.
fn system_time(micros: i128) -> SystemTime {
    let micros = micros.clamp(-62_135_596_800 * MICROS, LAST_SECOND * MICROS);
    let distance = Duration::from_micros(u64::try_from(micros.unsigned_abs()).unwrap_or(u64::MAX));
    let time = if micros < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
