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

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::session::{SessionCodec, SessionData, expiry};
use palisade_core::settings::Settings;
use palisade_core::token::{self, Alphabet};
use thiserror::Error;
use tokio::sync::Mutex;

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use super::whose::Whose;

/// A folder cannot be used for sessions.
#[derive(Debug, Error)]
#[error(
    "the session storage path {path:?} cannot be used: {source}; make the folder, and let only the service and Django read it"
)]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// Keeps sessions in the files of Django's `file` session back end.
///
/// For Django's `SESSION_ENGINE = "django.contrib.sessions.backends.file"` on the same machine. A change waits for the others
/// of the folder, and listing a user's sessions reads all of them: above some thousands of sessions, use a database.
///
/// # Security
///
/// The data is signed and not encrypted, and the names of the files are the sessions' keys: whoever may list the folder has the
/// sessions. Never use a folder that others write into; Django's default, the system's folder for temporary files, is one.
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

#[derive(Debug)]
struct Place {
    folder: PathBuf,
    prefix: String,
    codec: SessionCodec,
    age: Duration,
}

/// A session with whose it is.
struct Entry {
    stored: Stored,
    whose: Option<Whose>,
}

impl FileSessions {
    /// Keeps sessions in this folder (`SESSION_FILE_PATH`), for a service with these settings.
    ///
    /// # Errors
    ///
    /// When the folder is not there, or nothing can be written in it.
    pub fn new(folder: impl AsRef<Path>, settings: &Settings) -> Result<Self, FolderError> {
        let place = Place {
            folder: folder.as_ref().to_owned(),
            prefix: settings.session_cookie_name.clone(),
            codec: SessionCodec::new(&settings.key_ring()),
            age: settings.session_cookie_age,
        };
        place.lock().map_err(|source| FolderError {
            path: place.folder.clone(),
            source,
        })?;
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
        async move {
            let turn = turn.lock_owned().await;
            let changed = sessions.look(move |place| {
                let _lock = place.lock()?;
                let changed = change(place);
                drop(turn);
                changed
            });
            changed.await
        }
        .boxed()
    }
}

impl Place {
    /// Waits until nobody else of ours writes in the folder. The lock goes with the file, also when the process dies.
    fn lock(&self) -> io::Result<File> {
        let path = self.folder.join(".palisade-sessions.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)?;
        file.lock()?;
        Ok(file)
    }

    fn path(&self, key: &SessionKey) -> PathBuf {
        self.folder.join(format!("{}{}", self.prefix, key.expose()))
    }

    fn read(&self, key: &SessionKey) -> io::Result<Option<Entry>> {
        let mut file = match File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let written = file.metadata()?.modified()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // Django makes the file before it has what to write.
        if text.is_empty() {
            return Ok(None);
        }
        let Ok(mut data) = self.codec.decode(&text) else {
            // Whoever reads it says that it is damaged.
            let expires = written + self.age;
            let stored = Stored { data: text, expires };
            return Ok(Some(Entry { stored, whose: None }));
        };
        let expires = expiry(&data, written, self.age, false).date;
        let (text, whose) = match Whose::take(&mut data) {
            Some(whose) => (self.codec.encode(&data, UNIX_EPOCH), Some(whose)),
            None => (text, None),
        };
        let stored = Stored { data: text, expires };
        Ok(Some(Entry { stored, whose }))
    }

    fn alive(&self, key: &SessionKey, now: SystemTime) -> io::Result<Option<Entry>> {
        Ok(self.read(key)?.filter(|entry| entry.stored.expires > now))
    }

    /// Writes beside, and then puts it in the place at once.
    fn write(&self, key: &SessionKey, entry: &Entry, now: SystemTime) -> io::Result<()> {
        let mut data = self
            .codec
            .decode(&entry.stored.data)
            .unwrap_or_else(|_| SessionData::new());
        if let Some(whose) = &entry.whose {
            whose.put(&mut data);
        }
        let text = self.codec.encode(&data, now);
        let path = self.path(key);
        let beside = format!(
            "{}{}_out_{}",
            self.prefix,
            key.expose(),
            token::random_string(8, Alphabet::Base36)
        );
        let beside = self.folder.join(beside);
        let written = write_beside(&beside, &text, self.time_for(&data, entry.stored.expires));
        let placed = written.and_then(|()| fs::rename(&beside, &path));
        if placed.is_err() {
            // What is left of it is of no use to anybody.
            let _ = fs::remove_file(&beside);
        }
        placed
    }

    /// The time for a file from which Django counts to this end.
    fn time_for(&self, data: &SessionData, end: SystemTime) -> SystemTime {
        let counted = expiry(data, end, self.age, false).date;
        let beyond = counted.duration_since(end).unwrap_or_default();
        end.checked_sub(beyond).unwrap_or(UNIX_EPOCH)
    }

    fn remove(&self, key: &SessionKey) -> io::Result<bool> {
        match fs::remove_file(self.path(key)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes under a new key, which must be free.
    fn begin(&self, key: &SessionKey, entry: &Entry, now: SystemTime) -> io::Result<()> {
        if self.path(key).try_exists()? {
            return Err(io::Error::new(
                ErrorKind::AlreadyExists,
                "the new session key is taken",
            ));
        }
        self.write(key, entry, now)
    }

    fn keys(&self) -> io::Result<Vec<SessionKey>> {
        let mut keys = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let name = file?.file_name();
            let key = name.to_str().and_then(|name| name.strip_prefix(&self.prefix));
            keys.extend(key.and_then(SessionKey::parse));
        }
        Ok(keys)
    }

    /// A user's sessions, ended ones included.
    fn of(&self, user_id: &str) -> io::Result<Vec<(SessionKey, Stored, Whose)>> {
        let mut found = Vec::new();
        for key in self.keys()? {
            if let Some(entry) = self.read(&key)?
                && let Some(whose) = entry.whose
                && whose.is(user_id)
            {
                found.push((key, entry.stored, whose));
            }
        }
        Ok(found)
    }
}

fn write_beside(path: &Path, text: &str, time: SystemTime) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_modified(time)
}

impl SessionStore for FileSessions {
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
                if place.read(&key)?.is_some_and(|entry| entry.stored.expires <= now) {
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
            let mut found = place.of(&user_id)?;
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
            for (key, ..) in place.of(&user_id)? {
                if keep.as_ref() != Some(&key) {
                    ended += usize::from(place.remove(&key)?);
                }
            }
            Ok(ended)
        })
    }
}
