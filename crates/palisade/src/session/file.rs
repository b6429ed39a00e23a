//! Sessions in files, as Django's `file` session back end keeps them: for one machine, and not for many sessions.
//!
//! A file is named by the session cookie's name and the key, holds the signed text, and is replaced as a whole. When the
//! session ends is not written in it: Django counts from the time of the file. So we set that time, such that Django's sum
//! is the session's end.
//!
//! Who changes anything holds a lock, a file beside the sessions, so that read, merge and write are one step for all
//! processes of ours. Django takes no lock: of a request there and one here at the same time, either may overwrite the
//! other. Whose session it is stands in the data under `_palisade_device`, which Django carries along; a user's sessions
//! are found by reading all.

mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::settings::Settings;
use thiserror::Error;
use tokio::sync::Mutex;

use self::place::{Entry, Place};
use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated, to_the_end};
use super::whose::Whose;

/// A folder cannot be used for sessions.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It is not there, or nothing can be written in it.
    #[error(
        "the session storage path {path:?} cannot be used: {source}; make the folder, and let only the service and Django read it"
    )]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What was answered.
        source: io::Error,
    },
    /// Others than its owner may write in it.
    #[error(
        "others than its owner may write into the session storage path {path:?} (mode {mode:o}), and so make sessions and stop them from \
         being read: `chmod 700` a folder of the service's own, let Django run as the same user and set its SESSION_FILE_PATH to it"
    )]
    Shared {
        /// The folder.
        path: PathBuf,
        /// Who may do what in it.
        mode: u32,
    },
}

/// Keeps sessions in the files of Django's `file` session back end.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.file"` on the same machine. A change waits for the others
/// of the folder, and listing a user's sessions reads all of them: above some thousands of sessions, use a database.
///
/// # Security
///
/// The data is signed and not encrypted, and the names of the files are the sessions' keys: whoever may list the folder has the
/// sessions. A folder that others may write into is refused, Django's default among them, the system's folder for temporary files.
/// A file that cannot be read is nobody's session: it is left alone, and named in the log by whoever reads all.
///
/// # Example
///
/// ```
/// use palisade::session::FileSessions;
/// use palisade::{SecretKey, Settings};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let sessions = FileSessions::new(folder.path(), &settings)?;
/// # Ok::<(), palisade::session::FolderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileSessions {
    place: Arc<Place>,
    /// One writer of this process at a time waits for the folder's lock, and not a thread each.
    turn: Arc<Mutex<()>>,
}

impl FileSessions {
    /// Keeps sessions in this folder (`SESSION_FILE_PATH`), for a service with these settings.
    ///
    /// # Errors
    ///
    /// When the folder is not there, nothing can be written in it, or others than its owner may write in it.
    pub fn new(folder: impl AsRef<Path>, settings: &Settings) -> Result<Self, FolderError> {
        let sessions = Self::dangerous_in_shared_folder(folder, settings)?;
        let place = &sessions.place;
        match place.mode() {
            Ok(mode) if mode & 0o022 != 0 => Err(FolderError::Shared {
                path: place.folder.clone(),
                mode: mode & 0o7777,
            }),
            Ok(_) => Ok(sessions),
            Err(source) => Err(place.unusable(source)),
        }
    }

    /// Keeps sessions in this folder although others may write in it, `/tmp` for one.
    ///
    /// # Security
    ///
    /// Whoever may write there can put anything in the place of a session that they know or guess, delete what the folder's mode lets
    /// them, and hold its lock. They cannot sign, and so not make a session of their choice.
    ///
    /// # Errors
    ///
    /// When the folder is not there, or nothing can be written in it.
    pub fn dangerous_in_shared_folder(
        folder: impl AsRef<Path>,
        settings: &Settings,
    ) -> Result<Self, FolderError> {
        let place = Place::of(folder.as_ref(), settings);
        place.lock().map_err(|source| place.unusable(source))?;
        Ok(Self {
            place: Arc::new(place),
            turn: Arc::default(),
        })
    }

    fn look<'a, T: Send + 'static>(
        &self,
        look: impl FnOnce(&Place) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let place = Arc::clone(&self.place);
        let task = async move { tokio::task::spawn_blocking(move || look(&place)).await };
        task.map(|done| {
            done.map_err(StoreError::unavailable)?
                .map_err(StoreError::unavailable)
        })
        .boxed()
    }

    fn change<'a, T: Send + 'static>(
        &self,
        change: impl FnOnce(&Place) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let (sessions, turn) = (self.clone(), Arc::clone(&self.turn));
        let work = async move {
            let turn = turn.lock_owned().await;
            let changed = sessions.look(move |place| {
                let _lock = place.lock()?;
                let changed = change(place);
                drop(turn);
                changed
            });
            changed.await
        };
        to_the_end(work).boxed()
    }
}

impl SessionStore for FileSessions {
    fn looks_into_data(&self) -> bool {
        true
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let key = key.clone();
        self.look(move |place| Ok(place.alive(&key, now)?.map(|entry| entry.stored)))
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (key, replaces) = (key.clone(), replaces.cloned());
        let entry = Entry {
            stored: session,
            whose: device.map(|device| Whose::new(device, now)),
        };
        self.change(move |place| {
            place.begin(&key, &entry, now)?;
            if let Some(replaced) = &replaces
                && let Err(error) = place.remove(replaced)
            {
                place.remove(&key)?;
                return Err(error);
            }
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let key = key.clone();
        self.change(move |place| {
            let Some(mut entry) = place.alive(&key, now)? else {
                return Ok(Updated::Gone);
            };
            entry.stored = merge.apply(&entry.stored);
            place.write(&key, &entry, now)?;
            Ok(Updated::Saved)
        })
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (old, new) = (old.clone(), new.clone());
        self.change(move |place| {
            let Some(mut entry) = place.alive(&old, now)? else {
                return Ok(Updated::Gone);
            };
            entry.stored = merge.apply(&entry.stored);
            if let Some(device) = device {
                entry.whose = Some(Whose::new(device, now));
            }
            place.begin(&new, &entry, now)?;
            if let Err(error) = place.remove(&old) {
                place.remove(&new)?;
                return Err(error);
            }
            Ok(Updated::Saved)
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = key.clone();
        self.change(move |place| place.remove(&key).map(drop))
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.change(move |place| {
            let mut cleared = 0;
            for key in place.keys()? {
                if cleared == at_most {
                    break;
                }
                let ended = place
                    .readable(&key)?
                    .is_some_and(|entry| entry.stored.expires <= now);
                if ended {
                    cleared += usize::from(place.remove(&key)?);
                }
            }
            Ok(cleared)
        })
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        let user_id = user_id.to_owned();
        self.look(move |place| {
            let mut found = place.of_user(&user_id)?;
            found.retain(|(_, stored, _)| stored.expires > now);
            let mut listed: Vec<Listed> = found
                .into_iter()
                .map(|(key, stored, whose)| Listed {
                    key,
                    created: whose.created(),
                    device: whose.into_device(),
                    expires: stored.expires,
                })
                .collect();
            listed.sort_by_key(|line| std::cmp::Reverse(line.created));
            Ok(listed)
        })
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let (user_id, keep) = (user_id.to_owned(), keep.cloned());
        self.change(move |place| {
            let mut ended = 0;
            for (key, ..) in place.of_user(&user_id)? {
                if keep.as_ref() != Some(&key) {
                    ended += usize::from(place.remove(&key)?);
                }
            }
            Ok(ended)
        })
    }
}
