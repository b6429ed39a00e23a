//! Names of files, from a client's words to a path that stays where it should (CWE-22).
//!
//! A name passes three hands: what a browser sent is stripped to its last part ([`from_upload`], [`upload_base_name`]), a path is made of
//! it below the media folder ([`generate`], [`available`]), and whoever opens a file joins it to a folder that
//! it cannot leave ([`safe_join`]). Each checks for itself, as in Django: a name that one hand has let pass may have been put together
//! differently by the next. Rules and texts are Django's; paths are those of POSIX. Meets `exposed-media`.
//!
//! # Example
//!
//! ```
//! use palisade_core::file_name::{from_upload, generate, safe_join, valid};
//!
//! assert_eq!(from_upload(r"C:\notes\..\evil.txt").as_deref(), Some("evil.txt"));
//! assert_eq!(valid("my file.txt")?, "my_file.txt");
//! assert_eq!(generate("2026/my file.txt")?, "2026/my_file.txt");
//! assert!(generate("../my file.txt").is_err());
//! assert_eq!(safe_join("/", "/media", ["2026", "a.txt"])?, "/media/2026/a.txt");
//! assert!(safe_join("/", "/media", ["../etc/passwd"]).is_err());
//! # Ok::<(), palisade_core::file_name::SuspiciousFileName>(())
//! ```

use crate::character::{is_printable, is_space, is_word};
use crate::token::{Alphabet, random_string};

pub use self::charref::unescape;
pub use self::random::random_file_name;

mod charref;
mod path;
mod random;

/// How many characters the name of an uploaded file may have.
const LONGEST_UPLOAD: usize = 255;
/// How many random characters tell a name from one that is taken.
const ALTERNATIVE: usize = 7;

/// A name is dangerous, or nothing is left of it: Django's `SuspiciousFileOperation`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuspiciousFileName {
    /// Nothing usable is left.
    #[error("Could not derive file name from '{0}'")]
    Underivable(String),
    /// It leads out of its folder.
    #[error("Detected path traversal attempt in '{0}'")]
    Traversal(String),
    /// It has folders where none may be.
    #[error("File name '{0}' includes path elements")]
    PathElements(String),
    /// No free name is short enough.
    #[error(
        "Storage can not find an available filename for \"{0}\". Please make sure that the corresponding file field \
         allows sufficient \"max_length\"."
    )]
    NoneAvailable(String),
    /// Joined to its folder, it is not inside.
    #[error("The joined path ({joined}) is located outside of the base path component ({base})")]
    Outside {
        /// Where it leads.
        joined: String,
        /// Where it should have stayed.
        base: String,
    },
}

/// Makes a name that every file system takes: Django's `get_valid_filename`.
///
/// Spaces become `_`, and only letters, numbers, `_`, `-` and `.` stay.
///
/// # Errors
///
/// [`SuspiciousFileName::Underivable`] where nothing, `.` or `..` is left.
pub fn valid(name: &str) -> Result<String, SuspiciousFileName> {
    let kept: String = name
        .trim_matches(is_space)
        .chars()
        .map(|character| if character == ' ' { '_' } else { character })
        .filter(|character| is_word(*character) || matches!(character, '-' | '.'))
        .collect();
    if is_no_name(&kept) {
        return Err(SuspiciousFileName::Underivable(name.to_owned()));
    }
    Ok(kept)
}

/// Checks a name before it is stored under: Django's `validate_file_name`. With `allow_relative_path` it may have folders.
///
/// # Errors
///
/// What is wrong with it.
pub fn validate(name: &str, allow_relative_path: bool) -> Result<(), SuspiciousFileName> {
    let base = path::base_name(name);
    if is_no_name(base) {
        return Err(SuspiciousFileName::Underivable(name.to_owned()));
    }
    if allow_relative_path {
        let path = name.replace('\\', "/");
        if path.starts_with('/') || path::has_parent(&path) {
            return Err(SuspiciousFileName::Traversal(name.to_owned()));
        }
    } else if name != base {
        return Err(SuspiciousFileName::PathElements(name.to_owned()));
    }
    Ok(())
}

/// Takes the file name out of what a multipart header says, if anything usable is left: Django's `sanitize_file_name`.
///
/// HTML's character references are resolved first (CVE-2021-28658), both kinds of slashes cut, and what cannot be seen dropped.
///
/// # Security
///
/// The result is still a client's word: it can name any type, and devices of other systems.
pub fn from_upload(name: &str) -> Option<String> {
    let name = unescape(name);
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.rsplit('\\').next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|character| is_printable(*character))
        .collect();
    (!is_no_name(&name)).then_some(name)
}

