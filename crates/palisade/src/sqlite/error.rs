//! What can go wrong with a database, in sentences for the person who runs it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::rejection::Rejection;

/// Why a database could not be opened, read or written.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The file or its folder cannot be read and written.
    #[error("cannot open the database {}: {reason}", path.display())]
    Unopenable {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// The file is not a database, or its pages contradict one another.
    #[error(
        "the database {} is damaged ({reason}): put back a copy of it, or move it away to start with an empty one",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check found.
        reason: String,
    },
    /// A step of the schema could not be applied.
    #[error("the database could not be brought up to date at step {name:?}: {reason}")]
    Migration {
        /// The step's name.
        name: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// A statement failed.
    #[error("a database statement failed")]
    Statement(#[from] rusqlite::Error),
    /// The writing was done but could not be committed: nothing of it remains.
    #[error("the database could not commit")]
    NotCommitted(#[source] Arc<rusqlite::Error>),
    /// The writer did not come to this work before its deadline: it has not been done and will not be.
    #[error(
        "the database did not come to this write in time: there is too much to write, or another program holds its lock"
    )]
    Overloaded,
    /// The work had begun, and the writer did not report its end in time: it may have been done.
    #[error("the database did not answer in time, the change may have been made")]
    Unanswered,
    /// The writer has stopped.
    #[error("the database is closed for writing")]
    Closed,
    /// The work panicked: what it had done was undone.
    #[error("the work handed to the database panicked")]
    Panicked,
    /// The thread that writes could not be started.
    #[error("the database's writing thread could not be started")]
    NoThread(#[source] std::io::Error),
}

impl SqliteError {
    /// Tells whether a row with the same unique value was there already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement(error) if matches!(
            error.sqlite_extended_error_code(),
            Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
        ))
    }

    /// Tells whether asking again later may succeed, so that the client is owed a 503 and not a 500.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Overloaded | Self::Unanswered | Self::Closed => true,
            Self::Statement(error) => is_transient(error),
            Self::NotCommitted(error) => is_transient(error),
            _ => false,
        }
    }

    /// Explains an error of opening the file at `path`.
    pub(super) fn while_opening(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Damaged {
                path,
                reason: "it is not an SQLite database".into(),
            },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                reason: error.to_string(),
            },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Unopenable {
                    path,
                    reason: "this user may not both read and write it and the folder that it lies in".into(),
                }
            }
            _ => Self::Unopenable {
                path,
                reason: error.to_string(),
            },
        }
    }
}

/// The same text, and what caused it: what `main` returns is shown by its `Debug`.
impl fmt::Debug for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        std::error::Error::source(self).map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

/// What passes is a 503, as a fault of the store never is an empty answer; everything else is a 500.
impl From<SqliteError> for Rejection {
    fn from(error: SqliteError) -> Self {
        let source =
            std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
        let reason = format!("{error}{source}");
        if error.is_temporary() {
            Rejection::unavailable(reason, 5).with_hint("Please try again in a moment.")
        } else {
            Rejection::internal(reason)
        }
    }
}

fn is_transient(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
        )
    )
}
