//! What both sides stand on: a fresh database of Django's making, and the place where sessions are kept.
//!
//! Database servers and Redis are the tests' own. They are shared by the tests that run at the same time and end with
//! the last of them; each test has a database of its own there, a copy of one that was migrated once.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{Agreement, django};

/// Which database both sides share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// One file.
    Sqlite,
    /// A private PostgreSQL.
    Postgres,
    /// A private MariaDB.
    MariaDb,
}

impl Database {
    /// Every database.
    pub const ALL: [Database; 3] = [Database::Sqlite, Database::Postgres, Database::MariaDb];
}

/// Where both sides keep sessions: Django's `SESSION_ENGINE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEngine {
    /// `db`, as a site that says nothing.
    Db,
    /// `cache`, in a private Redis.
    Cache,
    /// `cached_db`, in the database behind a private Redis.
    CachedDb,
    /// `file`.
    File,
    /// `signed_cookies`.
    SignedCookies,
}

impl SessionEngine {
    /// Every engine.
    pub const ALL: [SessionEngine; 5] = [
        SessionEngine::Db,
        SessionEngine::Cache,
        SessionEngine::CachedDb,
        SessionEngine::File,
        SessionEngine::SignedCookies,
    ];

    /// The module's name in `django.contrib.sessions.backends`.
    fn module(self) -> &'static str {
        match self {
            SessionEngine::Db => "db",
            SessionEngine::Cache => "cache",
            SessionEngine::CachedDb => "cached_db",
            SessionEngine::File => "file",
            SessionEngine::SignedCookies => "signed_cookies",
        }
    }
}

/// How the address of a database that is a file begins.
const FILE: &str = "sqlite://";

/// A database and a place for sessions, which are gone when this is dropped.
pub(super) struct Ground {
    address: String,
    folder: TempDir,
    database: Database,
    sessions: SessionEngine,
    cache: Option<Arc<testkit::Redis>>,
    _migrated: Arc<Migrated>,
}

impl Ground {
    /// Makes a fresh one, on the database and with the engine that are agreed on.
    pub(super) fn new(agreement: &Agreement) -> Result<Ground> {
        let migrated = Migrated::running(agreement.database)?;
        let cache = matches!(agreement.sessions, SessionEngine::Cache | SessionEngine::CachedDb);
        Ok(Ground {
            address: migrated.copy()?,
            folder: tempfile::Builder::new().prefix("sessions-").tempdir()?,
            database: agreement.database,
            sessions: agreement.sessions,
            cache: cache.then(|| shared(&REDIS, testkit::Redis::start)).transpose()?,
            _migrated: migrated,
        })
    }

    pub(super) fn database(&self) -> Database {
        self.database
    }

    pub(super) fn sessions(&self) -> SessionEngine {
        self.sessions
    }

    /// Where a server's database is: what its driver is told.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The file of a database that is one.
    pub(super) fn file(&self) -> &str {
        self.address.strip_prefix(FILE).unwrap_or(&self.address)
    }

    /// Where sessions in files lie.
    pub(super) fn session_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where Redis is.
    pub(super) fn cache(&self) -> Result<String> {
        let cache = self.cache.as_ref().context("this engine has no cache")?;
        Ok(cache.url())
    }

    /// What Django's settings read from the environment.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![("SHOP_DATABASE", self.address.clone())];
        if self.sessions != SessionEngine::Db {
            environment.push(("SHOP_SESSIONS", self.sessions.module().to_owned()));
        }
        if self.sessions == SessionEngine::File {
            let folder = self.session_folder().display().to_string();
            environment.push(("SHOP_SESSION_FOLDER", folder));
        }
        if let Some(cache) = &self.cache {
            environment.push(("SHOP_CACHE", cache.url()));
        }
        environment
    }
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground")
            .field("database", &self.database)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// A database that Django has migrated, to be copied, and the server that it is on.
#[derive(Debug)]
struct Migrated {
    place: Place,
    copies: AtomicU32,
}

#[derive(Debug)]
enum Place {
    Folder(TempDir),
    Postgres(testkit::Postgres),
    MariaDb(testkit::MariaDb),
}

static SQLITE: Mutex<Weak<Migrated>> = Mutex::new(Weak::new());
static POSTGRES: Mutex<Weak<Migrated>> = Mutex::new(Weak::new());
static MARIADB: Mutex<Weak<Migrated>> = Mutex::new(Weak::new());
static REDIS: Mutex<Weak<testkit::Redis>> = Mutex::new(Weak::new());

/// The name of the database that the others are copies of.
const MIGRATED: &str = "migrated";

impl Migrated {
    fn running(database: Database) -> Result<Arc<Migrated>> {
        match database {
            Database::Sqlite => shared(&SQLITE, || {
                let folder = tempfile::Builder::new().prefix("migrated-").tempdir()?;
                Migrated::on(Place::Folder(folder))
            }),
            Database::Postgres => shared(&POSTGRES, || {
                Migrated::on(Place::Postgres(testkit::Postgres::start()?))
            }),
            Database::MariaDb => shared(&MARIADB, || {
                Migrated::on(Place::MariaDb(testkit::MariaDb::start()?))
            }),
        }
    }

    fn on(place: Place) -> Result<Migrated> {
        place.create(MIGRATED, None)?;
        django::migrate(&place.address(MIGRATED))?;
        Ok(Migrated {
            place,
            copies: AtomicU32::new(0),
        })
    }

    /// Copies the database, and says where the copy is.
    fn copy(&self) -> Result<String> {
        let name = format!("shop_{}", self.copies.fetch_add(1, Ordering::Relaxed));
        self.place.create(&name, Some(MIGRATED))?;
        Ok(self.place.address(&name))
    }
}

impl Place {
    fn create(&self, name: &str, like: Option<&str>) -> Result<()> {
        match self {
            Place::Folder(folder) => {
                if let Some(like) = like {
                    fs::copy(folder.path().join(like), folder.path().join(name))
                        .context("the migrated database cannot be copied")?;
                }
                Ok(())
            }
            Place::Postgres(server) => server.create(name, like),
            Place::MariaDb(server) => server.create(name, like),
        }
    }

    fn address(&self, name: &str) -> String {
        match self {
            Place::Folder(folder) => format!("{FILE}{}", folder.path().join(name).display()),
            Place::Postgres(server) => server.url_of(name),
            Place::MariaDb(server) => server.url_of(name),
        }
    }
}

/// What somebody else is using already, or a new one.
fn shared<T>(place: &Mutex<Weak<T>>, start: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = place.upgrade() {
        return Ok(running);
    }
    let started = Arc::new(start()?);
    *place = Arc::downgrade(&started);
    Ok(started)
}
