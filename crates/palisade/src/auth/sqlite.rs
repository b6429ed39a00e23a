//! Users in Django's `auth_user` table, or a table of one's own, in SQLite in process.

use std::time::SystemTime;

use futures_util::future::ready;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Row, params, params_from_iter};

use super::dialect::Dialect;
use super::in_table::{Asks, Columns, InTable};
use super::statements::{Asked, Statements, Value};
use super::table::{Found, UserTable, UserTableError};
use super::user::UserStoreError;
use crate::sqlite::datetime::{from_text, to_text};
use crate::sqlite::{Migration, Reader, Sqlite, SqliteError};

const USERS: &[Migration] = &[
    Migration {
        version: 1,
        name: "auth_user",
        sql: "CREATE TABLE IF NOT EXISTS auth_user (
                  id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
                  password varchar(128) NOT NULL,
                  last_login datetime NULL,
                  is_superuser bool NOT NULL,
                  username varchar(150) NOT NULL UNIQUE,
                  last_name varchar(150) NOT NULL,
                  email varchar(254) NOT NULL,
                  is_staff bool NOT NULL,
                  is_active bool NOT NULL,
                  date_joined datetime NOT NULL,
                  first_name varchar(150) NOT NULL
              );",
    },
    Migration {
        version: 2,
        name: "auth_permission",
        sql: include_str!("sqlite/permissions.sql"),
    },
    // Whether a name is taken is asked without regard to case, at each sign-up.
    Migration {
        version: 3,
        name: "auth_user_username_nocase",
        sql: "CREATE INDEX IF NOT EXISTS palisade_auth_user_username ON auth_user (username COLLATE NOCASE);",
    },
    // And whose an address is, at each reset of a password.
    Migration {
        version: 4,
        name: "auth_user_email_nocase",
        sql: "CREATE INDEX IF NOT EXISTS palisade_auth_user_email ON auth_user (email COLLATE NOCASE);",
    },
];

static DIALECT: Dialect = Dialect {
    quote: '"',
    place: '?',
    numbered: true,
    number: "",
    text: "",
    yes: "1",
    no: "0",
    no_time: "NULL",
    folded: ["", " COLLATE NOCASE"],
    exact: ["", ""],
    returning: true,
    same_name: str::eq_ignore_ascii_case,
    types: |_| &[],
};

/// Keeps users in SQLite, in Django's table.
///
/// # Example
///
/// ```
/// use palisade::{auth::SqliteUsers, sqlite::Sqlite};
///
/// let users = SqliteUsers::new(Sqlite::in_memory()?)?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteUsers {
    database: Sqlite,
    statements: Statements,
}

impl SqliteUsers {
    /// Keeps users in this database, making the tables of users, groups and permissions if they are not there.
    ///
    /// # Errors
    ///
    /// When a table cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(USERS)?;
        let statements = Statements::over_auth_user(&DIALECT);
        Ok(Self { database, statements })
    }

    /// Keeps users in the tables of a Django, which must be there already: where [`new`](Self::new) would make them in an empty
    /// database, or in another one than Django's, this says so, and Django's `migrate` finds no tables in its way.
    ///
    /// Begin with it: `SqliteSessions::new` makes `django_session` where it is missing.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::{auth::SqliteUsers, sqlite::Sqlite};
    ///
    /// let users = SqliteUsers::of_django(Sqlite::open("db.sqlite3")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UserTableError::NotMigrated`] names each table and column that the database lacks; or the database cannot be
    /// read.
    pub fn of_django(database: Sqlite) -> Result<Self, UserTableError> {
        Self::of_table(database.clone(), &UserTable::default()).map_err(UserTableError::at_django)?;
        // The tables are there; an index of ours may not be.
        Self::new(database).map_err(|error| UserTableError::Database(Box::new(error)))
    }

    /// Keeps users in the table of a user model of one's own, which must be there already.
    ///
    /// A new account fills the columns that are named; if the table asks for more, they need defaults in the database.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::auth::{SqliteUsers, UserTable};
    /// use palisade::sqlite::Sqlite;
    ///
    /// let people = UserTable {
    ///     table: "people_person".to_owned(),
    ///     groups: "people_person_groups".to_owned(),
    ///     user_permissions: "people_person_user_permissions".to_owned(),
    ///     user_id: "person_id".to_owned(),
    ///     ..UserTable::default()
    /// };
    /// let users = SqliteUsers::of_table(Sqlite::open("db.sqlite3")?, &people)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Names each name that is none, or each table and column that the database lacks, all at once.
    pub fn of_table(database: Sqlite, table: &UserTable) -> Result<Self, UserTableError> {
        let statements = Statements::over(table, &DIALECT)?;
        let missing = database
            .read(|reader| missing(reader, table))
            .map_err(|error| UserTableError::Database(Box::new(error)))?;
        UserTableError::unless_complete(missing)?;
        Ok(Self { database, statements })
    }
}

