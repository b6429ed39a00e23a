//! The session's id as a type: made from the system's randomness, never adopted from a client.

use palisade_core::secret::CLEANSED;
use palisade_core::token::{self, Alphabet};

/// A session key: what the session cookie holds.
///
/// A key that comes from a client is only ever looked up. It becomes a session's key because the store knows it, never
/// because somebody sent it (defect D6 of peers: an attacker plants a key and waits for the login).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionKey(Box<str>);

impl SessionKey {
    /// Makes a new key: 32 characters a–z 0–9, 165 random bits, as Django's.
    pub fn generate() -> Self {
        Self(token::random_string(32, Alphabet::Base36).into())
    }

    /// Reads a key from a cookie; anything that Django could not have made is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let lawful = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (lawful && (8..=40).contains(&text.len())).then(|| Self(text.into()))
    }

    /// Shows the key to a store or a cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Never the key: whoever reads it has the session.
impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(CLEANSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_djangos_and_never_print() {
        let key = SessionKey::generate();
        assert_eq!(key.expose().len(), 32);
        assert_eq!(SessionKey::parse(key.expose()), Some(key.clone()));
        assert_ne!(key, SessionKey::generate());
        assert_eq!(format!("{key:?}"), CLEANSED);
    }

    #[test]
    fn what_django_could_not_have_made_is_no_key() {
        for bad in [
            "",
            "short",
            "ABCDEFGHIJKLMNOP",
            "../../etc/passwd",
            "abc def ghi",
            &"a".repeat(41),
            "abcdefgh\0",
        ] {
            assert_eq!(SessionKey::parse(bad), None, "{bad:?}");
        }
    }
}
