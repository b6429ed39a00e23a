//! Room for a piece of a file on its way to a client, used again and again: fresh memory costs more than what is copied into it.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// How many bytes of a file are held at once for a client.
pub(super) const PIECE: usize = 128 * 1024;
/// How many pieces wait to be used again; more are given back to the system.
const KEPT: usize = 16;

static WAITING: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Room for [`PIECE`] bytes.
#[derive(Debug)]
pub(super) struct Piece(Box<[u8]>);

impl Piece {
    pub(super) fn take() -> Self {
        let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self(waiting.unwrap_or_else(|| vec![0; PIECE].into_boxed_slice()))
    }

    /// As much of the room as is wanted, and at most all of it. It holds what others have left.
    pub(super) fn room(&mut self, wanted: u64) -> &mut [u8] {
        let wanted = usize::try_from(wanted).map_or(PIECE, |wanted| wanted.min(PIECE));
        self.0.get_mut(..wanted).unwrap_or_default()
    }

    /// The first so many bytes, which were written.
    pub(super) fn into_bytes(self, written: usize) -> Bytes {
        Bytes::from_owner(self).slice(..written.min(PIECE))
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < KEPT {
            waiting.push(std::mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_of_what_another_has_left() {
        let mut piece = Piece::take();
        piece.room(6).copy_from_slice(b"secret");
        drop(piece.into_bytes(6));
        let mut piece = Piece::take();
        piece.room(2).copy_from_slice(b"ab");
        assert_eq!(piece.into_bytes(2), b"ab"[..]);
        assert_eq!(Piece::take().room(u64::MAX).len(), PIECE);
    }
}
