//! Goes through a table of users and puts keyed hashes around old ones, as fast as there are cores.
//!
//! It may be interrupted at any moment: each hash is replaced by itself, and one that is wrapped is not wrapped again.

use std::fmt;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use palisade::auth::{PasswordTable, StoredPassword};
use palisade::password::Hashers;

/// How many rows are read at a time.
const PAGE: u32 = 500;

/// After how many hashes the person who waits is told …
const WRAPPED: u64 = 100;

/// … and after how many users, where there is nothing to do.
const USERS: u64 = 10_000;

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Hashes that are wrapped now.
    pub(crate) wrapped: u64,
    /// Hashes that were left as they are.
    pub(crate) left: u64,
}

impl Progress {
    fn count(&mut self, wrapped: bool) {
        *(if wrapped {
            &mut self.wrapped
        } else {
            &mut self.left
        }) += 1;
    }

    /// Whether this one is worth telling.
    fn is_round(self, wrapped: bool) -> bool {
        (wrapped && self.wrapped.is_multiple_of(WRAPPED)) || (self.wrapped + self.left).is_multiple_of(USERS)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = self.wrapped + self.left;
        write!(f, "{users} users so far: {} old hashes wrapped", self.wrapped)
    }
}

/// Goes through the table once, and says how many hashes were wrapped and how many left as they are.
pub(crate) async fn wrap(
    users: &dyn PasswordTable,
    hashers: &Hashers,
    tell: impl Fn(Progress),
) -> Result<Progress> {
    let mut progress = Progress::default();
    let done = wrap_all(users, hashers, &mut progress, tell).await;
    let stopped = || format!("stopped after {progress}. Run it again: it goes on with those that are left");
    done.with_context(stopped)?;
    Ok(progress)
}

async fn wrap_all(
    users: &dyn PasswordTable,
    hashers: &Hashers,
    progress: &mut Progress,
    tell: impl Fn(Progress),
) -> Result<()> {
    let at_a_time = available_parallelism().map_or(1, usize::from);
    let mut after = i64::MIN;
    loop {
        let page = users
            .stored_passwords(after, PAGE)
            .await
            .context("the users cannot be read")?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        let work = page.into_iter().map(|stored| wrap_one(users, hashers, stored));
        let mut done = stream::iter(work).buffer_unordered(at_a_time);
        while let Some(wrapped) = done.try_next().await? {
            progress.count(wrapped);
            if progress.is_round(wrapped) {
                tell(*progress);
            }
        }
    }
}

async fn wrap_one(users: &dyn PasswordTable, hashers: &Hashers, stored: StoredPassword) -> Result<bool> {
    let Some(new) = hashers.wrap(&stored.password).await? else {
        return Ok(false);
    };
    // Whoever logs in at this moment has a better hash already, which is kept.
    let replaced = users.replace_password(stored.id, &stored.password, new).await;
    replaced.context("the table cannot be written")
}
