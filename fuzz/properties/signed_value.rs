//! What holds for every text that claims to be signed, and for everything that a signature may carry.

use std::time::SystemTime;

use palisade_core::csrf::CsrfSecret;
use palisade_core::password::{EncodedPassword, Parameters, ResetSubject, ResetTokens};
use palisade_core::session::{SessionCodec, SessionData};
use palisade_core::signing::{CookieSigner, Signer, TimestampSigner, base36, base62, base64url};
use palisade_core::{KeyRing, SecretKey, json};

/// The salt of Django's sessions.
const SESSION_SALT: &str = "django.contrib.sessions.SessionStore";

/// Asserts it for one input.
pub(super) fn holds(data: &[u8]) {
    let keys = KeyRing::new(SecretKey::new("secret"));
    carried(&keys, data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    claimed(&keys, text);
    stored(text);
    let subject = ResetSubject {
        user_id: "1",
        password: "!",
        last_login: None,
        email: "",
    };
    assert!(!ResetTokens::new(&keys).check_at(&subject, text, SystemTime::UNIX_EPOCH));
}

/// The input as what stands before a signature.
fn carried(keys: &KeyRing, data: &[u8]) {
    let signer = TimestampSigner::new(keys, SESSION_SALT);
    let codec = SessionCodec::new(keys);
    for payload in [base64url::encode(data), format!(".{}", base64url::encode(data))] {
        let signed = signer.sign_at(&payload, SystemTime::UNIX_EPOCH);
        if let Ok(session) = codec.decode(&signed) {
            keeps(&codec, &session);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let signed = signer.sign_at(text, SystemTime::UNIX_EPOCH);
        assert_eq!(
            signer.split(&signed),
            Ok((text, 0)),
            "a value changed under its signature"
        );
        if let Ok(session) = codec.decode(&signed) {
            keeps(&codec, &session);
        }
    }
}

/// Encoding a session and decoding it again changes nothing.
fn keeps(codec: &SessionCodec, session: &SessionData) {
    let text = codec.encode(session, SystemTime::UNIX_EPOCH);
    assert!(text.is_ascii(), "{text:?} would be read as Latin-1");
    let again = codec.decode(&text).expect("an encoded session decodes");
    assert!(again.keys().eq(session.keys()), "a key was lost or renamed");
    assert_eq!(
        codec.encode(&again, SystemTime::UNIX_EPOCH),
        text,
        "a second encoding differs"
    );
    for key in session.keys() {
        let _ = again.get::<String>(key);
    }
}

/// The input as signed text: only what the key would sign is believed.
fn claimed(keys: &KeyRing, text: &str) {
    let signer = Signer::new(keys, "s");
    if let Ok(value) = signer.unsign(text) {
        assert_eq!(signer.sign(value), text, "two texts are one signed value");
    }
    let timed = TimestampSigner::new(keys, "s");
    if let Ok((value, _)) = timed.split(text) {
        assert!(text.starts_with(value), "a value that was not signed");
    }
    let cookie = CookieSigner::new(keys, "a", "bc").with_legacy_salt(keys, "a", "bc");
    let _ = cookie.unsign_at(text, None, SystemTime::UNIX_EPOCH);
    let _ = SessionCodec::new(keys).decode(text);
    let other = Signer::new(&KeyRing::new(SecretKey::new("another")), "t");
    assert!(
        other.unsign(text).is_err(),
        "{text:?} was signed with a key that nobody used"
    );
}

/// The input as the other things that Django stores and sends.
fn stored(text: &str) {
    if let Ok(secret) = CsrfSecret::parse(text) {
        assert_eq!(
            CsrfSecret::parse(&secret.mask()),
            Ok(secret),
            "a mask does not come off"
        );
    }
    if let Ok(password) = text.parse::<EncodedPassword>() {
        assert_eq!(
            password.to_string(),
            text,
            "a stored password is written back differently"
        );
        let _ = (
            password.weaknesses(&Parameters::default()).len(),
            password.safe_summary(),
        );
    }
    if let Ok(number) = base62::decode(text) {
        assert_eq!(base62::decode(&base62::encode(number)), Ok(number));
    }
    // Below zero a number is read, as Django reads it, and has no form to be written in.
    if let Ok(number @ 0..) = base36::decode(text) {
        assert_eq!(
            base36::encode(number).and_then(|text| base36::decode(&text)),
            Ok(number)
        );
    }
    if let Ok(members) = json::members(text) {
        for member in members {
            assert_eq!(
                json::validate(member.value_in(text)),
                Ok(()),
                "a value that is no value"
            );
        }
    }
}
