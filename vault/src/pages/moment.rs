//! A moment as people read it, in UTC: a server does not know where its visitor's clock hangs.

use std::time::SystemTime;

use minijinja::context;
use minijinja::value::Value;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const WORDS: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
}