/// Makes the name that an uploaded file carries: the last part, of at most 255 characters with its extension kept.
///
/// # Errors
///
/// As [`validate`] without folders.
pub fn upload_base_name(name: &str) -> Result<String, SuspiciousFileName> {
    let base = path::base_name(name);
    let name = if base.chars().count() > LONGEST_UPLOAD {
        let (stem, extension) = path::split_extension(base);
        let extension: String = extension.chars().take(LONGEST_UPLOAD).collect();
        let room = LONGEST_UPLOAD - extension.chars().count();
        stem.chars().take(room).chain(extension.chars()).collect()
    } else {
        base.to_owned()
    };
    validate(&name, false)?;
    Ok(name)
}

/// Makes the path below the media folder to store an upload under: Django's `Storage.generate_filename`.
///
/// # Errors
///
/// [`SuspiciousFileName::Traversal`] where a folder is `..`, [`SuspiciousFileName::Underivable`] where no name is left.
pub fn generate(name: &str) -> Result<String, SuspiciousFileName> {
    let name = name.replace('\\', "/");
    let (folder, file) = path::split(&name);
    if path::has_parent(folder) {
        return Err(SuspiciousFileName::Traversal(folder.to_owned()));
    }
    Ok(path::normalize(&path::join(folder, &valid(file)?)))
}

/// Why no free name was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable<E> {
    /// The name cannot be used.
    #[error(transparent)]
    Suspicious(#[from] SuspiciousFileName),
    /// The storage could not say whether a name is free.
    #[error("the storage cannot tell which names are free")]
    Storage(E),
}

/// Finds a name that is free and of at most `max_length` characters: Django's `Storage.get_available_name`.
///
/// A name that is taken gets `_` and seven random characters before all its extensions.
///
/// # Errors
///
/// [`Unavailable::Suspicious`] where the name is dangerous or cannot be made short enough; what `is_free` says.
///
/// # Security
///
/// A free name can be taken a moment later: create the file so that this fails (`O_EXCL`), and ask again.
pub fn available<E>(
    name: &str,
    max_length: Option<usize>,
    mut is_free: impl FnMut(&str) -> Result<bool, E>,
) -> Result<String, Unavailable<E>> {
    let mut name = name.replace('\\', "/");
    let (folder, file) = path::split(&name);
    let (folder, file) = (folder.to_owned(), file.to_owned());
    if path::has_parent(&folder) {
        return Err(SuspiciousFileName::Traversal(folder).into());
    }
    validate(&file, false)?;
    let extensions = path::extensions(&file);
    let mut stem = file.strip_suffix(extensions).unwrap_or(&file).to_owned();
    let alternative = |stem: &str| {
        let random = random_string(ALTERNATIVE, Alphabet::Base62);
        path::join(&folder, &format!("{stem}_{random}{extensions}"))
    };
    loop {
        let is_short = max_length.is_none_or(|most| most == 0 || name.chars().count() <= most);
        if is_short && is_free(&name).map_err(Unavailable::Storage)? {
            return Ok(name);
        }
        name = alternative(&stem);
        let Some(most) = max_length else { continue };
        let excess = name.chars().count().saturating_sub(most);
        if excess > 0 {
            let kept = stem.chars().count().saturating_sub(excess);
            stem = stem.chars().take(kept).collect();
            if stem.is_empty() {
                return Err(SuspiciousFileName::NoneAvailable(name).into());
            }
            name = alternative(&stem);
        }
    }
}

/// Joins paths to a folder that they must not leave: Django's `safe_join`. `current` is where a relative folder begins.
///
/// # Errors
///
/// [`SuspiciousFileName::Outside`].
///
/// # Security
///
/// It looks at names only: a symbolic link inside can lead outside.
pub fn safe_join<'p>(
    current: &str,
    base: &str,
    paths: impl IntoIterator<Item = &'p str>,
) -> Result<String, SuspiciousFileName> {
    let absolute = |path: &str| path::normalize(&path::join(current, path));
    let joined = paths
        .into_iter()
        .fold(base.to_owned(), |joined, path| path::join(&joined, path));
    let (joined, base) = (absolute(&joined), absolute(base));
    let is_root = path::split(&base).0 == base;
    let is_below = joined
        .strip_prefix(&base)
        .is_some_and(|rest| rest.starts_with('/'));
    if is_below || joined == base || is_root {
        Ok(joined)
    } else {
        Err(SuspiciousFileName::Outside { joined, base })
    }
}

fn is_no_name(name: &str) -> bool {
    matches!(name, "" | "." | "..")
}

#[cfg(test)]
mod tests;
