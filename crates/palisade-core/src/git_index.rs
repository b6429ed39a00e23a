//! Which files a git repository keeps: the part of its index that answers whether one is among them.
//!
//! A key that was committed is everybody's who ever has a copy of the repository. Whether a file is tracked stands in `.git/index`
//! (versions 2 to 4 of its format), so that a start can refuse without running another program. Nothing else is read out of it.

use std::cmp::Ordering;

/// Why an index cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIndex {
    /// It is of another version.
    #[error("the index is of version {0}, and only 2, 3 and 4 are known")]
    Version(u32),
    /// It is no index, or a damaged one.
    #[error("the index is damaged")]
    Damaged,
    /// Most entries are in another file (`git update-index --split-index`).
    #[error("the index is split")]
    Split,
}

/// The times, numbers and owner of a file, before its hash.
const STAT: usize = 40;
/// The lengths of SHA-1 and SHA-256.
const HASHES: [usize; 2] = [20, 32];
/// Whether two more bytes of flags follow.
const EXTENDED: u16 = 0x4000;

/// Says whether a path, seen from the top of the work tree with `/` between its parts, is tracked.
///
/// # Example
/// ```
/// use palisade_core::git_index::is_tracked;
///
/// let empty = [&b"DIRC\0\0\0\x02\0\0\0\0"[..], &[0; 20]].concat();
/// assert_eq!(is_tracked(&empty, b"palisade.toml"), Ok(false));
/// ```
///
/// # Errors
///
/// When the index is none, of an unknown version, or split.
pub fn is_tracked(index: &[u8], path: &[u8]) -> Result<bool, InvalidIndex> {
    // Which hash a repository has stands in its configuration. Entries that are read with the wrong length are soon none.
    let mut answers = HASHES.into_iter().map(|hash| look_up(index, path, hash));
    let first = answers.next().unwrap_or(Err(InvalidIndex::Damaged));
    match first {
        Err(InvalidIndex::Damaged) => answers.next().unwrap_or(first),
        answer => answer,
    }
}

fn look_up(index: &[u8], path: &[u8], hash: usize) -> Result<bool, InvalidIndex> {
    let mut reader = Reader { index, at: 0 };
    if reader.take(4)? != b"DIRC" {
        return Err(InvalidIndex::Damaged);
    }
    let version = reader.number()?;
    if !(2..=4).contains(&version) {
        return Err(InvalidIndex::Version(version));
    }
    let entries = reader.number()?;
    let mut name = Vec::new();
    let (mut found, mut nameless) = (false, false);
    for _ in 0..entries {
        let before = name.clone();
        reader.entry(version, hash, &mut name)?;
        // Entries are sorted; a name may come again while it is in conflict. One without a name is in another file.
        nameless |= name.is_empty();
        if !nameless && before.as_slice().cmp(name.as_slice()) == Ordering::Greater {
            return Err(InvalidIndex::Damaged);
        }
        found |= name == path && !name.is_empty();
    }
    reader.extensions(hash)?;
    if nameless {
        Err(InvalidIndex::Damaged)
    } else {
        Ok(found)
    }
}

/// What has been read so far.
struct Reader<'i> {
    index: &'i [u8],
    at: usize,
}

impl<'i> Reader<'i> {
    fn take(&mut self, count: usize) -> Result<&'i [u8], InvalidIndex> {
        let end = self.at.checked_add(count).ok_or(InvalidIndex::Damaged)?;
        let taken = self.index.get(self.at..end).ok_or(InvalidIndex::Damaged)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, InvalidIndex> {
        self.take(1)?.first().copied().ok_or(InvalidIndex::Damaged)
    }

