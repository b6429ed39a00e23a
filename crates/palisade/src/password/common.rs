//! The list of common passwords that Django refuses.
//!
//! It lies in the program as 42 kB (`data/common_passwords.md` tells where it comes from) and is unpacked at the first
//! question into one sorted text that is searched where it stands: 160 kB, no table beside it.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::sync::LazyLock;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use palisade_core::character::is_space;

const PACKED: &[u8] = include_bytes!("../../data/common_passwords.bin");

/// The entries in the order of their bytes, a newline after each; none if the data cannot be unpacked.
static SORTED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| unpack(PACKED));

/// Tells whether the list holds `password`, which is already in lower case.
///
/// Were the list unreadable, every password would count as common: no password is set unchecked.
pub(super) fn is_listed(password: &str) -> bool {
    SORTED
        .as_deref()
        .is_none_or(|sorted| search(sorted, password.as_bytes()))
}

fn search(mut sorted: &[u8], entry: &[u8]) -> bool {
    while !sorted.is_empty() {
        let (before, after) = sorted.split_at(sorted.len() / 2);
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let end = before.len() + memchr::memchr(b'\n', after).unwrap_or(after.len());
        let (Some(lower), Some(middle)) = (sorted.get(..start), sorted.get(start..end)) else {
            return false;
        };
        match entry.cmp(middle) {
            Ordering::Equal => return true,
            Ordering::Less => sorted = lower,
            Ordering::Greater => sorted = sorted.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

/// Undoes `data/common_passwords.py`: each entry is what it shares with the one before it, and its rest.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut coded = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut coded).ok()?;
    let (count, mut coded) = coded.split_first_chunk::<4>()?;
    let mut sorted = Vec::with_capacity(coded.len() * 2);
    let mut previous = 0;
    for _ in 0..u32::from_be_bytes(*count) {
        let (shared, rest) = coded.split_first()?;
        let end = memchr::memchr(b'\n', rest)? + 1;
        let start = sorted.len();
        sorted.extend_from_within(previous..previous + usize::from(*shared));
        sorted.extend_from_slice(rest.get(..end)?);
        previous = start;
        coded = rest.get(end..)?;
    }
    sorted.shrink_to_fit();
    coded.is_empty().then_some(sorted)
}

/// A list of passwords cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the list of passwords cannot be read")]
pub struct Unreadable(#[from] io::Error);

/// Reads a list of another origin, a password a line.
pub(super) fn read_list(path: &Path) -> Result<HashSet<String>, Unreadable> {
    let bytes = std::fs::read(path)?;
    let mut text = String::new();
    // What gzip writes begins with these two bytes, and no text does.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
    } else {
        bytes.as_slice().read_to_string(&mut text)?;
    }
    let password = |line: &str| line.trim_matches(is_space).to_owned();
    let text = text.replace("\r\n", "\n");
    Ok(text.split_terminator(['\n', '\r']).map(password).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_whole_and_sorted_and_each_entry_is_found() {
        let sorted = SORTED.as_ref().unwrap();
        let entries: Vec<_> = std::str::from_utf8(sorted).unwrap().lines().collect();
        assert_eq!(entries.len(), 19_640);
        assert!(entries.is_sorted());
        assert!(entries.iter().all(|entry| is_listed(entry)));
        assert_eq!((entries[0], entries[19_639]), ("!", "я"));
    }

    #[test]
    fn neighbours_of_entries_are_not_listed() {
        for absent in [
            "",
            "\n",
            "passwor",
            "password\n",
            "passwordd",
            "qwerty\nuiop",
            "\u{10ffff}",
            "Password",
        ] {
            assert!(!is_listed(absent), "{absent:?}");
        }
    }

    #[test]
    fn broken_data_is_not_an_empty_list() {
        assert!(unpack(&PACKED[..PACKED.len() / 2]).is_none());
    }

    #[test]
    fn list_of_one_s_own_is_read_plain_or_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let text = b"sesame \r\nopen\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, text).unwrap();
        for bytes in [text.to_vec(), packed.finish().unwrap()] {
            std::fs::write(&path, bytes).unwrap();
            let expected = ["open", "sesame"].map(str::to_owned);
            assert_eq!(read_list(&path).unwrap(), HashSet::from(expected));
        }
        assert!(read_list(&folder.path().join("none")).is_err());
    }
}
