//! The codes of a GIF's pictures (LZW), read so far that it is known how many points come out: no more and no fewer than are drawn.

/// Why the codes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged,
    /// More points than the picture has.
    TooMany,
}

/// Codes that come in pieces. Of each only the length of what it stands for is known.
pub(super) struct Codes {
    /// Points of what each code stands for, from the first that is made on.
    lengths: Vec<u32>,
    minimum: u8,
    width: u8,
    bits: u32,
    have: u8,
    /// The length of what the last code stood for; 0 right after the table was cleared.
    last: u32,
    left: u64,
    ended: bool,
    begun: bool,
}

/// The most codes there are.
const MOST: usize = 4096;

impl Codes {
    /// Begins a picture of so many points, whose colours have `minimum` bits.
    pub(super) fn new(minimum: u8, points: u64) -> Self {
        let width = minimum + 1;
        Self {
            lengths: Vec::new(),
            minimum,
            width,
            bits: 0,
            have: 0,
            last: 0,
            left: points,
            ended: false,
            begun: false,
        }
    }

    /// Reads the next piece.
    pub(super) fn read(&mut self, piece: &[u8]) -> Result<(), Fault> {
        for byte in piece {
            self.bits |= u32::from(*byte) << self.have;
            self.have += 8;
            while self.have >= self.width {
                let code = self.bits & ((1 << self.width) - 1);
                self.bits >>= self.width;
                self.have -= self.width;
                self.code(code)?;
            }
        }
        Ok(())
    }

    fn code(&mut self, code: u32) -> Result<(), Fault> {
        if self.ended {
            return Ok(());
        }
        let clear = 1_u32 << self.minimum;
        if code == clear {
            self.lengths.clear();
            self.width = self.minimum + 1;
            self.last = 0;
            self.begun = true;
            return Ok(());
        }
        if !self.begun {
            return Err(Fault::Damaged);
        }
        if code == clear + 1 {
            self.ended = true;
            return Ok(());
        }
        let first = clear + 2;
        let made = usize::try_from(code.saturating_sub(first)).unwrap_or(usize::MAX);
        let length = if code < clear {
            1
        } else if let Some(length) = self.lengths.get(made) {
            *length
        } else if made == self.lengths.len() && self.last > 0 {
            self.last + 1
        } else {
            return Err(Fault::Damaged);
        };
        let known = self.lengths.len() + usize::try_from(first).unwrap_or(usize::MAX);
        if self.last > 0 && known < MOST {
            self.lengths.push(self.last + 1);
            if known + 1 == 1 << self.width && self.width < 12 {
                self.width += 1;
            }
        }
        self.last = length;
        self.left = self.left.checked_sub(u64::from(length)).ok_or(Fault::TooMany)?;
        Ok(())
    }

    /// Whether every point has come.
    pub(super) fn are_complete(&self) -> bool {
        self.left == 0
    }
}
