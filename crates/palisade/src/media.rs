//! Private media: what people upload, kept where nobody reaches it who was not let, and sent to those who were.
//!
//! An upload goes one way. It streams into a spool that only this process reads, is looked into until it is known what it is, and is
//! kept under a name of 128 random bits when the handler says so; whatever is not kept leaves nothing behind. What the client
//! called it is a caption in the application's table, never part of a path. It comes out by one door, too: an answer to
//! somebody whom a row let in ([`crate::rows::Owned`], a grant, a link), as an attachment, under a policy that runs nothing.
//!
//! Meets `exposed-media` (CWE-552, CWE-434, CWE-22).

pub mod contract;
mod deliver;
mod disk;
mod file;
mod inspect;
mod kind;
mod metadata;
mod name;
mod reencode;
#[cfg(feature = "s3")]
mod s3;
mod spool;
mod store;
#[cfg(test)]
mod tests;
mod upload;

pub use deliver::Delivery;
pub use disk::MediaFolderError;
pub use file::{FileDigest, StoredFile};
pub use inspect::{InspectLimits, Unacceptable, inspect};
pub use kind::MediaType;
pub use metadata::{ImageHandling, strip_metadata};
pub use name::{InvalidMediaName, MediaName};
pub use reencode::re_encode;
#[cfg(feature = "s3")]
pub use s3::{S3, S3Credentials, S3Error, S3Options};
pub use store::{Listed, MediaError, MediaStore, Opened};
pub(crate) use upload::{Came, Incoming, Takes};
pub use upload::{Kept, Upload};

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::FromRequestParts;
use http::request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::peer::network;
use crate::rejection::Rejection;
use crate::stack::StackContext;
use spool::{MOST_WAITING, Spool};

