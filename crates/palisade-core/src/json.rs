//! JSON as Python's `json` module writes and reads it, because Django's sessions and signed objects are its output.
//!
//! Three differences from other writers matter on the wire: everything outside ASCII is escaped (payloads are read as
//! Latin-1), floats have Python's `repr` (`1.0`, `1e+16`), and there are no spaces. Reading differs, too: `NaN` and
//! `Infinity` are values, and the last of two equal keys wins. [`members`] splits an object into keys and *raw* values,
//! so that a value nobody touches leaves as it came, whatever this module thinks of it.
//!
//! # Example
//!
//! ```
//! use palisade_core::json;
//!
//! assert_eq!(json::to_string(&("é", 1.0, 1e16)).unwrap(), r#"["\u00e9",1.0,1e+16]"#);
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{Formatter, Serializer};
use thiserror::Error;

pub use self::scan::{DEEPEST, Member, SyntaxError, members, validate};

mod scan;

/// A value has no form in JSON, or text is not the JSON of the value asked for.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct Error(#[from] serde_json::Error);

/// Writes a value as `json.dumps(value, separators=(",", ":"))` would.
///
/// # Errors
///
/// Where the value has no form in JSON: a map with keys that are not strings, numbers or booleans.
///
/// # Security
///
/// A float that is not finite is written `null`, where Python would write `NaN` or `Infinity`.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(64);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Python))?;
    // The formatter writes ASCII only; anything else would be its fault and must not pass silently.
    String::from_utf8(bytes).map_err(|_| Error(serde::ser::Error::custom("not text")))
}

/// Reads a value.
///
/// # Errors
///
/// Where the text is not JSON, or not the JSON of a `T`.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    Ok(serde_json::from_str(text)?)
}

/// Rewrites JSON text without the spaces around its values and in ASCII, as Python's compact writer has it; numbers and
/// escapes stay as they are.
///
/// # Errors
///
/// Where the text is not one value, or is nested deeper than [`DEEPEST`].
///
/// # Example
///
/// ```
/// use palisade_core::json;
///
/// assert_eq!(json::compact(" {\"é\": [1.0, NaN]} ").unwrap(), r#"{"\u00e9":[1.0,NaN]}"#);
/// ```
pub fn compact(text: &str) -> Result<String, SyntaxError> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    validate(text)?;
    let mut compact = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for character in text.chars() {
        if inside || !matches!(character, ' ' | '\t' | '\n' | '\r') {
            push_ascii(character, &mut compact);
        }
        inside ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    Ok(compact)
}

/// Escapes what is outside ASCII in JSON text.
pub(crate) fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut ascii = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_ascii(character, &mut ascii);
    }
    Cow::Owned(ascii)
}

/// Writes a text as a JSON string in ASCII.
pub(crate) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ => push_ascii(character, out),
        }
    }
    out.push('"');
}

/// Writes a float as Python's `repr` does: the shortest digits that read back, with an exponent below 1e-4 and from 1e16.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{float:e}");
    let digits = shortest
        .bytes()
        .take_while(|byte| *byte != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    // Of two shortest forms that are equally near Python takes the even one, and Rust does not.
    let even = format!("{float:.*e}", digits.saturating_sub(1));
    let reads_back = even != shortest
        && even
            .parse::<f64>()
            .is_ok_and(|read| read.to_bits() == float.to_bits());
    arrange(if reads_back { &even } else { &shortest })
}

/// Rearranges Rust's `1.25e-7` into what Python prints for the same digits and exponent.
fn arrange(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    let (first, others) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let mut repr = String::with_capacity(24);
    repr.push_str(sign);
    let digits = || first.chars().chain(others.chars());
    match usize::try_from(exponent) {
        Ok(whole) if whole < 16 => {
            // Digits up to the point, zeros where they run out.
            repr.extend(digits().chain(std::iter::repeat('0')).take(whole + 1));
            repr.push('.');
            let fraction = others.get(whole..).filter(|fraction| !fraction.is_empty());
            repr.push_str(fraction.unwrap_or("0"));
        }
        Err(_) if exponent >= -4 => {
            repr.push_str("0.");
            repr.extend((exponent..-1).map(|_| '0'));
            repr.extend(digits());
        }
        _ => {
            repr.push_str(mantissa);
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(repr, "e{sign}{:02}", exponent.unsigned_abs());
        }
    }
    repr
}

/// Writes a character that needs no short escape: as it is where printable ASCII, else as `\uXXXX`, twice if astral.
fn push_ascii(character: char, out: &mut String) {
    if matches!(character, ' '..='~') {
        out.push(character);
    } else {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
}

/// How Python's encoder differs from `serde_json`'s compact one.
struct Python;

impl Formatter for Python {
    fn write_f32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        writer.write_all(arrange(&format!("{value:e}")).as_bytes())
    }

    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float_repr(value).as_bytes())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut ascii = String::with_capacity(fragment.len() + 16);
        for character in fragment.chars() {
            push_ascii(character, &mut ascii);
        }
        writer.write_all(ascii.as_bytes())
    }
}

#[cfg(test)]
mod tests;
