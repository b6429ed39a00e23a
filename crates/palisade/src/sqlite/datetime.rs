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
    let (whole, fraction) = text.as_bytes().split_first_chunk()?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b' ' | b'T',
        h0,
        h1,
        b':',
        i0,
        i1,
        b':',
        s0,
        s1,
    ] = *whole
    else {
        return None;
    };
    let two = |tens, units| u8::try_from(number(&[tens, units])?).ok();
    let year = i32::try_from(number(&[y0, y1, y2, y3])?).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(two(m0, m1)?).ok()?, two(d0, d1)?).ok()?;
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() <= 6 => {
            number(digits)? * 10_u32.pow(6 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let time = Time::from_hms_micro(two(h0, h1)?, two(i0, i1)?, two(s0, s1)?, micros).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

/// The number that a few digits write.
fn number(digits: &[u8]) -> Option<u32> {
    let number = digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    });
    number.filter(|_| !digits.is_empty())
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
