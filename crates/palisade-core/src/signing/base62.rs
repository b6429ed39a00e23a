//! Whole numbers in base 62, as Django writes the time of a signature.

use thiserror::Error;

/// Digits, then upper case, then lower case: not the order of [`token::Alphabet::Base62`](crate::token::Alphabet).
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text is no number in base 62, or one beyond 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a number in base 62")]
pub struct InvalidBase62;

/// Writes a number.
///
/// # Example
///
/// ```
/// assert_eq!(palisade_core::signing::base62::encode(1_700_000_000), "1r31eq");
/// ```
pub fn encode(number: i64) -> String {
    let mut digits = Vec::with_capacity(12);
    let mut rest = number.unsigned_abs();
    loop {
        digits.extend(
            usize::try_from(rest % 62)
                .ok()
                .and_then(|index| DIGITS.get(index)),
        );
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push(b'-');
    }
    digits.iter().rev().copied().map(char::from).collect()
}

/// Reads a number.
///
/// # Errors
///
/// Where the text is empty, has another character, or stands for a number beyond 64 bits. (Django would read the last,
/// but never writes it.)
pub fn decode(text: &str) -> Result<i64, InvalidBase62> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if text.is_empty() {
        return Err(InvalidBase62);
    }
    digits
        .bytes()
        .try_fold(0_i64, |number, byte| {
            let digit = i64::from(match byte {
                b'0'..=b'9' => byte - b'0',
                b'A'..=b'Z' => byte - b'A' + 10,
                b'a'..=b'z' => byte - b'a' + 36,
                _ => return None,
            });
            number.checked_mul(62)?.checked_add(digit)
        })
        .map(|number| if negative { -number } else { number })
        .ok_or(InvalidBase62)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_written_as_django_writes_them() {
        for (number, text) in [
            (0, "0"),
            (1_700_000_000, "1r31eq"),
            (61, "z"),
            (62, "10"),
            (-1, "-1"),
            (-1_700_000_000, "-1r31eq"),
        ] {
            assert_eq!(encode(number), text);
            assert_eq!(decode(text), Ok(number));
        }
        assert_eq!(encode(i64::MIN).len(), 12);
    }

    #[test]
    fn other_text_is_no_number() {
        for text in ["", "é", "1 ", "1-", "--1", "_", "zzzzzzzzzzzz"] {
            assert_eq!(decode(text), Err(InvalidBase62), "{text}");
        }
        assert_eq!(decode("-"), Ok(0), "Python's loop over no digits");
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in (i64::MIN + 1)..i64::MAX) {
            prop_assert_eq!(decode(&encode(number)), Ok(number));
        }
    }
}
