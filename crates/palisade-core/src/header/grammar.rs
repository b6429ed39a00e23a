//! The few rules of RFC 9110 §5.6 that several headers share: tokens, quoted strings and lists of them.

use std::borrow::Cow;

/// Splits at a separator that does not stand inside a quoted string, and trims each part.
pub(super) fn split_list(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c => return !quoted && c == char::from(separator),
        }
        false
    })
    .map(|part| part.trim_matches([' ', '\t']))
}

/// Splits `name=value` at the first `=`, trimming both; a part without `=` is a name alone.
pub(super) fn split_pair(part: &str) -> (&str, Option<&str>) {
    match part.split_once('=') {
        Some((name, value)) => (
            name.trim_matches([' ', '\t']),
            Some(value.trim_matches([' ', '\t'])),
        ),
        None => (part, None),
    }
}

/// Tells whether a text is a `token`: one or more of the characters that need no quotes.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Tells whether a text may stand inside a quoted string: visible ASCII, space and tab.
pub(super) fn is_quotable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'))
}

/// Reads a `token` or a `quoted-string`; anything else is `None`.
pub(super) fn token_or_quoted(text: &str) -> Option<Cow<'_, str>> {
    let Some(rest) = text.strip_prefix('"') else {
        return is_token(text).then_some(Cow::Borrowed(text));
    };
    let inside = rest.strip_suffix('"')?;
    let mut plain = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next()?),
            '"' => return None,
            c => plain.push(c),
        }
    }
    is_quotable(&plain).then_some(Cow::Owned(plain))
}

/// Writes a value as a `token` where it is one, else as a `quoted-string`.
pub(super) fn write_token_or_quoted(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    if is_token(text) {
        f.write_str(text)
    } else {
        write_quoted(f, text)
    }
}

/// Writes a value as a `quoted-string`.
pub(super) fn write_quoted(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    use std::fmt::Write;
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// Reads a whole number of seconds, saturating: a number too long for the type is "for ever", not an error.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_inside_quotes_does_not_separate() {
        let parts: Vec<_> = split_list(r#"a="1,\",2" , b"#, b',').collect();
        assert_eq!(parts, [r#"a="1,\",2""#, "b"]);
    }

    #[test]
    fn a_quoted_string_loses_its_quotes_and_escapes() {
        assert_eq!(token_or_quoted(r#""a \"b\" \\""#).as_deref(), Some(r#"a "b" \"#));
        assert_eq!(token_or_quoted("plain").as_deref(), Some("plain"));
        assert_eq!(token_or_quoted(r#""open"#), None);
        assert_eq!(token_or_quoted("a\"\""), None);
        assert_eq!(token_or_quoted("two words"), None);
    }

    #[test]
    fn seconds_saturate_and_refuse_signs() {
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("+1"), None);
        assert_eq!(seconds(""), None);
    }
}
