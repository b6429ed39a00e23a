//! What is left to a database: to answer questions about rows that are already put.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::StatusCode;

use super::OwnedRow;
use super::dialect::Dialect;
use super::linked::OPENED;
use super::statements::{Asked, Given, Statements};
use super::value::{Cell, Kind, Value};
use crate::rejection::Rejection;

/// A database that keeps rows of users, made of [`SqliteRows`](super::SqliteRows), `PostgresRows` or `MySqlRows`. Cheap to clone.
///
/// Only this library makes one: whoever answers questions about rows decides who reaches them.
#[derive(Clone, Debug)]
pub struct RowStore(pub(super) Arc<dyn Asks>);

impl RowStore {
    /// Asks for the table of a row, for every column that is read of it, and for the grants and links, without reading a row: at start, so that a
    /// name that is mistyped or a migration that was forgotten is not found by the first visitor.
    ///
    /// Whether a column holds what its field says is seen when there is a row.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::rows::{Owned, RowError, RowStore, SqliteRows};
    /// use palisade::sqlite::Sqlite;
    ///
    /// #[derive(Owned)]
    /// #[owned(table = "note", id = "id", owner = "owner", name = "note")]
    /// struct Note {
    ///     id: i64,
    ///     title: String,
    /// }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let rows = RowStore::from(SqliteRows::new(Sqlite::in_memory()?)?);
    /// let missing = rows.check::<Note>().await;
    /// assert!(matches!(missing, Err(RowError::Refused(_))), "there is no such table");
    /// # Ok::<(), palisade::sqlite::SqliteError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`RowError::Refused`] for what is missing; [`RowError::Unavailable`] when the database cannot answer now.
    pub async fn check<T: OwnedRow>(&self) -> Result<(), RowError> {
        let statements = Statements::of::<T>(T::TABLE, <T::Id as Cell>::KIND, self.0.dialect());
        // Nobody's, and none of them.
        let asked = statements.shared.with(&Given::over(T::TABLE.name));
        let kinds = T::TABLE.columns.iter().map(|column| column.kind);
        let kinds = kinds.chain([Kind::Number, Kind::Number]).collect();
        self.0.all(asked, kinds).await?;
        let asked = statements.link.open.with(&Given::over(T::TABLE.name));
        let kinds = T::TABLE.columns.iter().map(|column| column.kind);
        let kinds = kinds.chain(OPENED).collect();
        self.0.all(asked, kinds).await.map(|_none| ())
    }
}

/// A database that answers.
pub(super) trait Asks: fmt::Debug + Send + Sync + 'static {
    /// How it writes what it is asked.
    fn dialect(&self) -> &'static Dialect;

    /// Reads all rows, each column as it is said to be.
    fn all(&self, asked: Asked, kinds: Vec<Kind>) -> BoxFuture<'_, Result<Vec<Vec<Value>>, RowError>>;

    /// Changes rows, to the end even if nobody waits for it any more, and tells how many. What comes `then` is done with it or not
    /// at all, and only if there was something to change.
    fn change(&self, asked: Asked, then: Vec<Asked>) -> BoxFuture<'_, Result<u64, RowError>>;

    /// Inserts a row and tells its key; nothing, if there are too many.
    fn insert(&self, insertion: Insertion) -> BoxFuture<'_, Result<Option<Value>, RowError>>;
}

/// A row on its way into a table.
#[derive(Clone, Debug)]
pub(super) struct Insertion {
    pub(super) insert: Asked,
    /// Its key, if the application gives it.
    pub(super) id: Option<Value>,
    pub(super) most: Option<Most>,
    pub(super) forget: Forget,
}

/// What takes the grants and links of an earlier row of the same key away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forget {
    pub(super) statements: &'static Statements,
    pub(super) table: &'static str,
}

impl Forget {
    pub(super) fn of(self, id: &Value) -> [Asked; 2] {
        let given = Given::about(self.table, id);
        let Statements { forget, link, .. } = self.statements;
        [forget.with(&given), link.forget.with(&given)]
    }
}

/// How many rows one user may have.
#[derive(Clone, Debug)]
pub(super) struct Most {
    /// Who stands in line: of two who insert at once, the second counts the first's row.
    pub(super) line: String,
    pub(super) count: Asked,
    pub(super) number: i64,
}

/// Why a row was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// One user may have so many and no more.
    #[error("one can have {most} of these and no more")]
    Full {
        /// How many.
        most: u32,
    },
    /// There is a row with the same unique value.
    #[error("there is a row with the same unique value")]
    Taken,
    /// A list cannot be ordered by that.
    #[error("a list of {table} cannot be ordered by {column:?}")]
    NoOrder {
        /// The table.
        table: &'static str,
        /// What was asked for.
        column: String,
    },
    /// A column holds something else than its field.
    #[error(
        "the column {column} of {table} holds something else than its field: is it of another type, or NULL?"
    )]
    Shape {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A text cannot be kept by this database.
    #[error("{0}")]
    Unkept(String),
    /// The database cannot answer now; asking again later may succeed.
    #[error("the rows are out of reach")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database refused what it was asked: a table or column may be missing.
    #[error("the database refused a question about rows")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
}

impl RowError {
    /// What a database's error is here.
    pub(super) fn of(error: impl Error + Send + Sync + 'static, is_taken: bool, is_temporary: bool) -> Self {
        match (is_taken, is_temporary) {
            (true, _) => Self::Taken,
            (_, true) => Self::Unavailable(Box::new(error)),
            _ => Self::Refused(Box::new(error)),
        }
    }
}

impl From<RowError> for Rejection {
    fn from(error: RowError) -> Self {
        let source = error
            .source()
            .map_or_else(String::new, |source| format!(": {source}"));
        let reason = format!("{error}{source}");
        match error {
            RowError::Full { most } => Rejection::new(StatusCode::CONFLICT, reason)
                .with_threat(palisade_core::Threat::ResourceExhaustion)
                .with_hint(format!(
                    "You have {most} of these, which is the most one can have."
                )),
            RowError::Taken => {
                Rejection::new(StatusCode::CONFLICT, reason).with_hint("There is one like it already.")
            }
            RowError::NoOrder { .. } | RowError::Unkept(_) => Rejection::bad_request(reason),
            RowError::Unavailable(_) => {
                Rejection::unavailable(reason, 5).with_hint("Please try again in a moment.")
            }
            RowError::Shape { .. } | RowError::Refused(_) => Rejection::internal(reason),
        }
    }
}

impl axum::response::IntoResponse for RowError {
    fn into_response(self) -> axum::response::Response {
        Rejection::from(self).into_response()
    }
}
