//! Second factors in PostgreSQL.

use super::table::{FactorStatements, FactorTable};
use crate::postgres::{Postgres, PostgresError, Table};

const TABLES: &[Table] = &[Table {
    name: "palisade_second_factor",
    sql: "CREATE TABLE palisade_second_factor (
                  user_id bigint NOT NULL PRIMARY KEY,
                  secret varchar(512) NOT NULL,
                  confirmed bigint NOT NULL,
                  last_step bigint NOT NULL,
                  recovery varchar(1024) NOT NULL,
                  revision bigint NOT NULL
              );",
}];

/// Keeps second factors in PostgreSQL, in a table of its own.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::PostgresSecondFactors, postgres::Postgres};
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let factors = PostgresSecondFactors::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresSecondFactors(Postgres);

impl PostgresSecondFactors {
    /// Keeps second factors in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the table is missing and cannot be made.
    pub async fn new(database: Postgres) -> Result<Self, PostgresError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

impl FactorTable for PostgresSecondFactors {
    type Database = Postgres;

    const STATEMENTS: FactorStatements = FactorStatements {
        find: "SELECT secret, confirmed, last_step, recovery, revision
               FROM palisade_second_factor WHERE user_id = $1",
        insert: "INSERT INTO palisade_second_factor
                 (secret, confirmed, last_step, recovery, revision, user_id)
                 VALUES ($1, $2, $3, $4, $5, $6)",
        swap: "UPDATE palisade_second_factor
               SET secret = $1, confirmed = $2, last_step = $3, recovery = $4, revision = $5
               WHERE user_id = $6 AND revision = $7",
        remove: "DELETE FROM palisade_second_factor WHERE user_id = $1",
    };

    fn database(&self) -> &Postgres {
        &self.0
    }
}
