//! How a connection begins, and how one that was put back is looked at before it is used again.

use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

use super::MySqlError;

/// A connection that was used a moment ago is believed to be there still.
const MOMENT: Duration = Duration::from_secs(1);

/// What every statement relies upon: rows are locked as they are now, values that do not fit are refused rather than cut,
/// times are UTC. A row that another holds locked is given up on well before the deadline: who waits for it has a connection
/// that others need.
const SETTINGS: &str = "SET SESSION transaction_isolation = 'READ-COMMITTED',
                            time_zone = '+00:00',
                            sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
                            autocommit = 1";

/// The same for MariaDB before 11.1, which knows the first under its old name.
const OLDER_SETTINGS: &str = "SET SESSION tx_isolation = 'READ-COMMITTED',
                            time_zone = '+00:00',
                            sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
                            autocommit = 1";

/// A variable of that name is unknown.
const UNKNOWN_VARIABLE: u16 = 1193;

#[derive(Debug)]
pub(super) struct Connector {
    options: Opts,
    lock_seconds: u64,
}

impl Connector {
    pub(super) fn new(options: Opts, deadline: Duration) -> Self {
        Self {
            options,
            lock_seconds: (deadline.as_secs() / 3).max(1),
        }
    }

    /// Host and port, which may be shown, without user and password, which may not.
    pub(super) fn server(&self) -> String {
        let (host, port) = (self.options.ip_or_hostname(), self.options.tcp_port());
        format!("{}:{port}", host.escape_debug())
    }
}

impl Manager for Connector {
    type Type = Conn;
    type Error = MySqlError;

    async fn create(&self) -> Result<Conn, MySqlError> {
        let mut connection = Conn::new(self.options.clone())
            .await
            .map_err(|error| MySqlError::while_connecting(error, self.server()))?;
        match connection.query_drop(SETTINGS).await.map_err(MySqlError::from) {
            Err(MySqlError::Statement {
                code: UNKNOWN_VARIABLE,
                ..
            }) => connection.query_drop(OLDER_SETTINGS).await?,
            settled => settled?,
        }
        connection
            .exec_drop("SET SESSION innodb_lock_wait_timeout = ?", (self.lock_seconds,))
            .await?;
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut Conn, metrics: &Metrics) -> RecycleResult<MySqlError> {
        if metrics.last_used() > MOMENT {
            connection
                .ping()
                .await
                .map_err(|error| RecycleError::Backend(MySqlError::from(error)))?;
        }
        Ok(())
    }
}
