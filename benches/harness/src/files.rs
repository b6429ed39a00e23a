//! The files that servers send: each finds them in its data folder as `documents/1` and `documents/2`, and sends them byte for byte.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;

/// A file of 1 KiB.
pub fn small() -> &'static [u8] {
    large().get(..1024).unwrap_or_default()
}

/// A file of 1 MiB.
pub fn large() -> &'static [u8] {
    static LARGE: LazyLock<Vec<u8>> = LazyLock::new(|| (b' '..=b'~').cycle().take(1024 * 1024).collect());
    &LARGE
}

/// Lays them into a server's data folder.
pub fn lay(data: &Path) -> Result<()> {
    let documents = data.join("documents");
    fs::create_dir_all(&documents)?;
    fs::write(documents.join("1"), small())?;
    Ok(fs::write(documents.join("2"), large())?)
}
