//! A table of users in MySQL or MariaDB, under the library's rules of addresses and TLS.

use anyhow::Result;
use palisade::auth::{MySqlUsers, PasswordTable, UserTable};
use palisade::mysql::MySql;

pub(super) async fn open(address: &str, table: &UserTable) -> Result<Box<dyn PasswordTable>> {
    let database = MySql::open(address).await?;
    Ok(Box::new(MySqlUsers::of_table(database, table).await?))
}
