//! The folder: its lock, and one file for each session.
//!
//! Nothing in it is trusted to be a file. What is opened is no link, keeps nobody waiting who opens it, as a pipe would,
//! and is read no further than a session is long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::session::{SessionCodec, SessionData, expiry};
use palisade_core::settings::Settings;
use palisade_core::token::{self, Alphabet};

use super::FolderError;
use crate::session::key::SessionKey;
use crate::session::store::Stored;
use crate::session::whose::Whose;

/// How long a session's text may be, in bytes.
const LARGEST: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    prefix: String,
    codec: SessionCodec,
    age: Duration,
}

/// A session with whose it is.
pub(super) struct Entry {
    pub(super) stored: Stored,
    pub(super) whose: Option<Whose>,
}

impl Place {
    pub(super) fn of(folder: &Path, settings: &Settings) -> Self {
        Self {
            folder: folder.to_owned(),
            prefix: settings.session_cookie_name.clone(),
            codec: SessionCodec::new(&settings.key_ring()),
            age: settings.session_cookie_age,
        }
    }

    pub(super) fn unusable(&self, source: io::Error) -> FolderError {
        FolderError::Unusable {
            path: self.folder.clone(),
            source,
        }
    }

    /// Who may do what in the folder.
    pub(super) fn mode(&self) -> io::Result<u32> {
        Ok(fs::metadata(&self.folder)?.permissions().mode())
    }

    /// Waits until nobody else of ours writes in the folder. The lock goes with the file, also when the process dies.
    pub(super) fn lock(&self) -> io::Result<File> {
        let path = self.folder.join(".palisade-sessions.lock");
        let mut options = OpenOptions::new();
        let file = opened(
            options.create(true).truncate(false).write(true).mode(0o600),
            &path,
        )?;
        file.lock()?;
        Ok(file)
    }

    pub(super) fn path(&self, key: &SessionKey) -> PathBuf {
        self.folder.join(format!("{}{}", self.prefix, key.expose()))
    }

    pub(super) fn read(&self, key: &SessionKey) -> io::Result<Option<Entry>> {
        let file = match opened(OpenOptions::new().read(true), &self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let written = file.metadata()?.modified()?;
        let mut text = String::new();
        file.take(LARGEST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(too_large());
        }
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

    /// A session, if it can be read: a file that cannot be keeps nobody from what is theirs. Where this process or the disk is
    /// what fails, nothing is left out, or sessions would outlive the end of all.
    pub(super) fn readable(&self, key: &SessionKey) -> io::Result<Option<Entry>> {
        self.read(key).or_else(|error| {
            let ours = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EIO];
            if error.raw_os_error().is_some_and(|code| ours.contains(&code)) {
                return Err(error);
            }
            let folder = &self.folder;
            // Its name is a key.
            tracing::warn!(target: "palisade::session", ?folder, %error, "left out a session's file that cannot be read");
            Ok(None)
        })
    }

    pub(super) fn alive(&self, key: &SessionKey, now: SystemTime) -> io::Result<Option<Entry>> {
        Ok(self.read(key)?.filter(|entry| entry.stored.expires > now))
    }

    /// Writes beside, and then puts it in the place at once.
    pub(super) fn write(&self, key: &SessionKey, entry: &Entry, now: SystemTime) -> io::Result<()> {
        let mut data = self
            .codec
            .decode(&entry.stored.data)
            .unwrap_or_else(|_| SessionData::new());
        if let Some(whose) = &entry.whose {
            whose.put(&mut data);
        }
        let text = self.codec.encode(&data, now);
        if text.len() as u64 > LARGEST {
            return Err(too_large());
        }
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
    pub(super) fn time_for(&self, data: &SessionData, end: SystemTime) -> SystemTime {
        let counted = expiry(data, end, self.age, false).date;
        let beyond = counted.duration_since(end).unwrap_or_default();
        end.checked_sub(beyond).unwrap_or(UNIX_EPOCH)
    }

    pub(super) fn remove(&self, key: &SessionKey) -> io::Result<bool> {
        match fs::remove_file(self.path(key)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes under a new key, which must be free.
    pub(super) fn begin(&self, key: &SessionKey, entry: &Entry, now: SystemTime) -> io::Result<()> {
        if self.path(key).try_exists()? {
            return Err(io::Error::new(
                ErrorKind::AlreadyExists,
                "the new session key is taken",
            ));
        }
        self.write(key, entry, now)
    }

    pub(super) fn keys(&self) -> io::Result<Vec<SessionKey>> {
        let mut keys = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let name = file?.file_name();
            let key = name.to_str().and_then(|name| name.strip_prefix(&self.prefix));
            keys.extend(key.and_then(SessionKey::parse));
        }
        Ok(keys)
    }

    /// A user's sessions, ended ones included.
    pub(super) fn of_user(&self, user_id: &str) -> io::Result<Vec<(SessionKey, Stored, Whose)>> {
        let mut found = Vec::new();
        for key in self.keys()? {
            if let Some(entry) = self.readable(&key)?
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

/// Opens what must be a file, and neither follows a link nor waits for the other end of a pipe.
fn opened(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, "it is no file"))
    }
}

fn too_large() -> io::Error {
    let told = format!("a session of more than {LARGEST} bytes; keep large things elsewhere");
    io::Error::new(ErrorKind::FileTooLarge, told)
}
