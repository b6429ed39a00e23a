//! WebP without XMP, with no more of Exif than which way up it is, and with the marks in its header that say so.

use std::io::{Read, Seek, Write};

use super::copy;
use super::jpeg::exif;
use crate::media::inspect::{Source, Unacceptable};

/// The marks of Exif and XMP.
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;

pub(super) fn strip<F: Read + Seek, W: Write>(
    source: &mut Source<'_, F>,
    to: &mut W,
) -> Result<(), Unacceptable> {
    let (mut kept, mut turned) = (4, None);
    each(source, |source, kind, whole| {
        match &kind {
            b"EXIF" if turned.is_none() => turned = orientation(source, whole)?,
            b"EXIF" | b"XMP " => {}
            _ => kept += whole,
        }
        Ok(())
    })?;
    let exif = turned.map(exif);
    kept += exif.as_ref().map_or(0, |exif| exif.len() as u64 + 8);
    let length = u32::try_from(kept).map_err(|_| source.damaged("it is longer than it can be"))?;
    to.write_all(b"RIFF")?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(b"WEBP")?;
    each(source, |source, kind, whole| match &kind {
        b"EXIF" | b"XMP " => Ok(()),
        b"VP8X" => {
            copy(source, to, 8)?;
            let marks = if exif.is_some() { XMP } else { EXIF | XMP };
            let flags = source.byte()?;
            to.write_all(&[flags & !marks])?;
            copy(source, to, whole.saturating_sub(9))
        }
        _ => copy(source, to, whole),
    })?;
    if let Some(exif) = exif {
        to.write_all(b"EXIF")?;
        to.write_all(&u32::try_from(exif.len()).unwrap_or_default().to_le_bytes())?;
        to.write_all(&exif)?;
    }
    Ok(())
}

/// Which way up the picture is, out of a chunk of Exif; some programs write the head of JPEG's segment before it.
fn orientation<F: Read + Seek>(source: &mut Source<'_, F>, whole: u64) -> Result<Option<u8>, Unacceptable> {
    source.skip(8)?;
    let has_head = source.head(6)? == b"Exif\0\0";
    let head = if has_head { 6 } else { 0 };
    source.skip(head)?;
    super::jpeg::orientation(source, whole.saturating_sub(8 + head))
}

/// Shows each chunk, which begins where the source is.
fn each<F: Read + Seek>(
    source: &mut Source<'_, F>,
    mut show: impl FnMut(&mut Source<'_, F>, [u8; 4], u64) -> Result<(), Unacceptable>,
) -> Result<(), Unacceptable> {
    source.go_to(12)?;
    while source.left() > 0 {
        let at = source.at();
        let (kind, length) = (source.bytes()?, u64::from(source.u32_le()?));
        let whole = 8 + length + length % 2;
        source.go_to(at)?;
        show(source, kind, whole)?;
        source.go_to(at + whole)?;
    }
    Ok(())
}
