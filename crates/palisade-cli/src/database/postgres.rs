//! A table of users in PostgreSQL, under the library's rules of addresses and TLS.

use anyhow::Result;
use palisade::auth::{PasswordTable, PostgresUsers, UserTable};
use palisade::postgres::Postgres;

pub(super) async fn open(address: &str, table: &UserTable) -> Result<Box<dyn PasswordTable>> {
    let database = Postgres::open(address).await?;
    Ok(Box::new(PostgresUsers::of_table(database, table).await?))
}
