//! Points in time as Python's `datetime` writes them: with an offset or without, to the microsecond.
//!
//! A Django with `USE_TZ` writes times with an offset, one without writes local times that carry none; sessions hold either
//! as ISO 8601 text. [`Moment`] keeps what was written, so that arithmetic on a local time stays on the calendar and what
//! comes back out has the offset that went in.
//!
//! # Example
//!
//! ```
//! use palisade_core::moment::Moment;
//!
//! let noon: Moment = "2026-01-02T12:00:00.5+01:00".parse()?;
//! assert_eq!(noon.plus_micros(500_000).to_string(), "2026-01-02T12:00:01+01:00");
//! let local: Moment = "2026-01-02T11:00:00".parse()?;
//! assert_eq!(noon.micros_since(local), 500_000);
//! # Ok::<(), palisade_core::moment::InvalidMoment>(())
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use time::{Date, Month, OffsetDateTime};

/// Microseconds in a second: the finest time that Python knows.
pub const MICROS: i128 = 1_000_000;
/// The Julian day number of 1970-01-01.
const EPOCH_DAY: i32 = 2_440_588;
/// The beginning of the first year that has a form: 0001-01-01T00:00:00.
const FIRST_SECOND: i128 = -62_135_596_800;
/// The end of the last year that has a form: 9999-12-31T23:59:59.
const LAST_SECOND: i128 = 253_402_300_799;

/// A text is no date and time as `datetime.isoformat()` writes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid isoformat string: {}", crate::repr::Repr(.text))]
pub struct InvalidMoment {
    text: String,
}

/// A point in time, or, without an offset, what a clock on some wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds from 1970-01-01T00:00:00 on the same wall.
    wall: i128,
    /// Microseconds east of UTC.
    offset: Option<i128>,
}

impl Moment {
    /// A time in UTC.
    pub fn utc(time: SystemTime) -> Self {
        let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i128::try_from(since.as_nanos()),
            Err(before) => i128::try_from(before.duration().as_nanos()).map(std::ops::Neg::neg),
        };
        Self::utc_micros(nanos.unwrap_or_default().div_euclid(1000))
    }

    /// A time in UTC, in microseconds since 1970.
    pub const fn utc_micros(micros: i128) -> Self {
        Self {
            wall: micros,
            offset: Some(0),
        }
    }

    /// A time without an offset: what a wall clock shows that showed 1970 so many microseconds ago.
    pub const fn local_micros(micros: i128) -> Self {
        Self {
            wall: micros,
            offset: None,
        }
    }

    /// Says whether there is no offset: Python's *naive*.
    pub const fn is_local(self) -> bool {
        self.offset.is_none()
    }

    /// Drops the offset without converting: what the clock of that place shows.
    #[must_use]
    pub const fn wall_clock(self) -> Self {
        Self::local_micros(self.wall)
    }

    /// Microseconds since 1970. Without an offset, UTC is assumed.
    pub const fn unix_micros(self) -> i128 {
        match self.offset {
            Some(offset) => self.wall - offset,
            None => self.wall,
        }
    }

    /// The time for the system's clock, no further than the years 1 and 9999. Without an offset, UTC is assumed.
    pub fn system_time(self) -> SystemTime {
        let micros = within_calendar(self.unix_micros());
        let distance = Duration::from_micros(u64::try_from(micros.unsigned_abs()).unwrap_or(u64::MAX));
        let time = if micros < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The time so many microseconds later, with the same offset.
    #[must_use]
    pub const fn plus_micros(self, micros: i128) -> Self {
        Self {
            wall: self.wall.saturating_add(micros),
            offset: self.offset,
        }
    }

    /// Microseconds from `earlier` to this time.
    pub const fn micros_since(self, earlier: Self) -> i128 {
        self.unix_micros() - earlier.unix_micros()
    }
}

impl fmt::Display for Moment {
    /// Writes what `isoformat()` writes: microseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = within_calendar(self.wall);
        let moment =
            OffsetDateTime::from_unix_timestamp_nanos(micros * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second) = moment.to_hms();
        write!(
            f,
            "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
            u8::from(month)
        )?;
        write_fraction(micros.rem_euclid(MICROS), f)?;
        let Some(offset) = self.offset else {
            return Ok(());
        };
        let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        let seconds = offset / MICROS;
        write!(f, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
        if offset % (60 * MICROS) != 0 {
            write!(f, ":{:02}", seconds % 60)?;
        }
        write_fraction(offset % MICROS, f)
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    /// Reads what `isoformat()` writes, in any offset; also a date alone, a time without seconds, or a `Z`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidMoment {
            text: text.to_owned(),
        })
    }
}

fn write_fraction(micros: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if micros == 0 {
        Ok(())
    } else {
        write!(f, ".{micros:06}")
    }
}

fn within_calendar(micros: i128) -> i128 {
    micros.clamp(FIRST_SECOND * MICROS, LAST_SECOND * MICROS + MICROS - 1)
}

fn parse(text: &str) -> Option<Moment> {
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
        return Some(Moment::local_micros(midnight));
    }
    let (clock, offset) = match after.as_str() {
        rest if rest.ends_with('Z') => (rest.strip_suffix('Z')?, Some(0)),
        rest => match rest.rfind(['+', '-']).and_then(|at| rest.split_at_checked(at)) {
            None => (rest, None),
            Some((clock, offset)) => match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
                (Some(east), _) => (clock, Some(time_of_day(east)?)),
                (_, west) => (clock, Some(-time_of_day(west?)?)),
            },
        },
    };
    Some(Moment {
        wall: midnight + time_of_day(clock)?,
        offset,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_comes_back() {
        for text in [
            "2023-11-14T22:13:20+00:00",
            "2023-11-14T22:13:20.000001-05:30",
            "2023-11-14T22:13:20",
            "0001-01-01T00:00:00",
            "9999-12-31T23:59:59.999999",
            "2023-11-14T22:13:20+01:02:03.000004",
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for (short, long) in [
            ("2023-11-14", "2023-11-14T00:00:00"),
            ("2023-11-14 22:13", "2023-11-14T22:13:00"),
            ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00"),
            ("2023-11-14T22:13:20.5", "2023-11-14T22:13:20.500000"),
        ] {
            assert_eq!(short.parse::<Moment>().unwrap().to_string(), long);
        }
    }

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        for text in [
            "",
            "2023",
            "2023-13-01",
            "2023-02-30T00:00:00",
            "2023-11-14T25:00:00",
            "tomorrow it is",
        ] {
            let error = text.parse::<Moment>().unwrap_err();
            assert_eq!(error.to_string(), format!("Invalid isoformat string: '{text}'"));
        }
    }

    #[test]
    fn arithmetic_knows_offsets_and_stays_on_the_wall() {
        let berlin: Moment = "2023-11-14T23:13:20+01:00".parse().unwrap();
        let utc = Moment::utc(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        assert_eq!(berlin.micros_since(utc), 0);
        assert_eq!(berlin.system_time(), utc.system_time());
        assert_eq!(berlin.wall_clock().to_string(), "2023-11-14T23:13:20");
        assert_eq!(
            berlin.plus_micros(-1).to_string(),
            "2023-11-14T23:13:19.999999+01:00"
        );
        assert!(berlin.wall_clock().is_local() && !berlin.is_local());
        let early = Moment::utc(SystemTime::UNIX_EPOCH - Duration::from_micros(1));
        assert_eq!(early.to_string(), "1969-12-31T23:59:59.999999+00:00");
        assert_eq!(
            early.system_time(),
            SystemTime::UNIX_EPOCH - Duration::from_micros(1)
        );
    }
}
