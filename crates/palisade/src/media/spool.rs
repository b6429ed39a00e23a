//! Where an upload waits until it is known what it is and whether it is kept: a folder that only this process uses.
//!
//! A file of the spool is removed by whoever holds it letting go of it, however that comes about: a form that was not right, a client that
//! hung up, a handler that panicked. What a process left that was killed, the next one removes that opens the same spool. It knows the
//! dead from the living by a lock, which the system takes from a process with its last breath; so several processes share a spool.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{FileDigest, MediaError, MediaName};

/// The most bytes of uploads that wait at the same time, unless told.
pub(super) const MOST_WAITING: u64 = 2 * 1024 * 1024 * 1024;
/// Into how many shares that is divided: one client has one of them at most.
const SHARES: u64 = 8;
/// A share is no less, where there is so much: a large file has to fit.
const LEAST_SHARE: u64 = 64 * 1024 * 1024;
/// The lock of a folder, and of the spool while it is tidied.
const LOCK: &str = "lock";

/// The folder of this process. Cheap to clone; removed with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Spool {
    inner: Arc<Inner>,
    /// The most bytes that wait at the same time.
    most: u64,
    /// From whom what is begun here comes.
    sender: Option<IpAddr>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Held for as long as the process lives.
    _alive: File,
    waiting: Mutex<Waiting>,
}

/// How many bytes wait, in all and of whom.
#[derive(Debug, Default)]
struct Waiting {
    all: u64,
    of: HashMap<IpAddr, u64>,
}

impl Waiting {
    fn of(&self, sender: Option<IpAddr>) -> u64 {
        let of = sender.and_then(|sender| self.of.get(&sender));
        of.copied().unwrap_or_default()
    }

    fn set(&mut self, all: u64, sender: Option<IpAddr>, of: u64) {
        self.all = all;
        if let Some(sender) = sender {
            if of == 0 {
                self.of.remove(&sender);
            } else {
                self.of.insert(sender, of);
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "a folder of uploads is left to the next start");
        }
    }
}

impl Spool {
    /// Opens the spool below a folder, and removes what dead processes have left there.
    pub(super) fn open(parent: &Path, most: u64) -> io::Result<Self> {
        private_folder(parent)?;
        if let Some(fault) = not_private(parent)? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, fault));
        }
        // Nobody takes a folder for a dead one that is only just being made.
        let tidying = new_file(&parent.join(LOCK))?;
        tidying.lock()?;
        for entry in fs::read_dir(parent)? {
            let entry = entry?;
            let path = entry.path();
            // What has another name was made by somebody else, and is not this library's to remove.
            let is_own = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.parse::<MediaName>().is_ok());
            if is_own && entry.file_type()?.is_dir() && is_dead(&path)? {
                match fs::remove_dir_all(&path) {
                    // Its process was just ending, and has removed it itself.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    removed => removed?,
                }
                tracing::info!("uploads that a process left unfinished when it ended were removed");
            }
        }
        let folder = parent.join(MediaName::draw().to_string());
        DirBuilder::new().mode(0o700).create(&folder)?;
        let alive = new_file(&folder.join(LOCK))?;
        alive.lock()?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                _alive: alive,
                waiting: Mutex::default(),
            }),
            most,
            sender: None,
        })
    }

    /// The same folder, in which more or less may wait.
    pub(super) fn with_most(&self, most: u64) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            most,
            sender: self.sender,
        }
    }

    /// Begins a new file.
    pub(super) async fn begin(&self) -> Result<Spooling, MediaError> {
        let spool = self.clone();
        blocking(move || {
            let (place, file) = spool.place()?;
            Ok(Spooling {
                place,
                file,
                digest: Context::new(&SHA256),
            })
        })
        .await
    }

    /// Makes an empty file.
    fn place(&self) -> io::Result<(Place, File)> {
        let path = self.inner.folder.join(MediaName::draw().to_string());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)?;
        let spool = self.clone();
        Ok((Place { path, spool, size: 0 }, file))
    }

    /// The same spool for a client, who may have a share of it waiting: nobody keeps everybody else from uploading.
    pub(super) fn for_client(&self, network: IpAddr) -> Self {
        Self {
            sender: Some(network),
            ..self.clone()
        }
    }

    /// Makes room for more bytes, unless too many wait already.
    fn reserve(&self, bytes: u64) -> Result<(), MediaError> {
        let mut waiting = self.waiting();
        let (all, of) = (
            waiting.all.saturating_add(bytes),
            waiting.of(self.sender).saturating_add(bytes),
        );
        let share = (self.most / SHARES).max(LEAST_SHARE).min(self.most);
        if all > self.most {
            let most = self.most;
            return Err(MediaError::Full(format!(
                "{most} bytes of uploads are under way already"
            )));
        }
        if self.sender.is_some() && of > share {
            return Err(MediaError::Full(format!(
                "{share} bytes of uploads are under way already from this address"
            )));
        }
        waiting.set(all, self.sender, of);
        Ok(())
    }

    fn release(&self, bytes: u64) {
        let mut waiting = self.waiting();
        let all = waiting.all.saturating_sub(bytes);
        let of = waiting.of(self.sender).saturating_sub(bytes);
        waiting.set(all, self.sender, of);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what is wrong with a folder that is a link, or open to others.
fn not_private(folder: &Path) -> io::Result<Option<String>> {
    let about = fs::symlink_metadata(folder)?;
    let mode = about.permissions().mode() & 0o7777;
    let shown = folder.display();
    Ok(if !about.is_dir() {
        Some(format!("{shown} is a link: name the folder itself"))
    } else if mode & 0o077 != 0 {
        Some(format!(
            "{shown} is open to other users of this machine (mode {mode:o}): run `chmod 700 {shown}`"
        ))
    } else {
        None
    })
}

/// Whether the process is gone whose folder this is. One without a lock was never finished.
fn is_dead(folder: &Path) -> io::Result<bool> {
    match OpenOptions::new().write(true).open(folder.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Makes a folder for this user alone, with those above it.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Does work that waits for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, MediaError> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| MediaError::Unavailable(error.to_string()))?
        .map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => MediaError::Full(error.to_string()),
            _ => MediaError::Unavailable(error.to_string()),
        })
}