/// The tables and columns that are named and not there.
fn missing(reader: &Reader<'_>, table: &UserTable) -> Result<Vec<String>, SqliteError> {
    let mut missing = Vec::new();
    for needed in table.needed() {
        let found = reader.all(
            "SELECT name, type FROM pragma_table_info(?1)",
            params![needed.table],
            |row| {
                Ok(Found {
                    column: row.get(0)?,
                    of_type: row.get(1)?,
                })
            },
        )?;
        missing.extend(needed.lacks(&found, &DIALECT));
    }
    Ok(missing)
}

fn unavailable(error: SqliteError) -> UserStoreError {
    let is_taken = error.is_unique_violation();
    UserStoreError::of(error, is_taken)
}

fn bound(values: &[Value]) -> impl rusqlite::Params {
    params_from_iter(values.iter().map(|value| match value {
        Value::Number(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Secret(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.expose().as_bytes())),
        Value::Time(at) => ToSqlOutput::Owned(at.map_or(Stored::Null, |at| Stored::Text(to_text(at)))),
        Value::Flag(flag) => ToSqlOutput::Owned(Stored::Integer(i64::from(*flag))),
    }))
}

fn unread(error: rusqlite::Error) -> UserStoreError {
    unavailable(error.into())
}

impl Columns for &Row<'_> {
    fn number(&mut self, column: usize) -> Result<i64, UserStoreError> {
        self.get(column).map_err(unread)
    }

    fn text(&mut self, column: usize) -> Result<String, UserStoreError> {
        self.get::<_, Option<String>>(column)
            .map(Option::unwrap_or_default)
            .map_err(unread)
    }

    fn flag(&mut self, column: usize) -> Result<bool, UserStoreError> {
        self.get::<_, Option<bool>>(column)
            .map(Option::unwrap_or_default)
            .map_err(unread)
    }

    fn time(&mut self, column: usize) -> Result<Option<SystemTime>, UserStoreError> {
        let text = self.get_ref(column).map_err(unread)?.as_str_or_null();
        text.map(|text| text.and_then(from_text))
            .map_err(|error| UserStoreError::Unavailable(Box::new(error)))
    }
}

impl Asks for Sqlite {
    fn all<T: Send + 'static>(
        &self,
        asked: Asked,
        read: fn(&mut dyn Columns) -> Result<T, UserStoreError>,
    ) -> impl Future<Output = Result<Vec<T>, UserStoreError>> + Send {
        let rows = self.read(|reader| {
            reader.all(asked.sql, bound(&asked.values), |row| {
                let mut row = row;
                Ok(read(&mut row))
            })
        });
        ready(
            rows.map_err(unavailable)
                .and_then(|rows| rows.into_iter().collect()),
        )
    }

    async fn change(&self, asked: Asked) -> Result<u64, UserStoreError> {
        let changed = self
            .write(move |writer| writer.execute(asked.sql, bound(&asked.values)))
            .await
            .map_err(unavailable)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }
}

impl InTable for SqliteUsers {
    type Database = Sqlite;

    fn database(&self) -> &Sqlite {
        &self.database
    }

    fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Who writes has the whole database: nobody comes between the question and the answer.
    async fn insert(&self, _: String, taken: Asked, insert: Asked) -> Result<Option<i64>, UserStoreError> {
        let inserted = self.database.write(move |writer| {
            if writer.exists(taken.sql, bound(&taken.values))? {
                return Ok(None);
            }
            writer.one(insert.sql, bound(&insert.values), |row| row.get(0))
        });
        inserted.await.map_err(unavailable)
    }
}
