//! The session's id as a type: made from the system's randomness, never adopted from a client.

use std::hash::{Hash, Hasher};

use palisade_core::secret::CLEANSED;
use palisade_core::token::{self, Alphabet};
use sha2::{Digest as _, Sha256};

/// What the hash of a key is for, so that it is no hash that anything else has.
const HASHED_FOR: &[u8] = b"palisade session key\0";
/// The letters of a hash: 200 bits at five each, in Django's alphabet and as many as its column takes.
const HASH_LETTERS: usize = 40;
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A session key: what the session cookie holds.
///
/// A key that comes from a client is only ever looked up. It becomes a session's key because the store knows it, never
/// because somebody sent it (defect D6 of peers: an attacker plants a key and waits for the login).
///
/// What [`HashedKeys`](super::HashedKeys) lists are the hashes of keys. Such a one is equal to the key that it is the hash of, and
/// ends its session where the store is asked to delete it; as a cookie it opens nothing.
#[derive(Clone)]
pub struct SessionKey {
    text: Box<str>,
    is_hash: bool,
}

impl SessionKey {
    /// Makes a new key: 32 characters a–z 0–9, 165 random bits, as Django's.
    pub fn generate() -> Self {
        Self::plain(token::random_string(32, Alphabet::Base36))
    }

    /// Reads a key from a cookie; anything that Django could not have made is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let lawful = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (lawful && (8..=HASH_LETTERS).contains(&text.len())).then(|| Self::plain(text))
    }

    /// Shows the key to a store or a cookie.
    pub fn expose(&self) -> &str {
        &self.text
    }

    fn plain(text: impl Into<Box<str>>) -> Self {
        let (text, is_hash) = (text.into(), false);
        Self { text, is_hash }
    }

    /// The hash that a store is given in the key's place, as a key of its own.
    pub(super) fn hash(&self) -> Self {
        Self::plain(self.hash_text())
    }

    /// Takes a store's key for what it is: the hash of one.
    pub(super) fn into_hash(self) -> Self {
        Self {
            is_hash: true,
            ..self
        }
    }

    /// Whether it has the length of a hash, which no key has that was made here or by Django.
    pub(super) fn looks_like_a_hash(&self) -> bool {
        self.text.len() == HASH_LETTERS
    }

    pub(super) fn hash_text(&self) -> Box<str> {
        if self.is_hash {
            return self.text.clone();
        }
        let hash = Sha256::new()
            .chain_update(HASHED_FOR)
            .chain_update(self.text.as_bytes())
            .finalize();
        let mut text = String::with_capacity(HASH_LETTERS);
        // 25 bytes are five groups of five, each of which is eight letters.
        for group in hash.chunks_exact(5).take(HASH_LETTERS / 8) {
            let bits = group
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            let letter = |at: u32| {
                let five = usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or_default();
                BASE32.get(five).copied()
            };
            text.extend((0..8).filter_map(letter).map(char::from));
        }
        text.into()
    }
}

/// A key is equal to its hash.
impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        if self.is_hash == other.is_hash {
            self.text == other.text
        } else {
            self.hash_text() == other.hash_text()
        }
    }
}

impl Eq for SessionKey {}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash_text().hash(state);
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
    fn hash_fits_where_a_key_does_and_is_the_key_that_it_is_of() {
        let key = SessionKey::generate();
        let hash = key.hash();
        assert_eq!(hash.expose().len(), 40);
        assert_eq!(SessionKey::parse(hash.expose()), Some(hash.clone()));
        assert!(hash.looks_like_a_hash() && !key.looks_like_a_hash());
        assert_ne!(hash, key, "as a cookie it is another key");
        assert_ne!(hash.hash().expose(), hash.expose());
        let listed = hash.clone().into_hash();
        assert_eq!(listed, key);
        assert_eq!(listed.hash().expose(), hash.expose(), "it is not hashed twice");
        let seen: std::collections::HashSet<_> = [key, listed].into();
        assert_eq!(seen.len(), 1);
    }

    /// Written down, so that no change ends everybody's sessions.
    #[test]
    fn hash_of_a_key_stays_what_it_is() {
        let key = SessionKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap();
        assert_eq!(key.hash().expose(), "vgw7x75kwhbf6nchzp5s6exce5dqdwmstw2bgbu5");
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
