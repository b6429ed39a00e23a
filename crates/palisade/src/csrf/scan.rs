//! Finds the token in the leading fields of a multipart body, without reading the upload behind it.
//!
//! The scan is a pure function of the bytes so far: it finds the token, or knows that it is not there, or needs more. It
//! reads only what RFC 7578 forms are made of; whatever it cannot read is *not there*, and the request then needs the header.

use super::FIELD;

/// How many bytes of a multipart body are read in search of the token.
pub const SCAN_LIMIT: usize = 64 * 1024;

/// What the bytes so far say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// The token.
    Found(String),
    /// There is no token field in this body, or nothing that could be read as one.
    Absent,
    /// The bytes end before the answer.
    More,
}

/// Looks for the token field in the beginning of a multipart body.
///
/// # Example
///
/// ```
/// use palisade::csrf::{Scan, scan};
///
/// let body = b"--b\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\nTOKEN\r\n--b--\r\n";
/// assert_eq!(scan(body, "b"), Scan::Found("TOKEN".into()));
/// assert_eq!(scan(&body[..60], "b"), Scan::More);
/// ```
pub fn scan(bytes: &[u8], boundary: &str) -> Scan {
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    // The first delimiter needs no line break before it.
    let opening = delimiter.get(2..).unwrap_or_default();
    let mut rest = match find(bytes, opening) {
        Some(0) => bytes.get(opening.len()..).unwrap_or_default(),
        Some(_) => match find(bytes, delimiter) {
            Some(at) => bytes.get(at + delimiter.len()..).unwrap_or_default(),
            None => return Scan::More,
        },
        None => return Scan::More,
    };
    loop {
        rest = match rest {
            [b'\r', b'\n', part @ ..] => part,
            [] | [b'-' | b'\r'] => return Scan::More,
            // Blanks may follow a boundary (RFC 2046). Two hyphens end the body, and anything else is not one.
            [b' ' | b'\t', after @ ..] => {
                rest = after;
                continue;
            }
            _ => return Scan::Absent,
        };
        let (headers, content) = if let Some(content) = rest.strip_prefix(b"\r\n") {
            (&b""[..], content)
        } else {
            match find(rest, b"\r\n\r\n") {
                Some(at) => (
                    rest.get(..at).unwrap_or_default(),
                    rest.get(at + 4..).unwrap_or_default(),
                ),
                None => return Scan::More,
            }
        };
        // An empty value's delimiter may follow the headers at once.
        let end = if content.starts_with(opening) {
            Some(0)
        } else {
            find(content, delimiter)
        };
        let Some(end) = end else { return Scan::More };
        if is_token_field(headers) {
            let value = content.get(..end).unwrap_or_default();
            return std::str::from_utf8(value).map_or(Scan::Absent, |token| Scan::Found(token.to_owned()));
        }
        let skip = if content.starts_with(opening) {
            opening.len()
        } else {
            end + delimiter.len()
        };
        rest = content.get(skip..).unwrap_or_default();
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// Whether the part's headers name the token field, and no file.
fn is_token_field(headers: &[u8]) -> bool {
    let Ok(headers) = std::str::from_utf8(headers) else {
        return false;
    };
    let mut name = None;
    for line in headers.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else {
            continue;
        };
        let header = header.trim();
        if header.eq_ignore_ascii_case("content-transfer-encoding") {
            return false;
        }
        if header.eq_ignore_ascii_case("content-disposition") {
            for parameter in value.split(';').skip(1) {
                let Some((key, value)) = parameter.split_once('=') else {
                    continue;
                };
                match key.trim().to_ascii_lowercase().as_str() {
                    "filename" | "filename*" => return false,
                    "name" => name = Some(value.trim().trim_matches('"').to_owned()),
                    _ => {}
                }
            }
        }
    }
    name.as_deref() == Some(FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut body = String::new();
        for (disposition, content) in parts {
            let part = format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n");
            body.push_str(&part);
        }
        (body + "--XX--\r\n").into_bytes()
    }

    #[test]
    fn the_token_is_found_wherever_it_stands_among_the_leading_fields() {
        let first = body(&[
            ("name=\"csrfmiddlewaretoken\"", "TOKEN"),
            ("name=\"f\"; filename=\"a\"", "data"),
        ]);
        assert_eq!(scan(&first, "XX"), Scan::Found("TOKEN".into()));
        let second = body(&[
            ("name=\"title\"", "a\r\n--X b"),
            ("name=csrfmiddlewaretoken", "TOKEN"),
        ]);
        assert_eq!(scan(&second, "XX"), Scan::Found("TOKEN".into()));
    }

    #[test]
    fn a_file_that_bears_the_fields_name_is_no_token() {
        let body = body(&[("name=\"csrfmiddlewaretoken\"; filename=\"x\"", "TOKEN")]);
        assert_eq!(scan(&body, "XX"), Scan::Absent);
    }

    #[test]
    fn every_prefix_of_a_body_asks_for_more_or_agrees_with_the_whole() {
        let whole = body(&[
            ("name=\"title\"", ""),
            ("name=\"csrfmiddlewaretoken\"", "TOKEN"),
            ("name=\"x\"", "y"),
        ]);
        assert_eq!(scan(&whole, "XX"), Scan::Found("TOKEN".into()));
        for end in 0..whole.len() {
            assert!(
                matches!(scan(&whole[..end], "XX"), Scan::More | Scan::Found(_)),
                "prefix of {end} bytes"
            );
            if let Scan::Found(token) = scan(&whole[..end], "XX") {
                assert_eq!(token, "TOKEN", "prefix of {end} bytes");
            }
        }
    }

    #[test]
    fn a_body_that_is_not_multipart_has_no_token() {
        assert_eq!(scan(b"--XXnot a boundary line", "XX"), Scan::Absent);
        assert_eq!(scan(b"--XX--\r\n", "XX"), Scan::Absent);
        assert_eq!(scan(b"csrfmiddlewaretoken=TOKEN", "XX"), Scan::More);
        assert_eq!(scan(b"", "XX"), Scan::More);
    }
}
