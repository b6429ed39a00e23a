//! The request's `Cookie` header, read by Django's rules.
//!
//! Django splits at every `;`, also inside quotes; a chunk without `=` is a value without a name; of two cookies with one
//! name the last counts; names are taken as they come. A stricter reader would see other cookies than the Django site
//! beside it, and that difference is what an attacker who can plant a cookie plays with.

use std::borrow::Cow;
use std::collections::HashMap;

use super::quoting;

/// Splits a `Cookie` header into names and values; a name stands once, with its last value.
///
/// # Example
/// ```
/// let cookies = palisade_core::cookie::parse(r#"a=b; c="x\054y"; flag; a=z"#);
/// let expected = [("a", "z"), ("c", "x,y"), ("", "flag")];
/// assert!(cookies.iter().map(|(name, value)| (&**name, &**value)).eq(expected));
/// ```
pub fn parse(header: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut cookies: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, value) in header.split(';').filter_map(pair) {
        let value = quoting::unquote(value);
        if let Some(earlier) = places.get(name).and_then(|&place| cookies.get_mut(place)) {
            earlier.1 = value;
        } else {
            places.insert(name, cookies.len());
            cookies.push((Cow::Borrowed(name), value));
        }
    }
    cookies
}

/// Returns the value that [`parse`] gives a name, without building the rest; the empty name finds the nameless cookie.
///
/// # Example
/// ```
/// use palisade_core::cookie::value;
///
/// assert_eq!(value("a=1; sessionid=abc; a=2", "a").as_deref(), Some("2"));
/// assert_eq!(value("a=1", "b"), None);
/// ```
pub fn value<'h>(header: &'h str, name: &str) -> Option<Cow<'h, str>> {
    let (_, value) = header
        .rsplit(';')
        .filter_map(pair)
        .find(|(key, _)| *key == name)?;
    Some(quoting::unquote(value))
}

/// Splits a chunk at its first `=`; a chunk of white space alone, or of `=` alone, is no cookie.
fn pair(chunk: &str) -> Option<(&str, &str)> {
    let (name, value) = chunk.split_once('=').unwrap_or(("", chunk));
    let (name, value) = (name.trim_matches(is_space), value.trim_matches(is_space));
    (!name.is_empty() || !value.is_empty()).then_some((name, value))
}

/// Tells what Python's `str.strip` strips: Unicode white space and the four separators U+001C to U+001F.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(header: &str, expected: &[(&str, &str)]) {
        let cookies = parse(header);
        let found: Vec<_> = cookies.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, expected);
        for (name, expected) in expected {
            assert_eq!(value(header, name).as_deref(), Some(*expected), "value({name:?})");
        }
    }

    #[test]
    fn chunks_are_split_at_the_first_equals_sign_and_trimmed() {
        reads("a=b=c", &[("a", "b=c")]);
        reads(" a = b ;\tc=d\u{a0}", &[("a", "b"), ("c", "d")]);
        reads("a=\u{1f}b\u{1c}", &[("a", "b")]);
    }

    #[test]
    fn every_semicolon_splits_even_inside_quotes() {
        reads(r#"a="x;y""#, &[("a", "\"x"), ("", "y\"")]);
    }

    #[test]
    fn a_chunk_without_equals_sign_is_a_nameless_value() {
        reads("flag; a=1; other", &[("", "other"), ("a", "1")]);
        reads("=x", &[("", "x")]);
    }

    #[test]
    fn a_chunk_with_neither_name_nor_value_is_dropped() {
        reads("", &[]);
        reads("; ;=; = ;", &[]);
        reads("a=", &[("a", "")]);
    }

    #[test]
    fn the_last_duplicate_wins_at_the_place_of_the_first() {
        reads("a=1; b=2; a=3", &[("a", "3"), ("b", "2")]);
        reads("a=1; a=", &[("a", "")]);
    }

    #[test]
    fn names_are_taken_as_they_come() {
        reads(
            "A=1; a=2; %61=3; \"q\"=4; a b=5",
            &[("A", "1"), ("a", "2"), ("%61", "3"), ("\"q\"", "4"), ("a b", "5")],
        );
    }

    #[test]
    fn a_plain_value_is_borrowed() {
        assert!(matches!(
            value("sessionid=abcdef", "sessionid"),
            Some(Cow::Borrowed("abcdef"))
        ));
        assert!(matches!(value("a=\"b c\"", "a"), Some(Cow::Borrowed("b c"))));
    }

    #[test]
    fn thousands_of_cookies_do_not_take_quadratic_time() {
        let header = (0..100_000)
            .map(|n| format!("c{n}=1"))
            .collect::<Vec<_>>()
            .join(";");
        assert_eq!(parse(&header).len(), 100_000);
    }
}
