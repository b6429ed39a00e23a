//! Follows the framing of HTTP/1 requests on the wire, to find the ones that two parsers would read differently.
//!
//! hyper resolves a request with both `Content-Length` and `Transfer-Encoding` in the RFC's favour and removes the former
//! before a service can see it; whoever stands in front may have resolved it otherwise, and that difference is request
//! smuggling (CWE-444; RFC 9112 §6.3, §11.2). So the bytes are looked at as they arrive, a line at a time.

use memchr::memchr;

/// A reader of request heads that only decides where each request ends and whether everybody would agree.
#[derive(Debug, Default)]
pub(super) struct Framing {
    state: State,
    /// The start of a line whose end has not come.
    partial: Vec<u8>,
    started: bool,
    chunked: bool,
    length: Option<u64>,
    /// Heads seen complete.
    heads: u32,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Head,
    Body(u64),
    /// A chunked body, after which the server closes, or a refused request: nothing more is followed.
    Opaque,
}

/// Says that a request's framing is ambiguous.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous {
    /// The number of the request on its connection, from 1.
    pub(super) request: u32,
}

impl Framing {
    /// Takes in what was just read.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Ambiguous> {
        while !bytes.is_empty() {
            match self.state {
                State::Opaque => return Ok(()),
                State::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    let left = left - here as u64;
                    self.state = if left == 0 { State::Head } else { State::Body(left) };
                }
                State::Head => {
                    let Some(end) = memchr(b'\n', bytes) else {
                        self.partial.extend_from_slice(bytes);
                        return Ok(());
                    };
                    let (line, rest) = bytes.split_at(end);
                    bytes = rest.get(1..).unwrap_or_default();
                    let clear = if self.partial.is_empty() {
                        self.line(line)
                    } else {
                        let mut whole = std::mem::take(&mut self.partial);
                        whole.extend_from_slice(line);
                        self.line(&whole)
                    };
                    if !clear {
                        self.state = State::Opaque;
                        return Err(Ambiguous {
                            request: self.heads.wrapping_add(1),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes in one line without its line feed; answers whether it leaves the framing clear.
    fn line(&mut self, line: &[u8]) -> bool {
        // A bare line feed ends a line for some parsers only.
        let Some(line) = line.strip_suffix(b"\r") else {
            return false;
        };
        let Some(first) = line.first() else {
            return if self.started { self.end() } else { true };
        };
        if !self.started {
            self.started = true;
            return true;
        }
        match first | 0x20 {
            b't' => value(line, b"transfer-encoding").is_none_or(|value| {
                let once = !std::mem::replace(&mut self.chunked, true);
                once && value.eq_ignore_ascii_case(b"chunked")
            }),
            b'c' => value(line, b"content-length").is_none_or(|value| {
                let length = digits(value);
                length.is_some() && std::mem::replace(&mut self.length, length).is_none()
            }),
            _ => true,
        }
    }

    fn end(&mut self) -> bool {
        let (chunked, length) = (self.chunked, self.length.take());
        (self.started, self.chunked) = (false, false);
        if chunked && length.is_some() {
            return false;
        }
        self.heads = self.heads.wrapping_add(1);
        self.state = match length {
            _ if chunked => State::Opaque,
            Some(length) if length > 0 => State::Body(length),
            _ => State::Head,
        };
        true
    }
}

/// The value of a header line, if it has this name.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    if head.eq_ignore_ascii_case(name) {
        // Only spaces are trimmed: `chunked` with a tab is read by some and not by others.
        let value = rest.strip_prefix(b":")?;
        let start = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
        let end = value
            .iter()
            .rposition(|byte| *byte != b' ')
            .map_or(start, |last| last + 1);
        value.get(start..end)
    } else {
        None
    }
}

fn digits(value: &[u8]) -> Option<u64> {
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        std::str::from_utf8(value).ok()?.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    fn first_ambiguous(text: &str) -> Option<u32> {
        let whole = Framing::default()
            .follow(text.as_bytes())
            .err()
            .map(|found| found.request);
        let mut slowly = Framing::default();
        let by_bytes = text
            .as_bytes()
            .chunks(1)
            .find_map(|byte| slowly.follow(byte).err())
            .map(|found| found.request);
        assert_eq!(whole, by_bytes, "the same in one piece and byte by byte");
        whole
    }

    #[test]
    fn content_length_with_transfer_encoding_is_ambiguous_in_either_order() {
        assert_eq!(first_ambiguous(BOTH), Some(1));
        let reversed = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(first_ambiguous(reversed), Some(1));
    }

    #[test]
    fn an_ambiguous_request_behind_others_is_found() {
        let first = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let second = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\n\n\n\n";
        assert_eq!(first_ambiguous(&format!("{first}{second}{BOTH}")), Some(3));
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_a_body() {
        let part = "Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\n";
        let sized = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{part}", part.len());
        assert_eq!(first_ambiguous(&sized), None);
        let chunked =
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2d\r\n{part}\r\n0\r\n\r\n");
        assert_eq!(first_ambiguous(&chunked), None);
    }

    #[test]
    fn what_parsers_disagree_about_is_ambiguous() {
        for lines in [
            "Transfer-Encoding: chunked\t\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length:\r\n",
            "Accept: a\n",
        ] {
            assert_eq!(
                first_ambiguous(&format!("POST / HTTP/1.1\r\n{lines}\r\n")),
                Some(1),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn ordinary_requests_are_clear() {
        let text =
            "\r\nGET / HTTP/1.1\r\nHost: a\r\nCookie: t=1\r\nTe: trailers\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!(first_ambiguous(&text.repeat(3)), None);
    }
}
