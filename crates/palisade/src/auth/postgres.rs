//! Users in Django's `auth_user` table, or a table of one's own, in PostgreSQL.

mod tables;

use std::time::SystemTime;

use super::dialect::Dialect;
use super::in_table::{Asks, Columns, InTable};
use super::statements::{Asked, Statements, Value};
use super::table::{Found, Kind, UserTable, UserTableError};
use super::user::UserStoreError;
use crate::postgres::{Postgres, PostgresError, Row, ToSql, to_the_end};

static DIALECT: Dialect = Dialect {
    quote: '"',
    place: '$',
    numbered: true,
    number: "::bigint",
    text: "::text",
    yes: "true",
    no: "false",
    no_time: "NULL::timestamptz",
    folded: ["UPPER(", "::text)"],
    exact: ["", ""],
    returning: true,
    same_name: |one, other| one == other,
    types: |kind| match kind {
        Kind::Number => &["int2", "int4", "int8"],
        Kind::Text => &["varchar", "text", "bpchar", "citext"],
        Kind::Flag => &["bool"],
        Kind::Time => &["timestamptz"],
    },
};

/// Sign-ups stand in line by name, under this number: ours, so that nobody else's locks are in the way.
const SIGN_UP: i32 = 702_006_113;

/// Keeps users in PostgreSQL, in Django's table.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::PostgresUsers, postgres::Postgres};
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let users = PostgresUsers::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresUsers {
    database: Postgres,
    statements: Statements,
}

impl PostgresUsers {
    /// Keeps users in this database, making the tables of users, groups and permissions if they are not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: Postgres) -> Result<Self, PostgresError> {
        database.provide(tables::TABLES).await?;
        let statements = Statements::over_auth_user(&DIALECT);
        Ok(Self { database, statements })
    }

    /// Keeps users in the tables of a Django, which must be there already: where [`new`](Self::new) would make them in an empty
    /// database, or in another one than Django's, this says so, and Django's `migrate` finds no tables in its way.
    ///
    /// Begin with it: `PostgresSessions::new` makes `django_session` where it is missing.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::{auth::PostgresUsers, postgres::Postgres};
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let users = PostgresUsers::of_django(Postgres::open("postgres://shop:password@db.example.com/shop").await?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UserTableError::NotMigrated`] names each table and column that the database lacks or that is of another type; or the database cannot be
    /// read.
    pub async fn of_django(database: Postgres) -> Result<Self, UserTableError> {
        let of_django = Self::of_table(database, &UserTable::default()).await;
        of_django.map_err(UserTableError::at_django)
    }

    /// Keeps users in the table of a user model of one's own, which must be there already, in the schema that the connection
    /// sees first. Upper and lower case in a name are different letters, as in Django's quotes.
    ///
    /// A new account fills the columns that are named; if the table asks for more, they need defaults in the database.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::auth::{PostgresUsers, UserTable};
    /// use palisade::postgres::Postgres;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let people = UserTable {
    ///     table: "people_person".to_owned(),
    ///     groups: "people_person_groups".to_owned(),
    ///     user_permissions: "people_person_user_permissions".to_owned(),
    ///     user_id: "person_id".to_owned(),
    ///     ..UserTable::default()
    /// };
    /// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
    /// let users = PostgresUsers::of_table(database, &people).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Names each name that is none, or each table and column that the database lacks or that is of another type, all at once.
    pub async fn of_table(database: Postgres, table: &UserTable) -> Result<Self, UserTableError> {
        let statements = Statements::over(table, &DIALECT)?;
        let missing = missing(&database, table)
            .await
            .map_err(|error| UserTableError::Database(Box::new(error)))?;
        UserTableError::unless_complete(missing)?;
        Ok(Self { database, statements })
    }
}

/// What is named and not there, or of another type; a domain is what it is made of.
async fn missing(database: &Postgres, table: &UserTable) -> Result<Vec<String>, PostgresError> {
    let mut missing = Vec::new();
    for needed in table.needed() {
        let found = database
            .all(
                "SELECT a.attname::text, b.typname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                 JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
                 WHERE a.attrelid = to_regclass(quote_ident($1::text)) AND a.attnum > 0 AND NOT a.attisdropped",
                &[&needed.table],
                |row| {
                    Ok(Found {
                        column: row.try_get(0)?,
                        of_type: row.try_get(1)?,
                    })
                },
            )
            .await?;
        missing.extend(needed.lacks(&found, &DIALECT));
    }
    Ok(missing)
}

fn unavailable(error: PostgresError) -> UserStoreError {
    let is_taken = error.is_unique_violation();
    UserStoreError::of(error, is_taken)
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(to_sql).collect()
}

fn to_sql(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Number(number) => number,
        Value::Text(text) => text,
        Value::Secret(text) => text.expose(),
        Value::Time(at) => at,
        Value::Flag(flag) => flag,
    }
}

fn unread(error: tokio_postgres::Error) -> UserStoreError {
    unavailable(error.into())
}

impl Columns for &Row {
    fn number(&mut self, column: usize) -> Result<i64, UserStoreError> {
        self.try_get(column).map_err(unread)
    }

    fn text(&mut self, column: usize) -> Result<String, UserStoreError> {
        self.try_get::<_, Option<String>>(column)
            .map(Option::unwrap_or_default)
            .map_err(unread)
    }

    fn flag(&mut self, column: usize) -> Result<bool, UserStoreError> {
        self.try_get::<_, Option<bool>>(column)
            .map(Option::unwrap_or_default)
            .map_err(unread)
    }

    fn time(&mut self, column: usize) -> Result<Option<SystemTime>, UserStoreError> {
        self.try_get(column).map_err(unread)
    }
}

impl Asks for Postgres {
    async fn all<T: Send + 'static>(
        &self,
        asked: Asked,
        read: fn(&mut dyn Columns) -> Result<T, UserStoreError>,
    ) -> Result<Vec<T>, UserStoreError> {
        let values = bound(&asked.values);
        let rows = self.all(asked.sql, &values, |row| {
            let mut row = row;
            Ok(read(&mut row))
        });
        rows.await.map_err(unavailable)?.into_iter().collect()
    }

    async fn change(&self, asked: Asked) -> Result<u64, UserStoreError> {
        let database = self.clone();
        let changed = to_the_end(async move { database.execute(asked.sql, &bound(&asked.values)).await });
        changed.await.map_err(unavailable)
    }
}

impl InTable for PostgresUsers {
    type Database = Postgres;

    fn database(&self) -> &Postgres {
        &self.database
    }

    fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Under `read committed` nobody sees what another has not committed: so those of one name, whatever its case, stand in
    /// line for a lock that lives as long as the transaction.
    async fn insert(
        &self,
        username: String,
        taken: Asked,
        insert: Asked,
    ) -> Result<Option<i64>, UserStoreError> {
        let database = self.database.clone();
        let inserted = to_the_end(async move {
            let mut writer = database.writer().await?;
            let stand_in_line = "SELECT pg_advisory_xact_lock($1, hashtext(UPPER($2::text)))";
            writer.first(stand_in_line, &[&SIGN_UP, &username]).await?;
            if writer.one(taken.sql, &bound(&taken.values)).await?.is_some() {
                writer.undo().await?;
                return Ok(None);
            }
            let row = writer.one(insert.sql, &bound(&insert.values)).await?;
            let id = row.map(|row| row.try_get(0)).transpose()?;
            writer.last("SELECT 1", &[]).await?;
            Ok(id)
        });
        inserted.await.map_err(unavailable)
    }
}
