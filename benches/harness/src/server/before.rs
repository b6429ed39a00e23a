//! Palisade of an earlier commit, taken out of git, to be measured beside the one of today in the same run.
//!
//! Figures of two runs cannot be compared: the machine is another one each time.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::harness;
use crate::process::run;

/// Where the earlier checkout lies. Its target folder is kept for the next run.
pub fn folder() -> PathBuf {
    harness().join("target/before")
}

/// Puts the tree of this commit into [`folder`], in place of what another run put there.
pub fn check_out(commit: &str) -> Result<()> {
    let folder = folder();
    for part in ["crates", "benches/palisade/src"] {
        let part = folder.join(part);
        if part.exists() {
            fs::remove_dir_all(part)?;
        }
    }
    fs::create_dir_all(&folder)?;
    let archive = folder.join("tree.tar");
    let mut git = Command::new("git");
    git.current_dir(harness().join("../.."))
        .args(["archive", "--output"]);
    git.arg(&archive).args(["--end-of-options", commit]);
    run(&mut git).with_context(|| format!("there is no commit {commit} to measure"))?;
    run(Command::new("tar")
        .arg("-x")
        .current_dir(&folder)
        .stdin(File::open(&archive)?))
}
