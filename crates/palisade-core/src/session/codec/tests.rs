//! Sessions that a running Django wrote, and what must not be taken for one.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::SecretKey;
use crate::signing::{BadSignature, base64url};

fn codec() -> SessionCodec {
    SessionCodec::new(&KeyRing::new(SecretKey::new("secret")))
}

fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn decoded(text: &str) -> Vec<(String, String)> {
    let data = codec().decode(text).unwrap();
    data.iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn sessions_are_djangos() {
    let text = "eyJfYXV0aF91c2VyX2lkIjoiMSIsIngiOjF9:1r31eq:fQq5lu1A1lLTyPXE7cTrJo4-2kvmuFTFZtLsTyXh5hc";
    let data = codec().decode(text).unwrap();
    assert_eq!(data.get::<String>("_auth_user_id").unwrap().unwrap(), "1");
    assert_eq!(data.get::<i64>("x").unwrap().unwrap(), 1);
    assert_eq!(codec().encode(&data, then()), text);
    let empty = "e30:1r31eq:AwAL5NLxPwwJbFAS0rOM7MeabwRVz66yUPVW5Gn9qa0";
    assert!(codec().decode(empty).unwrap().is_empty());
    assert_eq!(codec().encode(&SessionData::new(), then()), empty);
}

#[test]
fn compressed_session_keeps_values_that_rust_has_no_type_for() {
    let text = concat!(
        ".eJyrVkpOLCpRsoquVspMUbIy1FEqKMpMTlWyMtIz1VHKS8wFMpW8Y0oNDFJNilMVYkpTLIxTgGSqgYFSrc6oJoimWB2l-MTSkoz40uLU",
        "oniQfiVDJR2lkoxUsLaUxKJsELcYaG6qtqEZyLw8JSu_RL9aAD1lca8:1r31eq:ZX4VRqyupQC9xTLWqpwJj-8TA5l3h7giH0Kkcr76fYo"
    );
    let mut data = codec().decode(text).unwrap();
    assert_eq!(
        data.keys().collect::<Vec<_>>(),
        ["cart", "_auth_user_id", "theme", "ts", "nan"]
    );
    assert_eq!(
        data.get::<Value>("cart").unwrap().unwrap()[5],
        json!({"id": 1, "price": 2.5, "name": "Käse 😀"})
    );
    assert_eq!(data.raw("ts"), Some("1e+16"));
    assert_eq!(data.raw("nan"), Some("NaN"));
    assert!(data.get::<f64>("nan").unwrap().is_err());
    data.insert("theme", "light").unwrap();
    let again = codec().decode(&codec().encode(&data, then())).unwrap();
    assert_eq!(again.raw("nan"), Some("NaN"));
    assert_eq!(again.get::<String>("theme").unwrap().unwrap(), "light");
    assert_eq!(again, data);
}

#[test]
fn payload_beyond_ascii_is_read_as_latin1_and_written_in_ascii() {
    let raw = "eyJrIjoi6f8ifQ:1r31eq:Xm_TaPAl8eoWylaY0IsdsGJniblGRgN2ZXIpNsBGqRk";
    assert_eq!(
        codec().decode(raw).unwrap().get::<String>("k").unwrap().unwrap(),
        "éÿ"
    );
    let written = "eyJrIjoiXHUwMGU5XHUwMGZmIn0:1r31eq:GlNg5YAjoT79gdlNSdC2RSpEwTuO79wIdEv-KryuC-c";
    assert_eq!(codec().encode(&codec().decode(raw).unwrap(), then()), written);

    let utf8 = "eyJrIjoiw6kifQ:1r31eq:A7I75f_naMj-XQHE8nLfsT2V8Cq3coBanSBBKZZDASs";
    assert_eq!(
        codec().decode(utf8).unwrap().get::<String>("k").unwrap().unwrap(),
        "Ã©"
    );
    let written = "eyJrIjoiXHUwMGMzXHUwMGE5In0:1r31eq:1DQNhCQ8gbnw_RPnxjOhEW7t17s0LE59FDg1baMbf0A";
    assert_eq!(codec().encode(&codec().decode(utf8).unwrap(), then()), written);

    let key = "eyLpIjoxfQ:1r31eq:xLN4WWVds4GriLJ_5x5jyDLHvjsJ13CkhWl3yiJbC-M";
    assert_eq!(decoded(key), [("é".to_owned(), "1".to_owned())]);
    let written = "eyJcdTAwZTkiOjF9:1r31eq:zXCJcPzuAt3u3U9WgtZydUuEWyUmv5qnvKuXy_lyjv4";
    assert_eq!(codec().encode(&codec().decode(key).unwrap(), then()), written);
}

#[test]
fn key_that_is_half_a_character_passes_through() {
    let text = "eyJcdWQ4MDAiOjF9:1r31eq:EPuHiugkYaoFo1BvsjDCV1-wl5sgV3s9jaSMYT3VEYk";
    assert_eq!(codec().encode(&codec().decode(text).unwrap(), then()), text);
}

#[test]
fn last_of_equal_keys_wins() {
    let text =
        "eyJrIjoxLCJrIjoyLCJhIjpbTmFOLCAtSW5maW5pdHldfQ:1r31eq:ojwJIWGKElja4-7VmIkE8orScHVPvUjx-JFJ3RO-wXI";
    let expected =
        [("k", "2"), ("a", "[NaN, -Infinity]")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(decoded(text), expected);
}

#[test]
fn authentic_text_that_is_no_session_is_malformed() {
    for text in [
        "WzFd:1r31eq:YUaw8zuAR-oWVtOSJp-yY9HfXcMut9z5YH042goH5MI",
        "eyJhIjoiXOkifQ:1r31eq:6H4Pid4q082vrudsNFUze8xpat-HyZ9NbaVVTZTdkqE",
        "eyJhIjoxfXg:1r31eq:McXZ3SUAry8Uyd6gyDgvDxEMqCJ43h5fZ9Jd54IkUOo",
    ] {
        assert!(
            matches!(codec().decode(text), Err(DecodeError::Malformed(_))),
            "{text}"
        );
    }
}

#[test]
fn stolen_database_row_is_not_a_session_under_another_key_or_purpose() {
    let text = codec().encode(&SessionData::new(), then());
    let other = SessionCodec::new(&KeyRing::new(SecretKey::new("other")));
    assert!(matches!(
        other.decode(&text),
        Err(DecodeError::BadSignature(BadSignature::Mismatch { .. }))
    ));
    let keys = KeyRing::new(SecretKey::new("secret"));
    let cookie = SessionCodec::with_salt(&keys, "django.contrib.sessions.backends.signed_cookies");
    assert!(matches!(cookie.decode(&text), Err(DecodeError::BadSignature(_))));
    for text in ["", "e30", "e30:1r31eq", "a:b:c"] {
        assert!(
            matches!(codec().decode(text), Err(DecodeError::BadSignature(_))),
            "{text}"
        );
    }
}

#[test]
fn session_written_without_compression_is_the_same_session() {
    let mut data = SessionData::new();
    data.insert("k", &"x".repeat(1500)).unwrap();
    let plain = codec().without_compression().encode(&data, then());
    assert!(!plain.starts_with('.') && codec().encode(&data, then()).starts_with('.'));
    assert_eq!(codec().decode(&plain).unwrap(), data);
}

#[test]
fn short_session_is_compressed_only_where_djangos_own_rule_is_asked_for() {
    let mut data = SessionData::new();
    data.insert("k", &"x".repeat(500)).unwrap();
    assert!(!codec().encode(&data, then()).starts_with('.'));
    let as_django = codec().with_compression_from(0).encode(&data, then());
    assert!(as_django.starts_with('.'));
    assert_eq!(codec().decode(&as_django).unwrap(), data);
}

#[test]
fn rotated_key_still_reads_old_sessions() {
    let text = codec().encode(&SessionData::new(), then());
    let rotated = KeyRing::new(SecretKey::new("new")).with_fallbacks(vec![SecretKey::new("secret")]);
    assert!(SessionCodec::new(&rotated).decode(&text).is_ok());
}

proptest! {
    #[test]
    fn data_comes_back(map in prop::collection::btree_map(any::<String>(), any::<(String, i64, f64)>(), 0..40)) {
        let mut data = SessionData::new();
        for (key, value) in &map {
            data.insert(key, value).unwrap();
        }
        let text = codec().encode(&data, then());
        prop_assert!(text.is_ascii());
        let again = codec().decode(&text).unwrap();
        prop_assert_eq!(&again, &data);
        prop_assert_eq!(codec().encode(&again, then()), text);
        for (key, value) in &map {
            prop_assert_eq!(&again.get::<(String, i64, f64)>(key).unwrap().unwrap(), value);
        }
    }

    #[test]
    fn any_payload_is_read_or_refused(bytes: Vec<u8>, mark: bool) {
        let mark = if mark { "." } else { "" };
        let payload = format!("{mark}{}", base64url::encode(bytes));
        let signer = TimestampSigner::new(&KeyRing::new(SecretKey::new("secret")), STORE_SALT);
        let _ = codec().decode(&signer.sign_at(&payload, then()));
    }
}
