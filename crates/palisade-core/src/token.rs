//! Random tokens: the one place that asks the system for randomness.
//!
//! Session keys, CSRF secrets and masks, nonces and password salts all come from here, so that no other module can
//! choose a weaker source. A call to the system for every 32 bytes would be most of the cost of a token, therefore each
//! thread keeps a small buffer; every byte of it is given out once and wiped as it leaves.
//!
//! # Security
//!
//! A process that forks without executing another program would share the unread bytes with its child. Nothing in
//! Palisade does that, and safe Rust cannot.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroize;

/// How many bytes a thread keeps ready.
const BUFFER: usize = 512;

/// The characters of a random string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// `a`–`z`, `A`–`Z`, `0`–`9`, in that order: CSRF secrets, salts.
    Base62,
    /// `a`–`z`, `0`–`9`: session keys.
    Base36,
}

impl Alphabet {
    /// The characters, in the order of their indexes.
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Base62 => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            Self::Base36 => b"abcdefghijklmnopqrstuvwxyz0123456789",
        }
    }

    /// The character that a random byte stands for, or none where using it would favour some characters.
    fn character(self, byte: u8) -> Option<char> {
        let characters = self.characters();
        let fair = 256 - 256 % characters.len();
        let index = usize::from(byte);
        (index < fair)
            .then(|| characters.get(index % characters.len()).copied().map(char::from))
            .flatten()
    }
}

/// Draws a string, each character uniform and independent: Django's `get_random_string`.
///
/// # Example
///
/// ```
/// use palisade_core::token::{Alphabet, random_string};
///
/// let session_key = random_string(32, Alphabet::Base36);
/// assert_eq!(session_key.len(), 32);
/// ```
///
/// # Panics
///
/// Where the system gives no randomness: a guessable token would be worse than none.
pub fn random_string(length: usize, alphabet: Alphabet) -> String {
    let mut drawn = String::with_capacity(length);
    let mut chunk = [0_u8; 64];
    while drawn.len() < length {
        let wanted = (length - drawn.len()).min(chunk.len());
        if let Some(bytes) = chunk.get_mut(..wanted) {
            fill(bytes);
            drawn.extend(bytes.iter().filter_map(|byte| alphabet.character(*byte)));
        }
    }
    chunk.zeroize();
    drawn
}

/// Draws a string from characters of one's own, each as likely as the others: `get_random_string(length, allowed_chars)`.
///
/// None at all where there are no characters to draw from. A character that stands twice is twice as likely.
///
/// # Example
///
/// ```
/// use palisade_core::token::random_string_from;
///
/// let code = random_string_from(8, "BCDFGHJKLMNPQRSTVWXZ").unwrap();
/// assert_eq!(code.len(), 8);
/// assert_eq!(random_string_from(1, ""), None);
/// ```
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn random_string_from(length: usize, characters: &str) -> Option<String> {
    let characters: Vec<char> = characters.chars().collect();
    let count = u32::try_from(characters.len()).ok().filter(|count| *count > 0)?;
    // Numbers beyond the last whole multiple of the count would favour the first characters.
    let fair = u32::MAX - u32::MAX % count;
    let draw = || loop {
        let number = u32::from_le_bytes(random_bytes());
        if number < fair {
            return characters.get((number % count) as usize).copied();
        }
    };
    (0..length).map(|_| draw()).collect()
}

/// Draws bytes.
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    fill(&mut bytes);
    bytes
}

/// Draws a nonce for a Content-Security-Policy: 128 bits, URL-safe base64 without padding, 22 characters.
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<16>())
}

/// Random bytes that were asked for and not yet given out.
struct Buffer {
    bytes: [u8; BUFFER],
    given: usize,
}

impl Buffer {
    /// Fills `out` from the buffer, wiping what it hands over.
    fn give(&mut self, out: &mut [u8]) {
        if BUFFER - self.given < out.len() {
            ask(&mut self.bytes);
            self.given = 0;
        }
        let end = self.given + out.len();
        match self.bytes.get_mut(self.given..end) {
            Some(fresh) => {
                out.copy_from_slice(fresh);
                fresh.zeroize();
                self.given = end;
            }
            None => ask(out),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

thread_local! {
    static READY: RefCell<Buffer> = const { RefCell::new(Buffer { bytes: [0; BUFFER], given: BUFFER }) };
}

/// Fills `out` from this thread's buffer, or from the system where the thread is ending or wants more than the buffer.
fn fill(out: &mut [u8]) {
    if out.len() > BUFFER / 4 || READY.try_with(|ready| ready.borrow_mut().give(out)).is_err() {
        ask(out);
    }
}

/// Fills `out` from the system.
#[expect(
    clippy::panic,
    reason = "without randomness no token may be made, and no caller could do better than stop"
)]
fn ask(out: &mut [u8]) {
    if let Err(error) = getrandom::fill(out) {
        panic!("the system gave no randomness: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn strings_have_the_length_and_alphabet_asked_for() {
        for length in [0, 1, 31, 32, 40, 64, 65, 1000] {
            for alphabet in [Alphabet::Base62, Alphabet::Base36] {
                let drawn = random_string(length, alphabet);
                assert_eq!(drawn.len(), length);
                assert!(drawn.bytes().all(|byte| alphabet.characters().contains(&byte)));
            }
        }
    }

    #[test]
    fn every_character_is_as_likely_as_another() {
        for alphabet in [Alphabet::Base62, Alphabet::Base36] {
            let mut count = std::collections::HashMap::new();
            for byte in 0..=u8::MAX {
                if let Some(character) = alphabet.character(byte) {
                    *count.entry(character).or_insert(0) += 1;
                }
            }
            assert_eq!(count.len(), alphabet.characters().len());
            assert_eq!(count.values().collect::<HashSet<_>>().len(), 1);
        }
    }

    #[test]
    fn characters_of_ones_own_are_all_drawn() {
        let drawn: HashSet<char> = random_string_from(1000, "aé♥").unwrap().chars().collect();
        assert_eq!(drawn, HashSet::from(['a', 'é', '♥']));
        assert_eq!(random_string_from(0, "a").as_deref(), Some(""));
    }

    #[test]
    fn no_token_comes_twice() {
        let many: HashSet<String> = (0..2000).map(|_| random_string(32, Alphabet::Base36)).collect();
        assert_eq!(many.len(), 2000);
        let nonces: HashSet<String> = (0..2000).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 2000);
    }

    #[test]
    fn bytes_are_wiped_as_they_leave_the_buffer() {
        let mut buffer = Buffer {
            bytes: [0; BUFFER],
            given: BUFFER,
        };
        let mut out = [0_u8; 100];
        buffer.give(&mut out);
        assert_eq!(buffer.bytes[..100], [0; 100]);
        assert_ne!(out, [0; 100]);
        assert_eq!(buffer.given, 100);
        let kept: Vec<u8> = buffer.bytes[100..200].to_vec();
        buffer.give(&mut out);
        assert_eq!(out.to_vec(), kept);
    }

    #[test]
    fn threads_draw_different_bytes() {
        let here = random_bytes::<32>();
        let there = std::thread::spawn(random_bytes::<32>).join().unwrap();
        assert_ne!(here, there);
    }

    #[test]
    fn nonce_is_128_bits_of_base64url() {
        let nonce = nonce();
        assert_eq!(nonce.len(), 22);
        assert_eq!(URL_SAFE_NO_PAD.decode(nonce).unwrap().len(), 16);
    }

    #[test]
    fn large_draws_bypass_the_buffer() {
        assert_ne!(random_bytes::<2000>(), [0; 2000]);
    }
}
