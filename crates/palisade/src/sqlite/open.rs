//! Opening a database: its file, its options, its connections.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::keeper::{Demand, Keeper};
use super::queue::Queue;
use super::seat::Seats;
use super::{Sqlite, SqliteError};

/// Files up to this size are read through once when they are opened; larger ones would delay the start for seconds.
const CHECKED_BYTES: u64 = 256 * 1024 * 1024;

/// Compiled statements that a connection keeps.
const STATEMENTS: usize = 128;

/// How long another process may hold the write lock before a statement fails.
const BUSY: Duration = Duration::from_secs(5);

/// What a power cut may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The last commits before a power cut may be lost, the database stays whole; a crash of the process loses
    /// nothing (`synchronous=NORMAL` with a write-ahead log).
    #[default]
    Normal,
    /// A commit is on the disk before it is answered (`synchronous=FULL`): about a disk flush slower.
    Full,
}

/// How a database is opened.
///
/// # Example
///
/// ```no_run
/// use palisade::sqlite::{Durability, SqliteOptions};
///
/// let db = SqliteOptions::new().with_durability(Durability::Full).open("vault.db")?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    synchronous: &'static str,
    deadline: Duration,
    queue: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: "NORMAL",
            deadline: Duration::from_secs(5),
            queue: 1024,
        }
    }
}

impl SqliteOptions {
    /// Starts from the defaults: [`Durability::Normal`], a queue of 1024, a deadline of five seconds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses what a power cut may cost.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.synchronous = match durability {
            Durability::Normal => "NORMAL",
            Durability::Full => "FULL",
        };
        self
    }

    /// Sets how long a write may wait for its turn.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many writes may wait in the queue; those beyond wait before it, until their deadline.
    #[must_use]
    pub fn with_queue(mut self, length: usize) -> Self {
        self.queue = length.max(1);
        self
    }

    /// Opens the database at `path`, making the file (mode 0600) if there is none.
    ///
    /// # Errors
    ///
    /// As [`Sqlite::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, SqliteError> {
        // Absolute, so that a name beginning `file:` is not read as a URI with options.
        let path = std::path::absolute(path.as_ref()).map_err(|error| unopenable(path.as_ref(), &error))?;
        self.start(path, None)
    }

    pub(super) fn open_temporary(mut self) -> Result<Sqlite, SqliteError> {
        self.synchronous = "OFF";
        let folder = TemporaryFolder::create()?;
        self.start(folder.0.join("palisade.db"), Some(folder))
    }

    fn start(self, path: PathBuf, folder: Option<TemporaryFolder>) -> Result<Sqlite, SqliteError> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        create_private(&path)?;
        let connection = connect_to_write(&path, self.synchronous)?;
        check_integrity(&path, &connection)?;
        let keeper = Keeper::start(connect_to_read(&path)?)?;
        let demand = keeper.demand();
        let queue = Queue::start(connection, keeper, self.queue, self.deadline)?;
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let synchronous = self.synchronous;
        let seats = Seats::default();
        Ok(Sqlite(Arc::new(Database {
            id,
            queue,
            demand,
            seats,
            path,
            synchronous,
            folder,
        })))
    }
}

/// One open database; its fields close in their order: first the writer, then the readers, then the folder goes.
pub(super) struct Database {
    id: u64,
    queue: Queue,
    demand: Demand,
    seats: Seats,
    path: PathBuf,
    synchronous: &'static str,
    folder: Option<TemporaryFolder>,
}

impl Database {
    /// Tells databases apart within the process; never used twice.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes with its last clone.
    pub(super) fn is_temporary(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn demand(&self) -> &Demand {
        &self.demand
    }

    pub(super) fn seats(&self) -> &Seats {
        &self.seats
    }

    pub(super) fn connect_to_write(&self) -> Result<Connection, SqliteError> {
        connect_to_write(&self.path, self.synchronous)
    }

    pub(super) fn connect_to_read(&self) -> Result<Connection, SqliteError> {
        connect_to_read(&self.path)
    }
}

fn connect_to_read(path: &Path) -> Result<Connection, SqliteError> {
    let explain = |error: rusqlite::Error| SqliteError::while_opening(path, &error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(explain)?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .map_err(explain)?;
    Ok(connection)
}

fn connect_to_write(path: &Path, synchronous: &'static str) -> Result<Connection, SqliteError> {
    let explain = |error: rusqlite::Error| SqliteError::while_opening(path, &error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(explain)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(explain)?;
    if mode != "wal" {
        let reason = format!("it cannot keep a write-ahead log here (journal mode {mode})");
        return Err(SqliteError::Unopenable {
            path: path.to_owned(),
            reason,
        });
    }
    connection
        .pragma_update(None, "synchronous", synchronous)
        .map_err(explain)?;
    // The log file shrinks again after a burst; freed pages are zeroed when they are written anyway.
    connection
        .execute_batch("PRAGMA journal_size_limit = 16777216; PRAGMA secure_delete = FAST;")
        .map_err(explain)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Otherwise SQLite compiles some statements again whenever another value is bound, to look at it while planning:
    // measured, 11 µs instead of 3 for a session joined with its user.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The cache holds the pages of some ten thousand sessions; it fills as they are read.
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;")?;
    Ok(connection)
}

fn check_integrity(path: &Path, connection: &Connection) -> Result<(), SqliteError> {
    let explain = |error: rusqlite::Error| SqliteError::while_opening(path, &error);
    let size = std::fs::metadata(path)
        .map_err(|error| unopenable(path, &error))?
        .len();
    let found: String = if size <= CHECKED_BYTES {
        connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(explain)?
    } else {
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok("ok".into()))
            .map_err(explain)?
    };
    if found == "ok" {
        return Ok(());
    }
    // The finding stands on the last line, below a heading that says nothing more.
    let reason = found
        .lines()
        .last()
        .unwrap_or("its pages contradict one another")
        .to_owned();
    Err(SqliteError::Damaged {
        path: path.to_owned(),
        reason,
    })
}

/// Makes the file for its owner alone; SQLite gives the log files the same mode.
fn create_private(path: &Path) -> Result<(), SqliteError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unopenable(path, &error)),
    }
}

fn unopenable(path: &Path, error: &std::io::Error) -> SqliteError {
    SqliteError::Unopenable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// A private folder that goes with its owner.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> Result<Self, SqliteError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("palisade-{}-{turn}", std::process::id()));
            match builder.create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unopenable(&folder, &error)),
            }
        }
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a temporary database was left behind");
        }
    }
}
