//! What ties a session to the password it was opened with.

use std::fmt::Write as _;

use crate::SecretKey;
use crate::signing::{Algorithm, salted_hmac};

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
    hex(&salted_hmac(SALT, encoded, key, Algorithm::Sha256))
}

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
