//! `ETag` and the conditions on it: whether what somebody has is what there is (RFC 9110, sections 8.8.3 and 13).

use std::fmt;

/// The most of a list of tags that is read: whoever remembers more is sent the whole again.
const LONGEST_LIST: usize = 8192;

/// A strong entity tag: two files of one tag are the same, byte for byte.
///
/// # Example
///
/// ```
/// use palisade_core::header::EntityTag;
///
/// let tag = EntityTag::strong("2c26b46b").expect("no quotes and no controls");
/// assert_eq!(tag.to_string(), "\"2c26b46b\"");
/// assert!(tag.is_in_if_none_match(r#"W/"2c26b46b", "older""#)); // weakly compared
/// assert!(!tag.is_in_if_match(r#"W/"2c26b46b""#)); // strongly compared
/// assert!(tag.is_in_if_match("*"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// Makes a tag of an opaque text, if it can stand in quotes.
    pub fn strong(opaque: impl Into<String>) -> Option<Self> {
        let opaque = opaque.into();
        opaque.bytes().all(is_opaque).then_some(Self(opaque))
    }

    /// Whether an `If-None-Match` names it: then the client has it already (304 to a `GET`). Compared weakly.
    pub fn is_in_if_none_match(&self, list: &str) -> bool {
        self.is_in(list, true)
    }

    /// Whether an `If-Match` names it; if not, the client asks about something else (412). Compared strongly.
    pub fn is_in_if_match(&self, list: &str) -> bool {
        self.is_in(list, false)
    }

    /// Whether an `If-Range` is it, so that the client may go on where it stopped. A date is never it.
    pub fn is_if_range(&self, value: &str) -> bool {
        let value = value.trim_matches([' ', '\t']);
        value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) == Some(self.0.as_str())
    }

    fn is_in(&self, list: &str, weakly: bool) -> bool {
        let list = list.trim_matches([' ', '\t']);
        if list == "*" {
            return true;
        }
        if list.len() > LONGEST_LIST {
            return false;
        }
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let is_weak = rest.starts_with("W/");
            rest = rest.strip_prefix("W/").unwrap_or(rest);
            // A text that is no list of tags names none.
            let Some((opaque, after)) = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"'))
            else {
                return false;
            };
            if opaque == self.0 && (weakly || !is_weak) {
                return true;
            }
            rest = after;
        }
    }
}

/// What may stand between the quotes (`etagc`).
fn is_opaque(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_rfc_writes_them() {
        let tag = EntityTag::strong("xyzzy").unwrap();
        for (list, weak, strong) in [
            (r#""xyzzy""#, true, true),
            (r#"W/"xyzzy""#, true, false),
            (r#""r2d2xxxx" , "xyzzy", "c3piozzzz""#, true, true),
            (r#"W/"r2d2xxxx",W/"xyzzy""#, true, false),
            (r#","xyzzy""#, true, true),
            (r#""a,b", "xyzzy""#, true, true),
            ("*", true, true),
            (r#""xyzz""#, false, false),
            ("xyzzy", false, false),
            (r#""xyzzy"#, false, false),
            (r#"w/"xyzzy""#, false, false),
            ("", false, false),
        ] {
            assert_eq!(tag.is_in_if_none_match(list), weak, "{list}");
            assert_eq!(tag.is_in_if_match(list), strong, "{list}");
        }
        assert!(tag.is_if_range(r#""xyzzy""#));
        for other in [
            r#"W/"xyzzy""#,
            "*",
            "Mon, 23 Nov 2026 00:00:00 GMT",
            r#""xyzzy", "a""#,
        ] {
            assert!(!tag.is_if_range(other), "{other}");
        }
    }

    #[test]
    fn tag_cannot_end_its_own_quotes() {
        for text in ["a\"b", "a b", "a\nb", "\u{7f}"] {
            assert_eq!(EntityTag::strong(text), None);
        }
    }
}
