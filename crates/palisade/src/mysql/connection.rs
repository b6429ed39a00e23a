//! What may be asked of MySQL: literal statements with bound values, on a connection of one's own.

use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, TimeoutType};
use mysql_async::prelude::{FromValue, Queryable};
use mysql_async::{Conn, Params, Row, Value};
use tokio::time::timeout;

use super::MySqlError;
use super::pool::Connector;

/// A connection that nobody else uses. It goes back to the pool if all went well; otherwise it is closed, and with it ends
/// whatever it had begun.
#[derive(Debug)]
pub struct MySqlConnection {
    object: Option<Object<Connector>>,
    pool: Pool<Connector>,
    deadline: Duration,
    sound: bool,
    in_transaction: bool,
    in_line: bool,
}

impl MySqlConnection {
    pub(super) async fn of(pool: &Pool<Connector>, deadline: Duration) -> Result<Self, MySqlError> {
        let object = pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => MySqlError::Overloaded,
            PoolError::Backend(error) => error,
            PoolError::Timeout(_) => MySqlError::Unreachable {
                server: pool.manager().server(),
                reason: "it did not accept a connection in time".to_owned(),
            },
            error => MySqlError::Unreachable {
                server: pool.manager().server(),
                reason: error.to_string(),
            },
        })?;
        Ok(Self {
            object: Some(object),
            pool: pool.clone(),
            deadline,
            sound: true,
            in_transaction: false,
            in_line: false,
        })
    }

    /// Runs one statement and gives its first row, if there is one.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn one(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, MySqlError> {
        self.ask(async |connection| Ok(connection.exec_first(sql, bound(values)).await?))
            .await
    }

    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn all(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, MySqlError> {
        self.ask(async |connection| Ok(connection.exec(sql, bound(values)).await?))
            .await
    }

    /// Runs one statement, and tells how many rows it found to change.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn execute(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, MySqlError> {
        self.ask(async |connection| {
            connection.exec_drop(sql, bound(values)).await?;
            Ok(connection.affected_rows())
        })
        .await
    }

    /// Begins a transaction. Until [`MySqlConnection::commit`] has answered, dropping the connection undoes everything.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time.
    pub async fn begin(&mut self) -> Result<(), MySqlError> {
        self.run("START TRANSACTION").await?;
        self.in_transaction = true;
        Ok(())
    }

    /// Ends a transaction.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time: then it may have been done.
    pub async fn commit(&mut self) -> Result<(), MySqlError> {
        self.run("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Ends a transaction that has nothing to change.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time.
    pub async fn undo(&mut self) -> Result<(), MySqlError> {
        self.run("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Waits until nobody else in this database, on any machine, is at work on `name`, whatever its case.
    ///
    /// Until [`MySqlConnection::leave_the_line`] has answered, dropping the connection lets the next one go on.
    pub(crate) async fn stand_in_line(&mut self, name: &str) -> Result<(), MySqlError> {
        self.in_line = true;
        let seconds = self.deadline.as_secs().max(1);
        let row = self
            .one(
                "SELECT GET_LOCK(CONCAT('palisade.', LEFT(SHA2(CONCAT(DATABASE(), '.', UPPER(?)), 256), 48)), ?)",
                vec![name.into(), seconds.into()],
            )
            .await?;
        match row.map(|mut row| field::<Option<i64>>(&mut row, 0)).transpose()? {
            Some(Some(1)) => Ok(()),
            _ => Err(MySqlError::Unanswered),
        }
    }

    /// Lets the next one go on who waits for `name`: after the commit, so that what was done is seen.
    pub(crate) async fn leave_the_line(&mut self, name: &str) -> Result<(), MySqlError> {
        let left =
            "DO RELEASE_LOCK(CONCAT('palisade.', LEFT(SHA2(CONCAT(DATABASE(), '.', UPPER(?)), 256), 48)))";
        self.execute(left, vec![name.into()]).await?;
        self.in_line = false;
        Ok(())
    }

    /// Runs a statement without values or rows.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), MySqlError> {
        self.ask(async |connection| Ok(connection.query_drop(sql).await?))
            .await
    }

    async fn ask<R>(
        &mut self,
        question: impl AsyncFnOnce(&mut Conn) -> Result<R, MySqlError>,
    ) -> Result<R, MySqlError> {
        let Some(connection) = &mut self.object else {
            return Err(MySqlError::Overloaded);
        };
        // Whoever stops waiting in the midst of it leaves a connection that nobody can use.
        self.sound = false;
        let answer = timeout(self.deadline, question(connection))
            .await
            .unwrap_or(Err(MySqlError::Unanswered));
        match &answer {
            Ok(_) => self.sound = true,
            Err(error) if error.spares_the_connection() => self.sound = true,
            // The others that lie in the pool have been lost with this one.
            Err(MySqlError::Lost { .. }) => drop(self.pool.retain(|_, _| false)),
            Err(_) => {}
        }
        answer
    }
}

impl Drop for MySqlConnection {
    fn drop(&mut self) {
        if (!self.sound || self.in_transaction || self.in_line)
            && let Some(object) = self.object.take()
        {
            // Out of the pool, and closed.
            drop(Object::take(object));
        }
    }
}

fn bound(values: Vec<Value>) -> Params {
    if values.is_empty() {
        Params::Empty
    } else {
        Params::Positional(values)
    }
}

/// Takes one column out of a row.
///
/// # Errors
///
/// When there is no such column, or it is of another type.
pub fn field<T: FromValue>(row: &mut Row, column: usize) -> Result<T, MySqlError> {
    match row.take_opt(column) {
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) => Err(MySqlError::Row {
            reason: "a column is of another type",
        }),
        None => Err(MySqlError::Row {
            reason: "a column is missing",
        }),
    }
}
