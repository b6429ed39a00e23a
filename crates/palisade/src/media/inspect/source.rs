//! The bytes of a file that is looked into, read through one small buffer, of which nothing is believed but that they are there.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::Unacceptable;

/// How much of a file is in memory at a time.
const BUFFER: usize = 32 * 1024;

/// A file, where it is read, and what it is called in a refusal.
pub(in crate::media) struct Source<'a, F> {
    file: BufReader<&'a mut F>,
    at: u64,
    size: u64,
    what: &'static str,
}

impl<'a, F: Read + Seek> Source<'a, F> {
    /// Begins at the first byte of a file, which must be as long as it is said to be.
    pub(in crate::media) fn new(file: &'a mut F, size: u64) -> Result<Self, Unacceptable> {
        let length = file.seek(SeekFrom::End(0))?;
        if length != size {
            let why = format!("it has {length} bytes where {size} were said");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why).into());
        }
        file.rewind()?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(Self {
            file,
            at: 0,
            size,
            what: "file",
        })
    }

    /// Says what it is, for refusals.
    pub(in crate::media) fn is_a(&mut self, what: &'static str) {
        self.what = what;
    }

    pub(in crate::media) fn size(&self) -> u64 {
        self.size
    }

    pub(in crate::media) fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes are left.
    pub(in crate::media) fn left(&self) -> u64 {
        self.size.saturating_sub(self.at)
    }

    /// Goes on at another place.
    pub(in crate::media) fn go_to(&mut self, at: u64) -> Result<(), Unacceptable> {
        if at > self.size {
            return Err(self.cut_off());
        }
        match i64::try_from(i128::from(at) - i128::from(self.at)) {
            Ok(way) => self.file.seek_relative(way)?,
            Err(_) => {
                self.file.seek(SeekFrom::Start(at))?;
            }
        }
        self.at = at;
        Ok(())
    }

    /// Steps over some bytes, which must be there.
    pub(in crate::media) fn skip(&mut self, count: u64) -> Result<(), Unacceptable> {
        self.go_to(self.at.saturating_add(count))
    }

    /// Reads exactly so many bytes.
    pub(in crate::media) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Unacceptable> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills a place with the next bytes.
    pub(in crate::media) fn fill(&mut self, place: &mut [u8]) -> Result<(), Unacceptable> {
        if self.left() < place.len() as u64 {
            return Err(self.cut_off());
        }
        self.file.read_exact(place)?;
        self.at += place.len() as u64;
        Ok(())
    }

    /// Reads so many bytes, which the caller has bounded.
    pub(in crate::media) fn vec(&mut self, count: usize) -> Result<Vec<u8>, Unacceptable> {
        if self.left() < count as u64 {
            return Err(self.cut_off());
        }
        let mut bytes = vec![0; count];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(in crate::media) fn byte(&mut self) -> Result<u8, Unacceptable> {
        let [byte] = self.bytes()?;
        Ok(byte)
    }

    pub(in crate::media) fn u16_be(&mut self) -> Result<u16, Unacceptable> {
        self.bytes().map(u16::from_be_bytes)
    }

    pub(in crate::media) fn u32_be(&mut self) -> Result<u32, Unacceptable> {
        self.bytes().map(u32::from_be_bytes)
    }

    pub(in crate::media) fn u16_le(&mut self) -> Result<u16, Unacceptable> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(in crate::media) fn u32_le(&mut self) -> Result<u32, Unacceptable> {
        self.bytes().map(u32::from_le_bytes)
    }

    /// The next bytes, at most `most` of them and as many as are in the buffer; none at the end.
    pub(in crate::media) fn peek(&mut self, most: u64) -> Result<&[u8], Unacceptable> {
        let most = usize::try_from(most.min(self.left())).unwrap_or(usize::MAX);
        let buffer = self.file.fill_buf()?;
        Ok(buffer.get(..most).unwrap_or(buffer))
    }

    /// The next `count` bytes, or as many as are left, without a step.
    pub(in crate::media) fn head(&mut self, count: u64) -> Result<Vec<u8>, Unacceptable> {
        let at = self.at;
        let head = self.vec(usize::try_from(count.min(self.left())).unwrap_or(usize::MAX))?;
        self.go_to(at)?;
        Ok(head)
    }

    /// Steps over bytes that [`Source::peek`] has shown.
    pub(in crate::media) fn seen(&mut self, count: usize) {
        self.file.consume(count);
        self.at += count as u64;
    }

    /// Shows the next `count` bytes piece by piece.
    pub(in crate::media) fn each(
        &mut self,
        count: u64,
        mut show: impl FnMut(&[u8]) -> Result<(), Unacceptable>,
    ) -> Result<(), Unacceptable> {
        let mut left = count;
        while left > 0 {
            let piece = self.peek(left)?;
            if piece.is_empty() {
                return Err(self.cut_off());
            }
            let length = piece.len();
            show(piece)?;
            self.seen(length);
            left = left.saturating_sub(length as u64);
        }
        Ok(())
    }

    /// Nothing may follow the end of a format.
    pub(in crate::media) fn ends_here(&self) -> Result<(), Unacceptable> {
        if self.left() == 0 {
            return Ok(());
        }
        Err(self.besides("further bytes follow its end"))
    }

    pub(in crate::media) fn cut_off(&self) -> Unacceptable {
        Unacceptable::CutOff(self.what)
    }

    pub(in crate::media) fn damaged(&self, why: &'static str) -> Unacceptable {
        Unacceptable::Damaged { what: self.what, why }
    }

    pub(in crate::media) fn besides(&self, why: &'static str) -> Unacceptable {
        Unacceptable::Besides { what: self.what, why }
    }

    pub(in crate::media) fn too_large(&self, why: impl Into<String>) -> Unacceptable {
        Unacceptable::TooLarge {
            what: self.what,
            why: why.into(),
        }
    }

    pub(in crate::media) fn active(&self, why: &'static str) -> Unacceptable {
        Unacceptable::Active { what: self.what, why }
    }

    pub(in crate::media) fn encrypted(&self) -> Unacceptable {
        Unacceptable::Encrypted(self.what)
    }

    /// Asks for a rule of the format to be kept.
    pub(in crate::media) fn rule(&self, kept: bool, why: &'static str) -> Result<(), Unacceptable> {
        if kept { Ok(()) } else { Err(self.damaged(why)) }
    }
}
