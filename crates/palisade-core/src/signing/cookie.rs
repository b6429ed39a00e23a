//! Signed cookies: a value bound to the name of its cookie, as Django's `set_signed_cookie` writes it.
//!
//! Since CVE-2026-6873 the length of the caller's salt is part of the salt, because name and salt were joined without a
//! mark before: cookie `a` with salt `bc` was also cookie `ab` with salt `c`. Django still reads the old form by
//! default; here reading it has to be asked for ([`with_legacy_salt`](CookieSigner::with_legacy_salt)).

use std::time::{Duration, SystemTime};

use super::{BadSignature, TimestampSigner};
use crate::{KeyRing, SecretKey};

/// What stands before the key, so that a cookie's signature is no other signature.
const KEY_PREFIX: &str = "django.http.cookies";

/// Signs the values of one cookie.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::signing::CookieSigner;
/// use palisade_core::{KeyRing, SecretKey};
///
/// let signer = CookieSigner::new(&KeyRing::new(SecretKey::new("secret")), "a", "bc");
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let signed = signer.sign_at("hello", now);
/// assert_eq!(signed, "hello:1r31eq:wS-Z9xQUBx7ulEB22ok8oeU4spDZj9PpbmFJ-z8fmZQ");
/// assert_eq!(signer.unsign_at(&signed, None, now).unwrap(), "hello");
/// ```
#[derive(Clone, Debug)]
pub struct CookieSigner {
    current: TimestampSigner,
    legacy: Option<TimestampSigner>,
}

impl CookieSigner {
    /// Makes a signer for the cookie `name`; `salt` tells apart cookies of the same name.
    pub fn new(keys: &KeyRing, name: &str, salt: &str) -> Self {
        let length = salt.chars().count();
        let salt = format!("{KEY_PREFIX}.v2:{length}:{salt}{name}");
        Self {
            current: TimestampSigner::new(&prefixed(keys), &salt),
            legacy: None,
        }
    }

    /// Reads what Django before 5.2.15 signed, too: `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`.
    ///
    /// # Security
    ///
    /// A value that was signed for another pair of name and salt with the same letters is then accepted for this one.
    #[must_use]
    pub fn with_legacy_salt(mut self, keys: &KeyRing, name: &str, salt: &str) -> Self {
        self.legacy = Some(TimestampSigner::new(&prefixed(keys), &format!("{name}{salt}")));
        self
    }

    /// Signs a value at a time.
    pub fn sign_at(&self, value: &str, now: SystemTime) -> String {
        self.current.sign_at(value, now)
    }

    /// Takes the value out of a signed one.
    ///
    /// # Errors
    ///
    /// Where the signature does not match, or is older than `max_age`. A value that is only too old is not tried again
    /// with the legacy salt.
    pub fn unsign_at<'s>(
        &self,
        signed: &'s str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<&'s str, BadSignature> {
        self.unsign_within(signed, max_age.as_ref().map(Duration::as_secs_f64), now)
    }

    /// Does the same for an age in seconds, of any number: see [`TimestampSigner::unsign_within`].
    ///
    /// # Errors
    ///
    /// As [`unsign_at`](Self::unsign_at).
    pub fn unsign_within<'s>(
        &self,
        signed: &'s str,
        max_age: Option<f64>,
        now: SystemTime,
    ) -> Result<&'s str, BadSignature> {
        match (self.current.unsign_within(signed, max_age, now), &self.legacy) {
            (Err(error), Some(legacy)) if !error.is_expired() => legacy.unsign_within(signed, max_age, now),
            (answer, _) => answer,
        }
    }
}

/// Signs one value of a cookie. Keep a [`CookieSigner`] where there are many.
pub fn sign_cookie(keys: &KeyRing, name: &str, salt: &str, value: &str, now: SystemTime) -> String {
    CookieSigner::new(keys, name, salt).sign_at(value, now)
}

/// Takes the value out of one signed cookie; `legacy` is `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`.
///
/// # Errors
///
/// Where the signature does not match, or is older than `max_age`.
pub fn unsign_cookie<'s>(
    keys: &KeyRing,
    name: &str,
    salt: &str,
    signed: &'s str,
    max_age: Option<Duration>,
    now: SystemTime,
    legacy: bool,
) -> Result<&'s str, BadSignature> {
    let signer = CookieSigner::new(keys, name, salt);
    let signer = if legacy {
        signer.with_legacy_salt(keys, name, salt)
    } else {
        signer
    };
    signer.unsign_at(signed, max_age, now)
}

/// The keys of cookies: each with the prefix, fallbacks too.
fn prefixed(keys: &KeyRing) -> KeyRing {
    let prefixed = |key: &SecretKey| SecretKey::new([KEY_PREFIX.as_bytes(), key.expose()].concat());
    KeyRing::new(prefixed(keys.primary())).with_fallbacks(keys.fallbacks().iter().map(prefixed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn keys() -> KeyRing {
        KeyRing::new(SecretKey::new("secret"))
    }

    #[test]
    fn signed_cookie_is_djangos() {
        let signed = "hello:1r31eq:wS-Z9xQUBx7ulEB22ok8oeU4spDZj9PpbmFJ-z8fmZQ";
        assert_eq!(
            sign_cookie(&keys(), "a", "bc", "hello", at(1_700_000_000)),
            signed
        );
        assert_eq!(
            unsign_cookie(&keys(), "a", "bc", signed, None, at(0), false),
            Ok("hello")
        );
    }

    #[test]
    fn cookie_is_not_another_cookie_with_the_same_letters() {
        let signed = sign_cookie(&keys(), "a", "bc", "hello", at(0));
        for (name, salt) in [("ab", "c"), ("abc", ""), ("b", "bc"), ("a", "")] {
            for legacy in [false, true] {
                assert!(
                    unsign_cookie(&keys(), name, salt, &signed, None, at(0), legacy).is_err(),
                    "{name} {salt}"
                );
            }
        }
    }

    #[test]
    fn legacy_cookie_is_read_only_where_asked_for() {
        let legacy = TimestampSigner::new(&prefixed(&keys()), "abc").sign_at("hello", at(100));
        let hour = Some(Duration::from_secs(10));
        assert!(unsign_cookie(&keys(), "a", "bc", &legacy, None, at(100), false).is_err());
        assert_eq!(
            unsign_cookie(&keys(), "a", "bc", &legacy, hour, at(100), true),
            Ok("hello")
        );
        assert!(
            unsign_cookie(&keys(), "a", "bc", &legacy, hour, at(111), true)
                .unwrap_err()
                .is_expired()
        );
        let new = sign_cookie(&keys(), "a", "bc", "hello", at(100));
        assert!(
            unsign_cookie(&keys(), "a", "bc", &new, hour, at(111), true)
                .unwrap_err()
                .is_expired()
        );
    }

    #[test]
    fn fallback_keys_have_the_prefix_too() {
        let old = sign_cookie(&keys(), "a", "", "hello", at(0));
        let ring = KeyRing::new(SecretKey::new("new")).with_fallbacks(vec![SecretKey::new("secret")]);
        assert_eq!(
            unsign_cookie(&ring, "a", "", &old, None, at(0), false),
            Ok("hello")
        );
    }
}
