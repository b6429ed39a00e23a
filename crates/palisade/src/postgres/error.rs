//! What can go wrong with PostgreSQL, in sentences for the person who runs it.

use tokio_postgres::error::SqlState;

use super::bound::HoldsNul;
use crate::rejection::Rejection;

/// Why PostgreSQL could not be reached, read or written.
///
/// The reasons repeat what the server said, but not its details: those quote the values of a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The address of the server cannot be understood.
    #[error(
        "the address of PostgreSQL is wrong: {reason}; it looks like postgres://user:password@host/database"
    )]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no certificate to trust.
    #[error(
        "PostgreSQL's certificate cannot be checked: {reason}; name a file with the certificate authority in PEM \
         (sslrootcert=… in the address)"
    )]
    Trust {
        /// What is missing.
        reason: String,
    },
    /// The server cannot be reached, or does not let us in.
    #[error("PostgreSQL at {server} cannot be reached: {reason}")]
    Unreachable {
        /// Its host and port, without user and password.
        server: String,
        /// What the system or the server said.
        reason: String,
    },
    /// No connection became free in time: nothing has been done.
    #[error("all connections to PostgreSQL are busy")]
    Overloaded,
    /// The server did not answer in time: what was asked of it may have been done.
    #[error("PostgreSQL did not answer in time")]
    Unanswered,
    /// The connection ended in the midst of a statement: what was asked may have been done.
    #[error("the connection to PostgreSQL was lost: {reason}")]
    Lost {
        /// What the system said.
        reason: String,
    },
    /// A statement failed.
    #[error("PostgreSQL refused a statement: {reason}")]
    Statement {
        /// What the server said.
        reason: String,
        /// The server's code of the error.
        code: SqlState,
    },
    /// A row does not have the shape that was expected.
    #[error("a row of PostgreSQL is not of the expected shape: {reason}")]
    Row {
        /// What does not fit.
        reason: String,
    },
    /// A text holds the character NUL, which PostgreSQL cannot keep: nothing was asked of it.
    #[error("a text holds the character NUL, which PostgreSQL cannot keep")]
    Nul,
    /// A table is missing and could not be made.
    #[error("the table {table} is missing in PostgreSQL and could not be made: {reason}")]
    Table {
        /// The table.
        table: &'static str,
        /// What the server said.
        reason: String,
    },
}

impl PostgresError {
    /// Tells whether a row with the same unique value was there already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement { code, .. } if *code == SqlState::UNIQUE_VIOLATION)
    }

    /// Tells whether asking again later may succeed, so that the client is owed a 503 and not a 500.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Overloaded | Self::Unanswered | Self::Lost { .. } => true,
            // Connections, resources, the operator, conflicts; a server that became a standby, a row that another holds.
            Self::Statement { code, .. } => {
                ["08", "53", "57", "40"]
                    .iter()
                    .any(|class| code.code().starts_with(class))
                    || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                    || *code == SqlState::LOCK_NOT_AVAILABLE
            }
            _ => false,
        }
    }

    /// Tells whether the connection is as good as before: it was the statement that was refused, for what it said.
    pub(super) fn spares_the_connection(&self) -> bool {
        match self {
            // Of the connection, the transaction, resources, the operator, the system, and the server itself.
            Self::Statement { code, .. } => {
                let of_the_connection = ["08", "25", "53", "57", "58", "XX"];
                !of_the_connection
                    .iter()
                    .any(|class| code.code().starts_with(class))
            }
            Self::Nul => true,
            _ => false,
        }
    }

    /// Tells whether a prepared statement no longer fits the tables, or is not there any more.
    pub(super) fn forgets_the_statement(&self) -> bool {
        let stale = [
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INVALID_SQL_STATEMENT_NAME,
        ];
        matches!(self, Self::Statement { code, .. } if stale.contains(code))
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = reason(&error);
        match error.code() {
            Some(code) => Self::Statement {
                reason,
                code: code.clone(),
            },
            None if is_of::<HoldsNul>(&error) => Self::Nul,
            None if error.is_closed() || is_of::<std::io::Error>(&error) => Self::Lost { reason },
            None => Self::Row { reason },
        }
    }
}

/// What passes is a 503, as a fault of the store never is an empty answer; a text that cannot be kept is a 400, everything
/// else a 500.
impl From<PostgresError> for Rejection {
    fn from(error: PostgresError) -> Self {
        if error.is_temporary() {
            Rejection::unavailable(error.to_string(), 5).with_hint("Please try again in a moment.")
        } else if matches!(error, PostgresError::Nul) {
            Rejection::bad_request(error.to_string())
        } else {
            Rejection::internal(error.to_string())
        }
    }
}

fn is_of<E: std::error::Error + 'static>(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<E>)
}

/// What went wrong, without the details that quote a row.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return format!("{} ({})", told.message(), told.code().code());
    }
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(deeper) = source {
        let deeper_text = deeper.to_string();
        if !reason.ends_with(&deeper_text) {
            reason.push_str(": ");
            reason.push_str(&deeper_text);
        }
        source = deeper.source();
    }
    reason
}
