//! Query strings and form bodies, split as Django splits them (`QueryDict`).
//!
//! `&` alone separates (a `;` that one cache splits at and another does not has been a way to poison it,
//! CVE-2021-23336), blank values are kept, `+` is a space, and what is not UTF-8 becomes U+FFFD.

use std::collections::HashMap;

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

/// There are more fields than are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.")]
pub struct TooManyFieldsSent;

/// Splits a query string into names and values, in their order.
///
/// # Example
/// ```
/// use palisade_core::query;
///
/// let pairs = query::parse("a=1&b=x+y%2F&c&a=2;3", Some(1000))?;
/// let expected = [("a", "1"), ("b", "x y/"), ("c", ""), ("a", "2;3")];
/// assert!(pairs.iter().map(|(name, value)| (&**name, &**value)).eq(expected));
/// # Ok::<(), palisade_core::query::TooManyFieldsSent>(())
/// ```
///
/// # Errors
/// Where there are more than `most` fields, counted by their separators before anything is decoded.
pub fn parse(query: &str, most: Option<usize>) -> Result<Vec<(String, String)>, TooManyFieldsSent> {
    Ok(fields(query, most)?.collect())
}

/// Splits as [`parse`] does, a field at a time: for whom it matters where a value is kept.
///
/// # Errors
/// As [`parse`].
pub fn fields(
    query: &str,
    most: Option<usize>,
) -> Result<impl Iterator<Item = (String, String)>, TooManyFieldsSent> {
    let separators = query.bytes().filter(|byte| *byte == b'&').count();
    let fields = if query.is_empty() { 0 } else { 1 + separators };
    if most.is_some_and(|most| fields > most) {
        return Err(TooManyFieldsSent);
    }
    let pair = |field: &'_ str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (decoded(name), decoded(value))
    };
    let fields = query.split('&').filter(|field| !field.is_empty());
    Ok(fields.map(pair))
}

/// Reads a query string or form body as text: UTF-8, or else Latin-1.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

/// Brings fields of one name together, in the order of the names' first appearance, as a `QueryDict` lists them.
pub fn grouped(fields: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let place = |(name, _): &(String, String)| {
        let next = places.len();
        *places.entry(name.clone()).or_insert(next)
    };
    let places: Vec<usize> = fields.iter().map(place).collect();
    let mut placed: Vec<_> = places.into_iter().zip(fields).collect();
    // The sort is stable, so values of one name keep their order.
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, field)| field).collect()
}

/// Resolves `+` and `%`; bytes that are not UTF-8 are replaced, and never together with a character beside them.
///
/// What is made on the way is wiped, since any value may be a password.
pub fn decoded(text: &str) -> String {
    if !text.contains(['+', '%']) {
        return text.to_owned();
    }
    let text = Zeroizing::new(text.replace('+', " "));
    let mut plain = String::with_capacity(text.len());
    for run in text.split_inclusive(|c: char| !c.is_ascii()) {
        let end = run
            .char_indices()
            .next_back()
            .filter(|(_, last)| !last.is_ascii());
        let (ascii, other) = run.split_at(end.map_or(run.len(), |(at, _)| at));
        let bytes = Zeroizing::new(percent_decode(ascii.as_bytes()).collect::<Vec<u8>>());
        let letters = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        plain.push_str(&letters);
        plain.push_str(other);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(query: &str, expected: &[(&str, &str)]) {
        let pairs = parse(query, None).unwrap();
        let found: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_read_as_in_django() {
        reads("", &[]);
        reads("&&a&", &[("a", "")]);
        reads("=1&a==b", &[("", "1"), ("a", "=b")]);
        reads("a=%C3%A9%zz%4&%E2%99%A5=+", &[("a", "é%zz%4"), ("♥", " ")]);
        reads("a=%ff%C3é%A9", &[("a", "\u{fffd}\u{fffd}é\u{fffd}")]);
    }

    #[test]
    fn fields_of_one_name_come_together() {
        let fields = parse("b=1&a=2&b=3&a=4", None).unwrap();
        let values: Vec<String> = grouped(fields).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["1", "3", "2", "4"]);
        assert_eq!(text(vec![b'a', 0xe9]), "aé");
    }

    #[test]
    fn too_many_fields_are_refused_by_their_separators() {
        assert!(parse("a&b", Some(2)).is_ok());
        assert_eq!(parse("a&&", Some(2)), Err(TooManyFieldsSent));
        assert_eq!(parse("", Some(0)), Ok(Vec::new()));
        assert_eq!(parse("a", Some(0)), Err(TooManyFieldsSent));
    }
}
