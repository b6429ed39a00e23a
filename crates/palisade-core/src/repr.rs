//! Text as Python would quote it, for messages that are the same as Django's.
//!
//! Django puts what a client sent into its messages with Python's `repr`. That is also what keeps a log line one
//! line: line breaks, escape sequences of terminals and invisible characters come out as `\n`, `\x1b`, `\u200b`.

use std::fmt::{self, Write};

use crate::character::is_printable;

/// Shows a text as Python's `repr(str)` would.
///
/// # Example
/// ```
/// use palisade_core::repr::Repr;
///
/// assert_eq!(Repr("a.example\n").to_string(), r"'a.example\n'");
/// assert_eq!(Repr("it's").to_string(), r#""it's""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Repr<'t>(pub &'t str);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') {
            '"'
        } else {
            '\''
        };
        f.write_char(quote)?;
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                _ if character == quote => write!(f, "\\{quote}")?,
                _ if is_printable(character) => f.write_char(character)?,
                _ => match u32::from(character) {
                    code @ 0..=0xff => write!(f, "\\x{code:02x}")?,
                    code @ 0x100..=0xffff => write!(f, "\\u{code:04x}")?,
                    code => write!(f, "\\U{code:08x}")?,
                },
            }
        }
        f.write_char(quote)
    }
}

#[cfg(test)]
mod tests {
    use super::Repr;

    #[test]
    fn quotes_follow_python() {
        for (text, expected) in [
            ("", "''"),
            ("a'b", "\"a'b\""),
            ("a'b\"c", "'a\\'b\"c'"),
            ("a\"b", "'a\"b'"),
            ("a\\b", "'a\\\\b'"),
        ] {
            assert_eq!(Repr(text).to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_message_stays_one_line_and_shows_what_is_invisible() {
        for (text, expected) in [
            ("a\nb\rc\td", r"'a\nb\rc\td'"),
            ("\u{1b}[31m", r"'\x1b[31m'"),
            ("\u{7f}\u{85}\u{a0}\u{ad}", r"'\x7f\x85\xa0\xad'"),
            ("\u{200b}\u{2028}\u{feff}", r"'\u200b\u2028\ufeff'"),
            ("\u{e0001}", r"'\U000e0001'"),
            ("é日\u{1f600}", "'é日\u{1f600}'"),
        ] {
            assert_eq!(Repr(text).to_string(), expected, "{text:?}");
        }
    }
}
