//! Rows of users in PostgreSQL.

use std::error::Error;
use std::sync::Arc;

use bytes::BytesMut;
use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Sensitive;
use tokio_postgres::types::{Format, IsNull, Type};

use super::database::{Asks, Insertion, RowError, RowStore};
use super::dialect::{Dialect, REPLACE};
use super::statements::Asked;
use super::value::{Kind, Value};
use crate::postgres::{Postgres, PostgresError, Row, Table, ToSql, to_the_end};

static POSTGRES: Dialect = Dialect {
    name: "postgres",
    quote: '"',
    place: '$',
    numbered: true,
    cast: |kind| match kind {
        Kind::Number => "::bigint",
        Kind::Text | Kind::Secret => "::text",
        Kind::Flag => "::boolean",
        Kind::Time => "::timestamptz",
        Kind::Bytes => "::bytea",
    },
    exact: None,
    returning: true,
    hold: " FOR SHARE",
    replace: REPLACE,
};

const TABLES: &[Table] = &[
    Table {
        name: "palisade_grant",
        sql: "CREATE TABLE palisade_grant (
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
          );
          CREATE INDEX palisade_grant_grantee ON palisade_grant (grantee_id, table_name);
          CREATE INDEX palisade_grant_granted_by ON palisade_grant (granted_by);",
    },
    Table {
        name: "palisade_link",
        sql: "CREATE TABLE palisade_link (
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
          );
          CREATE INDEX palisade_link_row ON palisade_link (table_name, row_id, row_key);
          CREATE INDEX palisade_link_made_by ON palisade_link (made_by);
          CREATE INDEX palisade_link_bound_to ON palisade_link (bound_to);
          CREATE INDEX palisade_link_ends ON palisade_link (ends);",
    },
];

/// Those who may have so many rows stand in line under this number: ours, so that nobody else's locks are in the way.
const ADD: i32 = 702_006_114;

/// Keeps rows of users in PostgreSQL, in the application's own tables, beside the users to whom they belong.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::PostgresUsers, postgres::Postgres, rows::PostgresRows};
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let users = PostgresUsers::new(database.clone()).await?;
/// let rows = PostgresRows::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresRows(Postgres);

impl PostgresRows {
    /// Keeps rows in this database, making the tables of grants and links if they are not there; `auth_user` has to be there already.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: Postgres) -> Result<Self, PostgresError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

impl From<PostgresRows> for RowStore {
    fn from(rows: PostgresRows) -> Self {
        Self(Arc::new(rows))
    }
}

fn refused(error: PostgresError) -> RowError {
    if matches!(error, PostgresError::Nul) {
        return RowError::Unkept(error.to_string());
    }
    let (is_taken, is_temporary) = (error.is_unique_violation(), error.is_temporary());
    RowError::of(error, is_taken, is_temporary)
}

/// Every place says by a cast what it is; so nothing has to be asked here.
impl ToSql for Value {
    fn to_sql(&self, of_type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql_checked(of_type, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        of_type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Number(number) => number.to_sql_checked(of_type, out),
            Value::Text(text) => text.to_sql_checked(of_type, out),
            Value::Secret(text) => text.expose().to_sql_checked(of_type, out),
            Value::Flag(flag) => flag.to_sql_checked(of_type, out),
            Value::Time(at) => at.to_sql_checked(of_type, out),
            Value::Bytes(bytes) => bytes.to_sql_checked(of_type, out),
        }
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn cell(row: &Row, column: usize, kind: Kind) -> Result<Value, tokio_postgres::Error> {
    Ok(match kind {
        Kind::Number => row.try_get::<_, Option<i64>>(column)?.map(Value::Number),
        Kind::Text => row.try_get::<_, Option<String>>(column)?.map(Value::Text),
        Kind::Secret => {
            let text = row.try_get::<_, Option<String>>(column)?;
            text.map(Sensitive::new).map(Value::Secret)
        }
        Kind::Flag => row.try_get::<_, Option<bool>>(column)?.map(Value::Flag),
        Kind::Time => row
            .try_get::<_, Option<std::time::SystemTime>>(column)?
            .map(Value::Time),
        Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Bytes),
    }
    .unwrap_or(Value::Null))
}

async fn change(database: Postgres, asked: Asked, then: Vec<Asked>) -> Result<u64, PostgresError> {
    let Some((last, others)) = then.split_last() else {
        return database.execute(asked.sql, &bound(&asked.values)).await;
    };
    let mut writer = database.writer().await?;
    writer.first("SELECT 1", &[]).await?;
    let changed = writer.execute(asked.sql, &bound(&asked.values)).await?;
    if changed == 0 {
        writer.undo().await?;
    } else {
        for other in others {
            writer.execute(other.sql, &bound(&other.values)).await?;
        }
        writer.last(last.sql, &bound(&last.values)).await?;
    }
    Ok(changed)
}

/// Under `read committed` nobody counts what another has not committed: so those of one owner stand in line for a lock that lives
/// as long as the transaction.
async fn insert(database: Postgres, insertion: Insertion) -> Result<Option<Value>, PostgresError> {
    let mut writer = database.writer().await?;
    if let Some(most) = &insertion.most {
        let stand_in_line = "SELECT pg_advisory_xact_lock($1, hashtext($2::text))";
        writer.first(stand_in_line, &[&ADD, &most.line]).await?;
        let count = writer.one(most.count.sql, &bound(&most.count.values)).await?;
        let number = count.map(|row| row.try_get::<_, i64>(0)).transpose()?;
        if number.unwrap_or(i64::MAX) >= most.number {
            writer.undo().await?;
            return Ok(None);
        }
    } else {
        writer.first("SELECT 1", &[]).await?;
    }
    let insert = &insertion.insert;
    let row = writer.one(insert.sql, &bound(&insert.values)).await?;
    let id = match (row, &insertion.id) {
        (Some(_), Some(id)) => Some(id.clone()),
        (Some(row), None) => Some(Value::Number(row.try_get(0)?)),
        (None, _) => None,
    };
    let Some(id) = id else {
        writer.undo().await?;
        return Ok(None);
    };
    let [grants, links] = insertion.forget.of(&id);
    writer.execute(grants.sql, &bound(&grants.values)).await?;
    writer.last(links.sql, &bound(&links.values)).await?;
    Ok(Some(id))
}

impl Asks for PostgresRows {
    fn dialect(&self) -> &'static Dialect {
        &POSTGRES
    }

    fn all(&self, asked: Asked, kinds: Vec<Kind>) -> BoxFuture<'_, Result<Vec<Vec<Value>>, RowError>> {
        async move {
            let values = bound(&asked.values);
            let rows = self.0.all(asked.sql, &values, |row| {
                let cells = kinds.iter().enumerate();
                cells.map(|(column, kind)| cell(row, column, *kind)).collect()
            });
            rows.await.map_err(refused)
        }
        .boxed()
    }

    fn change(&self, asked: Asked, then: Vec<Asked>) -> BoxFuture<'_, Result<u64, RowError>> {
        let changed = to_the_end(change(self.0.clone(), asked, then));
        changed.map(|changed| changed.map_err(refused)).boxed()
    }

    fn insert(&self, insertion: Insertion) -> BoxFuture<'_, Result<Option<Value>, RowError>> {
        let inserted = to_the_end(insert(self.0.clone(), insertion));
        inserted.map(|inserted| inserted.map_err(refused)).boxed()
    }
}
