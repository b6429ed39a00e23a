//! URL-safe base64 without padding, written strictly and read as leniently as Python reads it.
//!
//! Python drops characters outside the alphabet, takes both alphabets, ignores left-over bits and stops at padding that
//! completes a group. A payload that Django reads must read the same here, so the exact rules are followed; the common
//! case, text that this module or Django wrote, takes a strict and fast way first.
//!
//! # Security
//!
//! Many texts stand for the same bytes. Whatever is decoded here must have been authenticated as text before.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use thiserror::Error;

/// Reads what was written properly, without looking at left-over bits, as Python does.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The text ends inside a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("Incorrect padding")]
pub struct InvalidBase64;

/// Writes bytes.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends bytes to a text.
pub(crate) fn encode_onto(bytes: &[u8], text: &mut String) {
    general_purpose::URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Reads bytes as Django's `b64_decode` does.
///
/// # Errors
///
/// Where the characters of the alphabet do not fill whole bytes.
///
/// # Example
///
/// ```
/// use palisade_core::signing::base64url;
///
/// assert_eq!(base64url::decode("aGk").unwrap(), b"hi");
/// assert_eq!(base64url::decode("a G\nk").unwrap(), b"hi");
/// ```
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    STRICT.decode(text).or_else(|_| decode_leniently(text))
}

/// Reads bytes as Django's `urlsafe_base64_decode` does, which pads by a rule of its own: as many `=` as the length is
/// past a multiple of four. For text that was written properly it is [`decode`].
///
/// # Errors
///
/// Where the characters of the alphabet do not fill whole bytes.
pub fn urlsafe_base64_decode(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    STRICT
        .decode(text)
        .or_else(|_| decode_padded(text, text.len() % 4))
}

/// Follows the reference decoder character by character.
fn decode_leniently(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    decode_padded(text, (4 - text.len() % 4) % 4)
}

/// Follows it through a text with so many `=` after it.
fn decode_padded(text: &str, pads: usize) -> Result<Vec<u8>, InvalidBase64> {
    let padding = std::iter::repeat_n(b'=', pads);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut position, mut pads, mut left) = (0_u8, 0_u8, 0_u8);
    for byte in text.bytes().chain(padding) {
        let Some(value) = value(byte) else {
            if byte == b'=' && position >= 2 {
                pads += 1;
                if position + pads >= 4 {
                    return Ok(bytes);
                }
            }
            continue;
        };
        pads = 0;
        match position {
            0 => {}
            1 => bytes.push(left << 2 | value >> 4),
            2 => bytes.push(left << 4 | value >> 2),
            _ => bytes.push(left << 6 | value),
        }
        left = value;
        position = (position + 1) % 4;
    }
    if position == 0 {
        Ok(bytes)
    } else {
        Err(InvalidBase64)
    }
}

/// The six bits of a character in either alphabet.
const fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' | b'+' => Some(62),
        b'_' | b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn odd_text_reads_as_python_reads_it() {
        for (text, bytes) in [
            ("ab", &b"i"[..]),
            ("abc", b"i\xb7"),
            ("abcd", b"i\xb7\x1d"),
            ("ab==cd", b"i"),
            ("abcd=", b"i\xb7\x1d"),
            ("=abcd", b"i\xb7\x1d"),
            ("a b c d", b"i\xb7\x1d"),
            ("+/-_", b"\xfb\xff\xbf"),
            ("ab=", b"i"),
            ("YW=Jj", b"abc"),
            ("é", b""),
            ("YWJj\n", b"abc"),
            ("YW==YW==", b"a"),
            ("YWJ=YWJj", b"ab"),
            ("Y=W=J=j", b"ab"),
            ("====", b""),
            ("", b""),
        ] {
            assert_eq!(decode(text).as_deref(), Ok(bytes), "{text}");
        }
        for text in ["a", "ab=c", "a=bc", "ab$", "a===", "YWJjY"] {
            assert_eq!(decode(text), Err(InvalidBase64), "{text}");
        }
    }

    #[test]
    fn the_other_rule_of_padding_is_djangos_too() {
        assert_eq!(urlsafe_base64_decode("Zm9v_w").as_deref(), Ok(&b"foo\xff"[..]));
        assert_eq!(urlsafe_base64_decode("abc\n\n").as_deref(), Ok(&b"i\xb7"[..]));
        assert_eq!(urlsafe_base64_decode("ab\n\n\n"), Err(InvalidBase64));
        assert_eq!(decode("ab\n\n\n").as_deref(), Ok(&b"i"[..]));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes.clone()));
            prop_assert_eq!(decode_leniently(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn both_ways_agree(text in "[A-Za-z0-9_-]{0,40}") {
            if let Ok(bytes) = STRICT.decode(&text) {
                prop_assert_eq!(decode_leniently(&text), Ok(bytes));
            }
        }
    }
}
