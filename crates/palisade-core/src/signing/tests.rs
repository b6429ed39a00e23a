//! Values that a running Django signed, and what must not be believed.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::SecretKey;

const HELLO: &str = "hello:1r31eq:h5ixNDuDHR-8tNdgEUkl8u6A7KWK1f5fRvPCKT98d6k";

fn keys() -> KeyRing {
    KeyRing::new(SecretKey::new("secret"))
}

fn at(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn then() -> SystemTime {
    at(1_700_000_000.0)
}

#[test]
fn signatures_are_djangos() {
    let signer = Signer::new(&keys(), "s");
    assert_eq!(
        signer.sign("hello"),
        "hello:ELWR6i-VPRmNhIp5I_VPqRfqmtgnrjijlfyCvNznz-A"
    );
    assert_eq!(
        signer.signature("hello"),
        "ELWR6i-VPRmNhIp5I_VPqRfqmtgnrjijlfyCvNznz-A"
    );
    assert_eq!(TimestampSigner::new(&keys(), "s").sign_at("hello", then()), HELLO);
    assert_eq!(
        Signer::new(&keys(), "").sign("hello"),
        "hello:FRBs_KKrjaVe9zJEdlQdiuJ2n9jBEsFOL1Capquoa18"
    );
    assert_eq!(
        TimestampSigner::new(&keys(), "").sign_at("hello", then()),
        "hello:1r31eq:cd3olmP207LffIZrXNJ8LTxzeEF4brfUrRYVM3D-t8Q"
    );
    let accented = Signer::new(&KeyRing::new(SecretKey::new("sécret")), "sé");
    assert_eq!(
        accented.sign("hé:llo"),
        "hé:llo:kbJ8Br9gJg6eL8MMMYtz7SLsxD4JBnME4DXfusFUVgI"
    );
    assert_eq!(
        accented.unsign("hé:llo:kbJ8Br9gJg6eL8MMMYtz7SLsxD4JBnME4DXfusFUVgI"),
        Ok("hé:llo")
    );
}

#[test]
fn every_algorithm_signs_as_django_does() {
    for (algorithm, signature) in [
        (Algorithm::Md5, "0dVqdea5jGr4w1YPtBdBFw"),
        (Algorithm::Sha1, "sxoOrcwxVPlDdUjpJU1JH5z9DnE"),
        (Algorithm::Sha224, "5RYmSlc7m5wUEUtAf2nUiYk12mLyZHUZUze9KA"),
        (Algorithm::Sha256, "ELWR6i-VPRmNhIp5I_VPqRfqmtgnrjijlfyCvNznz-A"),
        (
            Algorithm::Sha384,
            "m9thiKKAjIaDYWbbgQZ6eXQTkRCvC_4t0kp4QcpzD_5GRKZ4xnh8bnF0SBoddrK2",
        ),
        (
            Algorithm::Sha512,
            "upOmXaL7w1V3_lYGPDtFR79kK5tHfkvDXWNwJWmSnTkbHTga-inaTt-RyneuCUPsg1NNbnFCEcpgwhU7pvNIJg",
        ),
        (Algorithm::Sha3_224, "j5yTgm19Yb-QCEE18VQBDYaRzrcp41wtBQw39w"),
        (Algorithm::Sha3_256, "Zp3OTz9tglU1sjyMd4tjO5abYWty8S_VDWlDbf1vxXw"),
        (
            Algorithm::Sha3_384,
            "NBUdVGZgdvSfTQljQgMUmja3BHkrjOocuTGhBYsbxWnIHf1kaNhAGy3PVXDKvNZA",
        ),
        (
            Algorithm::Sha3_512,
            "_oU7zCMN-l7MGAeuNrEJJUpSPdhgaWDc0Wu5XWkcZkCSB1Bn5DLJiqIutQsEjTsfyAXuMFSlmUu7Jxki57p15g",
        ),
        (
            Algorithm::Blake2b,
            "Wp38fiC4sZFCvJpYRZmh1-WSFkkyIuC8wGcpmumiSb9pFn5UO3TqyBwcsk5uVRo0voPlFS1pEKxX_3bx0cTxSQ",
        ),
        (Algorithm::Blake2s, "grAlipVvUooj945LeAeN8U3vdeVLVyj156pOCqUJrrA"),
    ] {
        let signer = Signer::with_algorithm(&keys(), "s", algorithm);
        assert_eq!(signer.sign("hello"), format!("hello:{signature}"));
        assert_eq!(signer.unsign(&format!("hello:{signature}")), Ok("hello"));
    }
}

#[test]
fn separator_that_a_signature_could_contain_is_refused() {
    for (separator, printed) in [
        ("", "''"),
        ("-", "'-'"),
        ("abc", "'abc'"),
        ("\\", "'\\\\'"),
        ("^", "'^'"),
        ("_", "'_'"),
        ("=", "'='"),
        ("`", "'`'"),
        ("[", "'['"),
        ("]", "']'"),
        ("\n", "'\\n'"),
        ("a\n", "'a\\n'"),
    ] {
        let refused = Signer::new(&keys(), "s")
            .separated_by(separator)
            .unwrap_err()
            .to_string();
        let message = "Unsafe Signer separator: {} (cannot be empty or consist of only A-z0-9-_=)";
        assert_eq!(refused, message.replace("{}", printed));
    }
    for separator in ["/", "*sep*", ",", "\n\n", "-:", "é"] {
        let signer = Signer::new(&keys(), "s").separated_by(separator).unwrap();
        assert_eq!(signer.unsign(&signer.sign("a/b")), Ok("a/b"));
    }
    let slash = Signer::new(&keys(), "s").separated_by("/").unwrap();
    assert_eq!(
        slash.sign("a/b"),
        "a/b/UOHGVXTGgq8U8BRVOH7cduFG8q1ZNGFMaEzoonXzQ88"
    );
}

#[test]
fn refusals_have_djangos_words() {
    let signer = Signer::new(&keys(), "s");
    assert_eq!(
        signer.unsign("hello").unwrap_err().to_string(),
        "No \":\" found in value"
    );
    assert_eq!(
        signer.unsign("hello:x").unwrap_err().to_string(),
        "Signature \"x\" does not match"
    );
    assert_eq!(
        signer.unsign("hello:").unwrap_err().to_string(),
        "Signature \"\" does not match"
    );
}

#[test]
fn changed_value_is_not_believed() {
    let signer = Signer::new(&keys(), "s");
    let signed = signer.sign("hello");
    for index in 0..signed.len() {
        let mut bytes = signed.clone().into_bytes();
        bytes[index] ^= 1;
        let forged = String::from_utf8(bytes).unwrap();
        assert!(signer.unsign(&forged).is_err(), "{forged}");
    }
    for forged in [
        format!("{signed}="),
        format!("{signed}A"),
        format!("x{signed}"),
        signed[..signed.len() - 1].to_owned(),
    ] {
        assert!(signer.unsign(&forged).is_err(), "{forged}");
    }
}

#[test]
fn value_signed_for_one_purpose_is_nothing_for_another() {
    let signed = Signer::new(&keys(), "s").sign("hello");
    assert!(Signer::new(&keys(), "t").unsign(&signed).is_err());
    assert!(
        Signer::new(&KeyRing::new(SecretKey::new("other")), "s")
            .unsign(&signed)
            .is_err()
    );
    assert!(
        Signer::with_algorithm(&keys(), "s", Algorithm::Sha1)
            .unsign(&signed)
            .is_err()
    );
}

#[test]
fn retired_key_verifies_and_never_signs() {
    let rotated = KeyRing::new(SecretKey::new("new"))
        .with_fallbacks(vec![SecretKey::new("older"), SecretKey::new("secret")]);
    let signer = TimestampSigner::new(&rotated, "s");
    assert_eq!(signer.unsign_at(HELLO, None, then()), Ok("hello"));
    assert_ne!(signer.sign_at("hello", then()), HELLO);
    let alone = KeyRing::new(SecretKey::new("new"));
    assert_eq!(
        TimestampSigner::new(&alone, "s").unsign_at(&signer.sign_at("hello", then()), None, then()),
        Ok("hello")
    );
}

#[test]
fn age_is_counted_in_fractions_of_a_second() {
    let signer = TimestampSigner::new(&keys(), "s");
    let refused = |now: f64, max_age: f64| {
        let max_age = Some(Duration::from_secs_f64(max_age));
        signer
            .unsign_at(HELLO, max_age, at(now))
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(
        refused(1_700_000_012.25, 12.0).as_deref(),
        Some("Signature age 12.25 > 12 seconds")
    );
    assert_eq!(refused(1_700_000_012.25, 12.25), None);
    assert_eq!(
        refused(1_700_000_012.25, 12.24).as_deref(),
        Some("Signature age 12.25 > 12.24 seconds")
    );
    assert_eq!(
        refused(1_700_000_012.0, 11.0).as_deref(),
        Some("Signature age 12.0 > 11 seconds")
    );
    assert_eq!(
        refused(1_700_000_012.1, 1.0).as_deref(),
        Some("Signature age 12.099999904632568 > 1 seconds")
    );
    assert_eq!(
        refused(1_600_000_000.0, 0.0),
        None,
        "a time in the future is believed"
    );
    assert_eq!(signer.split(HELLO), Ok(("hello", 1_700_000_000)));
}

#[test]
fn signed_value_without_a_time_is_refused() {
    let plain = Signer::new(&keys(), "s");
    let timed = TimestampSigner::new(&keys(), "s");
    for value in ["hello", "hello:", "hello:é", "hello:zzzzzzzzzzzzzzz"] {
        assert_eq!(
            timed.unsign_at(&plain.sign(value), None, then()),
            Err(BadSignature::Untimed),
            "{value}"
        );
    }
}

#[test]
fn objects_are_signed_as_django_signs_them() {
    let signed =
        "eyJhIjoiXHUwMGU5IiwibiI6WzEsMi41LG51bGwsdHJ1ZV19:1r31eq:Dzf4z8UUGx4v5cz4_hKSIjJcfdtLCxGBFo_jSACklyM";
    let value = json!({"a": "é", "n": [1, 2.5, null, true]});
    assert_eq!(dumps(&value, &keys(), "s", false, then()).unwrap(), signed);
    assert_eq!(loads::<Value>(signed, &keys(), "s", None, then()).unwrap(), value);

    let plain = "WzFd:1r31eq:0Un_whbhvh3fPvSTRFXSgZVsGgl7PynG3BB6wA0WE_A";
    assert_eq!(dumps(&[1], &keys(), "", false, then()).unwrap(), plain);
    assert_eq!(loads::<Vec<u8>>(plain, &keys(), "", None, then()).unwrap(), [1]);

    let rich = concat!(
        "eyJzIjoiXHUwMGU5XHVkODNkXHVkZTAwXHUwMDdmXCJcXFxuIiwiZiI6WzEuMCwxZSsxNiwwLjEsLTAuMCwxZS0wNSwyLjVlKzMwMF0sIm4iOns",
        "ieCI6bnVsbCwieSI6W3RydWUsZmFsc2VdfSwiaSI6MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjN9:1r31eq:",
        "P9VF1KHwLRAaknhVjfRxBkvLODA3gmXpn9CIbYLl8OE"
    );
    let read: Value = loads(rich, &keys(), "s", None, then()).unwrap();
    assert_eq!(read["s"], "é😀\u{7f}\"\\\n");
    assert_eq!(read["f"], json!([1.0, 1e16, 0.1, -0.0, 1e-5, 2.5e300]));
}

#[test]
fn compressed_objects_are_read_and_written() {
    let signed = ".eJyrVspWslKqoAAo1QIA9-oeRg:1r31eq:w4l7UZS0s2tyNAMjmdiMSSUL-6wD3H9LJPQX35X1tXA";
    let value = json!({"k": "x".repeat(60)});
    assert_eq!(loads::<Value>(signed, &keys(), "s", None, then()).unwrap(), value);
    let longer = ".eJyrVipRslJKTEpWGMWDByvpKJUCoyWm1MAg1XKUJIZUqgUAoVbdWA:1r31eq:_0Txxq17C3hjDSapXKtUGI4gaz5QHKsSpb_pD5CUYfA";
    let read: Value = loads(longer, &keys(), "s", None, then()).unwrap();
    assert_eq!(read, json!({"t": "abc ".repeat(100), "u": "é".repeat(50)}));
    let own = dumps(&value, &keys(), "s", true, then()).unwrap();
    assert!(own.starts_with('.'));
    assert_eq!(loads::<Value>(&own, &keys(), "s", None, then()).unwrap(), value);
}

#[test]
fn mark_of_compression_is_signed() {
    let signed = dumps(&json!({"k": 1}), &keys(), "s", false, then()).unwrap();
    let marked = format!(".{signed}");
    let refused = loads::<Value>(&marked, &keys(), "s", None, then()).unwrap_err();
    assert!(matches!(
        refused,
        DecodeError::BadSignature(BadSignature::Mismatch { .. })
    ));
}

#[test]
fn authentic_nonsense_is_malformed() {
    let signer = TimestampSigner::new(&keys(), "s");
    for payload in ["a", "AAAA", ".AAAA", ".", ""] {
        let signed = signer.sign_at(payload, then());
        let refused = signer.unsign_object::<Value>(&signed, None, then()).unwrap_err();
        assert!(matches!(refused, DecodeError::Malformed(_)), "{payload}");
    }
}

proptest! {
    #[test]
    fn any_value_comes_back(value: String, seconds in 0_u64..1 << 40) {
        let signer = TimestampSigner::new(&keys(), "s");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let signed = signer.sign_at(&value, now);
        prop_assert_eq!(signer.unsign_at(&signed, Some(Duration::ZERO), now), Ok(value.as_str()));
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let signer = TimestampSigner::new(&keys(), "s");
        prop_assert!(signer.unsign_at(&text, None, then()).is_err());
        let _ = signer.unsign_object::<Value>(&signer.sign_at(&text, then()), None, then());
    }
}
