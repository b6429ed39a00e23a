//! Second factors in MySQL or MariaDB.

use super::table::{FactorStatements, FactorTable};
use crate::mysql::{MySql, MySqlError, Table};

const TABLES: &[Table] = &[Table {
    name: "palisade_second_factor",
    sql: "CREATE TABLE IF NOT EXISTS palisade_second_factor (
                  user_id bigint NOT NULL PRIMARY KEY,
                  secret varchar(512) NOT NULL,
                  confirmed bigint NOT NULL,
                  last_step bigint NOT NULL,
                  recovery varchar(1024) NOT NULL,
                  revision bigint NOT NULL
              )",
}];

/// Keeps second factors in MySQL or MariaDB, in a table of its own.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::MySqlSecondFactors, mysql::MySql};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let factors = MySqlSecondFactors::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlSecondFactors(MySql);

impl MySqlSecondFactors {
    /// Keeps second factors in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

impl FactorTable for MySqlSecondFactors {
    type Database = MySql;

    const STATEMENTS: FactorStatements = FactorStatements {
        find: "SELECT secret, confirmed, last_step, recovery, revision
               FROM palisade_second_factor WHERE user_id = ?",
        insert: "INSERT INTO palisade_second_factor
                 (secret, confirmed, last_step, recovery, revision, user_id)
                 VALUES (?, ?, ?, ?, ?, ?)",
        swap: "UPDATE palisade_second_factor
               SET secret = ?, confirmed = ?, last_step = ?, recovery = ?, revision = ?
               WHERE user_id = ? AND revision = ?",
        remove: "DELETE FROM palisade_second_factor WHERE user_id = ?",
    };

    fn database(&self) -> &MySql {
        &self.0
    }
}
