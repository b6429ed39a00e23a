//! Times as Django writes them into MySQL: `datetime(6)`, in UTC.

use std::time::SystemTime;

use mysql_async::Value;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// A time as a value to bind.
pub(crate) fn to_value(at: SystemTime) -> Value {
    let at = OffsetDateTime::from(at);
    Value::Date(
        u16::try_from(at.year()).unwrap_or_default(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.microsecond(),
    )
}

/// The time that a value is; anything else is no time.
pub(crate) fn from_value(value: &Value) -> Option<SystemTime> {
    let Value::Date(year, month, day, hour, minute, second, micros) = *value else {
        return None;
    };
    let date = Date::from_calendar_date(i32::from(year), Month::try_from(month).ok()?, day).ok()?;
    let time = Time::from_hms_micro(hour, minute, second, micros).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_time_comes_back_to_the_microsecond() {
        let at = UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
        assert_eq!(to_value(at), Value::Date(2023, 11, 14, 22, 13, 20, 123_456));
        assert_eq!(from_value(&to_value(at)), Some(at));
        assert_eq!(
            from_value(&Value::Date(0, 0, 0, 0, 0, 0, 0)),
            None,
            "MySQL's zero is no time"
        );
        assert_eq!(from_value(&Value::NULL), None);
    }
}
