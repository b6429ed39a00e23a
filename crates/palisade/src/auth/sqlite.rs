//! Users in Django's `auth_user` table, in SQLite in process.

mod statements;

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::Sensitive;
use palisade_core::permission::{PermissionName, Permissions};
use rusqlite::params;

use super::table::{UserTable, UserTableError};
use super::user::{NewUser, Profile, User, UserStore, UserStoreError};
use crate::sqlite::datetime::{from_text, to_text};
use crate::sqlite::{Migration, Reader, Sqlite, SqliteError, Writer};
use statements::Statements;

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
];

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
        let statements = Statements::over(&UserTable::default()).map_err(|error| match error {
            UserTableError::Database(error) => error,
            // Django's own names are names.
            _ => SqliteError::Closed,
        })?;
        Ok(Self { database, statements })
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
        let statements = Statements::over(table)?;
        let missing = database.read(|reader| missing(reader, table))?;
        if missing.is_empty() {
            Ok(Self { database, statements })
        } else {
            Err(UserTableError::Missing(missing))
        }
    }

    fn write<'a, R: Send + 'static>(
        &self,
        work: impl FnOnce(&Writer<'_>) -> Result<R, SqliteError> + Send + 'static,
    ) -> BoxFuture<'a, Result<R, UserStoreError>> {
        self.database
            .write(work)
            .map(|done| done.map_err(unavailable))
            .boxed()
    }
}

/// The tables and columns that are named and not there.
fn missing(reader: &Reader<'_>, table: &UserTable) -> Result<Vec<String>, SqliteError> {
    let mut needed = table.needed();
    if table.has_permissions() {
        needed.push(("auth_permission", vec!["id", "content_type_id", "codename"]));
        needed.push(("auth_group_permissions", vec!["group_id", "permission_id"]));
        needed.push(("django_content_type", vec!["id", "app_label"]));
    }
    let mut missing = Vec::new();
    for (table, columns) in needed {
        let there = reader.all("SELECT name FROM pragma_table_info(?1)", params![table], |row| {
            row.get::<_, String>(0)
        })?;
        if there.is_empty() {
            missing.push(format!("the table {table}"));
        } else {
            let lacks = columns
                .into_iter()
                .filter(|column| !there.iter().any(|name| name.eq_ignore_ascii_case(column)));
            missing.extend(lacks.map(|column| format!("the column {column} of {table}")));
        }
    }
    Ok(missing)
}

fn unavailable(error: SqliteError) -> UserStoreError {
    if error.is_unique_violation() {
        UserStoreError::NameTaken
    } else {
        UserStoreError::Unavailable(Box::new(error))
    }
}

fn user(row: &rusqlite::Row<'_>) -> rusqlite::Result<User> {
    let last_login = row.get_ref(8)?.as_str_or_null()?.and_then(from_text);
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        password: Sensitive::new(row.get(2)?),
        first_name: row.get(3)?,
        last_name: row.get(4)?,
        email: row.get(5)?,
        is_staff: row.get(6)?,
        is_superuser: row.get(7)?,
        last_login,
        is_active: row.get(9)?,
        date_joined: from_text(row.get_ref(10)?.as_str()?).unwrap_or(UNIX_EPOCH),
    })
}

impl UserStore for SqliteUsers {
    fn by_id(&self, id: i64) -> BoxFuture<'_, Result<Option<User>, UserStoreError>> {
        let found = self
            .database
            .read(|reader| reader.one(self.statements.by_id, params![id], user));
        ready(found.map_err(unavailable)).boxed()
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<User>, UserStoreError>> {
        let found = self
            .database
            .read(|reader| reader.one(self.statements.by_username, params![username], user));
        ready(found.map_err(unavailable)).boxed()
    }

    fn create(
        &self,
        new: NewUser,
        password: Sensitive<String>,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<User, UserStoreError>> {
        let (create, taken) = (self.statements.create, self.statements.taken);
        let created = self.write(move |writer| {
            if writer.exists(taken, params![new.username])? {
                return Ok(None);
            }
            writer.execute(
                create,
                params![
                    password.expose(),
                    new.username,
                    new.last_name,
                    new.email,
                    to_text(now),
                    new.first_name
                ],
            )?;
            Ok(Some(User {
                id: writer.last_insert_id(),
                username: new.username,
                password,
                first_name: new.first_name,
                last_name: new.last_name,
                email: new.email,
                is_staff: false,
                is_superuser: false,
                is_active: true,
                last_login: None,
                date_joined: now,
            }))
        });
        created
            .map(|created| created?.ok_or(UserStoreError::NameTaken))
            .boxed()
    }

    fn replace_password<'a>(
        &'a self,
        id: i64,
        old: &'a Sensitive<String>,
        new: Sensitive<String>,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let (old, replace) = (old.clone(), self.statements.replace_password);
        self.write(move |writer| {
            let replaced = writer.execute(replace, params![id, old.expose(), new.expose()])?;
            Ok(replaced == 1)
        })
    }

    fn logged_in(&self, id: i64, now: SystemTime) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let Some(logged_in) = self.statements.logged_in else {
            return ready(Ok(())).boxed();
        };
        self.write(move |writer| {
            writer.execute(logged_in, params![id, to_text(now)])?;
            Ok(())
        })
    }

    fn save_profile(&self, id: i64, profile: Profile) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let Some(save) = self.statements.save_profile else {
            return ready(Ok(())).boxed();
        };
        self.write(move |writer| {
            writer.execute(
                save,
                params![id, profile.first_name, profile.last_name, profile.email],
            )?;
            Ok(())
        })
    }

    fn permissions<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<Permissions, UserStoreError>> {
        let of_user = |granted| Permissions::of_user(user.is_active, user.is_superuser, granted);
        let (true, Some(permissions)) = (user.is_active, self.statements.permissions) else {
            return ready(Ok(of_user(Vec::new()))).boxed();
        };
        let granted = self.database.read(|reader| {
            reader.all(permissions, params![user.id, user.is_superuser], |row| {
                Ok(PermissionName::from_columns(
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                ))
            })
        });
        ready(granted.map(of_user).map_err(unavailable)).boxed()
    }
}
