//! Times as Django writes them into SQLite: `2026-11-22 09:30:00.123456`, UTC, the fraction only when there is one.
//!
//! Text in this form sorts as time does, so `expire_date < ?` is right, and uses the index.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Writes a time as Django does.
pub(crate) fn to_text(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    match at.microsecond() {
        0 => text,
        micros => format!("{text}.{micros:06}"),
    }
}

/// Reads a time that Django wrote; anything else is no time.
pub(crate) fn from_text(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let byte = |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|byte| wanted.contains(byte));
    if !(byte(4, b"-") && byte(7, b"-") && byte(10, b" T") && byte(13, b":") && byte(16, b":")) {
        return None;
    }
    let month = Month::try_from(u8::try_from(number(5, 7)?).ok()?).ok()?;
    let date = Date::from_calendar_date(
        i32::try_from(number(0, 4)?).ok()?,
        month,
        u8::try_from(number(8, 10)?).ok()?,
    )
    .ok()?;
    let small = |from, to| number(from, to).and_then(|value| u8::try_from(value).ok());
    let micros = match text.get(19..) {
        None | Some("") => 0,
        Some(rest) => {
            let digits = rest.strip_prefix('.')?;
            if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            digits.parse::<u32>().ok()? * 10_u32.pow(6 - u32::try_from(digits.len()).ok()?)
        }
    };
    let time = Time::from_hms_micro(small(11, 13)?, small(14, 16)?, small(17, 19)?, micros).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

/// The whole seconds since 1970, negative times as 0.
pub(crate) fn unix_seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_as_django_does() {
        for (seconds, micros, text) in [
            (1_700_000_000, 0, "2023-11-14 22:13:20"),
            (1_700_000_000, 5, "2023-11-14 22:13:20.000005"),
            (0, 0, "1970-01-01 00:00:00"),
            (4_102_444_800, 999_999, "2100-01-01 00:00:00.999999"),
        ] {
            let at = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros);
            assert_eq!(to_text(at), text);
            assert_eq!(from_text(text), Some(at));
        }
        assert_eq!(
            from_text("2023-11-14T22:13:20.5"),
            from_text("2023-11-14 22:13:20.500000")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2023-11-14",
            "2023-13-14 00:00:00",
            "2023-11-14 24:00:00",
            "2023-11-14 22:13:20.",
            "2023-11-14 22:13:20x",
            "+023-11-14 22:13:20",
        ] {
            assert_eq!(from_text(bad), None, "{bad:?}");
        }
    }
}
