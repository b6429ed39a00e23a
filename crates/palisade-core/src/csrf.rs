//! CSRF secrets and their masked tokens, in Django's format.
//!
//! The cookie or the session holds a bare secret of 32 characters; a page gets it masked, 64 characters that differ each
//! time, because a secret that is always the same bytes in a compressed page can be measured out of it (BREACH). Both
//! forms are accepted back, as Django does. What a request must bring says [`Source`] and [`check_token`]; which request needs it is for
//! whoever serves it. Meets `cross-site-request-forgery`.

mod decision;

pub use self::decision::{CsrfRejection, Source, TokenSource, bad_referer, check_token, header_title};

use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::secret::{CLEANSED, constant_time_eq};
use crate::token::{Alphabet, random_string};

/// How many characters a secret has. A masked token has twice as many.
pub const SECRET_LENGTH: usize = 32;

/// The session key that holds the secret where the cookie does not: `CSRF_USE_SESSIONS`.
pub const SESSION_KEY: &str = "_csrftoken";

/// How many characters there are to mask with.
const RADIX: u8 = 62;

/// Why a text is no CSRF token. The words complete Django's reasons, as in `CSRF cookie has incorrect length.`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidToken {
    /// It has neither 32 nor 64 characters. Looked at first.
    #[error("has incorrect length")]
    IncorrectLength,
    /// It has a character other than an ASCII letter or digit.
    #[error("has invalid characters")]
    InvalidCharacters,
}

/// Checks that a text has the form of a token, bare or masked: Django's `_check_token_format`.
///
/// # Errors
///
/// Where it does not have 32 or 64 characters, all of them ASCII letters and digits.
pub fn check_token_format(token: &str) -> Result<(), InvalidToken> {
    CsrfSecret::parse(token).map(drop)
}

/// The secret that a browser's cookie or session holds.
///
/// # Example
///
/// ```
/// use palisade_core::csrf::CsrfSecret;
///
/// let secret = CsrfSecret::generate();
/// let in_the_page = secret.mask();
/// assert_eq!(in_the_page.len(), 64);
/// assert_ne!(in_the_page, secret.mask());
/// assert_eq!(CsrfSecret::parse(&in_the_page), Ok(secret));
/// ```
#[derive(Clone, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CsrfSecret([u8; SECRET_LENGTH]);

impl CsrfSecret {
    /// Draws a new secret.
    ///
    /// # Panics
    ///
    /// Where the system gives no randomness.
    pub fn generate() -> Self {
        let mut drawn = random_string(SECRET_LENGTH, Alphabet::Base62);
        let mut secret = Self([0; SECRET_LENGTH]);
        secret
            .0
            .iter_mut()
            .zip(drawn.bytes())
            .for_each(|(character, byte)| *character = byte);
        drawn.zeroize();
        secret
    }

    /// Reads a secret, bare or masked.
    ///
    /// # Errors
    ///
    /// Where the text does not have 32 or 64 characters, all of them ASCII letters and digits.
    pub fn parse(token: &str) -> Result<Self, InvalidToken> {
        // Characters, not bytes, decide about the length: it is what the reason names.
        let length = if token.is_ascii() {
            token.len()
        } else {
            token.chars().count()
        };
        if length != SECRET_LENGTH && length != 2 * SECRET_LENGTH {
            return Err(InvalidToken::IncorrectLength);
        }
        if !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(InvalidToken::InvalidCharacters);
        }
        let mut secret = Self([0; SECRET_LENGTH]);
        match token.as_bytes().split_at_checked(SECRET_LENGTH) {
            Some((mask, cipher)) if !cipher.is_empty() => {
                for ((character, cipher), mask) in secret.0.iter_mut().zip(cipher).zip(mask) {
                    *character = character_at((RADIX + index_of(*cipher) - index_of(*mask)) % RADIX);
                }
            }
            _ => secret
                .0
                .iter_mut()
                .zip(token.bytes())
                .for_each(|(character, byte)| *character = byte),
        }
        Ok(secret)
    }

    /// Masks the secret for a page: 64 characters, different each time.
    ///
    /// # Panics
    ///
    /// Where the system gives no randomness.
    pub fn mask(&self) -> String {
        let mut token = random_string(SECRET_LENGTH, Alphabet::Base62);
        token.reserve_exact(SECRET_LENGTH);
        let mut cipher = self.0;
        for (character, mask) in cipher.iter_mut().zip(token.bytes()) {
            *character = character_at((index_of(*character) + index_of(mask)) % RADIX);
        }
        token.extend(cipher.iter().map(|byte| char::from(*byte)));
        token
    }

    /// The bare secret, as the cookie holds it.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq for CsrfSecret {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0, other.0)
    }
}

