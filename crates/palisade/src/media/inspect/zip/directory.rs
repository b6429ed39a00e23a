//! The list of a ZIP archive, and what stands before and behind each of its files: all must say the same.

use std::collections::HashSet;
use std::io::{Read, Seek};

use crate::media::inspect::{InspectLimits, Source, Unacceptable};

/// A file of an archive, as the list has it.
pub(super) struct Entry {
    /// Where its head is.
    pub(super) at: u64,
    pub(super) name: String,
    /// Not compressed.
    pub(super) stored: bool,
    pub(super) folded: u64,
    pub(super) unfolded: u64,
    pub(super) sum: u32,
    flags: u16,
    method: u16,
    raw_name: Vec<u8>,
}

/// The lengths are in a record behind the file.
const BEHIND: u16 = 1 << 3;
/// What may be set: how well it was compressed, lengths behind, a name in UTF-8.
const FLAGS: u16 = 0b110 | BEHIND | 1 << 11;
/// The longest name, and the longest list of further fields.
const MOST_OF_A_NAME: usize = 512;
const MOST_OF_EXTRA: usize = 4096;

/// Reads the list, in the order of the files, and where it begins.
pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(Vec<Entry>, u64), Unacceptable> {
    let end = source.size().checked_sub(22).ok_or_else(|| source.cut_off())?;
    source.go_to(end)?;
    if source.bytes()? != *b"PK\x05\x06" {
        return Err(if has_end(source)? {
            source.besides("further bytes follow its end")
        } else {
            source.cut_off()
        });
    }
    let disks = source.u32_le()?;
    let (here, count) = (source.u16_le()?, source.u16_le()?);
    let (length, list) = (u64::from(source.u32_le()?), u64::from(source.u32_le()?));
    let comment = source.u16_le()?;
    source.rule(disks == 0 && here == count, "it is a part of one")?;
    source.rule(comment == 0, "something follows its end")?;
    source.rule(list + length == end, "its list is not where it says")?;
    if u32::from(count) > limits.max_entries {
        return Err(source.too_large(format!("it holds more than {} files", limits.max_entries)));
    }
    source.go_to(list)?;
    let mut entries = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..count {
        let entry = entry(source)?;
        // Systems differ in whether `a` and `A` are one file, and office programs say that they are.
        let is_new = names.insert(entry.name.to_lowercase());
        source.rule(is_new, "two of its files have one name")?;
        entries.push(entry);
    }
    source.rule(source.at() == end, "its list has another length")?;
    entries.sort_by_key(|entry| entry.at);
    Ok((entries, list))
}

/// Whether an end stands before what should be the end.
fn has_end<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<bool, Unacceptable> {
    source.go_to(source.size().saturating_sub(65_557))?;
    let tail = source.vec(usize::try_from(source.left()).unwrap_or(usize::MAX))?;
    Ok(memchr::memmem::find(&tail, b"PK\x05\x06").is_some())
}

/// Reads one line of the list.
fn entry<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Entry, Unacceptable> {
    let (signature, made_by) = (source.bytes::<4>()?, source.u16_le()?);
    source.rule(signature == *b"PK\x01\x02", "its list cannot be read")?;
    let _needed = source.u16_le()?;
    let (flags, method) = (source.u16_le()?, source.u16_le()?);
    let _time = source.u32_le()?;
    let (sum, folded, unfolded) = (source.u32_le()?, source.u32_le()?, source.u32_le()?);
    let [name, extra, comment, disk, _] = [
        source.u16_le()?,
        source.u16_le()?,
        source.u16_le()?,
        source.u16_le()?,
        source.u16_le()?,
    ];
    let (attributes, at) = (source.u32_le()?, source.u32_le()?);
    if flags & (1 | 1 << 6 | 1 << 13) != 0 || method == 99 {
        return Err(source.encrypted());
    }
    source.rule(
        flags & !FLAGS == 0,
        "one of its files is stored in a way that is not known",
    )?;
    source.rule(
        matches!(method, 0 | 8),
        "one of its files is compressed in a way that is not known",
    )?;
    source.rule(
        disk == 0 && comment == 0,
        "one of its files has a remark, or is elsewhere",
    )?;
    if [folded, unfolded, at].contains(&u32::MAX) {
        return Err(source.too_large("it is of the sort for more than 4 GiB (ZIP64)"));
    }
    source.rule(
        method == 8 || folded == unfolded,
        "one of its files has two lengths",
    )?;
    let raw_name = name_of(source, name)?;
    let name = String::from_utf8(raw_name.clone());
    let name = name.map_err(|_| source.damaged("one of its files has a name that is not in UTF-8"))?;
    source.rule(
        is_within(&name),
        "one of its files has a name that leads out of it",
    )?;
    let is_link = made_by >> 8 == 3 && (attributes >> 16) & 0o170_000 == 0o120_000;
    source.rule(!is_link, "one of its files is a link to another place")?;
    source.rule(
        !name.ends_with('/') || unfolded == 0,
        "one of its folders holds something",
    )?;
    fields(source, extra, None)?;
    let (at, folded, unfolded) = (u64::from(at), u64::from(folded), u64::from(unfolded));
    Ok(Entry {
        at,
        name,
        stored: method == 0,
        folded,
        unfolded,
        sum,
        flags,
        method,
        raw_name,
    })
}

