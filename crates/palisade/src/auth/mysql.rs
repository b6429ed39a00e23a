//! Users in Django's `auth_user` table, or a table of one's own, in MySQL or MariaDB.

mod tables;

use std::time::SystemTime;

use super::dialect::Dialect;
use super::in_table::{Asks, Columns, InTable};
use super::statements::{Asked, Statements, Value};
use super::table::{Found, Kind, UserTable, UserTableError};
use super::user::UserStoreError;
use crate::mysql::{
    MySql, MySqlConnection, MySqlError, Row, Value as Bound, field, from_value, to_the_end, to_value,
};

static DIALECT: Dialect = Dialect {
    quote: '`',
    place: '?',
    numbered: false,
    number: "",
    text: "",
    yes: "1",
    no: "0",
    no_time: "NULL",
    folded: ["UPPER(", ")"],
    exact: ["CAST(", " AS BINARY)"],
    returning: false,
    same_name: str::eq_ignore_ascii_case,
    types: |kind| match kind {
        Kind::Number => &["tinyint", "smallint", "mediumint", "int", "bigint"],
        Kind::Text => &["varchar", "char", "tinytext", "text", "mediumtext", "longtext"],
        Kind::Flag => &["tinyint"],
        Kind::Time => &["datetime", "timestamp"],
    },
};

/// Keeps users in MySQL or MariaDB, in Django's table.
///
/// A name is compared exactly, also where the table's collation would take `Ada` for `ada`; that there may not be both is
/// the collation's rule and stays.
///
/// # Example
///
/// ```no_run
/// use palisade::{auth::MySqlUsers, mysql::MySql};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let users = MySqlUsers::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlUsers {
    database: MySql,
    statements: Statements,
}

