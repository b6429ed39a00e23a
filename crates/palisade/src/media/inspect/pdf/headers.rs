//! Where objects and trailers begin, by the bytes alone: a table may name any place of a file, also one within a stream, a string or a
//! comment, and what begins there is read by others as an object that was never walked through.

use super::lexer::is_space;

/// How much before a word is looked at: numbers, the white space between them, a comment.
const BEFORE: usize = 256;
/// The longest word that is looked for, and what comes behind it.
const WORD: usize = 8;

/// Counts what a reader would take for the beginning of an object or for a trailer.
#[derive(Default)]
pub(super) struct Headers {
    objects: u64,
    trailers: u64,
    /// The end of what has gone by, of which all but the last [`WORD`] bytes have been looked at.
    kept: Vec<u8>,
    looked: usize,
}

impl Headers {
    pub(super) fn scan(&mut self, piece: &[u8]) {
        self.kept.extend_from_slice(piece);
        self.look(self.kept.len().saturating_sub(WORD));
        let keep_from = self.looked.saturating_sub(BEFORE);
        self.kept.drain(..keep_from);
        self.looked -= keep_from;
    }

    /// How many there are of both.
    pub(super) fn count(mut self) -> (u64, u64) {
        self.look(self.kept.len());
        (self.objects, self.trailers)
    }

    fn look(&mut self, until: usize) {
        for at in self.looked..until {
            let rest = self.kept.get(at..).unwrap_or_default();
            let before = self.kept.get(at.saturating_sub(BEFORE)..at).unwrap_or_default();
            if let Some(behind) = rest.strip_prefix(b"obj") {
                self.objects += u64::from(ends(behind) && is_header(before));
            } else if let Some(behind) = rest.strip_prefix(b"trailer") {
                let begins = before.last().is_none_or(|byte| ends(&[*byte]));
                self.trailers += u64::from(ends(behind) && begins);
            }
        }
        self.looked = self.looked.max(until);
    }
}

/// Whether a word is over.
fn ends(behind: &[u8]) -> bool {
    behind
        .first()
        .is_none_or(|byte| is_space(*byte) || b"()<>[]{}/%".contains(byte))
}

/// Whether two numbers stand at the end, or might, since there is a comment.
fn is_header(before: &[u8]) -> bool {
    let has_comment = before.contains(&b'%');
    let (second, gap) = number(before);
    if second.len() == gap.len() {
        let is_word = before.last().is_none_or(|byte| is_space(*byte));
        return is_word && has_comment;
    }
    let (first, rest) = number(second);
    let is_apart = second.last().is_some_and(|byte| is_space(*byte));
    is_apart && (rest.len() > first.len() || has_comment)
}

/// Takes white space and then digits off the end: what stands before the digits, and what stands before the white space.
fn number(bytes: &[u8]) -> (&[u8], &[u8]) {
    let without = |bytes: &'_ [u8], is: fn(u8) -> bool| {
        bytes.iter().rposition(|byte| !is(*byte)).map_or(0, |at| at + 1)
    };
    let gap = bytes.get(..without(bytes, is_space)).unwrap_or_default();
    let digits = gap
        .get(..without(gap, |byte| byte.is_ascii_digit()))
        .unwrap_or_default();
    (digits, gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bytes: &[u8], cut: usize) -> (u64, u64) {
        let mut headers = Headers::default();
        bytes.chunks(cut).for_each(|piece| headers.scan(piece));
        headers.count()
    }

    #[test]
    fn headers_are_counted_wherever_they_stand_and_however_they_are_cut() {
        for (bytes, expected) in [
            (
                &b"1 0 obj<<>>endobj\n22\t0\r\nobj\n(5 0 obj /X) endobj"[..],
                (3, 0),
            ),
            (b"stream\n5 0 obj/S endobj\nendstream", (1, 0)),
            (b"%5 0 obj\n5 0 %x\nobj 5 %x\n0 obj", (3, 0)),
            (b"5 00obj[", (1, 0)),
            (b"an obj , object 1 0 objects, -obj endobj 1 obj", (0, 0)),
            (b"trailer<<>>\ntrailer\n trailers xtrailer", (0, 2)),
        ] {
            for cut in [1, 2, 3, 7, 1000] {
                let shown = String::from_utf8_lossy(bytes);
                assert_eq!(count(bytes, cut), expected, "{shown} by {cut}");
            }
        }
    }
}
