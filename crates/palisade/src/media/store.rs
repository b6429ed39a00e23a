//! What a place for files promises: a disk, or another machine.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::StatusCode;
use palisade_core::Threat;

use super::MediaName;
use crate::rejection::Rejection;
use crate::sent_file::{FileBody, FileSent, SentFile};

/// Why a file could not be kept, sent or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// No file has this name.
    #[error("no file is stored under this name")]
    Missing,
    /// The store is full, or above what it was allowed.
    #[error("the store of media is full: {0}")]
    Full(String),
    /// The store cannot answer.
    #[error("the store of media cannot be used: {0}")]
    Unavailable(String),
    /// What is stored is not what was noted of it.
    #[error("the stored file is not what was noted of it: {0}")]
    Damaged(String),
}

impl From<MediaError> for Rejection {
    fn from(error: MediaError) -> Self {
        match &error {
            MediaError::Missing => Self::not_found(error.to_string()),
            MediaError::Full(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
                .with_threat(Threat::ResourceExhaustion),
            MediaError::Unavailable(_) => Self::unavailable(error.to_string(), 5),
            MediaError::Damaged(_) => Self::internal(error.to_string()),
        }
    }
}

/// A file that was opened to be sent: its size, and its bytes from one place to another.
pub struct Opened {
    size: u64,
    bytes: Bytes,
}

/// Where they are.
enum Bytes {
    Made(Box<dyn FnOnce(Range<u64>) -> Body + Send>),
    File(Arc<File>),
}

impl Opened {
    /// Opens a file of this many bytes, of which `body` gives a part.
    pub fn new(size: u64, body: impl FnOnce(Range<u64>) -> Body + Send + 'static) -> Self {
        Self {
            size,
            bytes: Bytes::Made(Box::new(body)),
        }
    }

    /// A file of this machine.
    pub(crate) fn file(size: u64, file: File) -> Self {
        Self {
            size,
            bytes: Bytes::File(Arc::new(file)),
        }
    }

    /// How many bytes the file has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a range that lies within the file.
    pub fn body(self, range: Range<u64>) -> Body {
        self.told_body(range).0
    }

    /// The same, with what a response says of it if it is a file of this machine.
    pub(crate) fn told_body(self, range: Range<u64>) -> (Body, Option<FileSent>) {
        match self.bytes {
            Bytes::Made(body) => (body(range), None),
            Bytes::File(file) => {
                let body = FileBody::new(SentFile::new(file, range));
                let told = body.told();
                (Body::new(body), Some(told))
            }
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// A file that stands in a store, when its contents are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: MediaName,
    /// When it came.
    pub kept: SystemTime,
}

/// A place where files are kept. [`super::Media`] is what applications work with.
pub trait MediaStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps the file at this path of the spool under a name that is not taken, and answers when a loss of power would not lose it.
    /// The path may be gone afterwards, or stay: its owner removes it.
    fn keep<'a>(&'a self, spooled: &'a Path, name: &'a MediaName) -> BoxFuture<'a, Result<(), MediaError>>;

    /// Opens a file to be sent.
    fn open<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<Opened, MediaError>>;

    /// Deletes a file; says whether there was one.
    fn delete<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<bool, MediaError>>;

    /// Lists what is kept.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, MediaError>>;

    /// Where nginx finds a file, below the location that it was given; nothing where nginx cannot read the store.
    fn place_for_nginx(&self, name: &MediaName) -> Option<String> {
        let _ = name;
        None
    }

    /// Says whether the store can be used: asked at the start of a site, and by its health page.
    fn check(&self) -> BoxFuture<'_, Result<(), MediaError>>;
}
