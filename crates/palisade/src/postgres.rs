//! PostgreSQL over the network: look-ups share connections, changes have one each, and nothing waits for ever.
//!
//! A look-up by key is one question and one answer: it is sent over a connection that other requests are using at the same
//! time (`lanes.rs`), prepared once. A change that has to read first locks its row (`SELECT … FOR UPDATE`) on a
//! connection of its own from a pool; its beginning travels with the first statement, and its end with the last: two
//! journeys, not four.
//!
//! A server that is gone is a 503 and nothing else: each wait has a deadline, lost connections are replaced when the
//! next request comes, and no process has to be started again.
//!
//! Query text is a `&'static str` by type: it cannot be put together from a request (CWE-89), and values only ever
//! travel as bound parameters.
//!
//! # Security
//!
//! With TLS the server's certificate and name are always checked (`libpq`'s `verify-full`), and a server on another
//! machine is spoken to over TLS unless the address says `sslmode=disable`. Errors repeat what the server said but not its details, which
//! quote rows; the address with its password is never shown.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use futures_util::TryStreamExt;
use tokio::time::timeout;

mod bound;
mod connector;
mod error;
mod lanes;
mod open;
mod server;
mod table;
mod tls;
mod writer;

pub use error::PostgresError;
pub use open::PostgresOptions;
pub use tokio_postgres::Row;
pub use tokio_postgres::types::ToSql;

pub(crate) use table::Table;
pub use writer::PostgresWriter;

use bound::bound;
use lanes::Lanes;
use server::Server;

/// One PostgreSQL database, shared by all who hold a clone.
///
/// # Example
///
/// ```no_run
/// use palisade::postgres::Postgres;
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let number = 42_i64;
/// let notes = database
///     .all("SELECT body FROM note WHERE owner_id = $1", &[&number], |row| row.try_get::<_, String>(0))
///     .await?;
/// # Ok(()) }
/// ```
///
/// Query text that is not a literal does not compile:
///
/// ```compile_fail,E0716
/// # use palisade::postgres::Postgres;
/// # async fn find(database: Postgres) {
/// let name = String::from("x' OR '1'='1");
/// database
///     .all(&format!("SELECT id FROM auth_user WHERE username = '{name}'"), &[], |row| row.try_get::<_, i32>(0))
///     .await;
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres(Arc<Database>);

struct Database {
    pool: Pool,
    lanes: Lanes,
    statement_deadline: Duration,
    place: String,
    server: Server,
}

impl Postgres {
    /// Opens the database at an address such as `postgres://user:password@host/database?sslmode=verify-full`, with the
    /// default options.
    ///
    /// # Errors
    ///
    /// When the address is wrong, there is no certificate to trust, or the server cannot be reached.
    pub async fn open(address: &str) -> Result<Self, PostgresError> {
        PostgresOptions::new().open(address).await
    }

    fn new(database: Database) -> Self {
        Self(Arc::new(database))
    }

    /// Finds the first row, if there is one.
    ///
    /// The statement shares its connection with others: it must not wait for locks.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or does not answer in time, the statement fails, or the row does not have the
    /// shape that `row` expects.
    pub async fn one<T>(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
        row: impl FnOnce(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Option<T>, PostgresError> {
        let rows = self.look_up(sql, values).await?;
        Ok(rows.first().map(row).transpose()?)
    }

    /// Finds all rows.
    ///
    /// # Errors
    ///
    /// As [`Postgres::one`].
    pub async fn all<T>(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
        row: impl FnMut(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, PostgresError> {
        let rows = self.look_up(sql, values).await?;
        Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
    }

    /// Runs one statement that changes something, and tells how many rows it changed.
    ///
    /// # Errors
    ///
    /// As [`Postgres::one`]; see [`PostgresError::is_unique_violation`].
    pub async fn execute(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PostgresError> {
        let mut writer = self.writer().await?;
        writer.execute(sql, values).await
    }

    /// Takes a connection for changes in several steps.
    ///
    /// # Errors
    ///
    /// When none becomes free in time, or the server cannot be reached.
    pub async fn writer(&self) -> Result<PostgresWriter, PostgresError> {
        PostgresWriter::of(&self.0.pool, &self.0.server, self.0.statement_deadline).await
    }

    async fn look_up(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PostgresError> {
        let client = self.0.lanes.client().await?;
        let asked = async {
            let statement = client.prepare_cached(sql).await?;
            let rows = client.query_raw(&statement, bound(values)).await?;
            Ok(rows.try_collect().await?)
        };
        let answer = timeout(self.0.statement_deadline, asked)
            .await
            .unwrap_or(Err(PostgresError::Unanswered));
        match &answer {
            Err(error) if error.forgets_the_statement() => drop(client.statement_cache.remove(sql, &[])),
            Err(error) if !error.spares_the_connection() => self.0.lanes.close(&client),
            _ => {}
        }
        answer
    }

    /// How long is waited for the answer to a statement.
    pub(crate) fn statement_deadline(&self) -> Duration {
        self.0.statement_deadline
    }

    /// Asks the server whether it is there.
    async fn check(&self) -> Result<(), PostgresError> {
        self.look_up("SELECT 1", &[]).await.map(drop)
    }

    /// Makes those of `tables` that are missing, in one transaction.
    pub(crate) async fn provide(&self, tables: &'static [Table]) -> Result<(), PostgresError> {
        table::provide(self, tables).await
    }
}

/// Where it is, without user and password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.0.place).finish()
    }
}

/// Does work to its end, even if the client that asked for it hangs up: who logged out is out.
pub(crate) async fn to_the_end<R: Send + 'static>(
    work: impl Future<Output = Result<R, PostgresError>> + Send + 'static,
) -> Result<R, PostgresError> {
    tokio::spawn(work).await.unwrap_or(Err(PostgresError::Unanswered))
}
