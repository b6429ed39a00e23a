//! Whole numbers in base 36, as Django writes the time of a password-reset token.

use thiserror::Error;

use crate::repr::Repr;

/// More digits than this, and Django does not read the number: 13 digits hold 64 bits.
const MOST_DIGITS: usize = 13;

/// Why a number was not read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidBase36 {
    /// More than 13 digits.
    #[error("Base36 input too large")]
    TooLarge,
    /// A negative number has no form.
    #[error("Negative base36 conversion input.")]
    Negative,
    /// A character that is no digit.
    #[error("invalid literal for int() with base 36: {}", Repr(.0))]
    InvalidDigit(String),
}

/// Writes a number.
///
/// # Errors
///
/// Where it is negative.
pub fn encode(number: i64) -> Result<String, InvalidBase36> {
    let mut rest = u64::try_from(number).map_err(|_| InvalidBase36::Negative)?;
    let mut digits = Vec::with_capacity(MOST_DIGITS);
    loop {
        digits.extend(
            u32::try_from(rest % 36)
                .ok()
                .and_then(|digit| char::from_digit(digit, 36)),
        );
        rest /= 36;
        if rest == 0 {
            return Ok(digits.iter().rev().collect());
        }
    }
}

/// Reads a number, in either case: Django's `base36_to_int`, which takes what Python's `int` takes, so also spaces
/// around the number, a sign before it and single underscores inside it.
///
/// # Errors
///
/// Where the text has more than 13 characters, is empty, or has a character that is no digit. The digits of other
/// scripts, which Python takes, are none; nor is a number beyond 64 bits one.
pub fn decode(text: &str) -> Result<i64, InvalidBase36> {
    if text.chars().count() > MOST_DIGITS {
        return Err(InvalidBase36::TooLarge);
    }
    let number = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'));
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let is_number = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !is_number {
        return Err(InvalidBase36::InvalidDigit(text.to_owned()));
    }
    i64::from_str_radix(&number.replace('_', ""), 36).map_err(|_| InvalidBase36::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_written_as_django_writes_them() {
        for (number, text) in [
            (0, "0"),
            (1, "1"),
            (42, "16"),
            (818_469_960, "django"),
            (i64::MAX, "1y2p0ij32e8e7"),
        ] {
            assert_eq!(encode(number).as_deref(), Ok(text));
            assert_eq!(decode(text), Ok(number));
        }
    }

    #[test]
    fn refusals_have_djangos_words() {
        assert_eq!(
            encode(-1).unwrap_err().to_string(),
            "Negative base36 conversion input."
        );
        assert_eq!(
            decode("12345678901234").unwrap_err().to_string(),
            "Base36 input too large"
        );
        for text in ["", "#", "1__0", "_1", "1_", "+", "- 1", "+-1", "é"] {
            let error = decode(text).unwrap_err().to_string();
            assert_eq!(error, format!("invalid literal for int() with base 36: '{text}'"));
        }
        for (text, number) in [("1_0", 36), ("+1", 1), (" Z\n", 35), ("-a", -10)] {
            assert_eq!(decode(text), Ok(number), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in 0..i64::MAX) {
            prop_assert_eq!(decode(&encode(number).unwrap()), Ok(number));
        }
    }
}
