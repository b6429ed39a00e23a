//! `palisade keys`: makes a key, and puts keyed hashes around old ones.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use palisade::Sensitive;
use palisade::clock::Clock;
use palisade::password::{Hashers, make_key, read_keys};
use palisade::sqlite::{Sqlite, SqliteError, params};

/// How many rows are read at a time.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Makes today's key, `DIR/2026-11-01.key`, readable by you alone. New passwords are hashed under the newest key.
    Make {
        /// The folder of the keys. Keep it out of the database's backups.
        dir: PathBuf,
    },
    /// Wraps every old MD5 or SHA hash of a user table in a keyed one, in place. No password is needed. The
    /// sessions of these users end; their next login replaces the wrapped hash by a new one.
    Wrap {
        /// The folder of the keys.
        dir: PathBuf,
        /// The SQLite database that has the table `auth_user`.
        #[arg(long)]
        database: PathBuf,
    },
}

impl Verb {
    pub(crate) async fn run(self) -> Result<String> {
        let clock = Clock::system();
        match self {
            Self::Make { dir } => {
                let path = make_key(dir, clock.now())?;
                Ok(format!(
                    "made {}\nCopy it to every server, and keep a copy where the database's are not: without it, nobody whose password \
                     is hashed under it can log in.",
                    path.display()
                ))
            }
            Self::Wrap { dir, database } => {
                ensure!(
                    database.is_file(),
                    "there is no database at {}",
                    database.display()
                );
                let keys = read_keys(dir, clock.now())?;
                let hashers = Hashers::default().with_keys(keys, clock);
                let (wrapped, left) = wrap(&Sqlite::open(&database)?, &hashers).await?;
                Ok(format!(
                    "wrapped {wrapped} old hashes; {left} others are slow or keyed already, or belong to nobody"
                ))
            }
        }
    }
}

/// Goes through the table once, and says how many hashes were wrapped and how many left as they are.
async fn wrap(database: &Sqlite, hashers: &Hashers) -> Result<(usize, usize)> {
    let (mut wrapped, mut left, mut after) = (0, 0, i64::MIN);
    loop {
        let page: Vec<(i64, String)> = database
            .read(|reader| {
                reader.all(
                    "SELECT id, password FROM auth_user WHERE id > ?1 ORDER BY id LIMIT ?2",
                    params![after, PAGE],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .context("the users cannot be read; is there a table auth_user?")?;
        let Some((last, _)) = page.last() else {
            return Ok((wrapped, left));
        };
        after = *last;
        for (id, stored) in page {
            let old = Sensitive::new(stored);
            let Some(new) = hashers.wrap(&old).await? else {
                left += 1;
                continue;
            };
            // Whoever logs in at this moment has a better hash already, which is kept.
            let replaced: Result<usize, SqliteError> = database
                .write(move |writer| {
                    writer.execute(
                        "UPDATE auth_user SET password = ?3 WHERE id = ?1 AND password = ?2",
                        params![id, old.expose(), new.expose()],
                    )
                })
                .await;
            wrapped += replaced.context("the table cannot be written")?;
        }
    }
}
