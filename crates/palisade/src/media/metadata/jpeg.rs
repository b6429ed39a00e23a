//! JPEG without its remarks: JFIF, the colour profile and Adobe's transform stay, and of Exif which way up the picture is.

use std::io::{Read, Seek, Write};

use memchr::memchr;

use super::copy;
use crate::media::inspect::{Source, Unacceptable};

/// How much of an Exif segment is read: all that one can hold.
const MOST_EXIF: u64 = 65_536;

pub(super) fn strip<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
) -> Result<(), Unacceptable> {
    copy(source, to, 2)?;
    let mut turned = None;
    let (mut written, mut jfif) = (false, false);
    loop {
        let marker = marker(source)?;
        if marker == 0xd9 {
            // What follows is another picture, or its small copy.
            return Ok(to.write_all(&[0xff, 0xd9])?);
        }
        let length = source.u16_be()?;
        let contents = u64::from(
            length
                .checked_sub(2)
                .ok_or_else(|| source.damaged("one of its segments has no length"))?,
        );
        let end = source.at() + contents;
        let head = source.head(contents.min(16))?;
        match marker {
            0xe0 if head.starts_with(b"JFIF\0") && !jfif => {
                jfif = true;
                // Version and density; the small copy, of no size.
                let density = head.get(5..12).ok_or_else(|| source.cut_off())?;
                to.write_all(&[0xff, 0xe0, 0, 16])?;
                to.write_all(b"JFIF\0")?;
                to.write_all(density)?;
                to.write_all(&[0, 0])?;
            }
            0xe1 if head.starts_with(b"Exif\0\0") && turned.is_none() => {
                source.skip(6)?;
                turned = orientation(source, contents - 6)?;
            }
            0xe2 if head.starts_with(b"ICC_PROFILE\0") => segment(source, to, marker, length)?,
            0xee if head.starts_with(b"Adobe") && contents == 12 => segment(source, to, marker, length)?,
            0xe0..=0xef | 0xfe => {}
            _ => {
                // Before the first thing that is drawn with: who reads Exif expects it near the beginning.
                if let Some(orientation) = turned.filter(|_| !written) {
                    let exif = exif(orientation);
                    let length = u16::try_from(exif.len() + 8).unwrap_or_default();
                    to.write_all(&[0xff, 0xe1])?;
                    to.write_all(&length.to_be_bytes())?;
                    to.write_all(b"Exif\0\0")?;
                    to.write_all(&exif)?;
                }
                written = true;
                segment(source, to, marker, length)?;
                if marker == 0xda {
                    drawn(source, to)?;
                    continue;
                }
            }
        }
        source.go_to(end)?;
    }
}

fn marker<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<u8, Unacceptable> {
    let first = source.byte()?;
    source.rule(first == 0xff, "something stands between its segments")?;
    loop {
        match source.byte()? {
            0xff => {}
            marker => return Ok(marker),
        }
    }
}

/// Copies a segment whose contents come next.
fn segment<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
    marker: u8,
    length: u16,
) -> Result<(), Unacceptable> {
    to.write_all(&[0xff, marker])?;
    to.write_all(&length.to_be_bytes())?;
    copy(source, to, u64::from(length.saturating_sub(2)))
}

/// Copies the data of a pass, up to the marker behind it.
fn drawn<F: Read + Seek, W: Write>(source: &mut Source<'_, F>, to: &mut W) -> Result<(), Unacceptable> {
    loop {
        let piece = source.peek(u64::MAX)?;
        if piece.is_empty() {
            return Err(source.cut_off());
        }
        let before = memchr(0xff, piece).unwrap_or(piece.len());
        to.write_all(piece.get(..before).unwrap_or_default())?;
        let marked = before < piece.len();
        source.seen(before);
        if !marked {
            continue;
        }
        let at = source.at();
        let pair: [u8; 2] = source.bytes()?;
        match pair {
            [_, 0 | 0xd0..=0xd7] => to.write_all(&pair)?,
            [_, 0xff] => source.go_to(at + 1)?,
            _ => return source.go_to(at),
        }
    }
}

/// Reads out of Exif (TIFF 6.0) which way up a picture is: 2 to 8, and nothing where it is as it stands.
pub(super) fn orientation<F: Read + Seek>(
    source: &mut Source<'_, F>,
    length: u64,
) -> Result<Option<u8>, Unacceptable> {
    let length = usize::try_from(length.min(MOST_EXIF)).unwrap_or_default();
    Ok(of_exif(&source.vec(length)?))
}

fn of_exif(exif: &[u8]) -> Option<u8> {
    let little = match exif.first_chunk()? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = *exif.get(at..)?.first_chunk()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let bytes = *exif.get(4..)?.first_chunk()?;
    let first = if little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    };
    let first = usize::try_from(first).ok()?;
    let count = usize::from(u16_at(first)?);
    let mut entries = (0..count).map_while(|entry| first.checked_add(2 + entry * 12));
    let entry = entries.find(|at| u16_at(*at) == Some(0x0112))?;
    let is_short = u16_at(entry + 2)? == 3;
    let value = u8::try_from(u16_at(entry + 8)?).ok()?;
    (is_short && (2..=8).contains(&value)).then_some(value)
}

/// The smallest Exif there is: which way up a picture is, and nothing else.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}
