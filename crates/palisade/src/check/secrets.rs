//! Files with secrets in them: who else may read them, and whether they were committed.
//!
//! A key is known to whoever can read its file. Two ways in which that is everybody are seen from here: the file's mode, and the
//! index of the git repository that it lies in, from which every clone has it, for ever.

use std::fs;
use std::path::{Path, PathBuf};

use palisade_core::git_index::{InvalidIndex, is_tracked};

use crate::key_files::is_private;

/// Why a file is no place for a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Exposed {
    /// Others on this machine may read or replace it.
    #[error("{0}")]
    Readable(String),
    /// It is in a git repository.
    #[error(
        "{} is committed in the git repository {}, and known to whoever has a copy of that: make a new secret, keep it in a file that \
         git does not track (`git rm --cached` and .gitignore), and hold the old one to be known", path.display(), work_tree.display()
    )]
    Committed {
        /// The file.
        path: PathBuf,
        /// The top of the repository's work tree.
        work_tree: PathBuf,
    },
    /// Whether it is in a git repository cannot be told.
    #[error(
        "whether {} is committed in the git repository {} cannot be told ({why}): see that `git ls-files --error-unmatch {}` fails there",
        path.display(), work_tree.display(), path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The top of the repository's work tree.
        work_tree: PathBuf,
        /// What could not be read.
        why: String,
    },
}

/// Says whether other users of the machine may read or replace a file with a secret in it. The group of one that root owns may read it.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("secret-key");
/// # std::fs::write(&file, "x").unwrap();
/// use std::os::unix::fs::PermissionsExt as _;
/// std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
/// assert!(palisade::check::readable(&file).unwrap().to_string().contains("chmod 600"));
/// ```
pub fn readable(path: &Path) -> Option<Exposed> {
    let fault = match fs::metadata(path) {
        Ok(found) => is_private(path, &found).err()?.to_string(),
        Err(error) => format!("who may read {} cannot be told: {error}", path.display()),
    };
    Some(Exposed::Readable(fault))
}

/// Says whether a file is tracked by a git repository that it lies in. Git is not run: its index is read.
pub fn committed(path: &Path) -> Option<Exposed> {
    // Also where it is a link into a repository.
    let path = fs::canonicalize(path).ok()?;
    let work_tree = path
        .ancestors()
        .skip(1)
        .find(|folder| folder.join(".git").exists())?;
    let inside = path.strip_prefix(work_tree).ok()?;
    let index = match index_of(work_tree) {
        Ok(Some(index)) => index,
        Ok(None) => return None,
        Err(why) => return Some(unknown(&path, work_tree, why.to_string())),
    };
    let parts: Vec<&[u8]> = inside.iter().map(std::ffi::OsStr::as_encoded_bytes).collect();
    match is_tracked(&index, &parts.join(&b'/')) {
        Ok(false) => None,
        Ok(true) => Some(Exposed::Committed {
            work_tree: work_tree.to_owned(),
            path,
        }),
        Err(why @ (InvalidIndex::Damaged | InvalidIndex::Version(_) | InvalidIndex::Split)) => {
            Some(unknown(&path, work_tree, why.to_string()))
        }
        Err(why) => Some(unknown(&path, work_tree, why.to_string())),
    }
}

fn unknown(path: &Path, work_tree: &Path, why: String) -> Exposed {
    let (path, work_tree) = (path.to_owned(), work_tree.to_owned());
    Exposed::Unknown { path, work_tree, why }
}

/// The index of a work tree, if anything was ever added. In a linked work tree and a submodule `.git` is a file that says where.
fn index_of(work_tree: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let dot_git = work_tree.join(".git");
    let folder = if dot_git.is_dir() {
        dot_git
    } else {
        let text = fs::read_to_string(&dot_git)?;
        work_tree.join(text.strip_prefix("gitdir:").unwrap_or_default().trim())
    };
    match fs::read(folder.join("index")) {
        Ok(index) => Ok(Some(index)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tracks `config/palisade.toml`, and not `config/local.toml`.
    const INDEX: &[u8] = include_bytes!("../../../palisade-core/src/git_index/version2.index");

    #[test]
    fn file_that_git_tracks_is_committed_and_its_neighbour_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("config")).unwrap();
        let (tracked, local) = (root.join("config/palisade.toml"), root.join("config/local.toml"));
        for file in [&tracked, &local] {
            fs::write(file, "").unwrap();
        }
        assert_eq!(committed(&tracked), None, "there is no repository");
        fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(committed(&tracked), None, "nothing was ever added");
        fs::write(root.join(".git/index"), INDEX).unwrap();
        let found = committed(&tracked).unwrap();
        assert!(matches!(&found, Exposed::Committed { work_tree, .. } if *work_tree == root));
        assert!(found.to_string().contains("make a new secret"));
        assert_eq!(committed(&local), None);
        let link = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&tracked, link.path().join("palisade.toml")).unwrap();
        assert_eq!(committed(&link.path().join("palisade.toml")), Some(found));
    }

    #[test]
    fn linked_work_tree_is_followed_and_what_cannot_be_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("tree/config")).unwrap();
        fs::create_dir_all(root.join("main/.git/worktrees/tree")).unwrap();
        let file = root.join("tree/config/palisade.toml");
        fs::write(&file, "").unwrap();
        fs::write(root.join("tree/.git"), "gitdir: ../main/.git/worktrees/tree\n").unwrap();
        fs::write(root.join("main/.git/worktrees/tree/index"), INDEX).unwrap();
        assert!(matches!(committed(&file), Some(Exposed::Committed { .. })));
        fs::write(root.join("main/.git/worktrees/tree/index"), "DIRC").unwrap();
        let told = committed(&file).unwrap().to_string();
        assert!(told.contains("git ls-files --error-unmatch"), "{told}");
    }
}
