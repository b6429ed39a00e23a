//! Under which name a file is kept: 128 random bits, which say nothing and cannot be guessed.

use std::fmt;
use std::str::FromStr;

use palisade_core::hexadecimal::hexadecimal;
use palisade_core::token::random_bytes;

use crate::rows::{Cell, Kind, Value};

/// Bytes of a name.
const BYTES: usize = 16;

/// The name of a file in a store, drawn by this library and by nobody else.
///
/// It is 32 hexadecimal digits, so it is a path's last part on every system, and no two differ in case alone.
///
/// # Example
///
/// ```
/// use palisade::media::MediaName;
///
/// let name = MediaName::draw();
/// assert_eq!(name.to_string().parse(), Ok(name));
/// assert!("../../settings.py".parse::<MediaName>().is_err());
/// ```
///
/// # Security
///
/// A name is no permission. What checks who asks is the row that the name stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaName([u8; BYTES]);

/// A text is no name of a stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored file's name is {} lower-case hexadecimal digits", BYTES * 2)]
pub struct InvalidMediaName;

impl MediaName {
    /// Draws a new name from the system's randomness.
    ///
    /// # Panics
    ///
    /// Where the system gives no randomness.
    pub fn draw() -> Self {
        Self(random_bytes())
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaName({self})")
    }
}

impl FromStr for MediaName {
    type Err = InvalidMediaName;

    fn from_str(text: &str) -> Result<Self, InvalidMediaName> {
        let digits = text.as_bytes();
        let is_one = digits.len() == BYTES * 2
            && digits
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_one);
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or(InvalidMediaName)
    }
}

impl Cell for MediaName {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.to_string())
    }

    fn from_value(value: Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_read_as_it_was_written_and_nothing_else_is_one() {
        let name = MediaName::draw();
        let written = name.to_string();
        assert_eq!(written.len(), 32);
        assert_eq!(written.parse(), Ok(name));
        assert_ne!(MediaName::draw(), name);
        let (upper, long) = (written.to_uppercase(), format!("{written}0"));
        for text in [
            "",
            "..",
            "+0000000000000000000000000000000",
            &long,
            &written[1..],
            "é".repeat(16).as_str(),
        ] {
            assert_eq!(text.parse::<MediaName>(), Err(InvalidMediaName), "{text:?}");
        }
        if upper != written {
            assert_eq!(upper.parse::<MediaName>(), Err(InvalidMediaName));
        }
    }
}
