//! A store of users that is a table in a database: written once, so that no database decides otherwise than another.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::Sensitive;
use palisade_core::permission::{PermissionName, Permissions};

use super::statements::{Asked, Given, Statement, Statements};
use super::user::{
    NewUser, PasswordTable, Profile, StoredPassword, User, UserStore, UserStoreError, same_address,
};

/// How many users of one address are told apart; nobody makes accounts by the thousand to have mail sent to somebody else.
const SHARING_AN_ADDRESS: u32 = 20;

/// A database that answers statements, in the same words everywhere.
pub(super) trait Asks: fmt::Debug + Send + Sync + 'static {
    /// Reads all rows.
    fn all<T: Send + 'static>(
        &self,
        asked: Asked,
        read: fn(&mut dyn Columns) -> Result<T, UserStoreError>,
    ) -> impl Future<Output = Result<Vec<T>, UserStoreError>> + Send;

    /// Changes rows, to the end even if nobody waits for it any more, and tells how many.
    fn change(&self, asked: Asked) -> impl Future<Output = Result<u64, UserStoreError>> + Send;
}

/// A database with a table of users.
pub(super) trait InTable: fmt::Debug + Send + Sync + 'static {
    type Database: Asks;

    /// The database.
    fn database(&self) -> &Self::Database;

    /// What is asked of the table.
    fn statements(&self) -> &Statements;

    /// Inserts a user and tells the primary key, unless `taken` finds somebody. Of those who sign up at the same time
    /// with names that differ in case only, the later one finds the earlier.
    fn insert(
        &self,
        username: String,
        taken: Asked,
        insert: Asked,
    ) -> impl Future<Output = Result<Option<i64>, UserStoreError>> + Send;
}

/// A row, read column by column. Where the database says nothing (`NULL`), a text is empty and a flag is not set.
pub(super) trait Columns {
    fn number(&mut self, column: usize) -> Result<i64, UserStoreError>;
    fn text(&mut self, column: usize) -> Result<String, UserStoreError>;
    fn flag(&mut self, column: usize) -> Result<bool, UserStoreError>;
    fn time(&mut self, column: usize) -> Result<Option<SystemTime>, UserStoreError>;
}

fn user(row: &mut dyn Columns) -> Result<User, UserStoreError> {
    Ok(User {
        id: row.number(0)?,
        username: row.text(1)?,
        password: Sensitive::new(row.text(2)?),
        first_name: row.text(3)?,
        last_name: row.text(4)?,
        email: row.text(5)?,
        is_staff: row.flag(6)?,
        is_superuser: row.flag(7)?,
        last_login: row.time(8)?,
        is_active: row.flag(9)?,
        date_joined: row.time(10)?.unwrap_or(UNIX_EPOCH),
    })
}

fn permission(row: &mut dyn Columns) -> Result<PermissionName, UserStoreError> {
    Ok(PermissionName::from_columns(row.text(0)?, row.text(1)?))
}

fn stored_password(row: &mut dyn Columns) -> Result<StoredPassword, UserStoreError> {
    Ok(StoredPassword {
        id: row.number(0)?,
        password: Sensitive::new(row.text(1)?),
    })
}

/// Changes what is kept; what the table has no columns for is not.
fn change<'a, S: InTable>(
    store: &'a S,
    statement: Option<&Statement>,
    given: &Given,
) -> BoxFuture<'a, Result<(), UserStoreError>> {
    match statement.map(|statement| statement.with(given)) {
        Some(asked) => store
            .database()
            .change(asked)
            .map(|changed| changed.map(drop))
            .boxed(),
        None => ready(Ok(())).boxed(),
    }
}