impl fmt::Debug for CsrfSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLEANSED)
    }
}

/// The index of a letter or digit in `a`–`z` `A`–`Z` `0`–`9`.
const fn index_of(character: u8) -> u8 {
    match character {
        b'a'..=b'z' => character - b'a',
        b'A'..=b'Z' => character - b'A' + 26,
        _ => character.wrapping_sub(b'0').wrapping_add(52) % RADIX,
    }
}

/// The letter or digit at an index.
const fn character_at(index: u8) -> u8 {
    match index {
        0..=25 => b'a' + index,
        26..=51 => b'A' + (index - 26),
        _ => b'0' + (index - 52) % 10,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn masked_token_of_equal_letters_unmasks_to_the_first() {
        for letter in ["a", "b", "Z", "0", "9"] {
            assert_eq!(
                CsrfSecret::parse(&letter.repeat(64)).unwrap().as_str(),
                "a".repeat(32)
            );
        }
    }

    #[test]
    fn masked_tokens_are_djangos() {
        for (token, secret) in [
            (
                "0123456789abcdefghijABCDEFGHIJKLRSTUVWXYZ0zAzCzEzGzIaaaaaaaaaaaa",
                "1111111111zzxzvztzrzKJIHGFEDCBAz",
            ),
            (
                "aZ09bY18cX27dW36eV45fU54gT63hS72l12bd03aZVc9fY58gX67hW76iV85jJ8H",
                "lcccccccX8kcccccccccccccccccc1bP",
            ),
        ] {
            assert_eq!(CsrfSecret::parse(token).unwrap().as_str(), secret);
        }
    }

    #[test]
    fn alphabet_is_in_djangos_order() {
        for (index, character) in (0_u8..).zip(Alphabet::Base62.characters()) {
            assert_eq!(index_of(*character), index);
            assert_eq!(character_at(index), *character);
        }
    }

    #[test]
    fn length_is_judged_before_characters() {
        for token in [
            "",
            "a",
            &"a".repeat(31),
            &"a".repeat(33),
            &"*".repeat(63),
            &"a".repeat(128),
            &"é".repeat(16),
        ] {
            assert_eq!(
                CsrfSecret::parse(token),
                Err(InvalidToken::IncorrectLength),
                "{token}"
            );
        }
        for token in [
            "*".repeat(32),
            "é".repeat(32),
            "-".repeat(64),
            format!("{} ", "a".repeat(31)),
        ] {
            assert_eq!(
                CsrfSecret::parse(&token),
                Err(InvalidToken::InvalidCharacters),
                "{token}"
            );
        }
        assert_eq!(InvalidToken::IncorrectLength.to_string(), "has incorrect length");
        assert_eq!(
            InvalidToken::InvalidCharacters.to_string(),
            "has invalid characters"
        );
    }

    #[test]
    fn page_never_gets_the_same_token_twice() {
        let secret = CsrfSecret::generate();
        let tokens: HashSet<String> = (0..500).map(|_| secret.mask()).collect();
        assert_eq!(tokens.len(), 500);
        assert!(tokens.iter().all(|token| !token.contains(secret.as_str())));
        assert!(
            tokens
                .iter()
                .all(|token| CsrfSecret::parse(token).as_ref() == Ok(&secret))
        );
    }

    #[test]
    fn secret_is_not_printed() {
        assert_eq!(format!("{:?}", CsrfSecret::generate()), CLEANSED);
    }

    proptest! {
        #[test]
        fn bare_secret_comes_back(bare in "[a-zA-Z0-9]{32}") {
            let secret = CsrfSecret::parse(&bare).unwrap();
            prop_assert_eq!(secret.as_str(), bare.as_str());
            prop_assert_eq!(CsrfSecret::parse(&secret.mask()), Ok(secret));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = CsrfSecret::parse(&text);
        }
    }
}
