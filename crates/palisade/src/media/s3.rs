//! Files on another machine: a bucket of S3, or of what speaks like it (`MinIO`, Ceph, R2 …).
//!
//! What signs and parses is `object_store`; HTTP and TLS are this library's own ([`http`]), so that there is one of each. A file streams from
//! the spool in parts of 8 MiB and is there when the last of them is confirmed, or not at all; it streams out as fast as the client takes it.
//! Nobody is ever sent to the bucket: it is asked with the site's own key, behind the rule of the row.

mod http;
mod options;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::http::StatusCode;
use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _, stream};
use object_store::aws::AmazonS3;
use object_store::client::HttpClient;
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::OnceCell;

pub use options::{S3Credentials, S3Error, S3Options};

use super::{Listed, MediaError, MediaName, MediaStore, Opened};

/// How much of a file is in memory while it is sent: S3 takes parts from 5 MiB on, and 10,000 of them.
const PART: u64 = 8 * 1024 * 1024;
/// How much of what a server says of an error is told.
const MOST_OF_A_REASON: usize = 400;

/// A bucket in which files are kept. [`S3Options`] opens it; [`super::Media::with_store`] takes it.
///
/// # Security
///
/// The bucket must be private. [`MediaStore::check`] tries: it keeps a file, asks for it without a key, and refuses a bucket that gives it.
/// A key that can read, write, delete and list this one bucket is enough; give it no more. Uploads that a process left behind when it was
/// killed are no files and are not listed; the bucket's lifecycle should end them (`AbortIncompleteMultipartUpload`).
pub struct S3 {
    inner: Arc<Inner>,
}

struct Inner {
    store: AmazonS3,
    client: HttpClient,
    /// What stands before each name, with its slash.
    prefix: String,
    /// Where a key of the bucket is found without a signature.
    address: String,
    may_be_public: bool,
    proven: OnceCell<()>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.inner.address;
        f.debug_struct("S3")
            .field("address", address)
            .finish_non_exhaustive()
    }
}

