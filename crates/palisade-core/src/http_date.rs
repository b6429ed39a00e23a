//! Dates of HTTP, written and read as Django does (`http_date`, `parse_http_date`).
//!
//! Three forms are read (RFC 9110 §5.6.7), in ASCII digits only, and a date must exist. Two digits of a year are taken
//! for the nearest one that is not more than fifty years ahead, for which the time now is an argument.

use std::sync::LazyLock;

use regex::Regex;
use time::{Date, Month, OffsetDateTime, Time};

use crate::repr::Repr;

/// Why a text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDate {
    /// It has none of the three forms.
    #[error("{} is not in a valid HTTP date format", Repr(.0))]
    Form(String),
    /// There is no such day or time.
    #[error("{} is not a valid date", Repr(.0))]
    Nonexistent(String),
}

/// A point in time that no calendar names: before the year 1, or after 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("year is out of range")]
pub struct OutOfRange;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes Unix seconds, rounded to microseconds and then cut to whole seconds, as Python does.
///
/// # Errors
///
/// Where the year is none of 1 to 9999.
///
/// # Example
///
/// ```
/// assert_eq!(palisade_core::http_date::format(1_167_616_461.0).unwrap(), "Mon, 01 Jan 2007 01:54:21 GMT");
/// ```
pub fn format(seconds: f64) -> Result<String, OutOfRange> {
    // Rounding the fraction alone keeps the exactness that a float of microseconds would not have.
    let whole = seconds.floor();
    let second = if ((seconds - whole) * 1e6).round_ties_even() >= 1e6 {
        whole + 1.0
    } else {
        whole
    };
    // The years 1 and 9999, beyond which the conversion would not be exact.
    if !(-62_135_596_800.0..=253_402_300_799.0).contains(&second) {
        return Err(OutOfRange);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and within the range above"
    )]
    let second = second as i64;
    let date = OffsetDateTime::from_unix_timestamp(second).map_err(|_| OutOfRange)?;
    let weekday = WEEKDAYS.get(usize::from(date.weekday().number_days_from_monday()));
    let month = MONTHS.get(usize::from(u8::from(date.month())) - 1);
    Ok(format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        weekday.unwrap_or(&""),
        date.day(),
        month.unwrap_or(&""),
        date.year(),
        date.hour(),
        date.minute(),
        date.second(),
    ))
}

/// The three forms: IMF-fixdate, RFC 850, asctime.
#[expect(clippy::expect_used, reason = "the expressions are literals, and tested")]
static FORMS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    const TIME: &str = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";
    let form = |text: String| Regex::new(&text).expect("an expression");
    [
        form(format!(
            r"^\w{{3}}, (?<day>[0-9]{{2}}) (?<month>\w{{3}}) (?<year>[0-9]{{4}}) {TIME} GMT\n?$"
        )),
        form(format!(
            r"^\w{{6,9}}, (?<day>[0-9]{{2}})-(?<month>\w{{3}})-(?<year>[0-9]{{2}}) {TIME} GMT\n?$"
        )),
        form(format!(
            r"^\w{{3}} (?<month>\w{{3}}) (?<day>[ 0-9][0-9]) {TIME} (?<year>[0-9]{{4}})\n?$"
        )),
    ]
});

/// Reads a date as Unix seconds; `now` completes a year of two digits.
///
/// # Errors
///
/// Where the text has none of the forms, or names a day or time that does not exist. The name of the weekday may be any
/// word, as in Django.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
///
/// use palisade_core::http_date;
///
/// let seconds = http_date::parse("Sun, 06 Nov 1994 08:49:37 GMT", SystemTime::UNIX_EPOCH);
/// assert_eq!(seconds, Ok(784_111_777));
/// ```
pub fn parse(date: &str, now: std::time::SystemTime) -> Result<i64, InvalidDate> {
    let found = FORMS.iter().find_map(|form| form.captures(date));
    let found = found.ok_or_else(|| InvalidDate::Form(date.to_owned()))?;
    let number = |name| found.name(name)?.as_str().trim_start().parse::<u8>().ok();
    let seconds = || {
        let month = found.name("month")?.as_str().to_lowercase();
        let month = (1..)
            .zip(MONTHS)
            .find(|(_, name)| name.to_lowercase() == month)?
            .0;
        let year = found.name("year")?.as_str().parse().ok()?;
        let year = completed(year, OffsetDateTime::from(now).year());
        let day = Date::from_calendar_date(year, Month::try_from(month).ok()?, number("day")?).ok()?;
        let time = Time::from_hms(number("hour")?, number("minute")?, number("second")?).ok()?;
        (year > 0).then(|| day.with_time(time).assume_utc().unix_timestamp())
    };
    seconds().ok_or_else(|| InvalidDate::Nonexistent(date.to_owned()))
}

/// Puts a year of two digits into this century, or into the last one if it were more than fifty years ahead.
const fn completed(year: i32, this: i32) -> i32 {
    if year >= 100 {
        year
    } else if year - this % 100 > 50 {
        year + this - this % 100 - 100
    } else {
        year + this - this % 100
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn read(date: &str) -> Result<i64, InvalidDate> {
        parse(date, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
    }

    #[test]
    fn all_three_forms_are_read() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "xyz, 06 nOV 1994 08:49:37 GMT\n",
        ] {
            assert_eq!(read(date), Ok(784_111_777), "{date}");
        }
        assert_eq!(
            read("Friday, 01-Jan-73 00:00:00 GMT"),
            Ok(3_250_454_400),
            "fifty years ahead"
        );
        assert_eq!(
            read("Friday, 01-Jan-74 00:00:00 GMT"),
            Ok(126_230_400),
            "one more"
        );
        assert_eq!(read("Sun, 06 Nov 0094 08:49:37 GMT"), Ok(784_111_777));
    }

    #[test]
    fn what_is_no_date_is_refused_in_djangos_words() {
        for date in [
            "",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, ٠6 Nov 1994 08:49:37 GMT",
            " Sun",
        ] {
            assert!(matches!(read(date), Err(InvalidDate::Form(_))), "{date}");
        }
        assert_eq!(
            read("Sun, 31 Feb 1994 08:49:37 GMT").unwrap_err().to_string(),
            "'Sun, 31 Feb 1994 08:49:37 GMT' is not a valid date"
        );
        assert!(read("Sun, 06 Nov 1994 08:49:60 GMT").is_err());
        assert!(read("Sun, 06 Abc 1994 08:49:37 GMT").is_err());
    }

    #[test]
    fn fractions_are_cut_and_years_out_of_the_calendar_refused() {
        assert_eq!(format(-0.5).unwrap(), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(format(0.999_999_9).unwrap(), "Thu, 01 Jan 1970 00:00:01 GMT");
        assert_eq!(
            format(-62_135_596_800.0).unwrap(),
            "Mon, 01 Jan 0001 00:00:00 GMT"
        );
        assert_eq!(format(1e12), Err(OutOfRange));
        assert_eq!(format(f64::NAN), Err(OutOfRange));
    }
}
