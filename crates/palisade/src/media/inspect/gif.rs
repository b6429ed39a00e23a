//! GIF (87a and 89a): its blocks, and of each picture its codes, so that what it says is what is drawn.

use std::io::{Read, Seek};

use super::lzw::{Codes, Fault};
use super::sniff::goes_on_as_script;
use super::{InspectLimits, Source, Unacceptable};

/// Walks through a GIF, whose frames must be within the limits.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    source.skip(6)?;
    let screen: [u8; 7] = source.bytes()?;
    let [w, idth, h, eight, flags, ..] = screen;
    let (width, height) = (u16::from_le_bytes([w, idth]), u16::from_le_bytes([h, eight]));
    // A size that nobody's picture has, so that the file's first line is one of a script.
    let is_text = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' '..=b'~');
    let reads_as_text = [w, idth, h, eight].iter().all(is_text);
    let remarks = [[w, idth], [idth, h], [h, eight]]
        .iter()
        .any(|two| two == b"//" || two == b"/*");
    if reads_as_text || remarks || goes_on_as_script(&screen) {
        return Err(source.besides("it begins like a script"));
    }
    source.rule(width > 0 && height > 0, "it has no size")?;
    colours(source, flags)?;
    let canvas = u64::from(width) * u64::from(height);
    let mut frames = 0;
    loop {
        match source.byte()? {
            b',' => {
                frames += 1;
                if frames > limits.max_frames {
                    return Err(source.too_large(format!("more than {} frames", limits.max_frames)));
                }
                // Whoever shows it composes the whole of it for each frame.
                if canvas * u64::from(frames) > limits.max_pixels {
                    return Err(source.too_large(format!("more than {} pixels", limits.max_pixels)));
                }
                frame(source, (width, height), flags)?;
            }
            b'!' => extension(source)?,
            b';' => break,
            _ => return Err(source.damaged("one of its blocks is of no known kind")),
        }
    }
    source.rule(frames > 0, "it has no picture")?;
    source.ends_here()
}

/// Steps over a table of colours, if the flags say that there is one.
fn colours<F: Read + Seek>(source: &mut Source<'_, F>, flags: u8) -> Result<(), Unacceptable> {
    if flags & 0x80 == 0 {
        return Ok(());
    }
    source.skip(3 << ((flags & 7) + 1))
}

/// One picture.
fn frame<F: Read + Seek>(
    source: &mut Source<'_, F>,
    (width, height): (u16, u16),
    screen: u8,
) -> Result<(), Unacceptable> {
    let [left, top, across, down] = [
        source.u16_le()?,
        source.u16_le()?,
        source.u16_le()?,
        source.u16_le()?,
    ];
    let flags = source.byte()?;
    let within = |at: u16, length: u16, whole: u16| {
        length > 0 && at.checked_add(length).is_some_and(|end| end <= whole)
    };
    source.rule(
        within(left, across, width) && within(top, down, height),
        "a frame is not within the picture",
    )?;
    source.rule((flags | screen) & 0x80 != 0, "its colours are missing")?;
    colours(source, flags)?;
    let minimum = source.byte()?;
    source.rule((2..=8).contains(&minimum), "a frame cannot be read")?;
    let mut codes = Codes::new(minimum, u64::from(across) * u64::from(down));
    let mut fault = None;
    blocks(source, |piece| fault = fault.or(codes.read(piece).err()))?;
    match fault {
        None if codes.are_complete() => Ok(()),
        None => Err(source.cut_off()),
        Some(Fault::TooMany) => Err(source.too_large("a frame has more points than it says")),
        Some(Fault::Damaged) => Err(source.damaged("a frame cannot be read")),
    }
}

/// What is said beside the pictures.
fn extension<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    let length = match source.byte()? {
        // How long a frame is shown; which program made it; text that is drawn.
        0xf9 => 4,
        0xff => 11,
        0x01 => 12,
        // A comment.
        0xfe => 0,
        _ => return Err(source.damaged("one of its extensions is of no known kind")),
    };
    if length > 0 {
        let said = source.byte()?;
        source.rule(said == length, "one of its extensions has another length")?;
        source.skip(u64::from(length))?;
    }
    blocks(source, |_| {})
}

/// Reads blocks of at most 255 bytes up to the empty one.
fn blocks<F: Read + Seek>(
    source: &mut Source<'_, F>,
    mut show: impl FnMut(&[u8]),
) -> Result<(), Unacceptable> {
    loop {
        let length = source.byte()?;
        if length == 0 {
            return Ok(());
        }
        source.each(u64::from(length), |piece| {
            show(piece);
            Ok(())
        })?;
    }
}
