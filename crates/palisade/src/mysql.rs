//! MySQL and MariaDB over the network: a pool of connections, deadlines, TLS.
//!
//! A look-up by key is one prepared statement and one journey. A change that has to read first locks its row
//! (`SELECT … FOR UPDATE`) in a transaction; if the server ends it to resolve a deadlock, it is done again.
//!
//! A server that is gone is a 503 and nothing else: each wait has a deadline, lost connections are replaced when the
//! next request comes, and no process has to be started again.
//!
//! Query text is a `&'static str` by type: it cannot be put together from a request (CWE-89), and values only ever
//! travel as bound parameters.
//!
//! # Security
//!
//! With TLS the server's certificate and name are always checked, and a server on another machine is spoken to over TLS unless
//! the address says `ssl-mode=DISABLED`. MySQL's collations hold `a` and `Á` to be equal: what must be exact, as keys
//! and names are, is compared as bytes. Errors do not repeat the server's words where those quote a row.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Pool;

mod connection;
mod datetime;
mod error;
mod open;
mod pool;
mod table;

pub use connection::{MySqlConnection, field};
pub use error::MySqlError;
pub use mysql_async::{Row, Value};
pub use open::MySqlOptions;

pub(crate) use datetime::{from_value, to_value};
pub(crate) use table::Table;

use pool::Connector;

/// One MySQL or MariaDB database, shared by all who hold a clone.
///
/// # Example
///
/// ```no_run
/// use palisade::mysql::{MySql, field};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let mut connection = database.connection().await?;
/// let note = connection.one("SELECT body FROM note WHERE id = ?", vec![42.into()]).await?;
/// let body = note.map(|mut row| field::<String>(&mut row, 0)).transpose()?;
/// # Ok(()) }
/// ```
///
/// Query text that is not a literal does not compile:
///
/// ```compile_fail,E0716
/// # use palisade::mysql::MySqlConnection;
/// # async fn find(mut connection: MySqlConnection) {
/// let name = String::from("x' OR '1'='1");
/// connection.one(&format!("SELECT id FROM auth_user WHERE username = '{name}'"), Vec::new()).await;
/// # }
/// ```
#[derive(Clone)]
pub struct MySql(Arc<Database>);

struct Database {
    pool: Pool<Connector>,
    statement_deadline: Duration,
    place: String,
}

impl MySql {
    /// Opens the database at an address such as `mysql://user:password@host/database`, with the default options.
    ///
    /// # Errors
    ///
    /// When the address is wrong, there is no certificate to trust, or the server cannot be reached.
    pub async fn open(address: &str) -> Result<Self, MySqlError> {
        MySqlOptions::new().open(address).await
    }

    fn new(database: Database) -> Self {
        Self(Arc::new(database))
    }

    /// Takes a connection, for statements or a transaction.
    ///
    /// # Errors
    ///
    /// When none becomes free in time, or the server cannot be reached.
    pub async fn connection(&self) -> Result<MySqlConnection, MySqlError> {
        MySqlConnection::of(&self.0.pool, self.0.statement_deadline).await
    }

    /// Finds the first row, if there is one.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or does not answer in time, or the statement fails.
    pub async fn one(&self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, MySqlError> {
        self.connection().await?.one(sql, values).await
    }

    /// Finds all rows.
    ///
    /// # Errors
    ///
    /// As [`MySql::one`].
    pub async fn all(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, MySqlError> {
        self.connection().await?.all(sql, values).await
    }

    /// Runs one statement that changes something, and tells how many rows it found to change.
    ///
    /// # Errors
    ///
    /// As [`MySql::one`]; see [`MySqlError::is_unique_violation`].
    pub async fn execute(&self, sql: &'static str, values: Vec<Value>) -> Result<u64, MySqlError> {
        self.connection().await?.execute(sql, values).await
    }

    /// How long is waited for the answer to a statement.
    pub(crate) fn statement_deadline(&self) -> Duration {
        self.0.statement_deadline
    }

    /// Makes those of `tables` that are missing.
    pub(crate) async fn provide(&self, tables: &'static [Table]) -> Result<(), MySqlError> {
        table::provide(self, tables).await
    }
}

/// Where it is, without user and password.
impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MySql").field(&self.0.place).finish()
    }
}

/// How often work is begun again that the server ended to resolve a deadlock.
pub(crate) const TRIES: usize = 10;

/// Does work to its end, even if the client that asked for it hangs up: who logged out is out. It is done again if the
/// server ended it for the sake of another.
pub(crate) async fn to_the_end<R, F>(work: impl Fn() -> F + Send + 'static) -> Result<R, MySqlError>
where
    R: Send + 'static,
    F: Future<Output = Result<R, MySqlError>> + Send + 'static,
{
    let tried = tokio::spawn(async move {
        for _ in 1..TRIES {
            match work().await {
                Err(error) if error.is_deadlock() => tokio::task::yield_now().await,
                done => return done,
            }
        }
        work().await
    });
    tried.await.unwrap_or(Err(MySqlError::Unanswered))
}
