//! Users in Django's `auth_user` table, in MySQL or MariaDB.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Sensitive;

use super::user::{NewUser, Profile, User, UserStore, UserStoreError};
use crate::mysql::{MySql, MySqlError, Row, Table, Value, field, from_value, to_the_end, to_value};

const TABLES: &[Table] = &[Table {
    name: "auth_user",
    sql: "CREATE TABLE IF NOT EXISTS auth_user (
              id integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
              password varchar(128) NOT NULL,
              last_login datetime(6) NULL,
              is_superuser bool NOT NULL,
              username varchar(150) NOT NULL UNIQUE,
              first_name varchar(150) NOT NULL,
              last_name varchar(150) NOT NULL,
              email varchar(254) NOT NULL,
              is_staff bool NOT NULL,
              is_active bool NOT NULL,
              date_joined datetime(6) NOT NULL
          )",
}];

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
pub struct MySqlUsers(MySql);

impl MySqlUsers {
    /// Keeps users in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

fn answer<'a, R: Send + 'static>(
    work: impl Future<Output = Result<R, MySqlError>> + Send + 'a,
) -> BoxFuture<'a, Result<R, UserStoreError>> {
    async move { work.await.map_err(unavailable) }.boxed()
}

fn unavailable(error: MySqlError) -> UserStoreError {
    if error.is_unique_violation() {
        UserStoreError::NameTaken
    } else {
        UserStoreError::Unavailable(Box::new(error))
    }
}

fn user(mut row: Row) -> Result<User, MySqlError> {
    let row = &mut row;
    Ok(User {
        id: field(row, 0)?,
        username: field(row, 1)?,
        password: Sensitive::new(field(row, 2)?),
        first_name: field(row, 3)?,
        last_name: field(row, 4)?,
        email: field(row, 5)?,
        is_staff: field(row, 6)?,
        is_superuser: field(row, 7)?,
        last_login: from_value(&field::<Value>(row, 8)?),
        is_active: field(row, 9)?,
        date_joined: from_value(&field::<Value>(row, 10)?).ok_or(MySqlError::Row {
            reason: "date_joined is no time",
        })?,
    })
}

impl UserStore for MySqlUsers {
    fn by_id(&self, id: i64) -> BoxFuture<'_, Result<Option<User>, UserStoreError>> {
        answer(async move {
            let row = self
                .0
                .one(
                    "SELECT id, username, password, first_name, last_name, email, is_staff, is_superuser, last_login,
                            is_active, date_joined FROM auth_user WHERE id = ?",
                    vec![id.into()],
                )
                .await?;
            row.map(user).transpose()
        })
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<User>, UserStoreError>> {
        answer(async move {
            let row = self
                .0
                .one(
                    "SELECT id, username, password, first_name, last_name, email, is_staff, is_superuser, last_login,
                            is_active, date_joined FROM auth_user WHERE username = ?",
                    vec![username.into()],
                )
                .await?;
            let found = row.map(user).transpose()?;
            Ok(found.filter(|user| user.username == username))
        })
    }

    fn create(
        &self,
        new: NewUser,
        password: Sensitive<String>,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<User, UserStoreError>> {
        let work = (self.0.clone(), new, password);
        let created = answer(to_the_end(move || {
            let (database, new, password) = work.clone();
            async move {
                let mut connection = database.connection().await?;
                connection.begin().await?;
                let taken = connection
                    .one(
                        "SELECT id FROM auth_user WHERE UPPER(username) = UPPER(?) LIMIT 1",
                        vec![new.username.clone().into()],
                    )
                    .await?;
                if taken.is_some() {
                    connection.commit().await?;
                    return Ok(None);
                }
                connection
                    .execute(
                        "INSERT INTO auth_user (password, last_login, is_superuser, username, last_name, email, is_staff,
                                                is_active, date_joined, first_name)
                         VALUES (?, NULL, 0, ?, ?, ?, 0, 1, ?, ?)",
                        vec![
                            password.expose().as_str().into(),
                            new.username.into(),
                            new.last_name.into(),
                            new.email.into(),
                            to_value(now),
                            new.first_name.into(),
                        ],
                    )
                    .await?;
                let row = connection
                    .one(
                        "SELECT id, username, password, first_name, last_name, email, is_staff, is_superuser, last_login,
                                is_active, date_joined FROM auth_user WHERE id = LAST_INSERT_ID()",
                        Vec::new(),
                    )
                    .await?;
                connection.commit().await?;
                let made = row.map(user).transpose()?.ok_or(MySqlError::Row {
                    reason: "a new user is not there",
                });
                made.map(Some)
            }
        }));
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
        let work = (self.0.clone(), old.clone(), new);
        answer(to_the_end(move || {
            let (database, old, new) = work.clone();
            async move {
                let replaced = database
                    .execute(
                        "UPDATE auth_user SET password = ?
                         WHERE id = ? AND CAST(password AS BINARY) = CAST(? AS BINARY)",
                        vec![
                            new.expose().as_str().into(),
                            id.into(),
                            old.expose().as_str().into(),
                        ],
                    )
                    .await?;
                Ok(replaced == 1)
            }
        }))
    }

    fn logged_in(&self, id: i64, now: SystemTime) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let database = self.0.clone();
        answer(to_the_end(move || {
            let database = database.clone();
            async move {
                database
                    .execute(
                        "UPDATE auth_user SET last_login = ? WHERE id = ?",
                        vec![to_value(now), id.into()],
                    )
                    .await?;
                Ok(())
            }
        }))
    }

    fn save_profile(&self, id: i64, profile: Profile) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let work = (self.0.clone(), profile);
        answer(to_the_end(move || {
            let (database, profile) = work.clone();
            async move {
                database
                    .execute(
                        "UPDATE auth_user SET first_name = ?, last_name = ?, email = ? WHERE id = ?",
                        vec![
                            profile.first_name.into(),
                            profile.last_name.into(),
                            profile.email.into(),
                            id.into(),
                        ],
                    )
                    .await?;
                Ok(())
            }
        }))
    }
}
