//! HTML's character references resolved, as Python's `html.unescape` does: all that HTML knows, also without semicolon.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use entities::ENTITIES;

/// The longest text after `&` that is looked at as a name.
const LONGEST_NAME: usize = 32;

/// What the names stand for, each with its `;` unless HTML knows it without.
static NAMED: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let name = |entity: &'static entities::Entity| (entity.entity.trim_start_matches('&'), entity.characters);
    ENTITIES.iter().map(name).collect()
});

/// What browsers read for the numbers 128 to 159: Windows' characters; 0 where there is none.
const WINDOWS: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
    0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
];

/// Resolves character references.
///
/// # Example
///
/// ```
/// use palisade_core::file_name::unescape;
///
/// assert_eq!(unescape("..&#47;..&sol;x &amp;amp; &ampx"), "../../x &amp; &x");
/// ```
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        let (before, from) = rest.split_at(place);
        plain.push_str(before);
        let after = from.get(1..).unwrap_or_default();
        rest = if let Some(length) = number(after, &mut plain).or_else(|| named(after, &mut plain)) {
            after.get(length..).unwrap_or_default()
        } else {
            plain.push('&');
            after
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Reads `#38;` or `#x26;` and says how much of the text that was.
fn number(text: &str, plain: &mut String) -> Option<usize> {
    let (start, radix) = match text.as_bytes() {
        [b'#', b'x' | b'X', ..] => (2, 16),
        [b'#', ..] => (1, 10),
        _ => return None,
    };
    let digits = text
        .bytes()
        .skip(start)
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    if digits == 0 {
        return None;
    }
    let end = start + digits;
    let number = u32::from_str_radix(text.get(start..end)?, radix).unwrap_or(u32::MAX);
    plain.extend(character(number));
    Some(end + usize::from(text.as_bytes().get(end) == Some(&b';')))
}

/// The character of a number, as browsers read it; none for those that are no characters.
fn character(number: u32) -> Option<char> {
    match number {
        0 => Some(char::REPLACEMENT_CHARACTER),
        0xd => Some('\r'),
        0x80..=0x9f => {
            let index = usize::try_from(number - 0x80).ok()?;
            WINDOWS
                .get(index)
                .and_then(|code| char::from_u32(u32::from(*code)))
        }
        1..=8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if number <= 0x10_ffff && number & 0xfffe == 0xfffe => None,
        _ => Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

/// Reads the longest name there is, and says how much of the text that was.
fn named(text: &str, plain: &mut String) -> Option<usize> {
    let ends_name = |character| matches!(character, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let name: usize = text
        .chars()
        .take_while(|character| !ends_name(*character))
        .take(LONGEST_NAME)
        .map(char::len_utf8)
        .sum();
    if name == 0 {
        return None;
    }
    let whole = name + usize::from(text.as_bytes().get(name) == Some(&b';'));
    let ends = (2..=whole).rev().filter(|end| text.is_char_boundary(*end));
    for end in ends {
        if let Some(characters) = text.get(..end).and_then(|name| NAMED.get(name)) {
            plain.push_str(characters);
            return Some(end);
        }
    }
    plain.push('&');
    plain.push_str(text.get(..whole)?);
    Some(whole)
}
