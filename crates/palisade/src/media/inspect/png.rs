//! PNG (W3C, third edition): its chunks, each with its checksum, and its picture unfolded and counted to the last byte.
//!
//! The rows that the header promises are the rows that must come out, neither one byte less nor one more: a bomb promises little and
//! unfolds into much, and what is hidden behind the last row nobody would see.

mod rows;

use std::io::{Read, Seek};

use flate2::Crc;

use super::inflate::{Fault, Inflate};
use super::{InspectLimits, Source, Unacceptable};
use rows::{Header, Rows};

/// Walks through a PNG, whose picture and animation must be within the limits.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    source.skip(8)?;
    let mut picture = Picture::begin(source, limits)?;
    loop {
        let chunk = Chunk::head(source)?;
        source.rule(
            matches!(chunk.kind, [b'A'..=b'Z' | b'a'..=b'z', _, b'A'..=b'Z', _])
                && chunk.kind.iter().all(u8::is_ascii_alphabetic),
            "one of its chunks has no name",
        )?;
        let is_last = &chunk.kind == b"IEND";
        picture.chunk(source, &chunk)?;
        if is_last {
            break;
        }
    }
    source.ends_here()
}

/// The head of a chunk.
#[derive(Clone, Copy)]
struct Chunk {
    length: u64,
    kind: [u8; 4],
}

impl Chunk {
    fn head<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Self, Unacceptable> {
        let length = u64::from(source.u32_be()?);
        source.rule(
            length <= 0x7fff_ffff,
            "one of its chunks is longer than chunks are",
        )?;
        let kind = source.bytes()?;
        Ok(Self { length, kind })
    }

    /// Shows its contents piece by piece, and compares its checksum.
    fn read<F: Read + Seek>(
        self,
        source: &mut Source<'_, F>,
        mut show: impl FnMut(&[u8]),
    ) -> Result<(), Unacceptable> {
        let mut sum = Crc::new();
        sum.update(&self.kind);
        if source.left() < self.length + 4 {
            return Err(source.cut_off());
        }
        source.each(self.length, |piece| {
            sum.update(piece);
            show(piece);
            Ok(())
        })?;
        let said = source.u32_be()?;
        source.rule(said == sum.sum(), "the checksum of one of its chunks is wrong")
    }

    /// Reads all of its contents, of which there are at most `most`.
    fn whole<F: Read + Seek>(self, source: &mut Source<'_, F>, most: u64) -> Result<Vec<u8>, Unacceptable> {
        source.rule(self.length <= most, "one of its chunks is longer than it may be")?;
        let mut contents = Vec::new();
        self.read(source, |piece| contents.extend_from_slice(piece))?;
        Ok(contents)
    }
}

/// What is known of the picture while its chunks go by.
struct Picture<'l> {
    limits: &'l InspectLimits,
    header: Header,
    has_palette: bool,
    data: Data,
    inflate: Inflate,
    rows: Rows,
    /// What may still unfold out of descriptions and profiles.
    metadata: u64,
    /// Frames that were promised, and those that came.
    frames: Option<u32>,
    seen: u32,
    /// Frames and their data are numbered together.
    sequence: u32,
    /// A frame whose data has not ended.
    frame_open: bool,
    /// Pixels of the picture and its frames.
    pixels: u64,
}

/// Where the picture's data is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Data {
    Before,
    Within,
    Behind,
}

impl<'l> Picture<'l> {
    fn begin<F: Read + Seek>(
        source: &mut Source<'_, F>,
        limits: &'l InspectLimits,
    ) -> Result<Self, Unacceptable> {
        let chunk = Chunk::head(source)?;
        source.rule(
            &chunk.kind == b"IHDR" && chunk.length == 13,
            "it does not begin with its header",
        )?;
        let header = Header::read(&chunk.whole(source, 13)?);
        let header = header.ok_or_else(|| source.damaged("its header says what no PNG is"))?;
        let rows = Rows::of(&header, header.width, header.height);
        let mut picture = Self {
            limits,
            header,
            has_palette: false,
            data: Data::Before,
            inflate: Inflate::new(true, rows.bytes()),
            rows,
            metadata: limits.max_metadata,
            frames: None,
            seen: 0,
            sequence: 0,
            frame_open: false,
            pixels: 0,
        };
        picture.draws(source, header.width, header.height)?;
        Ok(picture)
    }