impl MySqlUsers {
    /// Keeps users in this database, making the tables of users, groups and permissions if they are not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(tables::TABLES).await?;
        let statements = Statements::over_auth_user(&DIALECT);
        Ok(Self { database, statements })
    }

    /// Keeps users in the tables of a Django, which must be there already: where [`new`](Self::new) would make them in an empty
    /// database, or in another one than Django's, this says so, and Django's `migrate` finds no tables in its way.
    ///
    /// Begin with it: `MySqlSessions::new` makes `django_session` where it is missing.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::{auth::MySqlUsers, mysql::MySql};
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let users = MySqlUsers::of_django(MySql::open("mysql://shop:password@db.example.com/shop").await?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UserTableError::NotMigrated`] names each table and column that the database lacks or that is of another type; or the database cannot be
    /// read.
    pub async fn of_django(database: MySql) -> Result<Self, UserTableError> {
        let of_django = Self::of_table(database, &UserTable::default()).await;
        of_django.map_err(UserTableError::at_django)
    }

    /// Keeps users in the table of a user model of one's own, which must be there already.
    ///
    /// A new account fills the columns that are named; if the table asks for more, they need defaults in the database.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use palisade::auth::{MySqlUsers, UserTable};
    /// use palisade::mysql::MySql;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let people = UserTable {
    ///     table: "people_person".to_owned(),
    ///     groups: "people_person_groups".to_owned(),
    ///     user_permissions: "people_person_user_permissions".to_owned(),
    ///     user_id: "person_id".to_owned(),
    ///     ..UserTable::default()
    /// };
    /// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
    /// let users = MySqlUsers::of_table(database, &people).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Names each name that is none, or each table and column that the database lacks or that is of another type, all at once.
    pub async fn of_table(database: MySql, table: &UserTable) -> Result<Self, UserTableError> {
        let statements = Statements::over(table, &DIALECT)?;
        let missing = missing(&database, table)
            .await
            .map_err(|error| UserTableError::Database(Box::new(error)))?;
        UserTableError::unless_complete(missing)?;
        Ok(Self { database, statements })
    }
}

/// What is named and not there, or of another type.
async fn missing(database: &MySql, table: &UserTable) -> Result<Vec<String>, MySqlError> {
    let mut missing = Vec::new();
    for needed in table.needed() {
        let rows = database
            .all(
                "SELECT column_name, data_type FROM information_schema.columns
                 WHERE table_schema = DATABASE() AND table_name = ?",
                vec![needed.table.into()],
            )
            .await?;
        let found = |mut row: Row| {
            Ok(Found {
                column: field(&mut row, 0)?,
                of_type: field(&mut row, 1)?,
            })
        };
        let found: Vec<Found> = rows.into_iter().map(found).collect::<Result<_, MySqlError>>()?;
        missing.extend(needed.lacks(&found, &DIALECT));
    }
    Ok(missing)
}

fn unavailable(error: MySqlError) -> UserStoreError {
    let is_taken = error.is_unique_violation();
    UserStoreError::of(error, is_taken)
}

fn bound(values: &[Value]) -> Vec<Bound> {
    let bound = |value: &Value| match value {
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Secret(text) => text.expose().as_str().into(),
        Value::Time(at) => at.map_or(Bound::NULL, to_value),
        Value::Flag(flag) => (*flag).into(),
    };
    values.iter().map(bound).collect()
}

impl Columns for Row {
    fn number(&mut self, column: usize) -> Result<i64, UserStoreError> {
        field(self, column).map_err(unavailable)
    }

    fn text(&mut self, column: usize) -> Result<String, UserStoreError> {
        let text = field::<Option<String>>(self, column);
        text.map(Option::unwrap_or_default).map_err(unavailable)
    }

    fn flag(&mut self, column: usize) -> Result<bool, UserStoreError> {
        let flag = field::<Option<bool>>(self, column);
        flag.map(Option::unwrap_or_default).map_err(unavailable)
    }

    fn time(&mut self, column: usize) -> Result<Option<SystemTime>, UserStoreError> {
        let at = field::<Bound>(self, column).map_err(unavailable)?;
        Ok(from_value(&at))
    }
}

/// Inserts a user whose name nobody has, and tells the primary key.
async fn insert_new(
    connection: &mut MySqlConnection,
    taken: Asked,
    insert: Asked,
) -> Result<Option<i64>, MySqlError> {
    if connection.one(taken.sql, bound(&taken.values)).await?.is_some() {
        return Ok(None);
    }
    connection.execute(insert.sql, bound(&insert.values)).await?;
    let row = connection.one("SELECT LAST_INSERT_ID()", Vec::new()).await?;
    row.map(|mut row| field(&mut row, 0)).transpose()
}

impl Asks for MySql {
    async fn all<T: Send + 'static>(
        &self,
        asked: Asked,
        read: fn(&mut dyn Columns) -> Result<T, UserStoreError>,
    ) -> Result<Vec<T>, UserStoreError> {
        let rows = self.all(asked.sql, bound(&asked.values)).await;
        rows.map_err(unavailable)?
            .into_iter()
            .map(|mut row| read(&mut row))
            .collect()
    }

    async fn change(&self, asked: Asked) -> Result<u64, UserStoreError> {
        let work = (self.clone(), asked);
        let changed = to_the_end(move || {
            let (database, asked) = work.clone();
            async move { database.execute(asked.sql, bound(&asked.values)).await }
        });
        changed.await.map_err(unavailable)
    }
}

impl InTable for MySqlUsers {
    type Database = MySql;

    fn database(&self) -> &MySql {
        &self.database
    }

    fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Nobody sees what another has not committed: so those of one name, whatever its case, stand in line.
    async fn insert(
        &self,
        username: String,
        taken: Asked,
        insert: Asked,
    ) -> Result<Option<i64>, UserStoreError> {
        let work = (self.database.clone(), username, taken, insert);
        let inserted = to_the_end(move || {
            let (database, username, taken, insert) = work.clone();
            async move {
                let mut connection = database.connection().await?;
                connection.begin().await?;
                connection.stand_in_line(&username).await?;
                let inserted = insert_new(&mut connection, taken, insert).await?;
                connection.commit().await?;
                connection.leave_the_line(&username).await?;
                Ok(inserted)
            }
        });
        inserted.await.map_err(unavailable)
    }
}
