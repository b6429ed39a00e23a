//! What ties a session to the password it was opened with.

use crate::KeyRing;
use crate::hexadecimal::hexadecimal;
use crate::signing::{Algorithm, ReadyMac};

/// The salt of the hash: the dotted path of Django's method.
const SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// Computes Django's session auth hash of a password column, in hexadecimal, with keys that are derived once: a service asks at
/// every request.
///
/// The session keeps it under [`AUTH_USER_HASH`](super::AUTH_USER_HASH); when the column changes, every session opened
/// with the old password stops matching. [`StoredLogin::verify`](super::StoredLogin::verify) compares.
///
/// # Example
///
/// ```
/// use palisade_core::session::SessionAuthHasher;
/// use palisade_core::{KeyRing, SecretKey};
///
/// let hasher = SessionAuthHasher::new(&KeyRing::new(SecretKey::new("secret")));
/// let hash = hasher.hash("pbkdf2_sha256$1$salt$hash");
/// assert_eq!(hash, "67b8a2db9a11f20a0a7107b74c79f0f7cf7c6da789d5741f6b65b93c65a418f6");
/// ```
#[derive(Clone, Debug)]
pub struct SessionAuthHasher {
    current: ReadyMac,
    fallbacks: Vec<ReadyMac>,
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

    /// Computes the hash with each fallback key, as it is asked for.
    pub fn fallback_hashes<'h>(&'h self, encoded: &'h str) -> impl Iterator<Item = String> + 'h {
        self.fallbacks.iter().map(move |key| hash_with(key, encoded))
    }
}

fn hash_with(key: &ReadyMac, encoded: &str) -> String {
    hexadecimal(key.tag(&[encoded.as_bytes()]).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;
    use crate::session::{KeyAction, LoginProof, StoredLogin};

    #[test]
    fn hash_by_a_fallback_key_is_known_as_such() {
        let (old, new) = (SecretKey::new("old"), SecretKey::new("new"));
        let stored = StoredLogin {
            user_id: Some("1".to_owned()),
            backend: Some("m.B".to_owned()),
            hash: Some(SessionAuthHasher::new(&KeyRing::new(old.clone())).hash("password column")),
        };
        let verified = |hasher: &SessionAuthHasher| {
            let current = hasher.hash("password column");
            let proof = LoginProof {
                hash: Some(&current),
                fallback_hashes: hasher.fallback_hashes("password column"),
            };
            stored.verify(Some(proof))
        };
        let hasher = SessionAuthHasher::new(&KeyRing::new(new.clone()).with_fallbacks(vec![old]));
        let (plan, is_theirs) = verified(&hasher);
        assert_eq!((plan.action, is_theirs), (KeyAction::Cycle, true));
        assert_eq!(plan.set[0].1, hasher.hash("password column"));
        let (plan, is_theirs) = verified(&SessionAuthHasher::new(&KeyRing::new(new)));
        assert_eq!((plan.action, is_theirs), (KeyAction::Flush, false));
    }
}
