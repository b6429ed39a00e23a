//! Rows of users in MySQL or MariaDB.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Sensitive;

use super::database::{Asks, Insertion, RowError, RowStore};
use super::dialect::Dialect;
use super::statements::Asked;
use super::value::{Kind, Value};
use crate::mysql::{
    MySql, MySqlConnection, MySqlError, Row, Table, Value as Bound, field, from_value, to_the_end, to_value,
};

static MYSQL: Dialect = Dialect {
    name: "mysql",
    quote: '`',
    place: '?',
    numbered: false,
    cast: |_| "",
    exact: Some(["CAST(", " AS BINARY)"]),
    returning: false,
    // A change has the row before it asks what is granted of it, and sees what is so then.
    hold: "",
    replace: " ON DUPLICATE KEY UPDATE grantee_id = VALUES(grantee_id), granted_by = VALUES(granted_by), \
              role = VALUES(role), ends = VALUES(ends), granted = VALUES(granted)",
};

/// Names and keys are compared as bytes, whatever the database's collation holds to be equal. A key is kept as bytes: even a `_bin`
/// collation takes `a` and `a ` for the same.
const TABLES: &[Table] = &[Table {
    name: "palisade_grant",
    sql: "CREATE TABLE IF NOT EXISTS palisade_grant (
              table_name varchar(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
              row_id bigint NOT NULL,
              row_key varbinary(760) NOT NULL,
              grantee_name varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
              grantee_id integer NULL,
              granted_by integer NOT NULL,
              role smallint NOT NULL,
              ends bigint NULL,
              granted bigint NOT NULL,
              PRIMARY KEY (table_name, row_id, row_key, grantee_name),
              KEY palisade_grant_grantee (grantee_id, table_name),
              KEY palisade_grant_granted_by (granted_by),
              CONSTRAINT palisade_grant_grantee_fk FOREIGN KEY (grantee_id) REFERENCES auth_user (id) ON DELETE CASCADE,
              CONSTRAINT palisade_grant_granted_by_fk FOREIGN KEY (granted_by) REFERENCES auth_user (id) ON DELETE CASCADE
          )",
}, Table {
    name: "palisade_link",
    sql: "CREATE TABLE IF NOT EXISTS palisade_link (
              id varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
              digest varchar(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
              table_name varchar(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
              row_id bigint NOT NULL,
              row_key varbinary(760) NOT NULL,
              bound_name varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
              bound_to integer NULL,
              made_by integer NOT NULL,
              ends bigint NOT NULL,
              made bigint NOT NULL,
              opened bigint NULL,
              label varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
              PRIMARY KEY (id),
              UNIQUE KEY palisade_link_digest (digest),
              KEY palisade_link_row (table_name, row_id, row_key),
              KEY palisade_link_made_by (made_by),
              KEY palisade_link_bound_to (bound_to),
              KEY palisade_link_ends (ends),
              CONSTRAINT palisade_link_bound_to_fk FOREIGN KEY (bound_to) REFERENCES auth_user (id) ON DELETE CASCADE,
              CONSTRAINT palisade_link_made_by_fk FOREIGN KEY (made_by) REFERENCES auth_user (id) ON DELETE CASCADE
          )",
}];

/// Keeps rows of users in MySQL or MariaDB, in the application's own tables, beside the users to whom they belong.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::MySqlUsers, mysql::MySql, rows::MySqlRows};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let users = MySqlUsers::new(database.clone()).await?;
/// let rows = MySqlRows::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlRows(MySql);

impl MySqlRows {
    /// Keeps rows in this database, making the tables of grants and links if they are not there; `auth_user` has to be there already.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

impl From<MySqlRows> for RowStore {
    fn from(rows: MySqlRows) -> Self {
        Self(Arc::new(rows))
    }
}

fn refused(error: MySqlError) -> RowError {
    let (is_taken, is_temporary) = (error.is_unique_violation(), error.is_temporary());
    RowError::of(error, is_taken, is_temporary)
}

fn bound(values: &[Value]) -> Vec<Bound> {
    let bound = |value: &Value| match value {
        Value::Null => Bound::NULL,
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Secret(text) => text.expose().as_str().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Time(at) => to_value(*at),
        Value::Bytes(bytes) => bytes.as_slice().into(),
    };
    values.iter().map(bound).collect()
}

fn cell(row: &mut Row, column: usize, kind: Kind) -> Result<Value, MySqlError> {
    Ok(match kind {
        Kind::Number => field::<Option<i64>>(row, column)?.map(Value::Number),
        Kind::Text => field::<Option<String>>(row, column)?.map(Value::Text),
        Kind::Secret => {
            let text = field::<Option<String>>(row, column)?;
            text.map(Sensitive::new).map(Value::Secret)
        }
        Kind::Flag => field::<Option<bool>>(row, column)?.map(Value::Flag),
        Kind::Time => match field::<Bound>(row, column)? {
            Bound::NULL => None,
            // What is no time is not nothing: a row that has an end would have none.
            value => Some(from_value(&value).map_or_else(|| Value::Text(String::new()), Value::Time)),
        },
        Kind::Bytes => field::<Option<Vec<u8>>>(row, column)?.map(Value::Bytes),
    }
    .unwrap_or(Value::Null))
}

async fn change(database: MySql, asked: Asked, then: Vec<Asked>) -> Result<u64, MySqlError> {
    if then.is_empty() {
        return database.execute(asked.sql, bound(&asked.values)).await;
    }
    let mut connection = database.connection().await?;
    connection.begin().await?;
    let changed = connection.execute(asked.sql, bound(&asked.values)).await?;
    for then in then.iter().filter(|_| changed > 0) {
        connection.execute(then.sql, bound(&then.values)).await?;
    }
    connection.commit().await?;
    Ok(changed)
}

/// Inserts the row and takes the grants of an earlier one of the same key away.
async fn put(connection: &mut MySqlConnection, insertion: &Insertion) -> Result<Option<Value>, MySqlError> {
    if let Some(most) = &insertion.most {
        let row = connection.one(most.count.sql, bound(&most.count.values)).await?;
        let number = row.map(|mut row| field::<i64>(&mut row, 0)).transpose()?;
        if number.unwrap_or(i64::MAX) >= most.number {
            return Ok(None);
        }
    }
    let insert = &insertion.insert;
    connection.execute(insert.sql, bound(&insert.values)).await?;
    let id = if let Some(id) = &insertion.id {
        Some(id.clone())
    } else {
        let row = connection.one("SELECT LAST_INSERT_ID()", Vec::new()).await?;
        let id = row.map(|mut row| field::<i64>(&mut row, 0)).transpose()?;
        id.map(Value::Number)
    };
    if let Some(id) = &id {
        for forget in insertion.forget.of(id) {
            connection.execute(forget.sql, bound(&forget.values)).await?;
        }
    }
    Ok(id)
}

/// Nobody counts what another has not committed: so those of one owner stand in line.
async fn insert(database: MySql, insertion: Insertion) -> Result<Option<Value>, MySqlError> {
    let mut connection = database.connection().await?;
    if let Some(most) = &insertion.most {
        connection.stand_in_line(&most.line).await?;
    }
    connection.begin().await?;
    let id = put(&mut connection, &insertion).await?;
    connection.commit().await?;
    if let Some(most) = &insertion.most {
        connection.leave_the_line(&most.line).await?;
    }
    Ok(id)
}

impl Asks for MySqlRows {
    fn dialect(&self) -> &'static Dialect {
        &MYSQL
    }

    fn all(&self, asked: Asked, kinds: Vec<Kind>) -> BoxFuture<'_, Result<Vec<Vec<Value>>, RowError>> {
        async move {
            let rows = self
                .0
                .all(asked.sql, bound(&asked.values))
                .await
                .map_err(refused)?;
            let read = |mut row: Row| {
                let cells = kinds.iter().enumerate();
                cells
                    .map(|(column, kind)| cell(&mut row, column, *kind))
                    .collect()
            };
            let rows: Result<_, MySqlError> = rows.into_iter().map(read).collect();
            rows.map_err(refused)
        }
        .boxed()
    }

    fn change(&self, asked: Asked, then: Vec<Asked>) -> BoxFuture<'_, Result<u64, RowError>> {
        let work = (self.0.clone(), asked, then);
        let changed = to_the_end(move || {
            let (database, asked, then) = work.clone();
            change(database, asked, then)
        });
        changed.map(|changed| changed.map_err(refused)).boxed()
    }

    fn insert(&self, insertion: Insertion) -> BoxFuture<'_, Result<Option<Value>, RowError>> {
        let work = (self.0.clone(), insertion);
        let inserted = to_the_end(move || {
            let (database, insertion) = work.clone();
            insert(database, insertion)
        });
        inserted.map(|inserted| inserted.map_err(refused)).boxed()
    }
}
