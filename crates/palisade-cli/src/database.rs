//! Which database an address means. What speaks to a server is there if the command was built with its feature.

#[cfg(not(all(feature = "mysql", feature = "postgres")))]
mod absent;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;

#[cfg(not(feature = "mysql"))]
use absent as mysql;
#[cfg(not(feature = "postgres"))]
use absent as postgres;

use std::path::Path;

use anyhow::{Result, bail, ensure};
use palisade::auth::{PasswordTable, SqliteUsers, UserTable};
use palisade::sqlite::Sqlite;

/// Opens the table of users at an address, and sees that it is there.
pub(crate) async fn open(address: &str, table: &UserTable) -> Result<Box<dyn PasswordTable>> {
    match address.split_once("://") {
        Some(("postgres" | "postgresql", _)) => postgres::open(address, table).await,
        Some(("mysql", _)) => mysql::open(address, table).await,
        // There may be a password in it, which is not to be shown.
        Some((scheme, _)) => bail!(
            "`{scheme}://…` is no database that this command knows: name a file of SQLite, postgres://… or mysql://…"
        ),
        None => {
            let file = Path::new(address);
            // Opening it would make it.
            ensure!(file.is_file(), "there is no database at {}", file.display());
            Ok(Box::new(SqliteUsers::of_table(Sqlite::open(file)?, table)?))
        }
    }
}