fn name_of<F: Read + Seek>(source: &mut Source<'_, F>, length: u16) -> Result<Vec<u8>, Unacceptable> {
    let length = usize::from(length);
    source.rule(
        (1..=MOST_OF_A_NAME).contains(&length),
        "one of its files has no name, or one that is too long",
    )?;
    source.vec(length)
}

/// Whether a name stays within the folder that an archive is unfolded into, on every system.
fn is_within(name: &str) -> bool {
    let parts = name.strip_suffix('/').unwrap_or(name);
    !name
        .chars()
        .any(|character| character.is_control() || matches!(character, '\\' | ':'))
        && parts.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Reads the further fields of a file; `sizes` are those that a field for large files must repeat.
fn fields<F: Read + Seek>(
    source: &mut Source<'_, F>,
    length: u16,
    sizes: Option<[u64; 2]>,
) -> Result<bool, Unacceptable> {
    source.rule(
        usize::from(length) <= MOST_OF_EXTRA,
        "one of its files has more remarks than it can",
    )?;
    let all = source.vec(usize::from(length))?;
    let mut rest = all.as_slice();
    let mut large = false;
    // What is shorter than the head of a field is filling.
    while let Some((&[i, d, l, ength], after)) = rest.split_first_chunk() {
        let (id, length) = (
            u16::from_le_bytes([i, d]),
            usize::from(u16::from_le_bytes([l, ength])),
        );
        let field = after.split_at_checked(length);
        let (field, after) =
            field.ok_or_else(|| source.damaged("one of its files has a remark that is cut off"))?;
        source.rule(id != 0x7075, "one of its files has two names")?;
        if id == 1 {
            let numbers = field
                .chunks_exact(8)
                .filter_map(|bytes| bytes.try_into().ok())
                .map(u64::from_le_bytes);
            let numbers: Vec<u64> = numbers.collect();
            let agrees = sizes.is_some_and(|sizes| numbers == sizes || numbers == [0, 0]);
            source.rule(agrees, "one of its files has two lengths")?;
            large = true;
        }
        rest = after;
    }
    Ok(large)
}

/// Reads the head before a file, which must say what the list says.
pub(super) fn local_head<F: Read + Seek>(
    source: &mut Source<'_, F>,
    entry: &Entry,
) -> Result<(), Unacceptable> {
    source.go_to(entry.at)?;
    let signature = source.bytes::<4>()?;
    source.rule(
        signature == *b"PK\x03\x04",
        "one of its files is not where its list says",
    )?;
    let _needed = source.u16_le()?;
    let (flags, method) = (source.u16_le()?, source.u16_le()?);
    let _time = source.u32_le()?;
    let (sum, folded, unfolded) = (source.u32_le()?, source.u32_le()?, source.u32_le()?);
    let (name, extra) = (source.u16_le()?, source.u16_le()?);
    let name = name_of(source, name)?;
    let large = fields(source, extra, Some([entry.unfolded, entry.folded]))?;
    let behind = flags & BEHIND != 0;
    let says = |said: u32, listed: u64| {
        u64::from(said) == listed || (behind && said == 0) || (large && said == u32::MAX)
    };
    let same = flags == entry.flags
        && method == entry.method
        && name == entry.raw_name
        && says(folded, entry.folded)
        && says(unfolded, entry.unfolded)
        && (sum == entry.sum || (behind && sum == 0));
    source.rule(same, "one of its files is not what its list says")
}

/// Reads the record behind a file, where its lengths may be again, up to the next file.
pub(super) fn descriptor<F: Read + Seek>(
    source: &mut Source<'_, F>,
    entry: &Entry,
    end: u64,
) -> Result<(), Unacceptable> {
    let apart = || "its files lie one on another, or something stands between them";
    let length = end
        .checked_sub(source.at())
        .ok_or_else(|| source.damaged(apart()))?;
    if entry.flags & BEHIND == 0 {
        return source.rule(length == 0, apart());
    }
    let record = match length {
        12 | 16 | 20 | 24 => source.vec(usize::try_from(length).unwrap_or_default())?,
        _ => return Err(source.damaged(apart())),
    };
    let record = match length {
        16 | 24 => record.strip_prefix(b"PK\x07\x08").unwrap_or_default(),
        _ => record.as_slice(),
    };
    let mut said = entry.sum.to_le_bytes().to_vec();
    for length in [entry.folded, entry.unfolded] {
        let bytes = length.to_le_bytes();
        let width = if record.len() == 12 { 4 } else { 8 };
        said.extend(bytes.into_iter().take(width));
    }
    source.rule(record == said, "one of its files is not what its list says")
}
