//! The data folder: private to its user, with a key that is generated once and kept.
//!
//! A key in the program or in the configuration ends up in version control, and one that is made at each start logs everybody
//! out.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, ensure};
use palisade::check::{Exposed, committed, readable};
use palisade::clock::Clock;
use palisade::core::settings::Folder;
use palisade::core::token::{Alphabet, random_string};
use palisade::seal::{KeyFileError, SealKeys, make_key as make_seal_key};
use palisade::{SecretKey, Settings};

/// 64 characters of 62 are 381 bits.
const KEY_CHARS: usize = 64;

/// After how long what a start was about to write counts as left behind.
const UNFINISHED: Duration = Duration::from_mins(1);

/// The folder that holds everything the vault remembers.
pub(crate) struct DataFolder(PathBuf);

impl DataFolder {
    /// Opens the folder, making it for this user alone if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| {
            anyhow!(
                "cannot make the data folder {}: {}",
                path.display(),
                match error.kind() {
                    ErrorKind::NotFound => "nothing can be made there".to_owned(),
                    _ => reason(&error),
                }
            )
        })?;
        let mode = fs::metadata(&path)?.permissions().mode();
        if let Some(may) = others_may(mode) {
            tracing::warn!(
                "other users of this machine may {may} {}: chmod 700 it",
                path.display()
            );
        }
        let data = Self(path);
        for folder in [data.path(), &data.seal_folder()] {
            sweep(folder);
        }
        Ok(data)
    }

    /// Opens the folder of a vault that was started before. None is made: a slip in its name leaves nothing behind.
    pub(crate) fn there(path: &Path) -> Result<Self> {
        let database = Self(std::path::absolute(path)?).database();
        ensure!(
            database.is_file(),
            "there is no database {}: start the vault first, or name its folder with --data",
            database.display()
        );
        Self::open(path)
    }

    /// The folder itself, where the certificate's folder goes.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the database lies.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("vault.sqlite3")
    }

    /// Where documents lie.
    pub(crate) fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    /// Where mails are written while no server takes them.
    pub(crate) fn mail(&self) -> PathBuf {
        Self::mail_in(&self.0)
    }

    /// The same of a folder that may not be there yet.
    pub(crate) fn mail_in(data: &Path) -> PathBuf {
        data.join("mail")
    }

    /// Reads the keys that secrets are sealed under; [`DataFolder::seal_sessions`] has made the first one.
    pub(crate) fn seal_keys(&self, clock: Clock) -> Result<SealKeys> {
        Ok(SealKeys::read(self.seal_folder(), clock)?)
    }

    /// Lets sessions be sealed under a key of its own, which is made at the first start, and kept under the hashes of their keys. A
    /// folder of before has sessions that are not: whoever has one logs in again.
    pub(crate) fn seal_sessions(&self, settings: &mut Settings) -> Result<()> {
        let keys = self.seal_folder();
        // A first start that was cut off may have left the folder without its key.
        let is_new = !self.database().exists() && !has_a_key(&keys);
        if is_new || !keys.exists() {
            if self.database().exists() {
                tracing::warn!("sessions are sealed from now on: everybody has to log in again, once");
            }
            make_seal_key(&keys, SystemTime::now())?;
        }
        settings.session_seal_keys = Some(Folder::new(keys.to_string_lossy()));
        settings.session_hashed_keys = true;
        Ok(())
    }

    /// The files of a folder that hold keys, each with the setting that it is for.
    pub(crate) fn secret_files(data: &Path) -> Vec<(&'static str, PathBuf)> {
        let mut files = vec![("secret_key", data.join("secret-key"))];
        let keys = fs::read_dir(data.join("seal-keys"))
            .into_iter()
            .flatten()
            .flatten();
        files.extend(keys.map(|entry| ("session_seal_keys", entry.path())));
        files.retain(|(_, file)| file.exists());
        files
    }

    /// Everything else about a folder's keys with which the vault does not start, each with the setting that it is for. Nothing is made.
    pub(crate) fn faults(path: &Path) -> Vec<(&'static str, String)> {
        let Ok(data) = std::path::absolute(path).map(Self) else {
            return Vec::new();
        };
        let key = match data.kept_key() {
            Ok(None) if data.database().exists() => Some(data.key_is_gone()),
            Ok(_) => None,
            Err(fault) => Some(fault.to_string()),
        };
        // The first start makes the folder, and each file by itself is looked at already.
        let seal = match SealKeys::read(data.seal_folder(), Clock::system()) {
            Err(KeyFileError::Open { .. }) => None,
            Err(fault) if data.seal_folder().exists() => Some(fault.to_string()),
            _ => None,
        };
        let key = key.map(|fault| ("secret_key", fault));
        key.into_iter()
            .chain(seal.map(|fault| ("session_seal_keys", fault)))
            .collect()
    }

    /// Reads the key that signs sessions, or makes it at the first start; later only if `anew` asks for it.
    pub(crate) fn secret_key(&self, anew: bool) -> Result<SecretKey> {
        let path = self.key_file();
        let key = match self.kept_key()? {
            Some(_) if anew => {
                return Err(anyhow!(
                    "--new-key makes the key {} only where there is none: move that one away, or start without the option",
                    path.display()
                ));
            }
            Some(key) => key,
            None => {
                ensure!(anew || !self.database().exists(), self.key_is_gone());
                let made = make_key(&path).map_err(|error| {
                    anyhow!(
                        "cannot write to the data folder {}: {}",
                        self.0.display(),
                        reason(&error)
                    )
                })?;
                SecretKey::new(made.trim())
            }
        };
        for exposed in [readable(&path), committed(&path)].into_iter().flatten() {
            match exposed {
                Exposed::Unknown { .. } => tracing::warn!("{exposed}"),
                exposed => return Err(anyhow!("{exposed}")),
            }
        }
        Ok(key)
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("secret-key")
    }

    fn seal_folder(&self) -> PathBuf {
        self.0.join("seal-keys")
    }

    /// The key that was made before, if there is one.
    fn kept_key(&self) -> Result<Option<SecretKey>> {
        let path = self.key_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(anyhow!(
                    "cannot read the key {}: {}",
                    path.display(),
                    reason(&error)
                ));
            }
        };
        let key = SecretKey::new(text.trim());
        ensure!(
            key.weaknesses().is_empty(),
            "the key {} is damaged or too short: put back a copy of it, or move it away and start once with --new-key \
             (everybody will have to log in again)",
            path.display()
        );
        Ok(Some(key))
    }

    fn key_is_gone(&self) -> String {
        format!(
            "the key {} is gone, although there is a database that was used with it: put back a copy of it, or start \
             once with --new-key (everybody will have to log in again)",
            self.key_file().display()
        )
    }
}

