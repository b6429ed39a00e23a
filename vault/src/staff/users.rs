//! The list of accounts, a page at a time, without anything that would open one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::sqlite::{Sqlite, SqliteError};
use rusqlite::{Row, params};

/// How many accounts one page shows.
pub(super) const PAGE: usize = 100;

/// An account in the list.
#[derive(Clone, Debug)]
pub(super) struct UserLine {
    pub(super) username: String,
    pub(super) is_active: bool,
    pub(super) is_staff: bool,
    pub(super) is_superuser: bool,
    pub(super) last_login: Option<SystemTime>,
}

/// The accounts, as staff may see them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct People(Sqlite);

impl People {
    /// Reads from this database, which has users already.
    pub(crate) fn of(database: Sqlite) -> Self {
        Self(database)
    }

    /// Lists accounts by name, those after a name.
    pub(super) fn list(&self, after: &str) -> Result<Vec<UserLine>, SqliteError> {
        self.0.read(|reader| {
            reader.all(
                "SELECT username, is_active, is_staff, is_superuser, CAST(strftime('%s', last_login) AS INTEGER)
                 FROM auth_user WHERE username > ?1 ORDER BY username LIMIT ?2",
                params![after, i64::try_from(PAGE).unwrap_or(i64::MAX)],
                line,
            )
        })
    }

    /// The name of a user, to be shown to somebody with whom that user shares something.
    pub(crate) fn name(&self, id: i64) -> Result<String, SqliteError> {
        let name = self.0.read(|reader| {
            reader.one(
                "SELECT username FROM auth_user WHERE id = ?1",
                params![id],
                |row| row.get(0),
            )
        });
        Ok(name?.unwrap_or_default())
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<UserLine> {
    let last_login: Option<i64> = row.get(4)?;
    Ok(UserLine {
        username: row.get(0)?,
        is_active: row.get(1)?,
        is_staff: row.get(2)?,
        is_superuser: row.get(3)?,
        last_login: last_login
            .map(|seconds| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade::Sensitive;
    use palisade::auth::{NewUser, SqliteUsers, UserStore as _};

    #[tokio::test]
    async fn accounts_are_listed_by_name_a_page_at_a_time() {
        let database = Sqlite::in_memory().unwrap();
        let users = SqliteUsers::new(database.clone()).unwrap();
        for number in 0..=PAGE {
            let new = NewUser {
                username: format!("user{number:03}"),
                ..NewUser::default()
            };
            let user = users
                .create(new, Sensitive::new("!".to_owned()), UNIX_EPOCH)
                .await
                .unwrap();
            if number == 0 {
                let login = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
                users.logged_in(user.id, login).await.unwrap();
            }
        }
        let people = People::of(database);
        let first = people.list("").unwrap();
        assert_eq!((first.len(), first[0].username.as_str()), (PAGE, "user000"));
        assert_eq!(
            first[0].last_login,
            Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        );
        assert_eq!(first[1].last_login, None);
        let second = people.list(&first[PAGE - 1].username).unwrap();
        assert_eq!((second.len(), second[0].username.as_str()), (1, "user100"));
    }
}
