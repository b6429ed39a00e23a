//! ZIP (PKWARE's APPNOTE): its list and its files, which must fill the file without a gap, and each unfolded as far as it says and no further.
//!
//! Programs read an archive from its end or from its beginning, and believe the list or the head of each file. Here both must say the same,
//! so that all see one archive. Files that lie one on another, by which a few kilobytes become an archive of petabytes, cannot be: the bytes
//! of each are its own.

mod directory;

use std::io::{Read, Seek};

use flate2::Crc;

use super::inflate::{Fault, Inflate};
use super::office::{self, Part};
use super::{InspectLimits, Source, Unacceptable};
use crate::media::MediaType;
use directory::Entry;

/// How much of a part that is looked into is kept.
const MOST_OF_A_PART: u64 = 1024 * 1024;
/// How much of them all.
const MOST_OF_ALL_PARTS: usize = 8 * 1024 * 1024;
/// What may come out however little is in it.
const FREE: u64 = 16 * 1024 * 1024;

/// Walks through an archive, and says whether it is an office document.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<MediaType, Unacceptable> {
    source.is_a("ZIP archive");
    let (entries, list) = directory::read(source, limits)?;
    bounded(source, &entries, limits)?;
    let mut parts = Vec::new();
    let mut kept = 0;
    let mut nested = false;
    let mut inflate = Inflate::new(false, 0);
    let ends = entries.iter().skip(1).map(|entry| entry.at).chain([list]);
    let mut at = 0;
    for (entry, end) in entries.iter().zip(ends) {
        source.rule(
            entry.at == at,
            "its files lie one on another, or something stands between them",
        )?;
        directory::local_head(source, entry)?;
        let mut part = Part {
            name: entry.name.clone(),
            first: at == 0,
            stored: entry.stored,
            text: None,
        };
        let wanted = office::looks_into(&entry.name);
        let contents = unfold(source, entry, &mut inflate, wanted)?;
        nested |= is_archive(&contents);
        if wanted {
            kept += contents.len();
            source.rule(
                kept <= MOST_OF_ALL_PARTS,
                "what describes it is longer than it can be",
            )?;
            part.text = Some(contents);
        }
        parts.push(part);
        directory::descriptor(source, entry, end)?;
        at = end;
    }
    source.rule(at == list && !entries.is_empty(), "it holds nothing")?;
    let kind = office::kind_of(source, &parts, limits)?;
    // A document holds the tables that its charts are made of; what else holds archives is there to be unfolded and unfolded.
    if kind == MediaType::Zip && nested {
        return Err(source.too_large("it holds archives within itself"));
    }
    Ok(kind)
}

/// What is said to come out must be within the limits, before anything is unfolded.
fn bounded<F: Read + Seek>(
    source: &Source<'_, F>,
    entries: &[Entry],
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    let total = entries
        .iter()
        .fold(0_u64, |sum, entry| sum.saturating_add(entry.unfolded));
    if total > limits.max_unfolded {
        return Err(source.too_large(format!(
            "it unfolds into more than {} MiB",
            limits.max_unfolded >> 20
        )));
    }
    if total > FREE && total / limits.max_ratio.max(1) > source.size() {
        let why = format!("it unfolds into more than {} times its size", limits.max_ratio);
        return Err(source.too_large(why));
    }
    Ok(())
}

/// Unfolds a file, and compares its length and checksum. Answers with its first bytes, or all of it where it is looked into.
fn unfold<F: Read + Seek>(
    source: &mut Source<'_, F>,
    entry: &Entry,
    inflate: &mut Inflate,
    whole: bool,
) -> Result<Vec<u8>, Unacceptable> {
    source.rule(
        !whole || entry.unfolded <= MOST_OF_A_PART,
        "what describes it is longer than it can be",
    )?;
    let most = if whole {
        usize::try_from(entry.unfolded).unwrap_or(usize::MAX)
    } else {
        512
    };
    let (mut sum, mut out, mut head) = (Crc::new(), 0, Vec::new());
    let mut show = |piece: &[u8]| {
        sum.update(piece);
        out += piece.len() as u64;
        head.extend(piece.iter().copied().take(most.saturating_sub(head.len())));
        true
    };
    let mut fault = None;
    if entry.stored {
        source.each(entry.folded, |piece| {
            show(piece);
            Ok(())
        })?;
    } else {
        inflate.again(false, entry.unfolded);
        source.each(entry.folded, |piece| {
            if fault.is_none() {
                fault = inflate.unfold(piece, &mut show).err();
            }
            Ok(())
        })?;
        source.rule(
            fault.is_some() || inflate.has_ended(),
            "one of its files cannot be unfolded",
        )?;
    }
    match fault {
        Some(Fault::TooLarge) => return Err(source.too_large("one of its files is larger than it says")),
        Some(Fault::Besides) => return Err(source.besides("something stands behind one of its files")),
        Some(Fault::Damaged) => return Err(source.damaged("one of its files cannot be unfolded")),
        None => {}
    }
    let is_whole = out == entry.unfolded && sum.sum() == entry.sum;
    source.rule(is_whole, "one of its files is not what its list says")?;
    Ok(head)
}

/// Whether a file begins like an archive.
fn is_archive(head: &[u8]) -> bool {
    let begins: [&[u8]; 8] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b\x08",
        b"BZh",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
    ];
    begins.iter().any(|magic| head.starts_with(magic)) || head.get(257..262) == Some(b"ustar")
}
