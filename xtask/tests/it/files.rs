//! The project's own files, found without asking git, so that an unpacked archive can be tested too.

use std::fs;
use std::path::{Path, PathBuf};

/// What cloning, running and fuzzing leave behind.
const MADE: [&str; 4] = [".git", "data", "artifacts", "__pycache__"];

/// What cargo puts into the folders that it builds in.
const BUILT: &str = "CACHEDIR.TAG";

/// A text file of the project.
pub(crate) struct File {
    /// Its path below the root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    pub(crate) fn is_manifest(&self) -> bool {
        self.path.ends_with("Cargo.toml")
    }

    pub(crate) fn is_below(&self, folder: &Path) -> bool {
        self.path.starts_with(folder)
    }
}

/// Reads every text file of the project.
pub(crate) fn all() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    read(root, root, &mut files);
    assert!(
        files.iter().any(|file| file.path == Path::new("Cargo.toml")),
        "no project at {}",
        root.display()
    );
    files
}

/// Fails with a list of the files that break a rule.
pub(crate) fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn read(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if MADE.contains(&name.as_str()) || path.join(BUILT).is_file() {
            continue;
        }
        if path.is_dir() {
            read(root, &path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).unwrap().to_owned();
            files.push(File { path, text });
        }
    }
}
