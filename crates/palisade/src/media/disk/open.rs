//! Opens a kept file, and reads it at once if it is small.
//!
//! What the kernel holds in memory is read where one is; otherwise the disk is asked on a thread that may wait for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use axum::body::Body;
use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::media::{MediaError, Opened};
use crate::sent_file::{open_at_hand, read_at_hand};

/// Up to here, a file is read while it is opened.
const SMALL: u64 = 64 * 1024;

/// Opens the file at this path, which leads nowhere else.
pub(super) async fn open(path: PathBuf) -> Result<Opened, MediaError> {
    let found = match at_hand(&path) {
        Some(found) => found,
        None => spawn_blocking(move || found(&path))
            .await
            .map_err(|error| MediaError::Unavailable(error.to_string()))?
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => MediaError::Missing,
                _ => MediaError::Unavailable(error.to_string()),
            })?,
    };
    Ok(match found {
        Found::Small(bytes) => Opened::new(length(&bytes), move |range| Body::from(part(&bytes, &range))),
        Found::Large(file, size) => Opened::file(size, file),
    })
}

enum Found {
    Small(Bytes),
    Large(File, u64),
}

/// Finds a file without waiting, if that is possible. Why it is not, is found out by whoever waits.
fn at_hand(path: &Path) -> Option<Found> {
    let file = open_at_hand(path)?;
    let about = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let size = about.len();
    if size > SMALL {
        return Some(Found::Large(file, size));
    }
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    read_at_hand(&file, &mut bytes)?;
    Some(Found::Small(bytes.into()))
}

fn found(path: &Path) -> io::Result<Found> {
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

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// As much as is read of a large file at once.
    const PIECE: u64 = 128 * 1024;

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
