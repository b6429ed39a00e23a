//! Follows HTTP/2's frames on the wire, by their nine-byte heads, for what h2 neither times nor counts.
//!
//! A header block may come in pieces for ever, and every frame that is no request costs us work and the client nothing
//! (CVE-2019-9512, -9515, -9518; CVE-2024-27316).

use super::pulse::Pulse;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const HEAD: usize = 9;
const PREFACE: usize = 24;

/// A reader of frame heads.
#[derive(Debug)]
pub(super) struct Frames {
    /// What is left of the preface or of a frame's payload.
    skip: usize,
    head: [u8; HEAD],
    have: usize,
    in_block: bool,
    /// Whether the block ends with the payload being skipped.
    ends: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            skip: PREFACE,
            head: [0; HEAD],
            have: 0,
            in_block: false,
            ends: false,
        }
    }
}

impl Frames {
    /// Takes in what was just read.
    pub(super) fn follow(&mut self, mut bytes: &[u8], pulse: &Pulse) {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if self.skip > 0 {
                return;
            }
            if self.ends {
                (self.in_block, self.ends) = (false, false);
                pulse.end_block();
            }
            for (place, byte) in self.head.iter_mut().skip(self.have).zip(bytes) {
                *place = *byte;
            }
            let taken = (HEAD - self.have).min(bytes.len());
            bytes = bytes.get(taken..).unwrap_or_default();
            self.have += taken;
            if self.have < HEAD {
                return;
            }
            self.have = 0;
            self.begin(pulse);
        }
    }

    fn begin(&mut self, pulse: &Pulse) {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.skip = u32::from_be_bytes([0, high, middle, low]) as usize;
        match kind {
            HEADERS | CONTINUATION => {
                if !std::mem::replace(&mut self.in_block, true) {
                    pulse.begin_block();
                }
                self.ends = flags & END_HEADERS != 0;
                // Pieces of a block cost as much as other frames that bring nothing.
                if kind == CONTINUATION {
                    pulse.count_chatter();
                }
            }
            DATA if self.skip > 0 => {}
            _ => pulse.count_chatter(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![
            0,
            0,
            u8::try_from(payload.len()).unwrap(),
            kind,
            flags,
            0,
            0,
            0,
            1,
        ];
        bytes.extend(payload);
        bytes
    }

    fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frames.concat());
        bytes
    }

    fn follow(bytes: &[u8], piece: usize) -> (Option<u32>, u32) {
        let (mut frames, pulse) = (Frames::default(), Pulse::default());
        for piece in bytes.chunks(piece) {
            frames.follow(piece, &pulse);
        }
        (pulse.open_block(), pulse.chatter())
    }

    #[test]
    fn a_block_is_open_until_its_last_byte() {
        let bytes = connection(&[
            frame(4, 0, &[]),
            frame(1, 0, b"ab"),
            frame(9, 0, b"c"),
            frame(9, 4, b"de"),
        ]);
        for piece in [1, 2, 7, 1000] {
            assert_eq!(follow(&bytes, piece), (None, 3));
            assert_eq!(follow(&bytes[..bytes.len() - 1], piece).0, Some(1));
            assert_eq!(follow(&bytes[..24 + 9 + 9], piece).0, Some(1));
            assert_eq!(follow(&bytes[..24 + 9], piece).0, None);
        }
    }

    #[test]
    fn requests_and_their_bodies_are_no_chatter() {
        let bytes = connection(&[
            frame(1, 4, b"ab"),
            frame(0, 0, b"body"),
            frame(1, 4, b"ab"),
            frame(0, 1, b"x"),
        ]);
        assert_eq!(follow(&bytes, 3), (None, 0));
        let bytes = connection(&[
            frame(6, 0, &[0; 8]),
            frame(0, 0, &[]),
            frame(3, 0, &[0; 4]),
            frame(2, 0, &[0; 5]),
        ]);
        assert_eq!(follow(&bytes, 3), (None, 4));
    }
}
