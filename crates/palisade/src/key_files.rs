//! The files of keys, for passwords and for what is sealed: a folder with one `2026-11-01.key` each, beside the database and not in it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use palisade_core::dated_key::{DatedKey, DatedKeys, InvalidDatedKey, MIN_SECRET_BYTES, key_id_at};
use palisade_core::token::{Alphabet, random_string};

/// Letters and digits of a new secret: more than 256 bits, and more than the shortest that is used ([`MIN_SECRET_BYTES`]).
const SECRET_LENGTH: usize = 48;

/// Why there are no keys to hash passwords with, or to seal under.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot use the keys at {}: {reason}{}", path.display(), what_to_do(path, reason))]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The key of today was made before.
    #[error("there is a key of today already: {}; none is ever replaced", path.display())]
    There {
        /// The file.
        path: PathBuf,
    },
    /// A file is no key.
    #[error("{}: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: InvalidDatedKey,
    },
    /// A file or the folder is open to others than the service.
    #[error("{} is open to other users of this machine (mode {mode:o}): run `chmod {advice} {}`{}, and make a new key if somebody may have read it",
        path.display(), path.display(), if *advice == FOR_A_FILE { FOR_A_GROUP } else { "" })]
    Open {
        /// Which.
        path: PathBuf,
        /// What it is open to, as `chmod` writes it.
        mode: u32,
        /// What it should be.
        advice: &'static str,
    },
    /// Several files have a fault each.
    #[error("{}", listed(faults))]
    Several {
        /// All of them.
        faults: Vec<KeyFileError>,
    },
    /// No key is there that has not expired.
    #[error("no key in {} can be used for anything new (of a day that is its name, with a secret of {MIN_SECRET_BYTES} characters or more, \
         not expired): make one with `palisade keys make {}`", path.display(), path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
}

