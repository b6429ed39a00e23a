//! A connection of one's own, to change something in one step or in a transaction of several.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool, PoolError, TimeoutType};
use futures_util::TryStreamExt;
use futures_util::future::{join, try_join};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresError;
use super::bound::bound;
use super::server::Server;

/// A connection that nobody else uses. It goes back to the pool if all went well; otherwise it is closed, and with it ends
/// whatever it had begun.
#[derive(Debug)]
pub struct PostgresWriter {
    object: Option<Object>,
    deadline: Duration,
    sound: bool,
}

impl PostgresWriter {
    pub(super) async fn of(pool: &Pool, server: &Server, deadline: Duration) -> Result<Self, PostgresError> {
        let object = pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => PostgresError::Overloaded,
            PoolError::Backend(error) => server.while_connecting(&error),
            PoolError::Timeout(_) => server.unreachable("it did not accept a connection in time"),
            error => server.unreachable(error.to_string()),
        })?;
        Ok(Self {
            object: Some(object),
            deadline,
            sound: true,
        })
    }

    /// Runs one statement in a transaction of its own, and tells how many rows it changed.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn execute(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PostgresError> {
        self.ask(async |client| {
            let statement = client.prepare_cached(sql).await?;
            Ok(client.execute_raw(&statement, bound(values)).await?)
        })
        .await
    }

    /// Runs one statement and gives its first row, if there is one.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn one(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, PostgresError> {
        self.ask(async |client| {
            let statement = client.prepare_cached(sql).await?;
            let rows = client.query_raw(&statement, bound(values)).await?;
            let rows: Vec<Row> = rows.try_collect().await?;
            Ok(rows.into_iter().next())
        })
        .await
    }

    /// Begins a transaction with a statement, in one journey, and gives the statement's first row.
    ///
    /// Until [`PostgresWriter::last`] has answered, dropping the connection undoes everything.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time or the statement fails.
    pub async fn first(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, PostgresError> {
        let row = self
            .ask(async |client| {
                let statement = client.prepare_cached(sql).await?;
                // The two are sent in this order, and the second does not wait for the first.
                let rows = async {
                    client
                        .query_raw(&statement, bound(values))
                        .await?
                        .try_collect()
                        .await
                };
                let (begun, rows) = join(client.batch_execute("BEGIN"), rows).await;
                begun?;
                let rows: Vec<Row> = rows?;
                Ok(rows.into_iter().next())
            })
            .await;
        self.sound = false;
        row
    }

    /// Ends a transaction with a statement, in one journey, and tells how many rows that changed.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time: then it may have been done; or the statement fails: then nothing was.
    pub async fn last(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PostgresError> {
        let changed = self
            .ask(async |client| {
                let statement = client.prepare_cached(sql).await?;
                // After a statement that failed, `COMMIT` undoes the transaction; after one that could not even be sent it is
                // not sent either.
                let changed = client.execute_raw(&statement, bound(values));
                let (changed, ()) = try_join(changed, client.batch_execute("COMMIT")).await?;
                Ok(changed)
            })
            .await?;
        self.sound = true;
        Ok(changed)
    }

    /// Ends a transaction that has nothing to change.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time.
    pub async fn undo(&mut self) -> Result<(), PostgresError> {
        self.ask(async |client| Ok(client.batch_execute("ROLLBACK").await?))
            .await?;
        self.sound = true;
        Ok(())
    }

    /// Runs several statements without values, such as a table's definition.
    pub(super) async fn define(&mut self, sql: &'static str) -> Result<(), PostgresError> {
        self.ask(async |client| Ok(client.batch_execute(sql).await?))
            .await
    }

    async fn ask<R>(
        &mut self,
        question: impl AsyncFnOnce(&ClientWrapper) -> Result<R, PostgresError>,
    ) -> Result<R, PostgresError> {
        let Some(client) = &self.object else {
            return Err(PostgresError::Overloaded);
        };
        let was_sound = std::mem::replace(&mut self.sound, false);
        let answer = timeout(self.deadline, question(client))
            .await
            .unwrap_or(Err(PostgresError::Unanswered));
        if answer.as_ref().is_err_and(PostgresError::forgets_the_statement) {
            client.statement_cache.clear();
        }
        self.sound = match &answer {
            Ok(_) => was_sound,
            Err(error) => was_sound && error.spares_the_connection(),
        };
        answer
    }
}

impl Drop for PostgresWriter {
    fn drop(&mut self) {
        if !self.sound
            && let Some(object) = self.object.take()
        {
            // Out of the pool, and closed.
            drop(Object::take(object));
        }
    }
}
