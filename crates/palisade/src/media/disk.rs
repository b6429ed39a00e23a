//! Files on a disk of this machine: one folder for the site's user alone, fanned out by the first two digits of the names.

mod open;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;

use super::spool::{blocking, private_folder};
use super::{Listed, MediaError, MediaName, MediaStore, Opened};

/// Why a folder cannot be used for files that are private.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaFolderError {
    /// It cannot be made, read or written.
    #[error("cannot use the folder of media {}: {reason}", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Others than the service may look into it.
    #[error(
        "the folder of media {} is open to other users of this machine (mode {mode:o}): run `chmod 700 {}`, and keep it out of \
         any folder that a web server serves",
        path.display(), path.display()
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// What it is open to, as `chmod` writes it.
        mode: u32,
    },
    /// It is a link, or no folder.
    #[error("{} is no folder but a link or a file: name the folder itself", path.display())]
    NoFolder {
        /// What.
        path: PathBuf,
    },
}

/// Where files lie below the folder of media.
const FILES: &str = "files";
/// Where uploads wait.
const SPOOL: &str = "spool";

/// A folder of files.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    files: PathBuf,
}

impl Disk {
    /// Opens the folder, making it for this user alone if it is not there. Gives the place of the spool, too.
    pub(super) fn open(folder: &Path) -> Result<(Self, PathBuf), MediaFolderError> {
        let unusable = |reason| MediaFolderError::Unusable {
            path: folder.to_owned(),
            reason,
        };
        // Without a slash at its end, which would look through a link.
        let folder: PathBuf = std::path::absolute(folder)
            .map_err(unusable)?
            .components()
            .collect();
        private_folder(&folder).map_err(unusable)?;
        let about = fs::symlink_metadata(&folder).map_err(unusable)?;
        if !about.is_dir() {
            return Err(MediaFolderError::NoFolder { path: folder });
        }
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(MediaFolderError::Open { path: folder, mode });
        }
        let files = folder.join(FILES);
        private_folder(&files).map_err(unusable)?;
        // What is kept is synced from its folder up to this one: a loss of power must not take that.
        sync(&folder).map_err(unusable)?;
        match sync(folder.parent().unwrap_or(&folder)) {
            // A folder above may be one to pass through and not to read.
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(unusable(error)),
            _ => {}
        }
        Ok((Self { files }, folder.join(SPOOL)))
    }

    fn path(&self, name: &MediaName) -> PathBuf {
        self.files.join(place(name))
    }
}

/// Where a file lies below the folder of files.
pub(super) fn place(name: &MediaName) -> String {
    let name = name.to_string();
    format!("{}/{name}", name.get(..2).unwrap_or_default())
}

/// Moves a file in, so that a loss of power leaves it whole or not there.
fn moved_in(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    let folder = to.parent().unwrap_or(to);
    if !folder.is_dir() {
        private_folder(folder)?;
    }
    // Whoever made the folder: it may have been another upload, a moment ago.
    sync(folder.parent().unwrap_or(folder))?;
    // Names are drawn of 128 bits: one that is taken was not drawn.
    if fs::symlink_metadata(to).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)?;
    sync(folder)
}

/// A name is on the disk when its folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn listed(files: &Path) -> io::Result<Vec<Listed>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(files)? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder.path())? {
            let entry = entry?;
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(name) = name else { continue };
            match entry.metadata().and_then(|about| about.modified()) {
                Ok(kept) => found.push(Listed { name, kept }),
                // Deleted while the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

impl MediaStore for Disk {
    fn keep<'a>(&'a self, spooled: &'a Path, name: &'a MediaName) -> BoxFuture<'a, Result<(), MediaError>> {
        let (from, to) = (spooled.to_owned(), self.path(name));
        Box::pin(blocking(move || moved_in(&from, &to)))
    }

    fn open<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<Opened, MediaError>> {
        Box::pin(open::open(self.path(name)))
    }

    fn delete<'a>(&'a self, name: &'a MediaName) -> BoxFuture<'a, Result<bool, MediaError>> {
        let path = self.path(name);
        Box::pin(blocking(move || match fs::remove_file(&path) {
            Ok(()) => sync(path.parent().unwrap_or(&path)).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, MediaError>> {
        let files = self.files.clone();
        Box::pin(blocking(move || listed(&files)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), MediaError>> {
        let files = self.files.clone();
        Box::pin(blocking(move || fs::read_dir(&files).map(|_| ())))
    }

    fn place_for_nginx(&self, name: &MediaName) -> Option<String> {
        Some(place(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(folder: &Path) -> Disk {
        Disk::open(folder).unwrap().0
    }

    #[tokio::test]
    async fn file_is_kept_for_this_user_alone_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let disk = opened(&folder.path().join("media"));
        let (spooled, name) = (folder.path().join("spooled"), MediaName::draw());
        fs::write(&spooled, "abc").unwrap();
        fs::set_permissions(&spooled, fs::Permissions::from_mode(0o600)).unwrap();
        disk.keep(&spooled, &name).await.unwrap();
        assert!(!spooled.exists());
        let path = disk.path(&name);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(disk.list().await.unwrap()[0].name, name);
        assert!(disk.delete(&name).await.unwrap());
        assert!(!disk.delete(&name).await.unwrap());
        assert!(matches!(disk.open(&name).await, Err(MediaError::Missing)));
    }

    #[tokio::test]
    async fn no_file_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let disk = opened(&folder.path().join("media"));
        let (spooled, name) = (folder.path().join("spooled"), MediaName::draw());
        for content in ["first", "second"] {
            fs::write(&spooled, content).unwrap();
            let kept = disk.keep(&spooled, &name).await;
            assert_eq!(kept.is_ok(), content == "first");
        }
        assert_eq!(fs::read_to_string(disk.path(&name)).unwrap(), "first");
    }

    #[test]
    fn folder_that_others_look_into_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media");
        opened(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let error = Disk::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("mode 755") && error.contains("chmod 700"),
            "{error}"
        );
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            Disk::open(&link),
            Err(MediaFolderError::NoFolder { .. })
        ));
    }
}
