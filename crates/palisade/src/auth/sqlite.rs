//! Users in Django's `auth_user` table, in SQLite in process.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::Sensitive;
use rusqlite::params;

use super::user::{NewUser, Profile, User, UserStore, UserStoreError};
use crate::sqlite::datetime::{from_text, to_text};
use crate::sqlite::{Migration, Sqlite, SqliteError, Writer};

const MIGRATIONS: &[Migration] = &[
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
    // Whether a name is taken is asked without regard to case, at each sign-up.
    Migration {
        version: 2,
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
pub struct SqliteUsers(Sqlite);

impl SqliteUsers {
    /// Keeps users in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the table cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        Ok(Self(database))
    }

    fn write<'a, R: Send + 'static>(
        &self,
        work: impl FnOnce(&Writer<'_>) -> Result<R, SqliteError> + Send + 'static,
    ) -> BoxFuture<'a, Result<R, UserStoreError>> {
        self.0.write(work).map(|done| done.map_err(unavailable)).boxed()
    }
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
        let found = self.0.read(|reader| {
            reader.one(
                "SELECT id, username, password, first_name, last_name, email, is_staff, is_superuser, last_login,
                        is_active, date_joined FROM auth_user WHERE id = ?1",
                params![id],
                user,
            )
        });
        ready(found.map_err(unavailable)).boxed()
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<User>, UserStoreError>> {
        let found = self.0.read(|reader| {
            reader.one(
                "SELECT id, username, password, first_name, last_name, email, is_staff, is_superuser, last_login,
                        is_active, date_joined FROM auth_user WHERE username = ?1",
                params![username],
                user,
            )
        });
        ready(found.map_err(unavailable)).boxed()
    }

    fn create(
        &self,
        new: NewUser,
        password: Sensitive<String>,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<User, UserStoreError>> {
        let created = self.write(move |writer| {
            if writer.exists(
                "SELECT 1 FROM auth_user WHERE username = ?1 COLLATE NOCASE",
                params![new.username],
            )? {
                return Ok(None);
            }
            writer.execute(
                "INSERT INTO auth_user (password, last_login, is_superuser, username, last_name, email, is_staff,
                                        is_active, date_joined, first_name)
                 VALUES (?1, NULL, 0, ?2, ?3, ?4, 0, 1, ?5, ?6)",
                params![password.expose(), new.username, new.last_name, new.email, to_text(now), new.first_name],
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
        let old = old.clone();
        self.write(move |writer| {
            let replaced = writer.execute(
                "UPDATE auth_user SET password = ?3 WHERE id = ?1 AND password = ?2",
                params![id, old.expose(), new.expose()],
            )?;
            Ok(replaced == 1)
        })
    }

    fn logged_in(&self, id: i64, now: SystemTime) -> BoxFuture<'_, Result<(), UserStoreError>> {
        self.write(move |writer| {
            writer.execute(
                "UPDATE auth_user SET last_login = ?2 WHERE id = ?1",
                params![id, to_text(now)],
            )?;
            Ok(())
        })
    }

    fn save_profile(&self, id: i64, profile: Profile) -> BoxFuture<'_, Result<(), UserStoreError>> {
        self.write(move |writer| {
            writer.execute(
                "UPDATE auth_user SET first_name = ?2, last_name = ?3, email = ?4 WHERE id = ?1",
                params![id, profile.first_name, profile.last_name, profile.email],
            )?;
            Ok(())
        })
    }
}
