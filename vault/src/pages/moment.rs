//! A moment as people read it, in UTC: a server does not know where its visitor's clock hangs.

use std::time::{Duration, SystemTime};

use minijinja::context;
use minijinja::value::Value;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, Time};

const WORDS: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:long] [year]");
const EXACTLY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC");
const MACHINE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Writes a moment for a template: in words, to the second where minutes are too long, and for machines.
pub(crate) fn moment(at: SystemTime) -> Value {
    let at = OffsetDateTime::from(at);
    let write = |format: &[BorrowedFormatItem<'_>]| at.format(format).unwrap_or_default();
    context! { words => write(WORDS), exactly => write(EXACTLY), machine => write(MACHINE) }
}

/// Writes for a template when something is over: a day to its end is called by the day, and not by the midnight that is the next one's.
pub(crate) fn end(at: SystemTime) -> Value {
    let begun = OffsetDateTime::from(at.checked_sub(Duration::from_secs(1)).unwrap_or(at));
    let words = if OffsetDateTime::from(at).time() == Time::MIDNIGHT {
        let day = begun.format(DAY).unwrap_or_default();
        Value::from(format!("the end of {day}"))
    } else {
        moment(at).get_attr("words").unwrap_or_default()
    };
    context! { words, ..moment(at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn moment_is_written_in_words_and_for_machines() {
        let moment = moment(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        assert_eq!(
            moment.get_attr("words").unwrap().as_str(),
            Some("14 November 2023, 22:13 UTC")
        );
        assert_eq!(
            moment.get_attr("exactly").unwrap().as_str(),
            Some("14 November 2023, 22:13:20 UTC")
        );
        assert_eq!(
            moment.get_attr("machine").unwrap().as_str(),
            Some("2023-11-14T22:13:20Z")
        );
    }

    #[test]
    fn what_is_over_with_a_day_is_called_by_that_day() {
        let day = Duration::from_hours(24);
        let words = |at: SystemTime| end(at).get_attr("words").unwrap().to_string();
        assert_eq!(words(SystemTime::UNIX_EPOCH + day), "the end of 1 January 1970");
        assert_eq!(
            words(SystemTime::UNIX_EPOCH + day / 2),
            "1 January 1970, 12:00 UTC"
        );
    }
}
