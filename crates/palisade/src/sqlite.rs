//! SQLite in process: readers on each thread, one writer with group commit.
//!
//! A look-up of a session costs about two microseconds when it runs where the request runs, and sixty when it is handed
//! to another thread and back; so [`Sqlite::read`] runs at once, on a read-only connection that belongs to the
//! calling thread. SQLite lets one connection write at a time, so all writing goes to one thread, which commits
//! whatever has queued up in one transaction: nobody ever waits for a lock, and a disk write serves many requests.
//!
//! Query text is a `&'static str` by type ([`Reader`], [`Writer`]): it cannot be put together from a request
//! (CWE-89), and values only ever travel as bound parameters.
//!
//! # Security
//!
//! The file is created readable by its owner alone. SQLite does not encrypt: whoever can read the file reads all of
//! it, which is why sessions and passwords are stored in forms that do not help a thief. Freed pages are overwritten
//! where that costs no extra write, the schema of the file is not trusted to call functions, and text in double quotes
//! is never taken for a string.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

pub(crate) mod datetime;
mod error;
mod keeper;
mod migration;
mod open;
mod queue;
mod seat;
mod statement;
#[cfg(test)]
mod tests;

pub use error::SqliteError;
pub use migration::Migration;
pub use open::{Durability, SqliteOptions};
pub use rusqlite::{Row, named_params, params, types};
pub use statement::{Reader, Writer};

/// One SQLite database, shared by all who hold a clone.
///
/// # Example
///
/// ```
/// use palisade::sqlite::{Migration, Sqlite, SqliteError, params};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let db = Sqlite::in_memory()?;
/// db.migrate(&[Migration {
///     version: 1,
///     name: "notes",
///     sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",
/// }])?;
/// let id = db
///     .write(|writer| -> Result<i64, SqliteError> {
///         writer.execute("INSERT INTO note (body) VALUES (?1)", params!["meet me at nine"])?;
///         Ok(writer.last_insert_id())
///     })
///     .await?;
/// let body: Option<String> =
///     db.read(|reader| reader.one("SELECT body FROM note WHERE id = ?1", params![id], |row| row.get(0)))?;
/// assert_eq!(body.as_deref(), Some("meet me at nine"));
/// # Ok::<(), SqliteError>(())
/// # }).unwrap();
/// ```
///
/// Query text that is not a literal does not compile:
///
/// ```compile_fail,E0716
/// # use palisade::sqlite::Sqlite;
/// # let db = Sqlite::in_memory().unwrap();
/// let name = String::from("x' OR '1'='1");
/// db.read(|reader| reader.all(&format!("SELECT * FROM auth_user WHERE username = '{name}'"), [], |row| row.get::<_, i64>(0)));
/// ```
#[derive(Clone)]
pub struct Sqlite(Arc<open::Database>);

impl Sqlite {
    /// Opens the database at `path` with the default options, making the file (mode 0600) if there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, is not a database or is damaged: each with one sentence that names it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        SqliteOptions::new().open(path)
    }

    /// Opens a fresh database for a test: a file in a private temporary folder, gone with the last clone.
    ///
    /// It is a file, although a short-lived one that is never synced to the disk, because SQLite's true in-memory databases know
    /// neither the write-ahead log nor readers beside a writer: a test on them would test something else.
    ///
    /// # Errors
    ///
    /// When the machine has no writable temporary folder.
    pub fn in_memory() -> Result<Self, SqliteError> {
        SqliteOptions::new().open_temporary()
    }

    /// Reads at once, on this thread's own connection; what it sees is what was committed before.
    ///
    /// Meant for look-ups by key, which take microseconds. A query that scans a table belongs in
    /// `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// When the connection cannot be opened or a statement fails.
    pub fn read<R>(
        &self,
        look_up: impl FnOnce(&Reader<'_>) -> Result<R, SqliteError>,
    ) -> Result<R, SqliteError> {
        seat::with_connection(&self.0, |connection| look_up(&Reader::new(connection)))
    }

    /// Writes on the writer thread, and answers once the change is committed.
    ///
    /// The work is all or nothing: an error or a panic undoes what it did, and only that, although it
    /// shares its transaction with others. Once queued, which needs the future to be polled once and the queue to have room, it runs even
    /// if the future is dropped: a client that hangs up during its logout is logged out.
    ///
    /// # Errors
    ///
    /// The work's own error; or, turned into the work's error type, [`SqliteError::Overloaded`] when it could not start before
    /// the deadline (it will then never run), [`SqliteError::Closed`] when the writer is gone,
    /// [`SqliteError::NotCommitted`] when the disk refused, [`SqliteError::Panicked`] when the work panicked.
    pub fn write<R, E, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<R, E>> + Send + 'static + use<R, E, F>
    where
        F: FnOnce(&Writer<'_>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<SqliteError> + Send + 'static,
    {
        let database = Arc::clone(&self.0);
        async move { database.queue().write(work).await }
    }

    /// Applies those of `migrations` that this database has not seen, each in a transaction of its own.
    ///
    /// Names are unique across the application, versions order one list; what was applied is recorded in the table
    /// `palisade_migrations`. Blocks: call it while starting.
    ///
    /// # Errors
    ///
    /// [`SqliteError::Migration`] with the name of the one that failed; those before it stay applied.
    pub fn migrate(&self, migrations: &'static [Migration]) -> Result<(), SqliteError> {
        migration::apply(
            &mut self.0.connect_to_write()?,
            migrations,
            !self.0.is_temporary(),
        )
    }

    /// Stops the writer after all that is queued has been committed; later writes are refused, reads go on.
    ///
    /// # Errors
    ///
    /// [`SqliteError::Closed`] when it was stopped before.
    pub async fn close(&self) -> Result<(), SqliteError> {
        self.0.queue().close().await
    }

    /// Tells where the database lies.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sqlite").field(&self.path()).finish()
    }
}
