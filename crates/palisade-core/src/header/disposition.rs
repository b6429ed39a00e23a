//! `Content-Disposition`: under which name a download is kept (RFC 6266).
//!
//! A name in quotes ends where its quote does, so quotes and backslashes are escaped (CVE-2022-36359), and a name that
//! is not plain ASCII is percent-encoded as a whole.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What Python's `quote` encodes: all but letters, digits, `_.-~` and the slash.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/');

/// Writes the header for a download, or for something shown in place; none where nothing needs saying.
///
/// # Example
/// ```
/// use palisade_core::header::content_disposition;
///
/// let header = content_disposition(true, Some("a\"b.txt"));
/// assert_eq!(header.as_deref(), Some("attachment; filename=\"a\\\"b.txt\""));
/// assert_eq!(content_disposition(false, Some("é.txt")).as_deref(), Some("inline; filename*=utf-8''%C3%A9.txt"));
/// assert_eq!(content_disposition(false, None), None);
/// ```
///
/// # Security
/// No control character gets through, also not a line break at the end of the name, which Django leaves to the check of
/// header values.
pub fn content_disposition(as_attachment: bool, filename: Option<&str>) -> Option<String> {
    let Some(name) = filename.filter(|name| !name.is_empty()) else {
        return as_attachment.then(|| "attachment".to_owned());
    };
    let kind = if as_attachment { "attachment" } else { "inline" };
    Some(if name.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{kind}; filename=\"{name}\"")
    } else {
        format!("{kind}; filename*=utf-8''{}", utf8_percent_encode(name, QUOTED))
    })
}

#[cfg(test)]
mod tests {
    use super::content_disposition;

    #[test]
    fn a_name_cannot_end_its_own_quotes_or_its_line() {
        for (name, header) in [
            ("a b.txt", "inline; filename=\"a b.txt\""),
            ("a\\b\"c", "inline; filename=\"a\\\\b\\\"c\""),
            ("some\nfile", "inline; filename*=utf-8''some%0Afile"),
            ("file\n", "inline; filename*=utf-8''file%0A"),
            ("\"é\" d/x~", "inline; filename*=utf-8''%22%C3%A9%22%20d/x~"),
        ] {
            assert_eq!(content_disposition(false, Some(name)).as_deref(), Some(header));
        }
        assert_eq!(content_disposition(true, None).as_deref(), Some("attachment"));
        assert_eq!(content_disposition(true, Some("")).as_deref(), Some("attachment"));
    }
}
