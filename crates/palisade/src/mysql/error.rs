//! What can go wrong with MySQL and MariaDB, in sentences for the person who runs it.

use mysql_async::{DriverError, Error};

use crate::rejection::Rejection;

/// Why MySQL could not be reached, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MySqlError {
    /// The address of the server cannot be understood.
    #[error("the address of MySQL is wrong: {reason}; it looks like mysql://user:password@host/database")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// There is no certificate to trust.
    #[error(
        "MySQL's certificate cannot be checked: {reason}; name a file with the certificate authority in PEM \
         (ssl-ca=… in the address)"
    )]
    Trust {
        /// What is missing.
        reason: String,
    },
    /// The server cannot be reached, or does not let us in.
    #[error("MySQL at {server} cannot be reached: {reason}")]
    Unreachable {
        /// Its host and port, without user and password.
        server: String,
        /// What the system or the server said.
        reason: String,
    },
    /// No connection became free in time: nothing has been done.
    #[error("all connections to MySQL are busy")]
    Overloaded,
    /// The server did not answer in time: what was asked of it may have been done.
    #[error("MySQL did not answer in time")]
    Unanswered,
    /// The connection ended in the midst of a statement: what was asked may have been done.
    #[error("the connection to MySQL was lost: {reason}")]
    Lost {
        /// What the system said.
        reason: String,
    },
    /// A statement failed.
    #[error("MySQL refused a statement: {reason}")]
    Statement {
        /// What the server said.
        reason: String,
        /// The server's number of the error.
        code: u16,
    },
    /// A row does not have the shape that was expected.
    #[error("a row of MySQL is not of the expected shape: {reason}")]
    Row {
        /// What does not fit.
        reason: &'static str,
    },
    /// A table is missing and could not be made.
    #[error("the table {table} is missing in MySQL and could not be made: {reason}")]
    Table {
        /// The table.
        table: &'static str,
        /// What the server said.
        reason: String,
    },
}

/// A unique value is there already.
const DUPLICATE: u16 = 1062;
/// A transaction was ended to resolve a deadlock.
const DEADLOCK: u16 = 1213;
/// Too many connections, a shutdown, a lock that was waited for too long, a statement that took too long, read-only.
const TEMPORARY: [u16; 7] = [1040, 1053, 1205, 1290, 1836, 1969, 3024];
/// Errors whose text quotes the values of a row, or the statement.
const QUOTING: [u16; 9] = [DUPLICATE, 1064, 1264, 1265, 1292, 1366, 1406, 1411, 1586];

impl MySqlError {
    /// Tells whether a row with the same unique value was there already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement { code: DUPLICATE, .. })
    }

    /// Tells whether asking again later may succeed, so that the client is owed a 503 and not a 500.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Overloaded | Self::Unanswered | Self::Lost { .. } => true,
            Self::Statement { code, .. } => *code == DEADLOCK || TEMPORARY.contains(code),
            _ => false,
        }
    }

    pub(crate) fn is_deadlock(&self) -> bool {
        matches!(self, Self::Statement { code: DEADLOCK, .. })
    }

    /// Tells whether the connection can be used on: the statement was refused, but heard.
    pub(super) fn spares_the_connection(&self) -> bool {
        matches!(self, Self::Statement { .. } | Self::Row { .. })
    }

    /// Explains an error of making a connection.
    pub(super) fn while_connecting(error: Error, server: String) -> Self {
        let speaks_no_tls = matches!(&error, Error::Driver(DriverError::NoClientSslFlagFromServer));
        match Self::from(error) {
            Self::Lost { mut reason } | Self::Statement { mut reason, .. } => {
                if speaks_no_tls {
                    reason.push_str(
                        "; give the server a certificate (ssl_cert, ssl_key), or write ssl-mode=DISABLED if the network is yours",
                    );
                }
                Self::Unreachable { server, reason }
            }
            other => other,
        }
    }
}

impl From<Error> for MySqlError {
    fn from(error: Error) -> Self {
        match error {
            Error::Server(told) => Self::Statement {
                reason: if QUOTING.contains(&told.code) {
                    let what = if told.code == DUPLICATE {
                        "a unique value is there already"
                    } else {
                        "a value does not fit"
                    };
                    format!("{what} ({})", told.code)
                } else {
                    format!("{} ({})", told.message, told.code)
                },
                code: told.code,
            },
            Error::Url(error) => Self::Address {
                reason: error.to_string(),
            },
            error => Self::Lost {
                reason: error.to_string(),
            },
        }
    }
}

/// What passes is a 503, as a fault of the store never is an empty answer; everything else is a 500.
impl From<MySqlError> for Rejection {
    fn from(error: MySqlError) -> Self {
        if error.is_temporary() {
            Rejection::unavailable(error.to_string(), 5).with_hint("Please try again in a moment.")
        } else {
            Rejection::internal(error.to_string())
        }
    }
}
