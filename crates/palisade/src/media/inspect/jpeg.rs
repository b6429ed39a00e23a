//! JPEG (ITU-T T.81, JFIF, Exif): its segments and scans from the first marker to the last.
//!
//! What is drawn is not checked, only that it stands where it must. A phone's picture may hold further whole pictures behind the first (CIPA
//! DC-007: a preview, a map of its brightness); each of them is walked in the same way, and behind the last one nothing follows.

use std::io::{Read, Seek};

use memchr::memchr;

use super::sniff::goes_on_as_script;
use super::{InspectLimits, Source, Unacceptable};

/// The most pictures in one file.
const MOST_PICTURES: usize = 8;

/// Walks through a JPEG, whose pictures must be within the limits.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    let head: [u8; 22] = source.bytes()?;
    if goes_on_as_script(head.get(4..).unwrap_or_default()) {
        return Err(source.besides("it begins like a script"));
    }
    source.go_to(0)?;
    let mut pixels = 0;
    for _ in 0..MOST_PICTURES {
        let mut picture = Picture::default();
        picture.walk(source, limits)?;
        pixels += picture.pixels();
        if pixels > limits.max_pixels {
            return Err(source.too_large(format!("more than {} pixels", limits.max_pixels)));
        }
        if source.left() == 0 || limits.tail_is_cut_off {
            return Ok(());
        }
        if !(picture.says_more_follow && source.head(3)? == b"\xff\xd8\xff") {
            break;
        }
    }
    Err(source.besides("further bytes follow its end, such as the film of a moving picture"))
}

/// What is known of one picture while its segments go by.
#[derive(Default)]
struct Picture {
    frame: Option<Frame>,
    /// Which tables there are: quantization, and Huffman for DC and AC.
    quantization: [bool; 4],
    huffman: [[bool; 4]; 2],
    scans: u32,
    says_more_follow: bool,
}

/// What its header says of the picture.
struct Frame {
    progressive: bool,
    width: u16,
    height: u16,
    /// The number of each component, and which table it is quantized by.
    components: Vec<(u8, u8)>,
}

impl Picture {
    fn pixels(&self) -> u64 {
        let frame = self.frame.as_ref();
        frame.map_or(0, |frame| u64::from(frame.width) * u64::from(frame.height))
    }

