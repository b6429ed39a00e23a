//! The quotes and escapes that Python puts around a cookie's value, and takes off.
//!
//! Python's `http.cookies` is the format: what it leaves bare stays bare, the rest stands in quotes with octal escapes. No
//! control character, comma or semicolon survives, so a value cannot leave its place in the header.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Tells whether a character needs no quotes; these are also the characters of a legal name.
pub(crate) fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~' | ':'
        )
}

/// Writes a value as `Set-Cookie` carries it; the empty value is two quotes.
pub(crate) fn write_quoted(out: &mut impl Write, value: &str) -> fmt::Result {
    if !value.is_empty() && value.chars().all(is_bare) {
        return out.write_str(value);
    }
    out.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if is_bare(c) || " ()/<=>?@[]{}".contains(c) || u32::from(c) > 0xff => out.write_char(c)?,
            c => write!(out, "\\{:03o}", u32::from(c))?,
        }
    }
    out.write_char('"')
}

/// Takes the quotes off and resolves the escapes; a value that is not wrapped in quotes is returned as it is.
pub(crate) fn unquote(value: &str) -> Cow<'_, str> {
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        None => Cow::Borrowed(value),
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        Some(inside) => Cow::Owned(unescaped(inside)),
    }
}

/// Resolves `\ooo` (up to `\377`) and `\x`; a backslash before a line break or at the end stands for itself.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some((c, tail)) = octal(after) {
            plain.push(c);
            rest = tail;
            continue;
        }
        let mut chars = after.chars();
        match chars.next() {
            Some('\n') | None => plain.push('\\'),
            Some(c) => {
                plain.push(c);
                rest = chars.as_str();
                continue;
            }
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

fn octal(text: &str) -> Option<(char, &str)> {
    let (digits, tail) = text.split_at_checked(3)?;
    let legal = digits.starts_with(['0', '1', '2', '3']) && digits.bytes().all(|b| matches!(b, b'0'..=b'7'));
    let code = legal.then(|| u8::from_str_radix(digits, 8).ok()).flatten()?;
    Some((char::from(code), tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(value: &str) -> String {
        let mut text = String::new();
        write_quoted(&mut text, value).unwrap();
        text
    }

    #[test]
    fn values_are_quoted_as_python_quotes_them() {
        let cases = [
            ("", r#""""#),
            ("a:b", "a:b"),
            ("a b\"c;\u{e9}", r#""a b\"c\073\351""#),
            ("a,b", r#""a\054b""#),
            ("x\r\ny", r#""x\015\012y""#),
            ("\\", r#""\\""#),
            ("\"q\"", r#""\"q\"""#),
            ("(x)/<=>?@[]{}", r#""(x)/<=>?@[]{}""#),
            ("\u{7f}\u{ff}\u{100}", "\"\\177\\377\u{100}\""),
            (" lead", r#"" lead""#),
        ];
        for (value, expected) in cases {
            assert_eq!(quoted(value), expected, "{value:?}");
        }
    }

    #[test]
    fn bare_characters_are_those_of_python() {
        let bare: String = (0..=0x17fu32)
            .filter_map(char::from_u32)
            .filter(|c| is_bare(*c))
            .collect();
        assert_eq!(
            bare,
            "!#$%&'*+-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
        );
    }

    #[test]
    fn escapes_are_resolved_as_python_resolves_them() {
        let cases = [
            (r#""a\073b""#, "a;b"),
            (r#""\400""#, "400"),
            (r#""\x""#, "x"),
            (r#""\"#, r#""\"#),
            ("\"", "\""),
            ("\"\"", ""),
            (r#""a\""#, r"a\"),
            ("\"\\\n\"", "\\\n"),
            (r"plain\073", r"plain\073"),
            (r#""\37""#, "37"),
            (r#""\377\\""#, "\u{ff}\\"),
            (r#""a"b""#, r#"a"b"#),
            ("\"\\07\u{e9}\"", "07\u{e9}"),
        ];
        for (value, expected) in cases {
            assert_eq!(unquote(value), expected, "{value:?}");
        }
    }
}