fn has_a_key(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| path.extension().is_some_and(|ending| ending == "key"))
}

/// Removes what starts have left that were cut off: nothing that is whole ends in `.new`, and nobody takes so long to write a key.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let written = entry.metadata().and_then(|about| about.modified()).ok();
        let age = written.and_then(|written| written.elapsed().ok());
        if path.extension().is_none_or(|ending| ending != "new") || age.is_none_or(|age| age < UNFINISHED) {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Ok(()) => tracing::info!("removed {}, left by a start that was cut off", path.display()),
            Err(error) => tracing::warn!("cannot remove {}: {}", path.display(), reason(&error)),
        }
    }
}

/// Writes a new key under another name first, so that a start that is cut off leaves no half of one.
fn make_key(path: &Path) -> io::Result<String> {
    let key = random_string(KEY_CHARS, Alphabet::Base62);
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    // A link, unlike a renaming, never replaces the key of a start that was quicker.
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(path),
        linked => linked.map(|()| key),
    }
}

/// Says what a folder of this mode lets others do, if anything.
fn others_may(mode: u32) -> Option<&'static str> {
    match mode {
        mode if mode & 0o022 != 0 => Some("replace what lies in"),
        mode if mode & 0o055 != 0 => Some("look into"),
        _ => None,
    }
}

/// Says in plain words why a file cannot be had.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "a file is in the way".to_owned(),
        ErrorKind::NotFound => "it is not there".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        ErrorKind::PermissionDenied => {
            "permission denied: start the vault as the user whom it belongs to, or give it to this one with chown".to_owned()
        }
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a key for these tests only, which is long enough: 4711-0815-2342";

    #[test]
    fn key_is_made_once_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("a/b")).unwrap();
        let key = data.secret_key(false).unwrap();
        assert_eq!(data.secret_key(false).unwrap().expose(), key.expose());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&data.path().join("secret-key")), 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn damaged_key_is_not_replaced_silently() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        fs::write(folder.path().join("secret-key"), "").unwrap();
        let error = data.secret_key(false).unwrap_err().to_string();
        assert!(error.contains("is damaged or too short"), "{error}");
    }

    #[test]
    fn lost_key_is_made_anew_only_when_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        fs::write(data.database(), "").unwrap();
        let error = data.secret_key(false).unwrap_err().to_string();
        assert!(
            error.contains("is gone") && error.contains("--new-key"),
            "{error}"
        );
        assert!(!folder.path().join("secret-key").exists());
        let key = data.secret_key(true).unwrap();
        assert_eq!(data.secret_key(false).unwrap().expose(), key.expose());
        let error = data.secret_key(true).unwrap_err().to_string();
        assert!(error.contains("only where there is none"), "{error}");
    }

    #[test]
    fn first_start_that_was_cut_off_before_its_keys_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        fs::create_dir(data.seal_folder()).unwrap();
        let mut settings = Settings::for_tests(SecretKey::new(KEY));
        data.seal_sessions(&mut settings).unwrap();
        assert!(has_a_key(&data.seal_folder()));
        assert!(data.seal_keys(Clock::system()).is_ok());
    }

    #[test]
    fn lost_seal_key_is_not_replaced_silently() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        fs::write(data.database(), "").unwrap();
        fs::create_dir(data.seal_folder()).unwrap();
        let mut settings = Settings::for_tests(SecretKey::new(KEY));
        data.seal_sessions(&mut settings).unwrap();
        assert!(!has_a_key(&data.seal_folder()));
    }

    #[test]
    fn what_a_start_has_left_is_removed_and_what_one_is_writing_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("secret-key.4711.new");
        fs::write(&old, "half").unwrap();
        let file = fs::File::options().write(true).open(&old).unwrap();
        file.set_modified(SystemTime::now() - 2 * UNFINISHED).unwrap();
        let young = folder.path().join("secret-key.4712.new");
        fs::write(&young, "half").unwrap();
        DataFolder::open(folder.path()).unwrap();
        assert!(!old.exists() && young.exists());
    }

    #[test]
    fn folder_says_what_others_may_do_there() {
        assert_eq!(others_may(0o40700), None);
        assert_eq!(others_may(0o40755), Some("look into"));
        assert_eq!(others_may(0o40777), Some("replace what lies in"));
    }
}
