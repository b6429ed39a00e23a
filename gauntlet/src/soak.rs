//! What people were promised outlives a vault that is killed again and again.
//!
//! Several people write, change, share, take back and log out, while the vault is killed with SIGKILL at moments that a seed chooses, and
//! started again in the same folder. Whatever was answered must be there afterwards; what was sent and not answered may be there or
//! not. Who is right is decided by [`Register`] and [`Ended`], which know nothing of HTTP, so that a lying history can be shown to them.

mod person;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Target;
use crate::siege::memory_bound;
use person::Busy;

/// How many people are at work.
const PEOPLE: u64 = 4;

/// A life of the vault is as long as this and up to three seconds more.
const LEAST_LIFE: u64 = 1_000;
const MORE_LIFE: u64 = 3_000;

/// What somebody was promised of one value that only they change.
#[derive(Clone, Debug, Default)]
pub struct Register<T> {
    kept: T,
    perhaps: Vec<T>,
}

impl<T: Clone + PartialEq + std::fmt::Debug> Register<T> {
    /// Begins with a value that is known to be there.
    pub fn holding(kept: T) -> Register<T> {
        Register {
            kept,
            perhaps: Vec::new(),
        }
    }

    /// Notes that a change was sent: from now on it may be there.
    pub fn send(&mut self, value: T) {
        self.perhaps.push(value);
    }

    /// Notes that the change that was sent last was answered: from now on it must be there.
    pub fn acknowledge(&mut self) {
        if let Some(value) = self.perhaps.pop() {
            self.kept = value;
            self.perhaps.clear();
        }
    }

    /// Compares with what is there.
    ///
    /// # Errors
    /// When it is neither what was promised nor what was sent since.
    pub fn see(&mut self, seen: T) -> Result<()> {
        ensure!(
            seen == self.kept || self.perhaps.contains(&seen),
            "promised was {:?}, since then {:?} was sent, and there is {seen:?}",
            self.kept,
            self.perhaps
        );
        // Once seen it counts as promised: what has been there cannot be undone by the next start.
        self.kept = seen;
        self.perhaps.clear();
        Ok(())
    }
}

/// The sessions that somebody was told have ended.
#[derive(Debug, Default)]
pub struct Ended(Vec<String>);

impl Ended {
    /// Notes that the end of a session was answered.
    pub fn acknowledge(&mut self, session: String) {
        self.0.push(session);
    }

    /// Lists the sessions.
    pub fn sessions(&self) -> &[String] {
        &self.0
    }

    /// Compares with whether a session is logged in.
    ///
    /// # Errors
    /// When an ended one is.
    pub fn see(&self, session: &str, logged_in: bool) -> Result<()> {
        let ended = self.0.iter().any(|one| one == session);
        ensure!(
            !(ended && logged_in),
            "a session that was ended is logged in again"
        );
        Ok(())
    }
}

/// What a soak consisted of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toll {
    /// How often the vault was killed.
    pub kills: usize,
    /// How many changes were answered.
    pub promises: usize,
    /// How many were sent and not answered.
    pub unanswered: usize,
    /// How often a note was compared with what was promised of it after a start.
    pub compared: usize,
    /// How many sessions were ended, and tried again after a start.
    pub ended: usize,
    /// The most memory that a vault had at the end of its life.
    pub memory: u64,
}

/// Numbers that a seed decides (splitmix64).
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % most.max(1)
    }
}

/// Soaks a vault for so long, and says what it took.
///
/// # Errors
/// When a promise was broken, or the vault does not start again.
pub async fn soak(time: Duration, seed: u64) -> Result<Toll> {
    let begun = Instant::now();
    let mut dice = Dice(seed);
    let mut target = Target::vault_with(&["--log", "error"]).await?;
    let (moved, address) = watch::channel(target.address());
    let mut people = JoinSet::new();
    for number in 0..PEOPLE {
        let busy = Busy::enter(&target, number, Dice(seed ^ (number + 1)), address.clone()).await?;
        people.spawn(busy.work());
    }
    drop(address);
    let mut toll = Toll::default();
    while begun.elapsed() < time {
        let life = Duration::from_millis(LEAST_LIFE + dice.below(MORE_LIFE));
        tokio::select! {
            () = tokio::time::sleep(life) => {}
            // Nobody ends before the soak does, unless a promise was broken.
            Some(ended) = people.join_next() => {
                ended??;
                anyhow::bail!("somebody has stopped working");
            }
        }
        toll.memory = toll.memory.max(target.memory()?);
        target = target.killed_and_started().await?;
        toll.kills += 1;
        nothing_half_done(target.folder().context("the vault has no folder")?)?;
        moved.send(target.address())?;
    }
    drop(moved);
    while let Some(busy) = people.join_next().await {
        let mut busy = busy??;
        let more = busy.look_back(target.address()).await?;
        toll.promises += more.promises;
        toll.unanswered += more.unanswered;
        toll.compared += more.compared;
        toll.ended += more.ended;
    }
    ensure!(
        toll.memory < memory_bound(),
        "a vault needed {} MiB at the end of its life",
        toll.memory / 1024 / 1024
    );
    Ok(toll)
}

/// Sees that no upload that a kill has cut off lies in a spool of the data folder.
fn nothing_half_done(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let is_spool = path.file_name().is_some_and(|name| name == "spool");
        if is_spool {
            let left = files_below(&path)?;
            ensure!(left == 0, "{left} unfinished files in {}", path.display());
        } else {
            nothing_half_done(&path)?;
        }
    }
    Ok(())
}

/// Counts the files that have content; a lock has none.
fn files_below(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() {
            files_below(&entry.path())?
        } else {
            usize::from(entry.metadata()?.len() > 0)
        };
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_answered_write_is_found() {
        let mut note = Register::holding("first");
        note.send("second");
        note.acknowledge();
        assert!(note.clone().see("second").is_ok());
        assert!(note.see("first").is_err());
    }

    #[test]
    fn unanswered_write_may_be_there_or_not_but_nothing_else() {
        let mut note = Register::holding("first");
        note.send("second");
        assert!(note.clone().see("first").is_ok());
        assert!(note.clone().see("second").is_ok());
        assert!(note.see("third").is_err());
    }

    #[test]
    fn write_that_was_seen_does_not_go_away_again() {
        let mut note = Register::holding("first");
        note.send("second");
        note.see("second").unwrap();
        assert!(note.see("first").is_err());
    }

    #[test]
    fn resurrected_session_is_found() {
        let mut ended = Ended::default();
        ended.acknowledge("old".to_owned());
        assert!(ended.see("old", false).is_ok());
        assert!(ended.see("new", true).is_ok());
        assert!(ended.see("old", true).is_err());
    }

    #[test]
    fn half_an_upload_in_a_spool_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("media").join("spool");
        fs::create_dir_all(&spool).unwrap();
        nothing_half_done(folder.path()).unwrap();
        fs::write(spool.join("4711"), "half").unwrap();
        assert!(nothing_half_done(folder.path()).is_err());
    }
}
