//! What a signed object carries: JSON, perhaps compressed, in base64.
//!
//! Django reads the bytes of a payload as Latin-1, whatever wrote them, so JSON is written in ASCII only and read as
//! Latin-1 here, too. Decompression is bounded: a signature proves who wrote the payload, not that the writer was not
//! talked into storing a mebibyte of zeros.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use thiserror::Error;

use super::{BadSignature, base64url};
use crate::json;

/// The largest payload that is decompressed, in bytes: 16 MiB.
pub const MOST_INFLATED: usize = 16 * 1024 * 1024;

/// What says that a payload is compressed.
const COMPRESSED: char = '.';

/// Why a signed object was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Nobody with a key signed it, or too long ago.
    #[error(transparent)]
    BadSignature(#[from] BadSignature),
    /// It is authentic, and not what it should be.
    #[error("signed payload cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

/// How an authentic payload is not what it should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It is not base64.
    #[error(transparent)]
    Base64(#[from] base64url::InvalidBase64),
    /// It says that it is compressed, and is not.
    #[error("compressed data is damaged or incomplete")]
    Compressed,
    /// It is larger than [`MOST_INFLATED`] when decompressed.
    #[error("decompressed data is larger than {MOST_INFLATED} bytes")]
    TooLarge,
    /// It is not the JSON that was asked for.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// It is not a JSON object.
    #[error(transparent)]
    Syntax(#[from] json::SyntaxError),
}

/// Writes bytes as a payload, compressed where that is asked for and saves more than the mark costs.
pub(crate) fn encode(bytes: impl AsRef<[u8]>, compress: bool) -> String {
    let bytes = bytes.as_ref();
    // Four thirds, then room for separators, time and a signature of 32 bytes.
    let mut payload = String::with_capacity(bytes.len() / 3 * 4 + 64);
    let smaller = if compress { deflate(bytes) } else { None };
    match smaller {
        Some(compressed) => {
            payload.push(COMPRESSED);
            base64url::encode_onto(&compressed, &mut payload);
        }
        None => base64url::encode_onto(bytes, &mut payload),
    }
    payload
}

/// Reads the text of a payload: base64, decompressed where marked, Latin-1.
pub(crate) fn decode(payload: &str) -> Result<String, Malformed> {
    Ok(latin1(decode_bytes(payload)?))
}

/// Reads the bytes of a payload: base64, decompressed where marked.
pub(crate) fn decode_bytes(payload: &str) -> Result<Vec<u8>, Malformed> {
    match payload.strip_prefix(COMPRESSED) {
        Some(compressed) => inflate(&base64url::decode(compressed)?, MOST_INFLATED),
        None => Ok(base64url::decode(payload)?),
    }
}

/// Reads bytes as Latin-1, as Django reads the JSON of a payload. ASCII, which is all that it writes, is taken as it is.
pub fn latin1(bytes: Vec<u8>) -> String {
    if bytes.is_ascii() {
        String::from_utf8(bytes).unwrap_or_default()
    } else {
        bytes.into_iter().map(char::from).collect()
    }
}

thread_local! {
    /// The compressor's working memory, which is far larger than what passes through it.
    static DEFLATE: RefCell<Option<Compress>> = const { RefCell::new(None) };
    /// The decompressor's, likewise.
    static INFLATE: RefCell<Option<Decompress>> = const { RefCell::new(None) };
}

/// Compresses at zlib's default level, and gives nothing where that saves less than two bytes.
fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let most = bytes.len().checked_sub(2)?;
    let mut compressed = Vec::with_capacity(most);
    DEFLATE.with(|deflate| {
        let mut slot = deflate.borrow_mut();
        let compress = slot.get_or_insert_with(|| Compress::new(Compression::new(6), true));
        compress.reset();
        // The output has room for a useful result only: what does not fit is not wanted.
        match compress.compress_vec(bytes, &mut compressed, FlushCompress::Finish) {
            Ok(Status::StreamEnd) if compressed.len() <= most => Some(compressed),
            _ => None,
        }
    })
}

/// Decompresses one zlib stream of at most so many bytes and ignores what follows it, as Python does.
fn inflate(compressed: &[u8], most: usize) -> Result<Vec<u8>, Malformed> {
    INFLATE.with(|inflate| {
        let mut slot = inflate.borrow_mut();
        let decompress = slot.get_or_insert_with(|| Decompress::new(true));
        match inflate_at_once(decompress, compressed, most) {
            Some(bytes) => Ok(bytes),
            None => inflate_in_steps(decompress, compressed, most),
        }
    })
}

/// Decompresses straight into the result where it is as small as sessions are.
fn inflate_at_once(decompress: &mut Decompress, compressed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(compressed.len().saturating_mul(6).clamp(256, 64 * 1024).min(most));
    decompress.reset(true);
    let status = decompress.decompress_vec(compressed, &mut bytes, FlushDecompress::Finish);
    (matches!(status, Ok(Status::StreamEnd)) && bytes.len() <= most).then_some(bytes)
}

/// Decompresses piece by piece, and stops where the result would pass the bound.
fn inflate_in_steps(
    decompress: &mut Decompress,
    compressed: &[u8],
    most: usize,
) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::with_capacity(compressed.len().saturating_mul(4).clamp(64, 64 * 1024));
    let mut rest = compressed;
    decompress.reset(true);
    while bytes.len() <= most {
        let (read, written) = (decompress.total_in(), bytes.len());
        let status = decompress
            .decompress_vec(rest, &mut bytes, FlushDecompress::None)
            .map_err(|_| Malformed::Compressed)?;
        if status == Status::StreamEnd {
            return if bytes.len() > most {
                Err(Malformed::TooLarge)
            } else {
                Ok(bytes)
            };
        }
        let consumed = usize::try_from(decompress.total_in() - read).map_err(|_| Malformed::Compressed)?;
        rest = rest.get(consumed..).unwrap_or_default();
        if bytes.len() < bytes.capacity() && consumed == 0 && bytes.len() == written {
            return Err(Malformed::Compressed);
        }
        // Never reserve far beyond the bound: one byte more shows that it was passed.
        bytes.reserve(bytes.len().max(64).min(most + 1 - bytes.len().min(most)));
    }
    Err(Malformed::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_beyond_ascii_are_latin1() {
        assert_eq!(decode(&base64url::encode(b"\"\xe9\xff\"")).unwrap(), "\"éÿ\"");
        assert_eq!(decode(&base64url::encode("é")).unwrap(), "Ã©");
    }

    #[test]
    fn compression_is_kept_only_where_it_saves_more_than_its_mark() {
        assert!(encode("x".repeat(60), true).starts_with('.'));
        assert!(!encode("x".repeat(60), false).starts_with('.'));
        assert!(!encode("{}", true).starts_with('.'));
        assert!(!encode("", true).starts_with('.'));
    }

    #[test]
    fn djangos_compressed_payload_is_read() {
        assert_eq!(
            decode(".eJyrVspWslKqoAAo1QIA9-oeRg").unwrap(),
            format!("{{\"k\":\"{}\"}}", "x".repeat(60))
        );
    }

    #[test]
    fn decompression_bomb_is_refused_before_it_is_unfolded() {
        let bomb = deflate(&vec![b' '; 200_000]).unwrap();
        assert!(bomb.len() < 1000);
        assert_eq!(inflate(&bomb, 200_000).unwrap().len(), 200_000);
        for most in [0, 100, 1000, 199_999] {
            assert!(matches!(inflate(&bomb, most), Err(Malformed::TooLarge)), "{most}");
        }
    }

    #[test]
    fn damaged_stream_is_refused_and_what_follows_a_whole_one_is_ignored() {
        let whole = deflate(&[b'x'; 60]).unwrap();
        for end in 0..whole.len() {
            assert!(
                matches!(inflate(&whole[..end], MOST_INFLATED), Err(Malformed::Compressed)),
                "{end}"
            );
        }
        let mut longer = whole.clone();
        longer.extend(b"junk");
        assert_eq!(inflate(&longer, MOST_INFLATED).unwrap(), [b'x'; 60]);
        assert!(inflate(b"hello", MOST_INFLATED).is_err());
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "[ -~]{0,400}", compress: bool) {
            prop_assert_eq!(decode(&encode(&text, compress)).unwrap(), text);
        }

        #[test]
        fn repetitive_text_comes_back(part in "[ -~]{1,20}", times in 1_usize..500) {
            let text = part.repeat(times);
            prop_assert_eq!(decode(&encode(&text, true)).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = inflate(&bytes, MOST_INFLATED);
        }
    }
}