    fn number(&mut self) -> Result<u32, InvalidIndex> {
        let bytes = self.take(4)?.try_into().map_err(|_| InvalidIndex::Damaged)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// Reads an entry; `name` is the one of the entry before, of which version 4 says how much stays.
    fn entry(&mut self, version: u32, hash: usize, name: &mut Vec<u8>) -> Result<(), InvalidIndex> {
        let began = self.at;
        self.take(STAT + hash)?;
        let flags = u16::from_be_bytes([self.byte()?, self.byte()?]);
        if flags & EXTENDED != 0 {
            if version == 2 {
                return Err(InvalidIndex::Damaged);
            }
            self.take(2)?;
        }
        if version == 4 {
            let dropped = self.varint()?;
            let kept = name.len().checked_sub(dropped).ok_or(InvalidIndex::Damaged)?;
            name.truncate(kept);
        } else {
            name.clear();
        }
        let rest = self.index.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(InvalidIndex::Damaged)?;
        name.extend_from_slice(self.take(length)?);
        if version == 4 {
            self.take(1)?;
        } else {
            // One to eight zeros, up to a multiple of eight.
            let padded = (self.at - began) / 8 * 8 + 8;
            if self
                .take(padded - (self.at - began))?
                .iter()
                .any(|byte| *byte != 0)
            {
                return Err(InvalidIndex::Damaged);
            }
        }
        Ok(())
    }

    fn varint(&mut self) -> Result<usize, InvalidIndex> {
        let mut byte = self.byte()?;
        let mut value = usize::from(byte & 127);
        while byte & 128 != 0 {
            byte = self.byte()?;
            let shifted = value.checked_add(1).and_then(|value| value.checked_mul(128));
            value = shifted.ok_or(InvalidIndex::Damaged)? + usize::from(byte & 127);
        }
        Ok(value)
    }

    /// Looks for the extension by which entries are elsewhere, up to the hash of the whole.
    fn extensions(&mut self, hash: usize) -> Result<(), InvalidIndex> {
        let end = self.index.len().checked_sub(hash).ok_or(InvalidIndex::Damaged)?;
        while self.at < end {
            let name = self.take(4)?;
            if name == b"link" {
                return Err(InvalidIndex::Split);
            }
            let size = usize::try_from(self.number()?).map_err(|_| InvalidIndex::Damaged)?;
            self.take(size)?;
        }
        if self.at == end {
            Ok(())
        } else {
            Err(InvalidIndex::Damaged)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by git 2: `a.txt`, `config/palisade.toml`, `config/palisade.toml.example` and `zebra`, of which the last but one was added with
    /// `--intent-to-add` in version 3 and 4.
    const WRITTEN: [(&str, &[u8]); 4] = [
        ("2", include_bytes!("git_index/version2.index")),
        ("3", include_bytes!("git_index/version3.index")),
        ("4", include_bytes!("git_index/version4.index")),
        ("sha256", include_bytes!("git_index/sha256.index")),
    ];
    const SPLIT: &[u8] = include_bytes!("git_index/split.index");

    #[test]
    fn tracked_files_are_found_in_every_version_and_no_others() {
        for (version, index) in WRITTEN {
            for tracked in [
                "a.txt",
                "config/palisade.toml",
                "config/palisade.toml.example",
                "zebra",
            ] {
                assert_eq!(
                    is_tracked(index, tracked.as_bytes()),
                    Ok(true),
                    "{version}: {tracked}"
                );
            }
            for other in [
                "",
                "a",
                "palisade.toml",
                "config",
                "config/palisade",
                "zebra2",
                "secret-key",
            ] {
                assert_eq!(
                    is_tracked(index, other.as_bytes()),
                    Ok(false),
                    "{version}: {other}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_and_no_answer() {
        assert_eq!(is_tracked(SPLIT, b"a.txt"), Err(InvalidIndex::Split));
        assert_eq!(is_tracked(b"", b"a.txt"), Err(InvalidIndex::Damaged));
        assert_eq!(
            is_tracked(b"DIRC\0\0\0\x05\0\0\0\0", b"a.txt"),
            Err(InvalidIndex::Version(5))
        );
        for (_, index) in WRITTEN {
            for end in 0..index.len() {
                // What is lost of the extensions changes nothing.
                let cut = is_tracked(&index[..end], b"zebra");
                assert!(cut.is_err() || cut == Ok(true), "cut off at {end}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            version in 2_u8..5,
            count in 0_u8..4,
        ) {
            let head = [b"DIRC\0\0\0", &[version][..], b"\0\0\0", &[count]].concat();
            let _ = is_tracked(&[head, bytes].concat(), b"a.txt");
        }

        #[test]
        fn any_changed_byte_of_a_real_one_is_read_without_a_panic(which in 0..4_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut index = WRITTEN[which].1.to_vec();
            let at = at.index(index.len());
            index[at] = byte;
            let _ = is_tracked(&index, b"a.txt");
        }
    }
}
