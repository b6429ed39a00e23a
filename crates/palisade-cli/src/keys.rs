//! `palisade keys`: makes a key, and puts keyed hashes around old ones.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use palisade::Sensitive;
use palisade::auth::UserTable;
use palisade::clock::Clock;
use palisade::password::{Hashers, make_key, read_keys};

use crate::database;
use crate::wrap;

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Makes today's key, `DIR/2026-11-01.key`, readable by you alone. New passwords are hashed under the newest key of the folder that
    /// `password_keys` names, and sessions sealed under the newest of `session_seal_keys`: make a folder for each.
    Make {
        /// The folder of the keys. Keep it out of the database's backups.
        dir: PathBuf,
    },
    /// Wraps every old MD5 or SHA hash of a user table in a keyed one, in place. No password is needed. The
    /// sessions of these users end; their next login replaces the wrapped hash by a new one.
    ///
    /// Django cannot read what this writes, and there is no way back: back up the table first.
    ///
    /// A hash takes a core for a quarter of a second. What is wrapped stays so: after an interruption, run it again.
    Wrap {
        /// The folder of the keys.
        dir: PathBuf,
        /// The database: a file of SQLite, `postgres://…` or `mysql://…`. An address with a password belongs into the
        /// environment, where other users of the machine do not see it.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database: Sensitive<String>,
        /// The table of users.
        #[arg(long, default_value = "auth_user")]
        table: String,
        /// Its primary key.
        #[arg(long, default_value = "id")]
        id_column: String,
        /// Its column of names to log in with.
        #[arg(long, default_value = "username")]
        username_column: String,
        /// Its column of stored passwords.
        #[arg(long, default_value = "password")]
        password_column: String,
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
                     is hashed under it can log in, and nothing that is sealed under it opens.",
                    path.display()
                ))
            }
            Self::Wrap {
                dir,
                database,
                table,
                id_column: id,
                username_column: username,
                password_column: password,
            } => {
                let keys = read_keys(dir, clock.now())?;
                let hashers = Hashers::default().with_keys(keys, clock);
                let table = table_of_passwords(table, id, username, password);
                let users = database::open(database.expose(), &table).await?;
                let done = wrap::wrap(&*users, &hashers, |so_far| {
                    // Where nobody listens any more, the work goes on.
                    drop(writeln!(io::stderr(), "{so_far}"));
                });
                Ok(done.await?.summary())
            }
        }
    }
}

/// What of a table has to be there for its passwords, whatever else it has.
fn table_of_passwords(table: String, id: String, username: String, password: String) -> UserTable {
    let none = String::new;
    UserTable {
        table,
        id,
        username,
        password,
        last_login: none(),
        is_superuser: none(),
        is_staff: none(),
        is_active: none(),
        email: none(),
        first_name: none(),
        last_name: none(),
        date_joined: none(),
        groups: none(),
        user_permissions: none(),
        user_id: none(),
    }
}
