//! WebP (RFC 9649): its chunks, its frames, and that all of them say the same of its size.

use std::io::{Read, Seek};

use super::sniff::goes_on_as_script;
use super::{InspectLimits, Source, Unacceptable};

/// Walks through a WebP, whose frames must be within the limits.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    let head: [u8; 12] = source.bytes()?;
    if goes_on_as_script(head.get(4..).unwrap_or_default()) {
        return Err(source.besides("it begins like a script"));
    }
    source.go_to(4)?;
    let length = u64::from(source.u32_le()?);
    if length + 8 > source.size() {
        return Err(source.cut_off());
    }
    if length + 8 < source.size() {
        return Err(source.besides("further bytes follow its end"));
    }
    source.rule(length.is_multiple_of(2), "it has an odd length")?;
    source.skip(4)?;
    let chunk = Chunk::head(source, source.size())?;
    if &chunk.kind != b"VP8X" {
        let size = picture(source, chunk)?;
        source.rule(size.is_some(), "it does not begin with its picture")?;
        within(source, size.unwrap_or_default(), 1, limits)?;
        return source.ends_here();
    }
    source.rule(chunk.length == 10, "its header has another length")?;
    let header: [u8; 10] = source.bytes()?;
    let [flags, _, _, _, width @ ..] = header;
    let [w0, w1, w2, h0, h1, h2] = width;
    let canvas = (
        1 + u32::from_le_bytes([w0, w1, w2, 0]),
        1 + u32::from_le_bytes([h0, h1, h2, 0]),
    );
    within(source, canvas, 1, limits)?;
    extended(source, canvas, flags & 2 != 0, limits)?;
    source.ends_here()
}

/// The chunks behind the header of an extended file, in their order.
fn extended<F: Read + Seek>(
    source: &mut Source<'_, F>,
    canvas: (u32, u32),
    animated: bool,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    let end = source.size();
    let (mut order, mut frames, mut alpha) = (0, 0, false);
    while source.left() > 0 {
        let chunk = Chunk::head(source, end)?;
        let place = match &chunk.kind {
            b"ICCP" => 1,
            b"ANIM" if animated => 2,
            b"ANMF" if animated => 3,
            b"ALPH" if !animated => 4,
            b"VP8 " | b"VP8L" if !animated => 5,
            b"EXIF" | b"XMP " => 6,
            _ => return Err(source.damaged("one of its chunks is of no known kind")),
        };
        let in_order = place > order || (place == order && matches!(place, 3 | 6));
        source.rule(in_order, "its chunks are not in order")?;
        source.rule(place != 3 || order >= 2, "its animation has no head")?;
        order = place;
        match place {
            2 => {
                source.rule(chunk.length == 6, "its animation is not said well")?;
                chunk.skip(source)?;
            }
            3 => {
                frames += 1;
                within(source, canvas, frames, limits)?;
                frame(source, chunk, canvas)?;
            }
            4 => {
                alpha = true;
                chunk.skip(source)?;
            }
            5 => {
                source.rule(!alpha || &chunk.kind == b"VP8 ", "it has its transparency twice")?;
                frames += 1;
                let size = picture(source, chunk)?;
                source.rule(size == Some(canvas), "its picture has another size than it says")?;
            }
            _ => {
                if chunk.length > limits.max_metadata {
                    return Err(source.too_large("its descriptions are longer than the picture may be"));
                }
                chunk.skip(source)?;
            }
        }
    }
    source.rule(frames > 0, "it has no picture")
}

/// A frame of an animation: where it is drawn, and its picture.
fn frame<F: Read + Seek>(
    source: &mut Source<'_, F>,
    chunk: Chunk,
    canvas: (u32, u32),
) -> Result<(), Unacceptable> {
    let end = source.at() + chunk.length;
    source.rule(chunk.length > 16, "a frame has no picture")?;
    let mut number = || {
        source
            .bytes()
            .map(|[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]))
    };
    let [x, y, width, height] = [number()? * 2, number()? * 2, number()? + 1, number()? + 1];
    source.rule(
        x + width <= canvas.0 && y + height <= canvas.1,
        "a frame is not within the picture",
    )?;
    source.skip(4)?;
    let mut inner = Chunk::head(source, end)?;
    if &inner.kind == b"ALPH" {
        inner.skip(source)?;
        inner = Chunk::head(source, end)?;
        source.rule(&inner.kind == b"VP8 ", "it has its transparency twice")?;
    }
    let size = picture(source, inner)?;
    source.rule(
        size == Some((width, height)),
        "a frame has another size than it says",
    )?;
    source.rule(source.at() == end, "something follows a frame")
}

/// The head of a chunk.
#[derive(Clone, Copy)]
struct Chunk {
    kind: [u8; 4],
    length: u64,
}

impl Chunk {
    /// Reads one that must end where `end` is.
    fn head<F: Read + Seek>(source: &mut Source<'_, F>, end: u64) -> Result<Self, Unacceptable> {
        let kind = source.bytes()?;
        let length = u64::from(source.u32_le()?);
        if source.at() + length + length % 2 > end {
            return Err(source.cut_off());
        }
        Ok(Self { kind, length })
    }

    /// Steps over it, and over the byte that makes it even, which is 0.
    fn skip<F: Read + Seek>(self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        source.skip(self.length)?;
        self.padding(source)
    }

    fn padding<F: Read + Seek>(self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        let is_clean = self.length.is_multiple_of(2) || source.byte()? == 0;
        source.rule(is_clean, "something stands between its chunks")
    }
}

/// Reads the size out of a picture's own head and steps over it; nothing if it is no picture.
fn picture<F: Read + Seek>(
    source: &mut Source<'_, F>,
    chunk: Chunk,
) -> Result<Option<(u32, u32)>, Unacceptable> {
    let end = source.at() + chunk.length;
    let size = match &chunk.kind {
        b"VP8 " if chunk.length > 10 => {
            let head: [u8; 10] = source.bytes()?;
            let [tag, t1, t2, 0x9d, 0x01, 0x2a, w, idth, h, eight] = head else {
                return Err(source.damaged("its picture has no head"));
            };
            // A key frame, whose first partition is within it.
            let partition = u64::from(u32::from_le_bytes([tag, t1, t2, 0]) >> 5);
            let is_one =
                tag & 1 == 0 && tag & 0x10 != 0 && (tag >> 1) & 7 <= 3 && partition + 10 <= chunk.length;
            let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            is_one.then(|| (side(w, idth), side(h, eight)))
        }
        b"VP8L" if chunk.length > 5 => {
            let [signature, size @ ..]: [u8; 5] = source.bytes()?;
            let bits = u32::from_le_bytes(size);
            let is_one = signature == 0x2f && bits >> 29 == 0;
            is_one.then_some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8 " | b"VP8L" => return Err(source.cut_off()),
        _ => return Ok(None),
    };
    let size = size.filter(|(width, height)| *width > 0 && *height > 0);
    let size = size.ok_or_else(|| source.damaged("its picture has no head"))?;
    source.go_to(end)?;
    chunk.padding(source)?;
    Ok(Some(size))
}

/// Whether so many frames of this size are within the limits.
fn within<F: Read + Seek>(
    source: &Source<'_, F>,
    (width, height): (u32, u32),
    frames: u32,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    if frames > limits.max_frames {
        return Err(source.too_large(format!("more than {} frames", limits.max_frames)));
    }
    if u64::from(width) * u64::from(height) * u64::from(frames) > limits.max_pixels {
        return Err(source.too_large(format!("more than {} pixels", limits.max_pixels)));
    }
    Ok(())
}