    /// Counts pixels that are drawn.
    fn draws<F: Read + Seek>(
        &mut self,
        source: &Source<'_, F>,
        width: u32,
        height: u32,
    ) -> Result<(), Unacceptable> {
        self.pixels += u64::from(width) * u64::from(height);
        if self.pixels > self.limits.max_pixels {
            return Err(source.too_large(format!("more than {} pixels", self.limits.max_pixels)));
        }
        Ok(())
    }

    fn chunk<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        chunk: &Chunk,
    ) -> Result<(), Unacceptable> {
        if self.data == Data::Within && &chunk.kind != b"IDAT" {
            self.data = Data::Behind;
            self.picture_ends(source)?;
        }
        match &chunk.kind {
            b"IDAT" => {
                source.rule(self.data != Data::Behind, "its picture is in two places")?;
                source.rule(
                    self.has_palette || !self.header.has_palette(),
                    "its palette is missing",
                )?;
                self.data = Data::Within;
                self.pixels_of(source, *chunk, 0)
            }
            b"PLTE" => self.palette(source, *chunk),
            b"tRNS" => {
                let length = chunk.whole(source, 256)?.len();
                let fits = self.header.transparency_fits(length);
                source.rule(
                    fits && self.data == Data::Before,
                    "its transparency does not fit it",
                )
            }
            b"IEND" => {
                source.rule(chunk.length == 0, "its end holds something")?;
                source.rule(self.data == Data::Behind, "it has no picture")?;
                if self.frame_open {
                    self.picture_ends(source)?;
                }
                source.rule(
                    self.frames.is_none_or(|frames| frames == self.seen),
                    "frames are missing",
                )?;
                chunk.read(source, |_| {})
            }
            b"acTL" => {
                let contents = chunk.whole(source, 8)?;
                let frames =
                    number(&contents, 0).filter(|_| contents.len() == 8 && self.data == Data::Before);
                let frames = frames.filter(|frames| *frames > 0 && self.frames.is_none());
                let frames = frames.ok_or_else(|| source.damaged("its animation is not said well"))?;
                if frames > self.limits.max_frames {
                    return Err(source.too_large(format!("more than {} frames", self.limits.max_frames)));
                }
                self.frames = Some(frames);
                Ok(())
            }
            b"fcTL" => self.frame(source, *chunk),
            b"fdAT" => {
                source.rule(
                    self.frame_open && self.data == Data::Behind,
                    "a frame has no head",
                )?;
                source.rule(chunk.length > 4, "a frame has no data")?;
                self.pixels_of(source, *chunk, 4)
            }
            b"iCCP" | b"zTXt" | b"iTXt" => self.description(source, *chunk),
            [b'A'..=b'Z', ..] => Err(source.damaged("one of its chunks is of no known kind")),
            _ => chunk.read(source, |_| {}),
        }
    }

    fn palette<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        chunk: Chunk,
    ) -> Result<(), Unacceptable> {
        let length = chunk.whole(source, 768)?.len();
        let fits = length > 0 && length.is_multiple_of(3) && self.header.palette_fits(length / 3);
        source.rule(
            fits && !self.has_palette && self.data == Data::Before,
            "its palette does not fit it",
        )?;
        self.has_palette = true;
        Ok(())
    }

    /// Reads the head of a frame of an animation.
    fn frame<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        chunk: Chunk,
    ) -> Result<(), Unacceptable> {
        let contents = chunk.whole(source, 26)?;
        let said = (|| {
            let [sequence, width, height, x, y] = [0, 4, 8, 12, 16].map(|at| number(&contents, at));
            let (width, height) = (width?, height?);
            let within = width > 0
                && height > 0
                && x?.checked_add(width)? <= self.header.width
                && y?.checked_add(height)? <= self.header.height;
            let drawn = matches!(contents.get(24..), Some([0..=2, 0..=1]));
            (drawn && within && sequence? == self.sequence).then_some((width, height))
        })();
        let (width, height) = said.ok_or_else(|| source.damaged("a frame is not within the picture"))?;
        self.sequence += 1;
        if self.frame_open {
            self.picture_ends(source)?;
        }
        self.seen += 1;
        source.rule(
            self.frames.is_some_and(|frames| self.seen <= frames),
            "it has more frames than it says",
        )?;
        if self.data == Data::Before {
            // The picture itself is the first frame.
            let whole = (width, height) == (self.header.width, self.header.height);
            return source.rule(whole && self.seen == 1, "its first frame is not the picture");
        }
        // Whoever shows an animation composes the whole of it for each frame.
        self.draws(source, self.header.width, self.header.height)?;
        self.rows = Rows::of(&self.header, width, height);
        self.inflate.again(true, self.rows.bytes());
        self.frame_open = true;
        Ok(())
    }

    /// Unfolds data of the picture or of a frame, `skipped` bytes into its chunk.
    fn pixels_of<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        chunk: Chunk,
        skipped: usize,
    ) -> Result<(), Unacceptable> {
        let Self { inflate, rows, .. } = self;
        let mut fault = None;
        let (mut before, mut head) = (skipped, Vec::new());
        chunk.read(source, |piece| {
            let (first, piece) = piece.split_at(before.min(piece.len()));
            before -= first.len();
            head.extend_from_slice(first);
            if fault.is_none() {
                fault = inflate.unfold(piece, |out| rows.are_in_order(out)).err();
            }
        })?;
        if skipped > 0 {
            source.rule(
                number(&head, 0) == Some(self.sequence),
                "its frames are not in order",
            )?;
            self.sequence += 1;
        }
        match fault {
            None => Ok(()),
            Some(Fault::TooLarge) => Err(source.too_large("its data is more than its picture")),
            Some(Fault::Besides) => Err(source.besides("data follows that is not drawn")),
            Some(Fault::Damaged) => Err(source.damaged("its picture cannot be read")),
        }
    }

    /// The data of the picture, or of a frame, must be whole.
    fn picture_ends<F: Read + Seek>(&mut self, source: &Source<'_, F>) -> Result<(), Unacceptable> {
        self.frame_open = false;
        if self.inflate.has_ended() && self.rows.are_complete() {
            return Ok(());
        }
        Err(source.cut_off())
    }

    /// A text or a colour profile, which may be compressed.
    fn description<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        chunk: Chunk,
    ) -> Result<(), Unacceptable> {
        if chunk.length > self.limits.max_metadata {
            return Err(source.too_large("its descriptions are longer than the picture may be"));
        }
        let contents = chunk.whole(source, self.limits.max_metadata)?;
        let unreadable = || source.damaged("one of its descriptions cannot be read");
        let end = contents
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(unreadable)?;
        source.rule((1..=79).contains(&end), "one of its descriptions has no name")?;
        let rest = contents.get(end + 1..).unwrap_or_default();
        let compressed = match (&chunk.kind, rest) {
            (b"iCCP" | b"zTXt", [0, data @ ..]) => Some(data),
            (b"iTXt", [0, 0, ..]) => None,
            (b"iTXt", [1, 0, data @ ..]) => {
                let mut parts = data.splitn(3, |byte| *byte == 0);
                Some(parts.nth(2).ok_or_else(unreadable)?)
            }
            _ => return Err(unreadable()),
        };
        let Some(data) = compressed else {
            return Ok(());
        };
        let mut out = 0;
        let mut inflate = Inflate::new(true, self.metadata);
        let read = inflate.unfold(data, |piece| {
            out += piece.len() as u64;
            true
        });
        self.metadata = self.metadata.saturating_sub(out);
        match read {
            Ok(()) if inflate.has_ended() => Ok(()),
            Err(Fault::TooLarge) => {
                Err(source.too_large("its descriptions unfold into more than the picture may be"))
            }
            _ => Err(unreadable()),
        }
    }
}

/// The number at a place of a chunk.
fn number(contents: &[u8], at: usize) -> Option<u32> {
    let bytes = contents.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}
