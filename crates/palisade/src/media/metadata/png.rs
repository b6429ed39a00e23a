//! PNG without its remarks: the chunks that say how it looks stay, and no other.

use std::io::{Read, Seek, Write};

use super::copy;
use crate::media::inspect::{Source, Unacceptable};

/// What says how the picture looks, or how it moves.
const KEPT: [&[u8; 4]; 16] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn strip<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
) -> Result<(), Unacceptable> {
    copy(source, to, 8)?;
    loop {
        let (length, kind) = (source.u32_be()?, source.bytes::<4>()?);
        let whole = u64::from(length) + 4;
        if KEPT.contains(&&kind) {
            to.write_all(&length.to_be_bytes())?;
            to.write_all(&kind)?;
            copy(source, to, whole)?;
        } else if kind == *b"eXIf" {
            orientation(source, to, whole)?;
        } else {
            source.skip(whole)?;
        }
        if kind == *b"IEND" {
            return source.ends_here();
        }
    }
}

/// Writes anew which way up the picture is, where its Exif says so.
fn orientation<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
    whole: u64,
) -> Result<(), Unacceptable> {
    let end = source.at().saturating_add(whole);
    let read = super::jpeg::orientation(source, whole.saturating_sub(4))?;
    source.go_to(end)?;
    if let Some(orientation) = read {
        let exif = super::jpeg::exif(orientation);
        let mut sum = flate2::Crc::new();
        sum.update(b"eXIf");
        sum.update(&exif);
        let length = u32::try_from(exif.len()).unwrap_or_default();
        to.write_all(&length.to_be_bytes())?;
        to.write_all(b"eXIf")?;
        to.write_all(&exif)?;
        to.write_all(&sum.sum().to_be_bytes())?;
    }
    Ok(())
}
