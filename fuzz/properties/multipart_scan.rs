//! What holds for every multipart body that is searched for the CSRF token.

use palisade::csrf::{Scan, scan};

/// Asserts it for one input: a boundary, a line feed, and a body.
pub(super) fn holds(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (first, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Ok(boundary) = std::str::from_utf8(first) {
        answers(rest, boundary);
    }
    answers(data, "XX");
    stands_behind(data);
}

/// The answer for a body is the answer for each beginning of it that is long enough for one.
fn answers(body: &[u8], boundary: &str) {
    let whole = scan(body, boundary);
    for end in 0..body.len().min(2000) {
        let early = scan(&body[..end], boundary);
        assert!(
            early == Scan::More || early == whole,
            "{early:?} after {end} bytes, and {whole:?} in the end"
        );
    }
    if let Scan::Found(token) = whole {
        let delimiter = format!("\r\n--{boundary}");
        assert!(!token.contains(&delimiter), "{token:?} goes on behind its end");
        assert!(
            token.is_empty() || holds_text(body, &format!("\r\n{token}{delimiter}")),
            "{token:?} does not stand in the body"
        );
    }
}

fn holds_text(body: &[u8], text: &str) -> bool {
    body.windows(text.len().max(1))
        .any(|window| window == text.as_bytes())
}

/// Whatever another field holds, the token behind it is found, and that before it as well.
fn stands_behind(content: &[u8]) {
    let field = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    let token = b"--XX\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\nTOKEN\r\n";
    let found = Scan::Found("TOKEN".to_owned());
    assert_eq!(scan(&[token, field.as_slice(), content].concat(), "XX"), found);
    let apart = [b"\r\n".as_slice(), content, b"\r\n--X"].concat();
    if !holds_text(&apart, "\r\n--XX") {
        let body = [field.as_slice(), content, b"\r\n", token, b"--XX--\r\n"].concat();
        assert_eq!(scan(&body, "XX"), found);
    }
}