impl<S: InTable> UserStore for S {
    fn by_id(&self, id: i64) -> BoxFuture<'_, Result<Option<User>, UserStoreError>> {
        let given = Given {
            id,
            ..Given::default()
        };
        let found = self.database().all(self.statements().by_id.with(&given), user);
        found.map(|found| Ok(found?.into_iter().next())).boxed()
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<User>, UserStoreError>> {
        // PostgreSQL refuses a text with this character; nobody is called so.
        if username.contains('\0') {
            return ready(Ok(None)).boxed();
        }
        let given = Given {
            username: username.to_owned(),
            ..Given::default()
        };
        let found = self
            .database()
            .all(self.statements().by_username.with(&given), user);
        // A collation may hold other names to be equal.
        let exactly = move |user: &User| user.username == username;
        found
            .map(move |found| Ok(found?.into_iter().find(exactly)))
            .boxed()
    }

    fn by_email<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<Vec<User>, UserStoreError>> {
        let Some(by_email) = &self.statements().by_email else {
            let no_column =
                "the table of users has no column of e-mail addresses: name it in UserTable::email";
            return ready(Err(UserStoreError::Unsupported(no_column))).boxed();
        };
        if email.is_empty() || email.contains('\0') {
            return ready(Ok(Vec::new())).boxed();
        }
        let given = Given {
            email: email.to_owned(),
            at_most: i64::from(SHARING_AN_ADDRESS),
            ..Given::default()
        };
        let found = self.database().all(by_email.with(&given), user);
        // A collation may hold other addresses to be equal.
        let same = move |user: &User| same_address(&user.email, email);
        found
            .map(move |found| Ok(found?.into_iter().filter(same).collect()))
            .boxed()
    }

    fn create(
        &self,
        new: NewUser,
        password: Sensitive<String>,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<User, UserStoreError>> {
        let given = Given {
            username: new.username,
            password,
            first_name: new.first_name,
            last_name: new.last_name,
            email: new.email,
            now: Some(now),
            ..Given::default()
        };
        let statements = self.statements();
        let (taken, insert) = (statements.taken.with(&given), statements.create.with(&given));
        let inserted = self.insert(given.username.clone(), taken, insert);
        let made = move |id| User {
            id,
            username: given.username,
            password: given.password,
            first_name: given.first_name,
            last_name: given.last_name,
            email: given.email,
            is_staff: false,
            is_superuser: false,
            is_active: true,
            last_login: None,
            date_joined: now,
        };
        inserted
            .map(|inserted| inserted?.map(made).ok_or(UserStoreError::NameTaken))
            .boxed()
    }

    fn replace_password<'a>(
        &'a self,
        id: i64,
        old: &'a Sensitive<String>,
        new: Sensitive<String>,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>> {
        let given = Given {
            id,
            old_password: old.clone(),
            password: new,
            ..Given::default()
        };
        let replaced = self
            .database()
            .change(self.statements().replace_password.with(&given));
        replaced.map(|replaced| Ok(replaced? == 1)).boxed()
    }

    fn logged_in(&self, id: i64, now: SystemTime) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let given = Given {
            id,
            now: Some(now),
            ..Given::default()
        };
        change(self, self.statements().logged_in.as_ref(), &given)
    }

    fn save_profile(&self, id: i64, profile: Profile) -> BoxFuture<'_, Result<(), UserStoreError>> {
        let given = Given {
            id,
            first_name: profile.first_name,
            last_name: profile.last_name,
            email: profile.email,
            ..Given::default()
        };
        change(self, self.statements().save_profile.as_ref(), &given)
    }

    fn permissions<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<Permissions, UserStoreError>> {
        let of_user = |granted| Permissions::of_user(user.is_active, user.is_superuser, granted);
        let (true, Some(permissions)) = (user.is_active, &self.statements().permissions) else {
            return ready(Ok(of_user(Vec::new()))).boxed();
        };
        let given = Given {
            id: user.id,
            is_superuser: user.is_superuser,
            ..Given::default()
        };
        let granted = self.database().all(permissions.with(&given), permission);
        granted.map(move |granted| granted.map(of_user)).boxed()
    }
}

impl<S: InTable> PasswordTable for S {
    fn stored_passwords(
        &self,
        after: i64,
        at_most: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredPassword>, UserStoreError>> {
        let given = Given {
            id: after,
            at_most: i64::from(at_most),
            ..Given::default()
        };
        self.database()
            .all(self.statements().passwords.with(&given), stored_password)
            .boxed()
    }
}
