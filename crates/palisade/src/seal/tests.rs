//! What opens, what does not, and what a thief can see.

use std::time::Duration;

use palisade_core::dated_key::DatedKey;
use proptest::prelude::*;

use super::*;

const PLACE: Place<'static> = Place::new("totp secret", "second_factor", "42");

fn day(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(24 * number)
}

fn key(id: &str, rest: &str) -> DatedKey {
    let text = format!("secret = \"a rather long secret, that of {id}\"\n{rest}");
    DatedKey::parse(id, &text).unwrap()
}

fn keys(keys: impl IntoIterator<Item = DatedKey>, clock: &Clock) -> SealKeys {
    SealKeys::of(DatedKeys::new(keys), clock.clone())
}

#[test]
fn sealed_value_opens_in_its_place_and_nowhere_else() {
    let clock = Clock::fixed(day(20_000));
    let keys = keys([key("2024-10-01", "")], &clock);
    let text = keys.seal(&PLACE, b"hunter2").unwrap();
    assert!(text.starts_with("sealed1.2024-10-01.") && !text.contains("hunter2"));
    assert_eq!(keys.open(&PLACE, &text).unwrap().expose(), b"hunter2");
    for elsewhere in [
        Place::new("totp secret", "second_factor", "43"),
        Place::new("totp secret", "second_facto", "r42"),
        Place::new("recovery codes", "second_factor", "42"),
        Place::new("totp secret", "", "second_factor42"),
    ] {
        assert_eq!(
            keys.open(&elsewhere, &text).unwrap_err(),
            OpenError::Forged,
            "{elsewhere:?}"
        );
    }
}

#[test]
fn equal_values_are_not_seen_to_be_equal() {
    let clock = Clock::fixed(day(20_000));
    let keys = keys([key("2024-10-01", "")], &clock);
    assert_ne!(keys.seal(&PLACE, b"").unwrap(), keys.seal(&PLACE, b"").unwrap());
}

#[test]
fn newest_key_seals_and_older_ones_still_open() {
    let clock = Clock::fixed(day(20_000));
    let before = keys([key("2024-10-01", "")], &clock);
    let text = before.seal(&PLACE, b"x").unwrap();
    let after = keys([key("2024-10-01", ""), key("2024-10-02", "")], &clock);
    assert_eq!(after.open(&PLACE, &text).unwrap().expose(), b"x");
    assert!(after.is_outdated(&text) && !before.is_outdated(&text));
    let anew = after.seal(&PLACE, b"x").unwrap();
    assert!(anew.starts_with("sealed1.2024-10-02.") && !after.is_outdated(&anew));
    assert_eq!(
        before.open(&PLACE, &anew).unwrap_err(),
        OpenError::KeyLost {
            id: "2024-10-02".to_owned()
        }
    );
}

#[test]
fn expired_key_neither_seals_nor_opens_while_the_service_runs() {
    let clock = Clock::fixed(day(20_000));
    let keys = keys([key("2024-10-01", "expires = \"2024-10-06\"")], &clock);
    let text = keys.seal(&PLACE, b"x").unwrap();
    clock.set(day(20_002));
    assert_eq!(keys.seal(&PLACE, b"x").unwrap_err(), SealError::NoKey);
    assert_eq!(
        keys.open(&PLACE, &text).unwrap_err(),
        OpenError::KeyExpired {
            id: "2024-10-01".to_owned()
        }
    );
}

#[test]
fn other_key_of_the_same_id_opens_nothing() {
    let clock = Clock::fixed(day(20_000));
    let text = keys([key("2024-10-01", "")], &clock).seal(&PLACE, b"x").unwrap();
    let other = DatedKey::parse("2024-10-01", "secret = \"0123456789abcdef0123456789abcdef\"").unwrap();
    assert_eq!(
        keys([other], &clock).open(&PLACE, &text).unwrap_err(),
        OpenError::Forged
    );
}

#[test]
fn what_is_not_sealed_is_told_apart_from_what_was_changed() {
    let clock = Clock::fixed(day(20_000));
    let keys = keys([key("2024-10-01", "")], &clock);
    for plain in [
        "",
        "sealed1",
        "sealed1.",
        "sealed2.2024-10-01.AAAA",
        "eyJhIjoxfQ:1r31eq:sig",
    ] {
        assert_eq!(
            keys.open(&PLACE, plain).unwrap_err(),
            OpenError::NotSealed,
            "{plain}"
        );
    }
    for forged in [
        "sealed1.2024-10-01.",
        "sealed1.2024-10-01.AAAA",
        "sealed1.2024-10-01.not base64",
    ] {
        assert_eq!(
            keys.open(&PLACE, forged).unwrap_err(),
            OpenError::Forged,
            "{forged}"
        );
    }
}

#[test]
fn debug_shows_ids_and_no_secret() {
    let shown = format!("{:?}", keys([key("2024-10-01", "")], &Clock::system()));
    assert_eq!(shown, "SealKeys([\"2024-10-01\"])");
}

proptest! {
    #[test]
    fn any_value_comes_back_and_any_changed_letter_is_noticed(
        value in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
    ) {
        let clock = Clock::fixed(day(20_000));
        let keys = keys([key("2024-10-01", "")], &clock);
        let text = keys.seal(&PLACE, &value).unwrap();
        let opened = keys.open(&PLACE, &text).unwrap();
        prop_assert_eq!(opened.expose(), &value);
        let mut changed = text.clone().into_bytes();
        let at = at.index(changed.len());
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(keys.open(&PLACE, &changed).is_err());
    }
}