/// Keeps files, and knows where they are. Cheap to clone; an extractor in handlers.
///
/// # Example
///
/// ```
/// use palisade::media::Media;
/// use palisade::{Palisade, SecretKey, Settings};
///
/// # let folder = tempfile::tempdir()?;
/// # let data = folder.path();
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let palisade = Palisade::new(settings).with_media(Media::on_disk(data.join("media"))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Media(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    store: Arc<dyn MediaStore>,
    spool: Spool,
    limits: Arc<InspectLimits>,
    /// How many files may be looked into at once: others need the cores, too.
    looking: Arc<Semaphore>,
    /// Where nginx finds the files that it sends itself.
    accelerated: Option<String>,
}

impl Media {
    /// Keeps files in a folder of this machine, which is made for the service's user alone if it is not there. Processes may share it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, is a link, or is open to others.
    ///
    /// # Security
    ///
    /// Keep it out of every folder that a web server serves, and beside the database in its backups.
    pub fn on_disk(folder: impl AsRef<Path>) -> Result<Self, MediaFolderError> {
        let (disk, spool) = disk::Disk::open(folder.as_ref())?;
        Self::with_store(disk, spool)
    }

    /// Keeps files in another store than a folder: a bucket, or a store of one's own that [`contract::keeps_files`] holds to its promises.
    ///
    /// Uploads wait in the folder `spool` of this machine until it is known what they are. It is made for the service's user alone if
    /// it is not there, several processes may share it, and what a dead one left in it is removed. Nothing in it outlives a start, so
    /// that no backup needs it. Ask the store's [`MediaStore::check`] before the site serves: this does not.
    ///
    /// # Errors
    ///
    /// When the spool cannot be used, is a link, or is open to others.
    ///
    /// # Security
    ///
    /// What waits there is as private as what is kept: keep it out of every folder that a web server serves, and on a disk
    /// rather than in memory, which uploads would fill.
    pub fn with_store(store: impl MediaStore, spool: impl AsRef<Path>) -> Result<Self, MediaFolderError> {
        let path = spool.as_ref();
        let spool = Spool::open(path, MOST_WAITING).map_err(|reason| MediaFolderError::Unusable {
            path: path.to_owned(),
            reason,
        })?;
        Ok(Self(Arc::new(Inner {
            store: Arc::new(store),
            spool,
            limits: Arc::default(),
            looking: Arc::new(Semaphore::new(places_to_look())),
            accelerated: None,
        })))
    }

    /// Sets how much a file may unfold into before it is refused.
    #[must_use]
    pub fn with_limits(mut self, limits: InspectLimits) -> Self {
        Arc::make_mut(&mut self.0).limits = Arc::new(limits);
        self
    }

    /// Sets the most bytes of uploads that wait in the spool at the same time, of everybody together. 2 GiB without it. Of one address an eighth of
    /// that may wait, or 64 MiB if that is more.
    ///
    /// One that comes above it is answered with 507. Processes that share a spool count for themselves: set it to what the disk
    /// can spare, divided by how many there are. A picture that is written anew waits twice for a moment.
    #[must_use]
    pub fn with_max_waiting(mut self, bytes: u64) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.spool = inner.spool.with_most(bytes);
        self
    }

    /// Lets nginx send the files of a disk, from an `internal` location at this path (`X-Accel-Redirect`).
    ///
    /// # Errors
    ///
    /// For what is no path with a slash at both ends.
    ///
    /// # Security
    ///
    /// Without `internal;` the location is a public folder. nginx drops the headers of the site's answer, but for `Content-Type`,
    /// `Content-Disposition` and `Cache-Control`: add `nosniff` and the policy there, as the guide shows.
    pub fn with_x_accel_redirect(mut self, location: &str) -> Result<Self, InvalidLocation> {
        let is_path = location.len() > 2
            && location.starts_with('/')
            && location.ends_with('/')
            && !location.contains("//")
            && !location.contains("..")
            && location
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        if !is_path {
            return Err(InvalidLocation(location.to_owned()));
        }
        Arc::make_mut(&mut self.0).accelerated = Some(location.to_owned());
        Ok(self)
    }

    /// The store itself.
    pub fn store(&self) -> &dyn MediaStore {
        &*self.0.store
    }

    /// Deletes a file, and says whether there was one. Delete the row first: a row without its file is worse than a file without a row.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn delete(&self, name: &MediaName) -> Result<bool, MediaError> {
        self.0.store.delete(name).await
    }

    /// Deletes what no row names, and says how much that was: files whose process ended between keeping them and noting them. Files
    /// that came within the last seven days stay: their rows may be about to be written, or the database to be put back.
    ///
    /// # Errors
    ///
    /// When the store cannot answer; and where most of what is kept is named by nobody, which is what an empty or an older database looks like:
    /// then nothing is deleted.
    ///
    /// # Security
    ///
    /// What is not in `named` is gone. Read the names from every table that has some, after this process has opened the store.
    pub async fn sweep(&self, named: &HashSet<MediaName>, now: SystemTime) -> Result<usize, MediaError> {
        let mut swept = 0;
        let listed = self.0.store.list().await?;
        // A database that is empty, or of yesterday, knows nothing of what is kept: it must not cost every file.
        let known = listed
            .iter()
            .filter(|listed| named.contains(&listed.name))
            .count();
        let unknown = listed.len().saturating_sub(known);
        if unknown > LOST_PROCESSES && unknown > known {
            let says = format!(
                "{unknown} of {} files are named by no row, more than a process leaves: nothing is deleted. Is the database the newest?",
                listed.len()
            );
            return Err(MediaError::Damaged(says));
        }
        for listed in listed {
            let is_old = now.duration_since(listed.kept).is_ok_and(|age| age >= GRACE);
            if is_old && !named.contains(&listed.name) && self.delete(&listed.name).await? {
                swept += 1;
            }
        }
        Ok(swept)
    }

    pub(crate) async fn open(&self, name: &MediaName) -> Result<Opened, MediaError> {
        self.0.store.open(name).await
    }

    /// Where nginx finds the file, if nginx sends it.
    pub(crate) fn accelerated(&self, name: &MediaName) -> Option<String> {
        let (location, place) = (self.0.accelerated.as_ref()?, self.0.store.place_for_nginx(name)?);
        Some(format!("{location}{place}"))
    }

    /// Waits for a place among the files that are looked into. A picture that is drawn anew takes all of them, by the memory that it needs.
    async fn place_to_look(&self, images: ImageHandling) -> Result<OwnedSemaphorePermit, MediaError> {
        let places = match images {
            ImageHandling::ReEncode => u32::try_from(places_to_look()).unwrap_or(1),
            _ => 1,
        };
        let place = Arc::clone(&self.0.looking).acquire_many_owned(places);
        let busy = || MediaError::Unavailable("too many files are waiting to be looked into".into());
        timeout(PATIENCE, place)
            .await
            .map_err(|_late| busy())?
            .map_err(|_closed| busy())
    }

    /// The same for a client, whose uploads have a share of the spool.
    pub(crate) fn for_client(mut self, client: IpAddr) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.spool = inner.spool.for_client(network(client));
        self
    }

    fn spool(&self) -> &Spool {
        &self.0.spool
    }

    fn limits(&self) -> &Arc<InspectLimits> {
        &self.0.limits
    }
}

/// So many files without a row may be there without a doubt about the rows.
const LOST_PROCESSES: usize = 16;
/// How long a file waits for its turn to be looked into.
const PATIENCE: Duration = Duration::from_mins(1);

/// Half of the cores.
fn places_to_look() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// How long a file may be without a row: until then a database that was put back from a copy may become the newest again.
const GRACE: Duration = Duration::from_hours(7 * 24);

/// A text is no location of nginx.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a location such as \"/protected-media/\": a path of letters and digits with a slash at both ends"
)]
pub struct InvalidLocation(String);

impl<S: Sync> FromRequestParts<S> for Media {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        Ok(StackContext::of(&parts.extensions)?.media()?.clone())
    }
}
