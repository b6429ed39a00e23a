//! A part of a file on its way to a client, as fast as the client takes it.
//!
//! What the kernel holds in memory is read where one is, a piece at a time. For the rest a thread is asked that may wait for the disk. Memory
//! held for a download is one piece, however large the file and however slow the client. Where nothing lies between the socket
//! and the client, the server has the kernel send the file (`serve/kernel.rs`): therefore a response says what file its body is.

mod cached;
mod piece;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use piece::Piece;

/// Between two places that are looked at, where all that lies between is taken to be in memory with them.
const STEP: u64 = 64 * 1024;

/// Part of a file.
#[derive(Clone, Debug)]
pub(crate) struct SentFile {
    pub(crate) file: Arc<File>,
    /// What is not sent yet.
    pub(crate) left: Range<u64>,
}

impl SentFile {
    pub(crate) fn new(file: Arc<File>, range: Range<u64>) -> Self {
        Self { file, left: range }
    }

    /// How many bytes are not sent yet.
    pub(crate) fn bytes(&self) -> u64 {
        self.left.end.saturating_sub(self.left.start)
    }

    /// Takes the next bytes off, at most so many, if the kernel holds them in memory.
    pub(crate) fn take_at_hand(&mut self, most: u64) -> Option<Self> {
        let end = self.left.end.min(self.left.start.saturating_add(most));
        let mut place = self.left.start;
        while place < end {
            // The last byte, too: the part may end long after a step.
            for look in [place, end.min(place.saturating_add(STEP)).saturating_sub(1)] {
                if cached::read(&self.file, &mut [0], look) != Some(1) {
                    return None;
                }
            }
            place = place.saturating_add(STEP);
        }
        let taken = Self::new(Arc::clone(&self.file), self.left.start..end);
        self.left.start = end;
        Some(taken)
    }
}

/// Opens a file if the way to it is in memory, and it is no link.
pub(crate) fn open_at_hand(path: &Path) -> Option<File> {
    cached::open(path)
}

/// Reads the beginning of a file into all this room, if it is in memory.
pub(crate) fn read_at_hand(file: &File, room: &mut [u8]) -> Option<()> {
    (cached::read(file, room, 0)? == room.len()).then_some(())
}

/// Says on a response what its body is. It says nothing any more once that body is gone.
#[derive(Clone, Debug)]
pub(crate) struct FileSent {
    file: SentFile,
    body: Weak<()>,
}

impl FileSent {
    /// The file, if its body is still there.
    pub(crate) fn file(self) -> Option<SentFile> {
        self.body.upgrade().map(|_| self.file)
    }
}

/// The part of a file as a body.
#[derive(Debug)]
pub(crate) struct FileBody {
    alive: Arc<()>,
    sent: SentFile,
    /// What a thread reads that may wait.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileBody {
    pub(crate) fn new(sent: SentFile) -> Self {
        Self {
            alive: Arc::default(),
            sent,
            reading: None,
        }
    }

    /// What a response says of it.
    pub(crate) fn told(&self) -> FileSent {
        FileSent {
            file: self.sent.clone(),
            body: Arc::downgrade(&self.alive),
        }
    }

    /// What is to be sent; nothing may be taken off while a thread reads.
    pub(crate) fn idle(&mut self) -> Option<&mut SentFile> {
        self.reading.is_none().then_some(&mut self.sent)
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let (place, wanted) = (self.sent.left.start, self.sent.bytes());
        let reading = if let Some(reading) = &mut self.reading {
            reading
        } else {
            let mut piece = Piece::take();
            if let Some(read) = cached::read(&self.sent.file, piece.room(wanted), place) {
                // A file that has become shorter is an error.
                return Poll::Ready(match read {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    read => Ok(piece.into_bytes(read)),
                });
            }
            let file = Arc::clone(&self.sent.file);
            self.reading.insert(spawn_blocking(move || {
                let room = piece.room(wanted);
                let read = room.len();
                file.read_exact_at(room, place)?;
                Ok(piece.into_bytes(read))
            }))
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        Poll::Ready(read.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.sent.bytes() == 0 {
            return Poll::Ready(None);
        }
        let read = ready!(self.poll_piece(context));
        let left = &mut self.sent.left;
        left.start = match &read {
            Ok(bytes) => left.start.saturating_add(bytes.len() as u64),
            Err(_) => left.end,
        };
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.sent.bytes() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.sent.bytes())
    }
}