/// What mends it, where that can be said.
fn what_to_do(path: &Path, reason: &std::io::Error) -> String {
    match reason.kind() {
        ErrorKind::NotFound => format!(": make the first with `palisade keys make {}`", path.display()),
        ErrorKind::PermissionDenied => {
            ": give the folder and its files to the user whom the service runs as".to_owned()
        }
        _ => String::new(),
    }
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads every `….key` of a folder.
///
/// # Example
///
/// ```
/// use palisade::clock::Clock;
/// use palisade::password::{Hashers, make_key, read_keys};
///
/// # fn main() -> Result<(), palisade::password::KeyFileError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let keys = folder.path();
/// make_key(keys, std::time::SystemTime::now())?; // once, by `palisade keys make`
/// let clock = Clock::system();
/// let hashers = Hashers::default().with_keys(read_keys(keys, clock.now())?, clock);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When a file cannot be read, is open to others (the group may read what root owns) or is no key, each with its fault; or when none of
/// them is in force: a site that hashes or seals with keys does not start without.
///
/// # Security
///
/// The keys protect a table only where they are not beside it: keep them out of its backups.
pub fn read_keys(folder: impl AsRef<Path>, now: SystemTime) -> Result<DatedKeys, KeyFileError> {
    let folder = folder.as_ref();
    let unusable = |path: &Path| {
        let path = path.to_owned();
        |reason| KeyFileError::Unusable { path, reason }
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unusable(folder))? {
        let path = entry.map_err(unusable(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            files.push(path);
        }
    }
    files.sort();
    let (mut keys, mut faults) = (Vec::new(), Vec::new());
    faults.extend(is_closed(folder, OTHERS_WRITE, "go-w").err());
    for path in files {
        match read_key(&path) {
            Ok(key) => keys.push(key),
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(fault) = faults.pop() {
        if faults.is_empty() {
            return Err(fault);
        }
        faults.push(fault);
        return Err(KeyFileError::Several { faults });
    }
    let keys = DatedKeys::new(keys);
    if keys.newest(now).is_none() {
        return Err(KeyFileError::None {
            path: folder.to_owned(),
        });
    }
    Ok(keys)
}

/// Whoever may put files into the folder gives the site its keys.
const OTHERS_WRITE: u32 = 0o022;
/// The mode of a file with a key.
const FOR_A_FILE: &str = "600";
/// Where the service is not the owner.
const FOR_A_GROUP: &str = " (640, where root owns it and the service reads it as its group)";

fn read_key(path: &Path) -> Result<DatedKey, KeyFileError> {
    let unusable = |reason| KeyFileError::Unusable {
        path: path.to_owned(),
        reason,
    };
    // What is judged is what is read, whatever is put in its place meanwhile.
    let mut file = fs::File::open(path).map_err(unusable)?;
    is_private(path, &file.metadata().map_err(unusable)?)?;
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut text = zeroize::Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(unusable)?;
    DatedKey::parse(&id, &text).map_err(|fault| KeyFileError::Invalid {
        path: path.to_owned(),
        fault,
    })
}

/// Says so where a file with a secret is open to others than its owner; the group of one that root owns may read it, as with `ssh` and
/// PostgreSQL: it is the service's.
#[cfg(unix)]
pub(crate) fn is_private(path: &Path, found: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    closed(path, found, others(found.uid()), FOR_A_FILE)
}

/// Where there are no modes, who may read a file is not asked.
#[cfg(not(unix))]
pub(crate) fn is_private(_path: &Path, _found: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

/// What others may not do to a file of this owner's.
const fn others(owner: u32) -> u32 {
    if owner == 0 { 0o037 } else { 0o077 }
}

/// Says so where a folder is open to more than it may be.
#[cfg(unix)]
fn is_closed(path: &Path, to: u32, advice: &'static str) -> Result<(), KeyFileError> {
    let found = fs::metadata(path).map_err(|reason| KeyFileError::Unusable {
        path: path.to_owned(),
        reason,
    })?;
    closed(path, &found, to, advice)
}

#[cfg(unix)]
fn closed(path: &Path, found: &fs::Metadata, to: u32, advice: &'static str) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o777;
    if mode & to == 0 {
        return Ok(());
    }
    Err(KeyFileError::Open {
        path: path.to_owned(),
        mode,
        advice,
    })
}

/// Where there are no modes, who may read a file is not asked.
#[cfg(not(unix))]
fn is_closed(_path: &Path, _to: u32, _advice: &'static str) -> Result<(), KeyFileError> {
    Ok(())
}

fn listed(faults: &[KeyFileError]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

/// Makes the key of today, readable by its owner alone, and the folder if it is not there. Says where it lies. It is written under
/// another name first: who is cut off meanwhile leaves no half of a key.
///
/// # Errors
///
/// When it cannot be written, or there is a key of today: none is ever replaced.
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn make_key(folder: impl AsRef<Path>, now: SystemTime) -> Result<PathBuf, KeyFileError> {
    let path = folder.as_ref().join(format!("{}.key", key_id_at(now)));
    let write = || {
        let mut make = fs::DirBuilder::new();
        make.recursive(true);
        // Also where the umask lets a group write.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o750);
        make.create(&folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let fresh = path.with_extension(format!("{}.new", std::process::id()));
        // Left over from somebody with this number who was cut off.
        let _ = fs::remove_file(&fresh);
        let mut file = options.open(&fresh)?;
        let secret = zeroize::Zeroizing::new(random_string(SECRET_LENGTH, Alphabet::Base62));
        writeln!(file, "secret = \"{}\"", &*secret)?;
        file.sync_all()?;
        // A link, unlike a renaming, never replaces a key.
        let linked = fs::hard_link(&fresh, &path);
        fs::remove_file(&fresh)?;
        linked
    };
    match write() {
        Ok(()) => Ok(path),
        Err(reason) if reason.kind() == ErrorKind::AlreadyExists && path.is_file() => {
            Err(KeyFileError::There { path })
        }
        Err(reason) => Err(KeyFileError::Unusable { path, reason }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn day(number: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(24 * number)
    }

    #[test]
    fn key_that_was_made_is_read_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let path = make_key(&keys, day(20_000)).unwrap();
        assert!(path.ends_with("2024-10-04.key"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = fs::read_to_string(&path).unwrap();
        let refused = make_key(&keys, day(20_000)).unwrap_err().to_string();
        let told = format!("there is a key of today already: {}", path.display());
        assert!(refused.starts_with(&told), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        make_key(&keys, day(20_001)).unwrap();
        let read = read_keys(&keys, day(20_001)).unwrap();
        assert_eq!(read.newest(day(20_001)).unwrap().id(), "2024-10-05");
    }

    fn close(file: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn key_that_others_may_read_or_replace_is_refused_and_every_fault_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            file
        };
        let secret = "secret = \"0123456789abcdef0123456789abcdef\"";
        let good = write("2024-10-01.key", secret, 0o600);
        assert!(read_keys(folder.path(), day(20_000)).is_ok());
        for mode in [0o644, 0o604, 0o602, 0o620, 0o610, 0o601] {
            fs::set_permissions(&good, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_keys(folder.path(), day(20_000)).unwrap_err().to_string();
            let advice = format!("run `chmod 600 {}` (640, where root owns it", good.display());
            assert!(
                refused.contains(&advice) && refused.contains(&format!("{mode:o}")),
                "{refused}"
            );
        }
        write("2024-10-02.key", "nonsense", 0o600);
        let refused = read_keys(folder.path(), day(20_000)).unwrap_err().to_string();
        assert!(
            refused.contains("2024-10-01.key") && refused.contains("2024-10-02.key"),
            "{refused}"
        );
        assert!(!refused.contains("nonsense") && !refused.contains("0123456789abcdef"));
        write("2024-10-02.key", secret, 0o600);
        close(&good);
        for mode in [0o777, 0o770] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_keys(folder.path(), day(20_000)).unwrap_err().to_string();
            assert!(
                refused.contains("chmod go-w") && !refused.contains("640"),
                "{refused}"
            );
        }
    }

    #[test]
    fn group_reads_what_root_owns_and_nothing_else() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("2024-10-01.key");
        fs::write(&key, "secret = \"0123456789abcdef0123456789abcdef\"").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let is_read = || read_keys(folder.path(), day(20_000)).is_ok();
        let is_root = fs::metadata(&key).unwrap().uid() == 0;
        assert_eq!(is_read(), is_root);
        if is_root {
            chown(&key, Some(65_534), None).unwrap();
            assert!(!is_read(), "another user's, whose group may read it");
        }
        assert_eq!((0o640 & others(0), 0o640 & others(1000)), (0, 0o040));
        assert_ne!(0o660 & others(0), 0);
    }

    #[test]
    fn link_is_judged_by_what_it_leads_to() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = elsewhere.path().join("key");
        fs::write(&file, "secret = \"0123456789abcdef0123456789abcdef\"").unwrap();
        symlink(&file, folder.path().join("2024-10-01.key")).unwrap();
        for (mode, good) in [(0o600, true), (0o644, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_keys(folder.path(), day(20_000)).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn folder_without_a_key_in_force_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let none = read_keys(folder.path(), day(1)).unwrap_err();
        assert!(none.to_string().contains("palisade keys make"), "{none}");
        let expired = "secret = \"0123456789abcdef0123456789abcdef\"\nexpires = \"1970-01-02\"";
        let file = folder.path().join("1970-01-01.key");
        fs::write(&file, expired).unwrap();
        close(&file);
        assert!(read_keys(folder.path(), day(0)).is_ok());
        assert!(matches!(
            read_keys(folder.path(), day(1)),
            Err(KeyFileError::None { .. })
        ));
        assert!(read_keys(folder.path().join("nowhere"), day(0)).is_err());
    }
}
