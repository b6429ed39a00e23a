//! Mails as files, one each, for development: a link that resets a password is for its reader alone, and so is the file.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Settings;

use super::{Carrier, Letter, MailSetupError, Undelivered};

/// The folder that mails are written into.
#[derive(Debug)]
pub(super) struct MailFolder(PathBuf);

impl MailFolder {
    /// Opens the folder, making it for this user alone if it is not there.
    pub(super) fn open(settings: &Settings) -> Result<Self, MailSetupError> {
        let path = named(settings)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| failed(path, source))?;
        Self::check(settings)?;
        Ok(Self(path.to_owned()))
    }

    /// Says whether the folder will do, as far as it is there.
    pub(super) fn check(settings: &Settings) -> Result<(), MailSetupError> {
        let path = named(settings)?;
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => Err(failed(path, io::ErrorKind::NotADirectory.into())),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                Err(MailSetupError::FolderOpen(path.to_owned()))
            }
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(path, source)),
            _ => Ok(()),
        }
    }
}

fn named(settings: &Settings) -> Result<&Path, MailSetupError> {
    let folder = settings.email_file_path.as_ref();
    Ok(folder.ok_or(MailSetupError::NoFolder)?.path())
}

fn failed(path: &Path, source: io::Error) -> MailSetupError {
    MailSetupError::Folder {
        path: path.to_owned(),
        source,
    }
}

/// Writes the mail under another name first, so that nobody reads half of one.
fn write(folder: &Path, number: &str, text: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{number}.new"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(format!("{number}.eml")))
}

impl Carrier for MailFolder {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Undelivered>> {
        let (folder, number, text) = (self.0.clone(), letter.number.clone(), letter.text.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &number, &text));
        let undelivered = |what: String| Undelivered { what, for_now: false };
        async move {
            match written.await {
                Ok(written) => written.map_err(|error| undelivered(error.to_string())),
                Err(error) => Err(undelivered(error.to_string())),
            }
        }
        .boxed()
    }
}