impl MediaStore for S3 {
    fn keep<'a>(&'a self, spooled: &'a Path, name: &'a MediaName) -> BoxFuture<'a, Result<(), MediaError>> {
        let (inner, from, key) = (Arc::clone(&self.inner), spooled.to_owned(), self.inner.key(name));
        // In a task of its own: a client that goes away must not leave half an upload.
        let kept = tokio::spawn(async move { inner.keep(from, key).await });
        kept.map(|kept| kept.unwrap_or_else(|error| Err(MediaError::Unavailable(error.to_string()))))
            .boxed()
    }

    fn open<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<Opened, MediaError>> {
        let inner = Arc::clone(&self.inner);
        let key = inner.key(name);
        async move {
            let about = inner.store.head(&key).await.map_err(explained)?;
            Ok(Opened::new(about.size, move |range| {
                inner.body(key, range, about.e_tag)
            }))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<bool, MediaError>> {
        let key = self.inner.key(name);
        async move {
            // S3 says of a deletion that it is done, whether there was something or not.
            match self.inner.store.head(&key).await.map_err(explained) {
                Err(MediaError::Missing) => return Ok(false),
                other => other?,
            };
            self.inner.store.delete(&key).await.map_err(explained)?;
            Ok(true)
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, MediaError>> {
        let prefix = Key::from(self.inner.prefix.as_str());
        let all = self.inner.store.list(Some(&prefix));
        let named = all.try_filter_map(|about| async move {
            let name = about.location.filename().and_then(|name| name.parse().ok());
            Ok(name.map(|name| Listed {
                name,
                kept: about.last_modified.into(),
            }))
        });
        named
            .try_collect()
            .map(|all: Result<Vec<Listed>, _>| all.map_err(explained))
            .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MediaError>> {
        async move {
            let one = PaginatedListOptions {
                max_keys: Some(1),
                ..PaginatedListOptions::default()
            };
            let listed = self
                .inner
                .store
                .list_paginated(Some(&self.inner.prefix), one)
                .await;
            listed.map_err(explained)?;
            // Once: what health pages ask every few seconds must not write.
            self.inner
                .proven
                .get_or_try_init(|| self.inner.prove())
                .await
                .copied()
        }
        .boxed()
    }
}

impl Inner {
    fn key(&self, name: &MediaName) -> Key {
        Key::from(format!("{}{name}", self.prefix))
    }

    async fn keep(&self, from: PathBuf, key: Key) -> Result<(), MediaError> {
        let unreadable =
            |error: std::io::Error| MediaError::Unavailable(format!("the spooled file: {error}"));
        let mut file = File::open(&from).await.map_err(unreadable)?;
        let size = file.metadata().await.map_err(unreadable)?.len();
        if size <= PART {
            let contents = part(&mut file, size).await.map_err(unreadable)?;
            let new = PutOptions {
                mode: PutMode::Create,
                ..PutOptions::default()
            };
            return self
                .store
                .put_opts(&key, contents.into(), new)
                .await
                .map(|_| ())
                .map_err(explained);
        }
        // What is put together of parts replaces what is there; names are drawn of 128 bits, so that nothing is.
        match self.store.head(&key).await.map_err(explained) {
            Err(MediaError::Missing) => {}
            Ok(_) => return Err(taken()),
            Err(other) => return Err(other),
        }
        let mut upload = self
            .store
            .put_multipart_opts(&key, PutMultipartOptions::default())
            .await
            .map_err(explained)?;
        let sent = async {
            let mut left = size;
            while left > 0 {
                let contents = part(&mut file, left.min(PART)).await.map_err(unreadable)?;
                left -= contents.len() as u64;
                upload.put_part(contents.into()).await.map_err(explained)?;
            }
            upload.complete().await.map(|_| ()).map_err(explained)
        }
        .await;
        if sent.is_err() {
            // What cannot be ended now, the bucket's lifecycle ends.
            let _ = upload.abort().await;
        }
        sent
    }

    /// The bytes of a range, of the file that was opened and of no other.
    fn body(self: Arc<Self>, key: Key, range: Range<u64>, e_tag: Option<String>) -> Body {
        if range.is_empty() {
            return Body::empty();
        }
        let opened = async move {
            let range = Some(GetRange::Bounded(range));
            let asked = GetOptions {
                range,
                if_match: e_tag,
                ..GetOptions::default()
            };
            self.store
                .get_opts(&key, asked)
                .await
                .map(object_store::GetResult::into_stream)
        };
        Body::from_stream(stream::once(opened).try_flatten().map_err(explained))
    }

    /// Keeps a file, asks for it as a stranger would, and deletes it.
    async fn prove(&self) -> Result<(), MediaError> {
        // No name of a file, so that it is never listed as one.
        let key = Key::from(format!("{}check-{}", self.prefix, MediaName::draw()));
        self.store
            .put(&key, Bytes::from_static(b"check").into())
            .await
            .map_err(explained)?;
        let answer = self.as_a_stranger(&key).await;
        self.store.delete(&key).await.map_err(explained)?;
        match answer? {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(()),
            _ if self.may_be_public => Ok(()),
            status if status.is_success() => Err(MediaError::Unavailable(format!(
                "{} gives its files to whoever asks: make the bucket private (in AWS, Block Public Access)",
                self.address
            ))),
            status => Err(MediaError::Unavailable(format!(
                "{} answers a stranger with {status}, where 403 was expected, so that nobody knows whether it is private",
                self.address
            ))),
        }
    }

    async fn as_a_stranger(&self, key: &Key) -> Result<StatusCode, MediaError> {
        let request = ::http::Request::get(format!("{}/{key}", self.address)).body(Bytes::new().into());
        let request = request.map_err(|error| MediaError::Unavailable(error.to_string()))?;
        let answer = self.client.execute(request).await;
        let answer = answer.map_err(|error| MediaError::Unavailable(http::reason(&error)))?;
        Ok(answer.status())
    }
}

/// Reads a part of a file whole.
async fn part(file: &mut File, size: u64) -> std::io::Result<Bytes> {
    let mut contents = vec![0; usize::try_from(size).map_err(std::io::Error::other)?];
    file.read_exact(&mut contents).await?;
    Ok(contents.into())
}

fn taken() -> MediaError {
    MediaError::Unavailable("a file is already stored under a name that was just drawn".to_owned())
}

/// What an error means to whoever keeps or reads a file.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn explained(error: object_store::Error) -> MediaError {
    let reason = http::reason(&error);
    match error {
        object_store::Error::NotFound { .. } => MediaError::Missing,
        object_store::Error::AlreadyExists { .. } => taken(),
        object_store::Error::Precondition { .. } => {
            MediaError::Damaged("it was replaced while it was read".to_owned())
        }
        _ if ["StorageFull", "QuotaExceeded", "InsufficientStorage"]
            .iter()
            .any(|word| reason.contains(word)) =>
        {
            MediaError::Full(reason)
        }
        _ => MediaError::Unavailable(reason),
    }
}
