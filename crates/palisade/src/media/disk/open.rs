//! Reads a kept file: a small one at once, a large one piece by piece as fast as the client takes it.
//!
//! The disk is asked on a thread that may wait for it, once for a small file and once a piece for a large one. Memory held for a
//! download is one piece, however large the file and however slow the client.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::media::{MediaError, Opened};

/// Up to here, a file is read while it is opened.
const SMALL: u64 = 64 * 1024;
/// How much of a large file is held at once.
const PIECE: u64 = 256 * 1024;

/// Opens the file at this path, which leads nowhere else.
pub(super) async fn open(path: PathBuf) -> Result<Opened, MediaError> {
    let opened = spawn_blocking(move || found(&path)).await;
    let found = opened
        .map_err(|error| MediaError::Unavailable(error.to_string()))?
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => MediaError::Missing,
            _ => MediaError::Unavailable(error.to_string()),
        })?;
    Ok(match found {
        Found::Small(bytes) => Opened::new(length(&bytes), move |range| Body::from(part(&bytes, &range))),
        Found::Large(file, size) => Opened::new(size, move |range| Body::new(FileBody::new(file, range))),
    })
}

enum Found {
    Small(Bytes),
    Large(File, u64),
}

fn found(path: &std::path::Path) -> io::Result<Found> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("what has the name of a stored file is none"));
    }
    let size = about.len();
    if size > SMALL {
        return Ok(Found::Large(file, size));
    }
    let bytes = exactly(&mut file, size)?;
    Ok(Found::Small(bytes.into()))
}

/// Reads this many bytes; a file that has become shorter is an error.
fn exactly(file: &mut File, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(usize::try_from(bytes).map_err(io::Error::other)?);
    file.take(bytes).read_to_end(&mut read)?;
    if length(&read) == bytes {
        Ok(read)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn part(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let place = |offset| usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
    let (start, end) = (place(range.start), place(range.end));
    bytes.slice(start.min(end)..end)
}

/// A part of a large file, on its way to a client.
#[derive(Debug)]
struct FileBody {
    state: State,
    left: u64,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked of the disk yet, and this is where it begins.
    Waiting(Option<(File, Option<u64>)>),
    Reading(JoinHandle<io::Result<(File, Vec<u8>)>>),
}

impl FileBody {
    fn new(file: File, range: Range<u64>) -> Self {
        Self {
            left: range.end.saturating_sub(range.start),
            state: State::Waiting(Some((file, Some(range.start)))),
        }
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Waiting(file) => {
                    let piece = this.left.min(PIECE);
                    let Some((mut file, start)) = file.take().filter(|_| piece > 0) else {
                        return Poll::Ready(None);
                    };
                    this.state = State::Reading(spawn_blocking(move || {
                        if let Some(start) = start {
                            file.seek(SeekFrom::Start(start))?;
                        }
                        let read = exactly(&mut file, piece)?;
                        Ok((file, read))
                    }));
                }
                State::Reading(reading) => {
                    let read = ready!(Pin::new(reading).poll(context));
                    this.state = State::Waiting(None);
                    return Poll::Ready(Some(
                        match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
                            Ok((file, bytes)) => {
                                this.left = this.left.saturating_sub(length(&bytes));
                                this.state = State::Waiting(Some((file, None)));
                                Ok(Frame::data(bytes.into()))
                            }
                            Err(error) => Err(error),
                        },
                    ));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// Bytes that tell their places apart.
    fn content(size: u64) -> Vec<u8> {
        (0..size).map(|place| (place % 251) as u8).collect()
    }

    #[tokio::test]
    async fn every_part_of_a_file_is_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, SMALL, SMALL + 1, PIECE, PIECE + 1, 3 * PIECE - 7] {
            let (path, content) = (folder.path().join("file"), content(size));
            std::fs::write(&path, &content).unwrap();
            for range in [
                0..size,
                size / 2..size,
                size / 3..size / 2,
                size.saturating_sub(1)..size,
            ] {
                let opened = open(path.clone()).await.unwrap();
                assert_eq!(opened.size(), size);
                let sent = opened.body(range.clone()).collect().await.unwrap().to_bytes();
                let (start, end) = (
                    usize::try_from(range.start).unwrap(),
                    usize::try_from(range.end).unwrap(),
                );
                assert!(sent == content[start..end], "{range:?} of {size}");
            }
        }
    }

    #[tokio::test]
    async fn file_that_shrinks_while_it_is_sent_ends_in_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, content(2 * PIECE)).unwrap();
        let opened = open(path.clone()).await.unwrap();
        std::fs::write(&path, content(PIECE + 1)).unwrap();
        assert!(opened.body(0..2 * PIECE).collect().await.is_err());
    }

    #[tokio::test]
    async fn no_link_and_no_folder_is_a_stored_file() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        for path in [link, folder.path().to_owned()] {
            assert!(matches!(open(path).await, Err(MediaError::Unavailable(_))));
        }
        let missing = open(folder.path().join("missing")).await;
        assert!(matches!(missing, Err(MediaError::Missing)));
    }
}
