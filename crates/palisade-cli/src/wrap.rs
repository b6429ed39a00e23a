//! Goes through a table of users and puts keyed hashes around old ones, as fast as there are cores.
//!
//! It may be interrupted at any moment: each hash is replaced by itself, and one that is wrapped is not wrapped again.

use std::fmt;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use palisade::auth::{PasswordTable, StoredPassword};
use palisade::password::Hashers;
use palisade_core::password::{EncodedPassword, KeyedPassword};

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
    wrapped: u64,
    /// Hashes that were left as they are, being slow or keyed already.
    good: u64,
    /// Hashes without a salt, which can neither be wrapped nor logged in with.
    unsalted: u64,
    /// Users without a password that anybody could log in with.
    unusable: u64,
}

/// What became of one stored password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    Wrapped,
    Good,
    Unsalted,
    Unusable,
}

impl Became {
    /// What a stored password is that was not wrapped.
    fn left(stored: &str) -> Self {
        match stored.parse::<EncodedPassword>() {
            Ok(EncodedPassword::UnsaltedMd5 { .. } | EncodedPassword::UnsaltedSha1 { .. }) => Self::Unsalted,
            Ok(_) => Self::Good,
            Err(_) if KeyedPassword::is_keyed(stored) => Self::Good,
            Err(_) => Self::Unusable,
        }
    }
}

impl Progress {
    fn count(&mut self, became: Became) {
        *(match became {
            Became::Wrapped => &mut self.wrapped,
            Became::Good => &mut self.good,
            Became::Unsalted => &mut self.unsalted,
            Became::Unusable => &mut self.unusable,
        }) += 1;
    }

    fn users(self) -> u64 {
        self.wrapped + self.good + self.unsalted + self.unusable
    }

    /// Says at the end what was done, and what there is still to do.
    pub(crate) fn summary(self) -> String {
        let are = |count: u64| if count == 1 { "is" } else { "are" };
        let mut told = vec![format!("wrapped {} old hashes", self.wrapped)];
        if self.good > 0 {
            told.push(format!("{} {} slow or keyed already", self.good, are(self.good)));
        }
        if self.unsalted > 0 {
            let one = self.unsalted == 1;
            let (with, is) = if one {
                ("it", "it is")
            } else {
                ("them", "they are")
            };
            told.push(format!(
                "{} unsalted MD5 or SHA-1 {} left: nobody can log in with {with}, but {is} read from a table in seconds: replace {with}",
                self.unsalted,
                are(self.unsalted)
            ));
        }
        if self.unusable > 0 {
            let have = if self.unusable == 1 { "has" } else { "have" };
            told.push(format!("{} {have} no usable password", self.unusable));
        }
        told.join("; ")
    }

    /// Whether this one is worth telling.
    fn is_round(self, became: Became) -> bool {
        (became == Became::Wrapped && self.wrapped.is_multiple_of(WRAPPED))
            || self.users().is_multiple_of(USERS)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = self.users();
        write!(f, "{users} users so far: {} old hashes wrapped", self.wrapped)
    }
}

/// Goes through the table once, and says how many hashes were wrapped, and why the others were not.
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
        while let Some(became) = done.try_next().await? {
            progress.count(became);
            if progress.is_round(became) {
                tell(*progress);
            }
        }
    }
}

async fn wrap_one(users: &dyn PasswordTable, hashers: &Hashers, stored: StoredPassword) -> Result<Became> {
    let Some(new) = hashers.wrap(&stored.password).await? else {
        return Ok(Became::left(stored.password.expose()));
    };
    // Whoever logs in at this moment has a better hash already, which is kept.
    let replaced = users.replace_password(stored.id, &stored.password, new).await;
    let replaced = replaced.context("the table cannot be written")?;
    Ok(if replaced { Became::Wrapped } else { Became::Good })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_what_there_is_to_do_about_it() {
        let mut progress = Progress::default();
        for _ in 0..2 {
            progress.count(Became::Wrapped);
        }
        for stored in [
            "pbkdf2_sha256$600000$seasalt1seasalt1seasalt$oFBnS0DdLmFh",
            "keyed$2026-11-01$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaA",
            "hh$sha1$salty$bcrypt$2a$04$abcdefghijklmnopqrstuupQb5bwcjHU/mxFN/aw8cfhkjGeeMc0C$2011-01-01",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "!unusable",
        ] {
            progress.count(Became::left(stored));
        }
        assert_eq!(
            progress.summary(),
            "wrapped 2 old hashes; 3 are slow or keyed already; 1 unsalted MD5 or SHA-1 is left: nobody can log in with it, but it \
             is read from a table in seconds: replace it; 1 has no usable password"
        );
    }
}
