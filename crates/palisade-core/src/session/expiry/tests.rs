//! What a running Django answered for the same values.

use proptest::prelude::*;

use super::*;

/// 2026-01-02T03:04:05.678901 UTC, when the session was last changed.
const MODIFIED: i128 = 1_767_323_045_678_901;
const TWO_WEEKS: i64 = 1_209_600;

fn end_of(raw: Option<&str>) -> (i64, String, bool) {
    let mut data = SessionData::new();
    if let Some(raw) = raw {
        data.insert_raw(EXPIRY_KEY, raw.to_owned()).unwrap();
    }
    let end = expiry(
        &data,
        Moment::utc_micros(MODIFIED).system_time(),
        Duration::from_hours(336),
        false,
    );
    (end.age, Moment::utc(end.date).to_string(), end.at_browser_close)
}

#[test]
fn ends_are_djangos() {
    let default = "2026-01-16T03:04:05.678901+00:00";
    for (raw, age, date, at_browser_close) in [
        (None, TWO_WEEKS, default, false),
        (Some("null"), TWO_WEEKS, default, false),
        (Some("0"), TWO_WEEKS, default, true),
        (Some("0.0"), TWO_WEEKS, default, true),
        (Some("-0.0"), TWO_WEEKS, default, true),
        (Some("false"), TWO_WEEKS, default, true),
        (Some("true"), 1, "2026-01-02T03:04:06.678901+00:00", false),
        (Some("1"), 1, "2026-01-02T03:04:06.678901+00:00", false),
        (Some("-5"), -5, "2026-01-02T03:04:00.678901+00:00", false),
        (Some("300"), 300, "2026-01-02T03:09:05.678901+00:00", false),
        (Some("12.5"), 12, "2026-01-02T03:04:18.178901+00:00", false),
        (Some("1000.0"), 1000, "2026-01-02T03:20:45.678901+00:00", false),
        (Some("-0.5"), -1, "2026-01-02T03:04:05.178901+00:00", false),
        (
            Some("\"2026-01-02T03:05:05+00:00\""),
            59,
            "2026-01-02T03:05:05+00:00",
            false,
        ),
        (
            Some("\"2026-01-02T03:05:05.678900+00:00\""),
            59,
            "2026-01-02T03:05:05.678900+00:00",
            false,
        ),
        (
            Some("\"2026-01-02T05:05:05.678902+02:00\""),
            60,
            "2026-01-02T03:05:05.678902+00:00",
            false,
        ),
        (
            Some("\"2026-01-02T03:04:05.000001+00:00\""),
            -1,
            "2026-01-02T03:04:05.000001+00:00",
            false,
        ),
        (
            Some("\"2026-01-01T03:04:05+00:00\""),
            -86_401,
            "2026-01-01T03:04:05+00:00",
            false,
        ),
        (
            Some("\"2026-01-03T00:00Z\""),
            75_354,
            "2026-01-03T00:00:00+00:00",
            false,
        ),
        (
            Some("\"2026-01-02 03:05:05+00:00\""),
            59,
            "2026-01-02T03:05:05+00:00",
            false,
        ),
        (
            Some("\"2026-01-02T03:05:05.5+00:00\""),
            59,
            "2026-01-02T03:05:05.500000+00:00",
            false,
        ),
        (
            Some("\"2026-01-02T03:05:05-05:30\""),
            19_859,
            "2026-01-02T08:35:05+00:00",
            false,
        ),
    ] {
        assert_eq!(end_of(raw), (age, date.to_owned(), at_browser_close), "{raw:?}");
    }
}

#[test]
fn time_without_an_offset_is_utc() {
    assert_eq!(end_of(Some("\"2026-01-02T03:05:05\"")).0, 59);
    assert_eq!(end_of(Some("\"2026-01-03\"")).0, 75_354);
}

#[test]
fn unreadable_expiry_has_passed() {
    for raw in [
        "\"\"",
        "\"x\"",
        "[1]",
        "{}",
        "Infinity",
        "NaN",
        "1e400",
        "\"2026-01-02T24:00:00+00:00\"",
        "\"2026-13-02T03:04:05+00:00\"",
        "\"2026-02-30T03:04:05+00:00\"",
        "\"0000-01-01T00:00:00+00:00\"",
        "\"2026-01-02T03:04:05.+00:00\"",
        "\"2026-01-02T03:04.5+00:00\"",
        "\"2026-01-02T03:04:05+00:00x\"",
        "\"2026-01-02T03:04:05:06\"",
        "\"2026-01-02T\"",
        "\"ééééé-01-02\"",
    ] {
        assert_eq!(
            end_of(Some(raw)),
            (0, Moment::utc_micros(MODIFIED).to_string(), false),
            "{raw}"
        );
    }
}

#[test]
fn settings_decide_where_the_session_says_nothing() {
    let end = expiry(
        &SessionData::new(),
        SystemTime::UNIX_EPOCH,
        Duration::from_mins(1),
        true,
    );
    assert_eq!((end.age, end.at_browser_close), (60, true));
}

#[test]
fn huge_values_stay_in_range() {
    for raw in [i64::MAX.to_string(), i64::MIN.to_string()] {
        let (age, ..) = end_of(Some(&raw));
        assert_eq!(age.to_string(), raw);
    }
    expiry(
        &SessionData::new(),
        Moment::utc_micros(i128::MAX).system_time(),
        Duration::MAX,
        false,
    );
}

#[test]
fn expiry_is_stored_as_django_stores_it() {
    let now = Moment::utc_micros(MODIFIED).system_time();
    let stored = |expiry| {
        let mut data = SessionData::new();
        data.insert(EXPIRY_KEY, &7).unwrap();
        data.set_expiry(expiry, now);
        data.raw(EXPIRY_KEY).map(str::to_owned)
    };
    assert_eq!(stored(SessionExpiry::Default), None);
    assert_eq!(stored(SessionExpiry::AtBrowserClose).as_deref(), Some("0"));
    assert_eq!(stored(SessionExpiry::Sliding(5)).as_deref(), Some("5"));
    let minute = SessionExpiry::In(Duration::from_mins(1));
    assert_eq!(
        stored(minute).as_deref(),
        Some("\"2026-01-02T03:05:05.678901+00:00\"")
    );
    assert_eq!(
        stored(SessionExpiry::At(now)).as_deref(),
        Some("\"2026-01-02T03:04:05.678901+00:00\"")
    );
    let new_year = SystemTime::UNIX_EPOCH + Duration::from_hours(490_896);
    assert_eq!(
        stored(SessionExpiry::At(new_year)).as_deref(),
        Some("\"2026-01-01T00:00:00+00:00\"")
    );
    assert!(stored(SessionExpiry::In(Duration::MAX)).is_some_and(|text| text.starts_with("\"9999-12-31")));
}

proptest! {
    #[test]
    fn times_come_back(micros in -62_135_596_800_000_000_i128..253_402_300_799_000_000) {
        let moment = Moment::utc_micros(micros);
        prop_assert_eq!(moment.to_string().parse(), Ok(moment));
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = text.parse::<Moment>();
        let _ = format!("2026-01-02{text}").parse::<Moment>();
    }
}
