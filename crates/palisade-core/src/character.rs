//! Python's classes of characters, which decide what Django accepts.
//!
//! They differ from Rust's: `\w` has no combining marks, `isdigit` knows superscripts and circled digits, and white space
//! includes the four separators of ASCII. A password or a file name that Django refuses must not pass here.
//!
//! # Example
//!
//! ```
//! use palisade_core::character::{is_digit, is_printable, is_space, is_word};
//!
//! assert!(is_word('é') && is_digit('²') && is_space('\u{1c}'));
//! assert!(!is_word('\u{301}') && !is_printable('\u{200b}'));
//! ```

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The digits that are no decimal digits (Unicode's `Numeric_Type=Digit`), as ranges.
const OTHER_DIGITS: [(char, char); 20] = [
    ('\u{b2}', '\u{b3}'),
    ('\u{b9}', '\u{b9}'),
    ('\u{1369}', '\u{1371}'),
    ('\u{19da}', '\u{19da}'),
    ('\u{2070}', '\u{2070}'),
    ('\u{2074}', '\u{2079}'),
    ('\u{2080}', '\u{2089}'),
    ('\u{2460}', '\u{2468}'),
    ('\u{2474}', '\u{247c}'),
    ('\u{2488}', '\u{2490}'),
    ('\u{24ea}', '\u{24ea}'),
    ('\u{24f5}', '\u{24fd}'),
    ('\u{24ff}', '\u{24ff}'),
    ('\u{2776}', '\u{277e}'),
    ('\u{2780}', '\u{2788}'),
    ('\u{278a}', '\u{2792}'),
    ('\u{10a40}', '\u{10a43}'),
    ('\u{10e60}', '\u{10e68}'),
    ('\u{11052}', '\u{1105a}'),
    ('\u{1f100}', '\u{1f10a}'),
];

/// Tells whether Python's `\w` matches.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// Tells whether Python's `str.isdigit` holds for the character.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    c.general_category() == GeneralCategory::DecimalNumber
        || OTHER_DIGITS
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

/// Tells whether Python's `str.strip` removes the character.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Tells whether Python's `str.isprintable` would: everything but controls, unassigned and separators other than the space.
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        _ => {
            character.general_category_group() != GeneralCategoryGroup::Other
                && !matches!(
                    character.general_category(),
                    GeneralCategory::SpaceSeparator
                        | GeneralCategory::LineSeparator
                        | GeneralCategory::ParagraphSeparator
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_python() {
        // Python 3.11 (Unicode 14) over all of the Basic Multilingual Plane; newer Unicode may know a few more.
        let plane = || (0..=0xffff).filter_map(char::from_u32);
        assert_eq!(plane().filter(|c| is_space(*c)).count(), 29);
        let digits = plane().filter(|c| is_digit(*c)).count();
        assert!((465..465 + 50).contains(&digits), "{digits}");
        let words = plane().filter(|c| is_word(*c)).count();
        assert!((49_701..49_701 + 500).contains(&words), "{words}");
    }

    #[test]
    fn marks_split_words_and_superscripts_are_digits() {
        assert!(is_word('é') && is_word('_') && is_word('½') && is_word('\u{16ee}'));
        assert!(!is_word('\u{301}') && !is_word('\u{93e}') && !is_word('\u{24b6}') && !is_word('\u{200d}'));
        assert!(is_digit('²') && is_digit('٣') && is_digit('①'));
        assert!(!is_digit('½') && !is_digit('Ⅷ') && !is_digit('一'));
    }
}
