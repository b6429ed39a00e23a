//! The rows of a PNG: how many bytes each has, and that each begins with a filter that exists.

/// What the header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    depth: u8,
    colour: u8,
    interlaced: bool,
}

impl Header {
    /// Reads the thirteen bytes of a header that some PNG can have.
    pub(super) fn read(contents: &[u8]) -> Option<Self> {
        let (width, rest) = contents.split_first_chunk()?;
        let (height, rest) = rest.split_first_chunk()?;
        let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
        let &[depth, colour, 0, 0, interlace @ 0..=1] = rest else {
            return None;
        };
        let can_be = matches!(
            (colour, depth),
            (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) | (2 | 4 | 6, 8 | 16)
        );
        let most = 1 << 31;
        let interlaced = interlace == 1;
        let is_one = can_be && (1..most).contains(&width) && (1..most).contains(&height);
        is_one.then_some(Self {
            width,
            height,
            depth,
            colour,
            interlaced,
        })
    }

    /// Whether colours are numbers of a palette.
    pub(super) fn has_palette(&self) -> bool {
        self.colour == 3
    }

    /// Whether so many colours fit.
    pub(super) fn palette_fits(&self, colours: usize) -> bool {
        match self.colour {
            3 => colours <= 1 << self.depth,
            2 | 6 => colours <= 256,
            _ => false,
        }
    }

    /// Whether so many bytes of transparency fit.
    pub(super) fn transparency_fits(&self, bytes: usize) -> bool {
        match self.colour {
            0 => bytes == 2,
            2 => bytes == 6,
            3 => (1..=256).contains(&bytes),
            _ => false,
        }
    }

    fn bits(&self) -> u64 {
        let samples = match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        samples * u64::from(self.depth)
    }
}

/// Columns and rows that a pass of Adam7 leaves out: where it begins, and by how many it goes on.
const PASSES: [(u32, u32, u32, u32); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// The rows that must come, pass by pass, and how far they have.
pub(super) struct Rows {
    /// Bytes of a row with its filter, and how many rows, of each pass that has any.
    passes: Vec<(u64, u64)>,
    pass: usize,
    /// Rows of the pass that are done, and bytes of the next.
    row: u64,
    within: u64,
}

impl Rows {
    /// The rows of a picture or a frame of this size.
    pub(super) fn of(header: &Header, width: u32, height: u32) -> Self {
        let row = |width: u32| (u64::from(width) * header.bits()).div_ceil(8) + 1;
        let passes = if header.interlaced {
            let size = |(x, y, across, down): (u32, u32, u32, u32)| {
                (
                    width.saturating_sub(x).div_ceil(across),
                    height.saturating_sub(y).div_ceil(down),
                )
            };
            let sizes = PASSES.into_iter().map(size);
            let drawn = sizes.filter(|(width, height)| *width > 0 && *height > 0);
            drawn
                .map(|(width, height)| (row(width), u64::from(height)))
                .collect()
        } else {
            vec![(row(width), u64::from(height))]
        };
        Self {
            passes,
            pass: 0,
            row: 0,
            within: 0,
        }
    }

    /// How many bytes they have together.
    pub(super) fn bytes(&self) -> u64 {
        let passes = self.passes.iter();
        passes.fold(0, |sum, (row, rows)| {
            sum.saturating_add(row.saturating_mul(*rows))
        })
    }

    /// Takes the next bytes of them.
    pub(super) fn are_in_order(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Some((length, rows)) = self.passes.get(self.pass) else {
                return false;
            };
            if self.within == 0 && bytes.first().is_some_and(|filter| *filter > 4) {
                return false;
            }
            let step = (length - self.within).min(bytes.len() as u64);
            self.within += step;
            bytes = bytes
                .get(usize::try_from(step).unwrap_or(usize::MAX)..)
                .unwrap_or_default();
            if self.within == *length {
                self.within = 0;
                self.row += 1;
            }
            if self.row == *rows {
                self.row = 0;
                self.pass += 1;
            }
        }
        true
    }

    /// Whether all have come.
    pub(super) fn are_complete(&self) -> bool {
        self.pass == self.passes.len()
    }
}