/// A file of the spool while it is written.
pub(super) struct Spooling {
    place: Place,
    file: File,
    digest: Context,
}

impl Spooling {
    /// How many bytes have been written.
    pub(super) fn size(&self) -> u64 {
        self.place.size
    }

    /// Writes more. A file that could not be written is gone.
    pub(super) async fn write(mut self, bytes: Bytes) -> Result<Self, MediaError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.place.spool.reserve(length)?;
        self.place.size = self.place.size.saturating_add(length);
        blocking(move || {
            self.file.write_all(&bytes)?;
            self.digest.update(&bytes);
            Ok(self)
        })
        .await
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Spooled {
        Spooled {
            place: self.place,
            digest: digested(self.digest),
        }
    }
}

/// A whole file of the spool, gone when it is dropped.
#[derive(Debug)]
pub(super) struct Spooled {
    place: Place,
    digest: FileDigest,
}

impl Spooled {
    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    pub(super) fn size(&self) -> u64 {
        self.place.size
    }

    pub(super) fn digest(&self) -> FileDigest {
        self.digest
    }

    /// Lets `write` make another file of this one, and gives that, if it says that it has. It waits for the disk.
    pub(super) fn made_anew<E: From<io::Error>>(
        &self,
        write: impl FnOnce(&mut File) -> Result<bool, E>,
    ) -> Result<Option<Self>, E> {
        let (mut place, mut file) = self.place.spool.place()?;
        if !write(&mut file)? {
            return Ok(None);
        }
        let size = file.metadata()?.len();
        self.place.spool.reserve(size).map_err(io::Error::other)?;
        place.size = size;
        file.rewind()?;
        let mut digest = Context::new(&SHA256);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = file.read(&mut piece)?;
            match piece.get(..read) {
                Some(read) if !read.is_empty() => digest.update(read),
                _ => break,
            }
        }
        Ok(Some(Self {
            place,
            digest: digested(digest),
        }))
    }
}

fn digested(digest: Context) -> FileDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.finish().as_ref());
    FileDigest(bytes)
}

/// Where a file of the spool is, and what it takes there.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    spool: Spool,
    size: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        // A file that was kept has been moved away.
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an upload that was not kept is left to the next start");
            }
            _ => {}
        }
        self.spool.release(self.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_takes_no_more_than_a_share() {
        const GIB: u64 = 1024 * 1024 * 1024;
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool"), 8 * GIB).unwrap();
        let [greedy, other] = [1, 2].map(|last| spool.for_client(IpAddr::from([192, 0, 2, last])));
        greedy.reserve(GIB).unwrap();
        assert!(matches!(greedy.reserve(1), Err(MediaError::Full(_))));
        other.reserve(GIB).unwrap();
        greedy.release(GIB);
        greedy.reserve(40).unwrap();
        greedy.release(40);
        other.release(GIB);
        let waiting = spool.waiting();
        assert_eq!((waiting.all, waiting.of.len()), (0, 0));
    }

    async fn spooled(spool: &Spool, content: &'static [u8]) -> Spooled {
        let spooling = spool.begin().await.unwrap();
        spooling
            .write(Bytes::from_static(content))
            .await
            .unwrap()
            .finish()
    }

    fn files(spool: &Spool) -> usize {
        fs::read_dir(&spool.inner.folder).unwrap().count() - 1
    }

    #[tokio::test]
    async fn file_is_what_was_written_and_gone_when_it_is_let_go() {
        let parent = tempfile::tempdir().unwrap();
        let spool = Spool::open(&parent.path().join("spool"), 100).unwrap();
        let file = spooled(&spool, b"abc").await;
        assert_eq!(fs::read(file.path()).unwrap(), b"abc");
        assert_eq!(
            file.digest().to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!((file.size(), files(&spool)), (3, 1));
        drop(file);
        assert_eq!(files(&spool), 0);
        assert_eq!(spool.waiting().all, 0);
    }

    #[tokio::test]
    async fn no_more_waits_than_there_is_room_for() {
        let parent = tempfile::tempdir().unwrap();
        let spool = Spool::open(&parent.path().join("spool"), 5).unwrap();
        let first = spooled(&spool, b"abc").await;
        let second = spool.begin().await.unwrap();
        let refused = second.write(Bytes::from_static(b"def")).await;
        assert!(matches!(refused, Err(MediaError::Full(_))));
        assert_eq!(files(&spool), 1, "what did not fit is gone");
        drop(first);
        spooled(&spool, b"defgh").await;
    }

    #[tokio::test]
    async fn what_the_dead_left_is_removed_and_what_the_living_hold_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("spool").join(MediaName::draw().to_string());
        private_folder(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("half"), "an upload").unwrap();
        let living = Spool::open(&parent.path().join("spool"), 100).unwrap();
        assert!(!dead.exists());
        let file = spooled(&living, b"abc").await;
        let other = Spool::open(&parent.path().join("spool"), 100).unwrap();
        assert!(file.path().exists(), "another process opens the same spool");
        drop(other);
        assert!(file.path().exists());
    }
}
