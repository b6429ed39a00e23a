//! Unfolding of what is compressed, a piece at a time, with a bound that is asked after each piece: nothing that unfolds is ever kept.

use flate2::{Decompress, FlushDecompress, Status};

/// Why what is compressed cannot be unfolded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no compressed data, or its checksum is wrong.
    Damaged,
    /// More follows its end.
    Besides,
    /// It unfolds into more than it may.
    TooLarge,
}

/// Compressed data that comes in pieces.
pub(super) struct Inflate {
    stream: Decompress,
    ended: bool,
    /// How much may still come out.
    left: u64,
    out: Box<[u8]>,
}

impl Inflate {
    /// Begins one; `zlib` says whether it has zlib's header and checksum, and `most` how much it may unfold into.
    pub(super) fn new(zlib: bool, most: u64) -> Self {
        let out = vec![0; 16 * 1024].into_boxed_slice();
        Self {
            stream: Decompress::new(zlib),
            ended: false,
            left: most,
            out,
        }
    }

    /// Begins the next one in the same memory.
    pub(super) fn again(&mut self, zlib: bool, most: u64) {
        self.stream.reset(zlib);
        self.ended = false;
        self.left = most;
    }

    /// Unfolds the next piece, and shows what comes out. `show` says whether it may go on.
    pub(super) fn unfold(
        &mut self,
        mut piece: &[u8],
        mut show: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Fault> {
        loop {
            if self.ended {
                return if piece.is_empty() {
                    Ok(())
                } else {
                    Err(Fault::Besides)
                };
            }
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(piece, &mut self.out, FlushDecompress::None);
            let status = status.map_err(|_| Fault::Damaged)?;
            let read = usize::try_from(self.stream.total_in() - read).unwrap_or(usize::MAX);
            let written = self.stream.total_out() - written;
            piece = piece.get(read..).unwrap_or_default();
            self.left = self.left.checked_sub(written).ok_or(Fault::TooLarge)?;
            let length = usize::try_from(written).unwrap_or(usize::MAX);
            if !show(self.out.get(..length).unwrap_or_default()) {
                return Err(Fault::Damaged);
            }
            self.ended = status == Status::StreamEnd;
            if !self.ended && piece.is_empty() && length < self.out.len() {
                return Ok(());
            }
            if !self.ended && read == 0 && written == 0 {
                return if piece.is_empty() {
                    Ok(())
                } else {
                    Err(Fault::Damaged)
                };
            }
        }
    }

    /// Whether its end was reached.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}
