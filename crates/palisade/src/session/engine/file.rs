//! Sessions in files, a file each, replaced in one step so that no reader sees half of one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use palisade_core::moment::{MICROS, Moment};
use palisade_core::session::{EXPIRY_KEY, SessionData};
use palisade_core::token::{Alphabet, random_string};

use super::{Age, EngineError, EngineSession, Storage, StorageError, StoredExpiry};

/// Random characters in the name of a file that is being written.
const UNFINISHED: usize = 8;

/// A folder of sessions, and what stands before each key in the name of its file: Django's `SESSION_FILE_PATH` and
/// `SESSION_COOKIE_NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSessions {
    folder: PathBuf,
    prefix: String,
}

/// The folder of sessions is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the folder for sessions {0:?} does not exist: create it, or set SESSION_FILE_PATH to one that does")]
pub struct NoFolder(PathBuf);

impl FileSessions {
    /// Takes a folder that is there; without one, the system's for temporary files.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn new(folder: Option<PathBuf>, prefix: impl Into<String>) -> Result<Self, NoFolder> {
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        if !folder.is_dir() {
            return Err(NoFolder(folder));
        }
        let prefix = prefix.into();
        Ok(Self { folder, prefix })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a session.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidKey`] for anything but a–z and 0–9, so that no key leaves the folder.
    pub fn path_of(&self, key: &str) -> Result<PathBuf, EngineError> {
        let is_lawful = key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_lawful {
            Ok(self.folder.join(format!("{}{key}", self.prefix)))
        } else {
            Err(EngineError::InvalidKey)
        }
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), EngineError> {
        // One that is not there, or cannot be deleted, is left to the next cleaning.
        let _ = std::fs::remove_file(self.path_of(key)?);
        Ok(())
    }

    /// The keys of all sessions.
    fn keys(&self) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            keys.extend(
                name.to_str()
                    .and_then(|name| name.strip_prefix(&self.prefix))
                    .map(str::to_owned),
            );
        }
        Ok(keys)
    }

    /// Writes beside, then renames: whoever opens the file has all of one version.
    fn replace(&self, path: &Path, key: &str, content: &str) -> io::Result<()> {
        let random = random_string(UNFINISHED, Alphabet::Base36);
        let beside = self.folder.join(format!("{}{key}_out_{random}", self.prefix));
        let written = create_private(&beside)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .and_then(|()| std::fs::rename(&beside, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written
    }
}

/// Creates a file that only its owner may read, and that was not there before.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl<S: Storage> EngineSession<'_, S> {
    pub(super) fn load_file(&mut self, files: &FileSessions, key: &str) -> Result<SessionData, EngineError> {
        let (data, has_ended) = self.read_file(files, key)?;
        if has_ended {
            self.delete(None)?;
            self.create()?;
        }
        Ok(data)
    }

    /// What a file holds, and whether its session has ended. Without a readable file there is no key any more.
    fn read_file(&mut self, files: &FileSessions, key: &str) -> Result<(SessionData, bool), EngineError> {
        let content = files.path_of(key).ok().and_then(|path| {
            let modified = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
            Some((std::fs::read_to_string(&path).ok()?, modified))
        });
        let Some((text, modified)) = content else {
            self.key = None;
            return Ok((SessionData::new(), false));
        };
        // Nobody has written into a new file yet.
        if text.is_empty() {
            return Ok((SessionData::new(), false));
        }
        let data = self.decode(&text);
        let expiry = data
            .raw(EXPIRY_KEY)
            .map_or(StoredExpiry::Absent, StoredExpiry::from_json);
        let expiry = match expiry {
            StoredExpiry::Seconds(age) if age.as_seconds() != 0.0 => expiry,
            StoredExpiry::At(ref text) if !text.is_empty() => expiry,
            _ => {
                let end = self
                    .written(modified)
                    .plus_micros(i128::from(self.deployment.cookie_age) * MICROS);
                StoredExpiry::At(end.to_string())
            }
        };
        let left = match self.expiry_age(None, Some(expiry))? {
            Age::Whole(seconds) => seconds > 0,
            Age::Fractional(seconds) => seconds > 0.0,
        };
        Ok(if left {
            (data, false)
        } else {
            (SessionData::new(), true)
        })
    }

    /// A time of the file system as the deployment writes times.
    fn written(&self, time: SystemTime) -> Moment {
        let now = Moment::utc(self.deployment.now);
        let written = self.deployment.now_written;
        if written.is_local() {
            let ahead = written.micros_since(now);
            Moment::utc(time).wall_clock().plus_micros(ahead)
        } else {
            Moment::utc(time)
        }
    }

    pub(super) fn save_file(&mut self, files: &FileSessions, must_create: bool) -> Result<(), EngineError> {
        if self.key.is_none() {
            return self.create();
        }
        let data = self.data_to_save(must_create)?;
        // Loading may have found that the session has ended: its new key has no file yet.
        let key = if let Some(key) = self.key.clone() {
            key
        } else {
            self.new_key()?
        };
        self.key = Some(key.clone());
        let path = files.path_of(&key)?;
        let opened = if must_create {
            create_private(&path)
        } else {
            OpenOptions::new().write(true).open(&path)
        };
        match opened {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_create => {
                return Err(EngineError::Update);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(EngineError::Create),
            // Django, too, goes on where the folder is gone, and then cannot write.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StorageError::Failed(error.to_string()).into()),
        }
        // As in Django, a disk that is full keeps the old version.
        let _ = files.replace(&path, &key, &self.deployment.encode(&data));
        Ok(())
    }

    pub(super) fn clear_expired_files(&mut self, files: &FileSessions) -> Result<(), EngineError> {
        let keys = files
            .keys()
            .map_err(|error| StorageError::Failed(error.to_string()))?;
        for key in keys.into_iter().filter(|key| super::is_acceptable_key(key)) {
            // What cannot be read has not ended.
            if let Ok((_, true)) = self.read_file(files, &key) {
                files.delete(&key)?;
            }
        }
        Ok(())
    }
}