    /// Walks from the start of the picture to its end.
    fn walk<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        limits: &InspectLimits,
    ) -> Result<(), Unacceptable> {
        let start = source.bytes()?;
        source.rule(start == [0xff, 0xd8], "it has no start")?;
        loop {
            let marker = marker(source)?;
            match marker {
                0xd9 => {
                    let drawn = self.frame.is_some() && self.scans > 0;
                    return source.rule(drawn, "it ends before its picture");
                }
                0xda => self.scan(source, limits)?,
                0xc0..=0xc2 => self.frame(source, marker, limits)?,
                0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    return Err(source.damaged("it is of a sort that browsers do not show"));
                }
                0xc4 => self.huffman(source)?,
                0xdb => self.quantization(source)?,
                0xdd => {
                    let interval = segment(source, 2)?;
                    source.rule(interval.len() == 2, "one of its segments has another length")?;
                }
                0xe0..=0xef => self.application(source, marker)?,
                0xfe => skip(source)?,
                _ => return Err(source.damaged("one of its segments is of no known kind")),
            }
        }
    }

    /// SOF: how large it is, and of what it is made.
    fn frame<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        marker: u8,
        limits: &InspectLimits,
    ) -> Result<(), Unacceptable> {
        let contents = segment(source, 6 + 3 * 4)?;
        let read = (|| {
            let (&[8, high, low, wide, narrow, count], components) = contents.split_first_chunk()? else {
                return None;
            };
            let (height, width) = (
                u16::from_be_bytes([high, low]),
                u16::from_be_bytes([wide, narrow]),
            );
            let sampling = |byte: u8| matches!(byte >> 4, 1..=4) && matches!(byte & 15, 1..=4);
            let is_one = matches!(count, 1 | 3 | 4)
                && components.len() == usize::from(count) * 3
                && height > 0
                && width > 0
                && are_different(components.iter().step_by(3))
                && components
                    .chunks_exact(3)
                    .all(|of| matches!(of, [_, by, 0..=3] if sampling(*by)));
            let components = components.chunks_exact(3);
            let components = components.filter_map(|of| Some((*of.first()?, *of.last()?)));
            let components = components.collect();
            is_one.then_some(Frame {
                progressive: marker == 0xc2,
                width,
                height,
                components,
            })
        })();
        let frame = read.ok_or_else(|| source.damaged("its header says what no picture is"))?;
        source.rule(self.frame.is_none(), "it has two headers")?;
        self.frame = Some(frame);
        if self.pixels() > limits.max_pixels {
            return Err(source.too_large(format!("more than {} pixels", limits.max_pixels)));
        }
        Ok(())
    }

    /// SOS: one pass, and the data that it draws.
    fn scan<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        limits: &InspectLimits,
    ) -> Result<(), Unacceptable> {
        let contents = segment(source, 4 + 2 * 4)?;
        let frame = self
            .frame
            .as_ref()
            .ok_or_else(|| source.damaged("it is drawn before its header"))?;
        let drawn = contents.split_first().and_then(|(count, rest)| {
            let selectors = usize::from(*count) * 2;
            let (selectors, spectral) = rest.split_at_checked(selectors)?;
            let spectral: &[u8; 3] = spectral.try_into().ok()?;
            let draws = |of: &[u8]| {
                let &[component, tables] = of else {
                    return false;
                };
                let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
                let has = |of: &[bool; 4], at: usize| of.get(at).copied().unwrap_or_default();
                let quantized = frame.components.iter().find(|(number, _)| *number == component);
                let quantized =
                    quantized.is_some_and(|(_, table)| has(&self.quantization, usize::from(*table)));
                let [dcs, acs] = &self.huffman;
                // A progressive pass has one sort of data: the first coefficients, or others, or bits of either.
                let coded = match (frame.progressive, spectral) {
                    (false, _) => has(dcs, dc) && has(acs, ac),
                    (true, [0, _, refine]) => refine >> 4 > 0 || has(dcs, dc),
                    (true, _) => has(acs, ac),
                };
                quantized && coded
            };
            let [first, last, bits] = *spectral;
            let in_order = if frame.progressive {
                first <= last
                    && last < 64
                    && (first > 0 || last == 0)
                    && (first == 0 || *count == 1)
                    && bits & 15 < 14
            } else {
                [first, last, bits] == [0, 63, 0]
            };
            let once = are_different(selectors.iter().step_by(2));
            Some((1..=4).contains(count) && once && in_order && selectors.chunks_exact(2).all(draws))
        });
        source.rule(drawn == Some(true), "one of its passes cannot be drawn")?;
        self.scans += 1;
        if self.scans > limits.max_scans {
            return Err(source.too_large(format!("drawn in more than {} passes", limits.max_scans)));
        }
        entropy_coded(source)
    }

    fn huffman<F: Read + Seek>(&mut self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        let contents = segment(source, 4 * 2 * (17 + 256))?;
        let mut rest = contents.as_slice();
        while let Some((class, after)) = rest.split_first() {
            let read = after.split_first_chunk::<16>().and_then(|(counts, values)| {
                let count: usize = counts.iter().map(|count| usize::from(*count)).sum();
                // No more codes than a tree of that depth has leaves.
                let free = counts
                    .iter()
                    .try_fold(1_u32, |free, count| (free * 2).checked_sub(u32::from(*count)))?;
                let table = self
                    .huffman
                    .get_mut(usize::from(class >> 4))?
                    .get_mut(usize::from(class & 15))?;
                let (symbols, rest) = values.split_at_checked(count)?;
                // Of the first coefficients a symbol is how many bits their difference has.
                let is_one = class >> 4 > 0 || symbols.iter().all(|bits| *bits <= 15);
                *table = is_one && free > 0 && (1..=256).contains(&count);
                table.then_some(rest)
            });
            rest = read.ok_or_else(|| source.damaged("one of its tables cannot be"))?;
        }
        Ok(())
    }

    fn quantization<F: Read + Seek>(&mut self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        let contents = segment(source, 4 * (1 + 128))?;
        let mut rest = contents.as_slice();
        while let Some((precision, after)) = rest.split_first() {
            let length = match precision >> 4 {
                0 => Some(64),
                1 => Some(128),
                _ => None,
            };
            let table = self.quantization.get_mut(usize::from(precision & 15));
            let read = length.zip(table).and_then(|(length, table)| {
                *table = true;
                after.get(length..)
            });
            rest = read.ok_or_else(|| source.damaged("one of its tables cannot be"))?;
        }
        Ok(())
    }

    /// What programs note: JFIF must be as long as it says, so that nothing is in it that is not shown.
    fn application<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        marker: u8,
    ) -> Result<(), Unacceptable> {
        let length = length(source)?;
        let head = source.head(length.min(14))?;
        let is_jfif = marker == 0xe0 && head.starts_with(b"JFIF\0");
        if marker == 0xe2 && head.starts_with(b"MPF\0") {
            self.says_more_follow = true;
        }
        let thumbnail = head
            .get(12..14)
            .map(|sides| sides.iter().map(|side| u64::from(*side)).product::<u64>());
        source.rule(
            !is_jfif || thumbnail.is_some_and(|points| length == 14 + 3 * points),
            "its first segment is longer than it says",
        )?;
        // How the colours are to be read: three ways are known.
        let is_adobe = marker == 0xee && head.starts_with(b"Adobe");
        source.rule(
            !is_adobe || head.get(11).is_some_and(|way| *way <= 2),
            "its colours cannot be read",
        )?;
        source.skip(length)
    }
}

