//! What ties a session to the password it was opened with.

use crate::secret::constant_time_eq;
use crate::signing::{Algorithm, ReadyMac};
use crate::{KeyRing, SecretKey};

/// The salt of the hash: the dotted path of Django's method.
const SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// Computes Django's session auth hash of a password column, in hexadecimal.
///
/// The session keeps it under [`AUTH_USER_HASH`](super::AUTH_USER_HASH); when the column changes, every session opened
/// with the old password stops matching. Compare in constant time, with each fallback key, too.
///
/// # Example
///
/// ```
/// use palisade_core::SecretKey;
/// use palisade_core::session::session_auth_hash;
///
/// let hash = session_auth_hash("pbkdf2_sha256$1$salt$hash", &SecretKey::new("secret"));
/// assert_eq!(hash, "67b8a2db9a11f20a0a7107b74c79f0f7cf7c6da789d5741f6b65b93c65a418f6");
/// ```
pub fn session_auth_hash(encoded: &str, key: &SecretKey) -> String {
    hash_with(
        &ReadyMac::new(Algorithm::Sha256, &[SALT.as_bytes()], key),
        encoded,
    )
}

/// Computes session auth hashes with keys that are derived once: for a service, which asks at every request.
///
/// # Example
///
/// ```
/// use palisade_core::session::{HashOrigin, SessionAuthHasher, session_auth_hash};
/// use palisade_core::{KeyRing, SecretKey};
///
/// let hasher = SessionAuthHasher::new(&KeyRing::new(SecretKey::new("secret")));
/// let hash = hasher.hash("pbkdf2_sha256$1$salt$hash");
/// assert_eq!(hash, session_auth_hash("pbkdf2_sha256$1$salt$hash", &SecretKey::new("secret")));
/// assert_eq!(hasher.origin("pbkdf2_sha256$1$salt$hash", &hash), Some(HashOrigin::Current));
/// assert_eq!(hasher.origin("pbkdf2_sha256$1$salt$other", &hash), None);
/// ```
#[derive(Clone, Debug)]
pub struct SessionAuthHasher {
    current: ReadyMac,
    fallbacks: Vec<ReadyMac>,
}

/// Which key made a session auth hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashOrigin {
    /// The primary key.
    Current,
    /// A fallback key: the session goes on, with a hash by the primary one.
    Fallback,
}

impl SessionAuthHasher {
    /// Makes the keys ready.
    pub fn new(keys: &KeyRing) -> Self {
        let ready = |key| ReadyMac::new(Algorithm::Sha256, &[SALT.as_bytes()], key);
        Self {
            current: ready(keys.primary()),
            fallbacks: keys.fallbacks().iter().map(ready).collect(),
        }
    }

    /// Computes the hash of a password column with the primary key.
    pub fn hash(&self, encoded: &str) -> String {
        hash_with(&self.current, encoded)
    }

    /// Says which key made `stored` of this password column; none did where the password has changed since.
    pub fn origin(&self, encoded: &str, stored: &str) -> Option<HashOrigin> {
        let made_by = |key: &ReadyMac| constant_time_eq(stored, hash_with(key, encoded));
        if made_by(&self.current) {
            Some(HashOrigin::Current)
        } else {
            self.fallbacks.iter().any(made_by).then_some(HashOrigin::Fallback)
        }
    }
}

fn hash_with(key: &ReadyMac, encoded: &str) -> String {
    hex(key.tag(&[encoded.as_bytes()]).as_bytes())
}

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_by_a_fallback_key_is_known_as_such() {
        let (old, new) = (SecretKey::new("old"), SecretKey::new("new"));
        let stored = session_auth_hash("password column", &old);
        let hasher = SessionAuthHasher::new(&KeyRing::new(new.clone()).with_fallbacks(vec![old]));
        assert_eq!(
            hasher.origin("password column", &stored),
            Some(HashOrigin::Fallback)
        );
        assert_eq!(
            hasher.origin("password column", &hasher.hash("password column")),
            Some(HashOrigin::Current)
        );
        assert_eq!(
            SessionAuthHasher::new(&KeyRing::new(new)).origin("password column", &stored),
            None
        );
        assert_eq!(hasher.origin("password column", ""), None);
    }
}
