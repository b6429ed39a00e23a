//! Second factors in SQLite in process.

use super::table::{FactorStatements, FactorTable};
use crate::sqlite::{Migration, Sqlite, SqliteError};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "palisade_second_factor",
    sql: "CREATE TABLE IF NOT EXISTS palisade_second_factor (
                  user_id bigint NOT NULL PRIMARY KEY,
                  secret varchar(512) NOT NULL,
                  confirmed bigint NOT NULL,
                  last_step bigint NOT NULL,
                  recovery varchar(1024) NOT NULL,
                  revision bigint NOT NULL
              );",
}];

/// Keeps second factors in SQLite in process, in a table of its own.
///
/// # Example
///
/// ```
/// use palisade::{auth::SqliteSecondFactors, sqlite::Sqlite};
///
/// let factors = SqliteSecondFactors::new(Sqlite::in_memory()?)?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteSecondFactors(Sqlite);

impl SqliteSecondFactors {
    /// Keeps second factors in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the table cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        Ok(Self(database))
    }
}

impl FactorTable for SqliteSecondFactors {
    type Database = Sqlite;

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

    fn database(&self) -> &Sqlite {
        &self.0
    }
}
