//! Writes JSON as a pickle that Python reads.
//!
//! The text is known to be JSON, and a pickle is written from left to right as JSON is: a bracket that opens makes the value
//! and sets a mark, one that closes puts everything above the mark into it. So there is nothing to nest.

use super::LONGEST;
use super::integer::from_decimal;

/// Writes the pickle (protocol 4) of JSON text; nothing where the text is not JSON, holds a number beyond Python's, or
/// is longer than what is read again.
pub(crate) fn write(json: &str) -> Option<Vec<u8>> {
    let mut pickle = Vec::with_capacity(json.len() + 16);
    pickle.extend_from_slice(b"\x80\x04");
    let mut rest = json.trim_start();
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'{' => put(&mut pickle, b"}("),
            b'}' => put(&mut pickle, b"u"),
            b'[' => put(&mut pickle, b"]("),
            b']' => put(&mut pickle, b"e"),
            b',' | b':' => 1,
            b'"' => {
                let (text, length) = unescape(rest)?;
                push_text(&mut pickle, &text)?;
                length
            }
            _ => {
                let word = rest.split([',', ':', ']', '}', ' ', '\n', '\r', '\t']).next()?;
                push_word(&mut pickle, word)?;
                word.len()
            }
        };
        rest = rest.get(length..)?.trim_start_matches([' ', '\n', '\r', '\t']);
    }
    pickle.push(b'.');
    (json.len().max(pickle.len()) <= LONGEST).then_some(pickle)
}

fn put(pickle: &mut Vec<u8>, codes: &[u8]) -> usize {
    pickle.extend_from_slice(codes);
    1
}

fn push_word(pickle: &mut Vec<u8>, word: &str) -> Option<()> {
    match word {
        "null" => pickle.push(b'N'),
        "true" => pickle.push(0x88),
        "false" => pickle.push(0x89),
        "NaN" => push_float(pickle, f64::NAN),
        "Infinity" => push_float(pickle, f64::INFINITY),
        "-Infinity" => push_float(pickle, f64::NEG_INFINITY),
        _ if word.contains(['.', 'e', 'E']) => push_float(pickle, word.parse().ok()?),
        _ => push_integer(pickle, word)?,
    }
    Some(())
}

fn push_float(pickle: &mut Vec<u8>, float: f64) {
    pickle.push(b'G');
    pickle.extend_from_slice(&float.to_be_bytes());
}

fn push_integer(pickle: &mut Vec<u8>, digits: &str) -> Option<()> {
    if let Ok(small) = digits.parse::<i32>() {
        pickle.push(b'J');
        pickle.extend_from_slice(&small.to_le_bytes());
        return Some(());
    }
    let bytes = from_decimal(digits)?;
    if let Ok(length) = u8::try_from(bytes.len()) {
        pickle.extend_from_slice(&[0x8a, length]);
    } else {
        pickle.push(0x8b);
        pickle.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_le_bytes());
    }
    pickle.extend_from_slice(&bytes);
    Some(())
}

fn push_text(pickle: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    if let Ok(length) = u8::try_from(text.len()) {
        pickle.extend_from_slice(&[0x8c, length]);
    } else {
        pickle.push(b'X');
        pickle.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
    }
    pickle.extend_from_slice(text);
    Some(())
}

/// Resolves the text at the beginning of `json`, and says how long it was there. Half a surrogate pair gets the three
/// bytes that Python gives it.
fn unescape(json: &str) -> Option<(Vec<u8>, usize)> {
    let bytes = json.as_bytes();
    let mut text = Vec::new();
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some((text, at + 1)),
            b'\\' => {
                let code = *bytes.get(at + 1)?;
                at += 2;
                match code {
                    b'n' => text.push(b'\n'),
                    b'r' => text.push(b'\r'),
                    b't' => text.push(b'\t'),
                    b'b' => text.push(8),
                    b'f' => text.push(12),
                    b'u' => at += push_unit(&mut text, json, at)?,
                    other => text.push(other),
                }
            }
            byte => {
                text.push(byte);
                at += 1;
            }
        }
    }
}

/// Adds the character whose number stands at `at`, and says how long that was.
fn push_unit(text: &mut Vec<u8>, json: &str, at: usize) -> Option<usize> {
    let unit = |at: usize| u32::from_str_radix(json.get(at..at + 4)?, 16).ok();
    let first = unit(at)?;
    if let Some(character) = char::from_u32(first) {
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return Some(4);
    }
    let second = json
        .get(at + 4..at + 6)
        .filter(|escape| *escape == "\\u")
        .and_then(|_| unit(at + 6))
        .filter(|second| (0xdc00..0xe000).contains(second) && first < 0xdc00);
    if let Some(second) = second {
        let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        text.extend_from_slice(char::from_u32(pair)?.encode_utf8(&mut [0; 4]).as_bytes());
        return Some(10);
    }
    let low_bits = |shift: u32| u8::try_from(first >> shift & 0x3f).ok();
    text.extend_from_slice(&[0xed, 0x80 | low_bits(6)?, 0x80 | low_bits(0)?]);
    Some(4)
}
