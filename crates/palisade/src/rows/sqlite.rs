//! Rows of users in SQLite in process.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Row, params_from_iter};

use super::database::{Asks, Insertion, RowError, RowStore};
use super::dialect::{Dialect, REPLACE};
use super::statements::Asked;
use super::value::{Kind, Value};
use crate::sqlite::datetime::{from_text, to_text};
use crate::sqlite::{Migration, Sqlite, SqliteError, Writer};

static SQLITE: Dialect = Dialect {
    name: "sqlite",
    quote: '"',
    place: '?',
    numbered: true,
    cast: |_| "",
    exact: None,
    returning: true,
    // One writer at a time.
    hold: "",
    replace: REPLACE,
};

const TABLES: &[Migration] = &[
    Migration {
        version: 1,
        name: "palisade_grant",
        sql: "CREATE TABLE IF NOT EXISTS palisade_grant (
              table_name varchar(63) NOT NULL,
              row_id bigint NOT NULL,
              row_key varchar(190) NOT NULL,
              grantee_name varchar(150) NOT NULL,
              grantee_id integer NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              granted_by integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              role smallint NOT NULL,
              ends bigint NULL,
              granted bigint NOT NULL,
              PRIMARY KEY (table_name, row_id, row_key, grantee_name)
          ) WITHOUT ROWID;
          CREATE INDEX IF NOT EXISTS palisade_grant_grantee ON palisade_grant (grantee_id, table_name);
          CREATE INDEX IF NOT EXISTS palisade_grant_granted_by ON palisade_grant (granted_by);",
    },
    Migration {
        version: 2,
        name: "palisade_link",
        sql: "CREATE TABLE IF NOT EXISTS palisade_link (
              id varchar(16) NOT NULL PRIMARY KEY,
              digest varchar(43) NOT NULL UNIQUE,
              table_name varchar(63) NOT NULL,
              row_id bigint NOT NULL,
              row_key varchar(190) NOT NULL,
              bound_name varchar(150) NULL,
              bound_to integer NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              made_by integer NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              ends bigint NOT NULL,
              made bigint NOT NULL,
              opened bigint NULL,
              label varchar(100) NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX IF NOT EXISTS palisade_link_row ON palisade_link (table_name, row_id, row_key);
          CREATE INDEX IF NOT EXISTS palisade_link_made_by ON palisade_link (made_by);
          CREATE INDEX IF NOT EXISTS palisade_link_bound_to ON palisade_link (bound_to);
          CREATE INDEX IF NOT EXISTS palisade_link_ends ON palisade_link (ends);",
    },
];

/// Keeps rows of users in SQLite, in the application's own tables, beside the users to whom they belong.
///
/// # Example
///
/// ```
/// use palisade::{auth::SqliteUsers, rows::SqliteRows, sqlite::Sqlite};
///
/// let database = Sqlite::in_memory()?;
/// let users = SqliteUsers::new(database.clone())?;
/// let rows = SqliteRows::new(database)?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteRows(Sqlite);

impl SqliteRows {
    /// Keeps rows in this database, making the tables of grants and links if they are not there.
    ///
    /// # Errors
    ///
    /// When a table cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(TABLES)?;
        Ok(Self(database))
    }
}

impl From<SqliteRows> for RowStore {
    fn from(rows: SqliteRows) -> Self {
        Self(Arc::new(rows))
    }
}

fn refused(error: SqliteError) -> RowError {
    let (is_taken, is_temporary) = (error.is_unique_violation(), error.is_temporary());
    RowError::of(error, is_taken, is_temporary)
}

fn bound(values: &[Value]) -> impl rusqlite::Params {
    params_from_iter(values.iter().map(|value| match value {
        Value::Null => ToSqlOutput::Owned(Stored::Null),
        Value::Number(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Secret(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.expose().as_bytes())),
        Value::Flag(flag) => ToSqlOutput::Owned(Stored::Integer(i64::from(*flag))),
        Value::Time(at) => ToSqlOutput::Owned(Stored::Text(to_text(*at))),
        Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }))
}

fn cell(row: &Row<'_>, column: usize, kind: Kind) -> rusqlite::Result<Value> {
    if row.get_ref(column)? == ValueRef::Null {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Kind::Number => Value::Number(row.get(column)?),
        Kind::Text => Value::Text(row.get(column)?),
        Kind::Secret => Value::Secret(row.get::<_, String>(column)?.into()),
        Kind::Flag => Value::Flag(row.get(column)?),
        // What is no time is not nothing: a row that has an end would have none.
        Kind::Time => {
            let text = row.get_ref(column)?.as_str()?;
            from_text(text).map_or_else(|| Value::Text(text.to_owned()), Value::Time)
        }
        Kind::Bytes => Value::Bytes(row.get(column)?),
    })
}

fn execute(writer: &Writer<'_>, asked: &Asked) -> Result<u64, SqliteError> {
    let changed = writer.execute(asked.sql, bound(&asked.values))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

impl Asks for SqliteRows {
    fn dialect(&self) -> &'static Dialect {
        &SQLITE
    }

    fn all(&self, asked: Asked, kinds: Vec<Kind>) -> BoxFuture<'_, Result<Vec<Vec<Value>>, RowError>> {
        let rows = self.0.read(|reader| {
            reader.all(asked.sql, bound(&asked.values), |row| {
                let cells = kinds.iter().enumerate();
                cells.map(|(column, kind)| cell(row, column, *kind)).collect()
            })
        });
        ready(rows.map_err(refused)).boxed()
    }

    fn change(&self, asked: Asked, then: Vec<Asked>) -> BoxFuture<'_, Result<u64, RowError>> {
        let changed = self.0.write(move |writer| {
            let changed = execute(writer, &asked)?;
            for then in then.iter().filter(|_| changed > 0) {
                execute(writer, then)?;
            }
            Ok(changed)
        });
        changed.map(|changed| changed.map_err(refused)).boxed()
    }

    /// Who writes has the whole database: nobody comes between the count and the row.
    fn insert(&self, insertion: Insertion) -> BoxFuture<'_, Result<Option<Value>, RowError>> {
        let inserted = self.0.write(move |writer| {
            if let Some(most) = &insertion.most {
                let count = &most.count;
                let number = writer.one(count.sql, bound(&count.values), |row| row.get::<_, i64>(0))?;
                if number.unwrap_or(i64::MAX) >= most.number {
                    tracing::debug!(target: "palisade::rows", "no more rows: {}", most.line);
                    return Ok(None);
                }
            }
            let insert = &insertion.insert;
            let given = writer.one(insert.sql, bound(&insert.values), |row| match &insertion.id {
                Some(id) => Ok(id.clone()),
                None => row.get(0).map(Value::Number),
            })?;
            if let Some(id) = &given {
                for forget in insertion.forget.of(id) {
                    execute(writer, &forget)?;
                }
            }
            Ok(given)
        });
        inserted.map(|inserted| inserted.map_err(refused)).boxed()
    }
}