/// Whether no number is there twice.
fn are_different<'n>(numbers: impl Iterator<Item = &'n u8> + Clone) -> bool {
    let mut later = numbers;
    while let Some(number) = later.next() {
        if later.clone().any(|other| other == number) {
            return false;
        }
    }
    true
}

/// Reads a marker, before which any number of bytes may fill the space.
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

/// How long a segment is, behind the two bytes that say so.
fn length<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<u64, Unacceptable> {
    let length = u64::from(source.u16_be()?);
    let length = length
        .checked_sub(2)
        .ok_or_else(|| source.damaged("one of its segments has no length"))?;
    if source.left() < length {
        return Err(source.cut_off());
    }
    Ok(length)
}

/// Reads a segment that is not longer than it can be.
fn segment<F: Read + Seek>(source: &mut Source<'_, F>, most: usize) -> Result<Vec<u8>, Unacceptable> {
    let length = usize::try_from(length(source)?).unwrap_or(usize::MAX);
    source.rule(length <= most, "one of its segments is longer than it can be")?;
    source.vec(length)
}

fn skip<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    let length = length(source)?;
    source.skip(length)
}

/// Steps over the data of a pass, up to the marker behind it.
fn entropy_coded<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    loop {
        let piece = source.peek(u64::MAX)?;
        if piece.is_empty() {
            return Err(source.cut_off());
        }
        let Some(before) = memchr(0xff, piece) else {
            let length = piece.len();
            source.seen(length);
            continue;
        };
        source.seen(before);
        let at = source.at();
        let mut next = source.bytes::<2>()?;
        while next == [0xff, 0xff] {
            next = [0xff, source.byte()?];
        }
        // A stuffed byte, or a place to begin again.
        if !matches!(next, [_, 0 | 0xd0..=0xd7]) {
            return source.go_to(at);
        }
    }
}
