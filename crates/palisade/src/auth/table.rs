//! Which table holds the users: Django's `auth_user`, or that of a user model of one's own.
//!
//! Query text is a `&'static str` by type, so that nothing of a request can get into it. A table of one's own has names
//! that are known only at start; so its statements are put together once, there, from names that were checked letter by
//! letter, and are then kept for the life of the process. Nothing that comes later can add to them.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Deserialize;

use crate::sqlite::SqliteError;

/// The names of the table of users, its columns, and the two tables beside it. An empty name says that there is no such
/// column or table.
///
/// The default is Django's `auth_user`. It can be read from a configuration file:
///
/// ```
/// use palisade::auth::UserTable;
///
/// # #[derive(serde::Deserialize)] struct Configuration { users: UserTable }
/// # let text = r#"{"users": {"table": "people_person", "username": "email", "first_name": "", "last_name": ""}}"#;
/// # let configuration: Configuration = serde_json::from_str(text)?;
/// let users: UserTable = configuration.users;
/// assert_eq!((users.username.as_str(), users.password.as_str()), ("email", "password"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserTable {
    /// The table.
    pub table: String,
    /// The primary key, a whole number.
    pub id: String,
    /// The name to log in with (`USERNAME_FIELD`).
    pub username: String,
    /// The encoded password.
    pub password: String,
    /// The last login. Without it, reset tokens do not die with a login.
    pub last_login: String,
    /// Whether the user has every permission. Without it nobody has.
    pub is_superuser: String,
    /// Whether the user may use the admin. Without it nobody may.
    pub is_staff: String,
    /// Whether the user may log in at all. Without it everybody may.
    pub is_active: String,
    /// The e-mail address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// When the account was made.
    pub date_joined: String,
    /// The table of users' groups.
    ///
    /// # Security
    ///
    /// `auth_user`'s own is no other table's: person 7 would have what user 7 was granted. While another `table` does not name
    /// this and `user_permissions`, nobody but superusers has a permission.
    pub groups: String,
    /// The table of permissions granted to users themselves.
    pub user_permissions: String,
    /// The column of those two that points to the user: the model's name in lower case and `_id`.
    pub user_id: String,
}

impl Default for UserTable {
    fn default() -> Self {
        let own = str::to_owned;
        Self {
            table: own("auth_user"),
            id: own("id"),
            username: own("username"),
            password: own("password"),
            last_login: own("last_login"),
            is_superuser: own("is_superuser"),
            is_staff: own("is_staff"),
            is_active: own("is_active"),
            email: own("email"),
            first_name: own("first_name"),
            last_name: own("last_name"),
            date_joined: own("date_joined"),
            groups: own("auth_user_groups"),
            user_permissions: own("auth_user_user_permissions"),
            user_id: own("user_id"),
        }
    }
}

/// Why a table of users cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserTableError {
    /// Names that are none.
    #[error(
        "the table of users cannot be described so: {}; a name is a letter or underscore, then letters, digits and \
         underscores, 63 at most",
        .0.join(", ")
    )]
    Names(Vec<String>),
    /// Tables or columns that the database does not have.
    #[error("the database lacks {}: name the tables and columns of your user model, or run its migrations first", .0.join(", "))]
    Missing(Vec<String>),
    /// The database cannot say what it has.
    #[error(transparent)]
    Database(#[from] SqliteError),
}

impl UserTable {
    /// The columns, each with what it is and whether it must be there.
    fn columns(&self) -> [(&'static str, &str, bool); 11] {
        [
            ("id", &self.id, true),
            ("username", &self.username, true),
            ("password", &self.password, true),
            ("last_login", &self.last_login, false),
            ("is_superuser", &self.is_superuser, false),
            ("is_staff", &self.is_staff, false),
            ("is_active", &self.is_active, false),
            ("email", &self.email, false),
            ("first_name", &self.first_name, false),
            ("last_name", &self.last_name, false),
            ("date_joined", &self.date_joined, false),
        ]
    }

    /// Whether groups and permissions are kept, and are this table's own.
    pub(super) fn has_permissions(&self) -> bool {
        let named = |name: &str, of_auth_user: &str| {
            !name.is_empty() && (self.table == "auth_user" || name != of_auth_user)
        };
        named(&self.groups, "auth_user_groups") && named(&self.user_permissions, "auth_user_user_permissions")
    }

    /// What must be in the database: tables, each with its columns.
    pub(super) fn needed(&self) -> Vec<(&str, Vec<&str>)> {
        let columns = self.columns().into_iter().map(|(_, name, _)| name);
        let mut needed = vec![(
            self.table.as_str(),
            columns.filter(|name| !name.is_empty()).collect(),
        )];
        if self.has_permissions() {
            needed.push((&self.groups, vec![&self.user_id, "group_id"]));
            needed.push((&self.user_permissions, vec![&self.user_id, "permission_id"]));
        }
        needed
    }

    /// Checks every name. Nothing else may be put into a statement.
    pub(super) fn check(&self) -> Result<(), UserTableError> {
        let tables = [
            ("table", self.table.as_str(), true),
            ("groups", &self.groups, false),
            ("user_permissions", &self.user_permissions, false),
            ("user_id", &self.user_id, self.has_permissions()),
        ];
        let wrong: Vec<String> = self
            .columns()
            .into_iter()
            .chain(tables)
            .filter(|(_, name, must)| {
                if name.is_empty() {
                    *must
                } else {
                    !is_identifier(name)
                }
            })
            .map(|(what, name, _)| format!("{what} = {name:?}"))
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(UserTableError::Names(wrong))
        }
    }
}

/// A name that means nothing else in any dialect, quoted or not.
fn is_identifier(name: &str) -> bool {
    name.len() <= 63
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Keeps a statement for the life of the process. The same text is kept once, however often a table is opened.
pub(super) fn kept(sql: String) -> &'static str {
    static KEPT: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(same) = kept.get(sql.as_str()) {
        return same;
    }
    let sql: &'static str = sql.leak();
    kept.insert(sql);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_anything_but_letters_gets_into_no_statement() {
        for name in ["a b", "a\"", "a;--", "1a", "é", "a.b", "a'b", "", &"a".repeat(64)] {
            let table = UserTable {
                table: name.to_owned(),
                ..UserTable::default()
            };
            assert!(table.check().is_err(), "{name}");
        }
        assert!(UserTable::default().check().is_ok());
    }

    #[test]
    fn all_wrong_names_are_told_at_once() {
        let table = UserTable {
            email: "e mail".to_owned(),
            id: String::new(),
            ..UserTable::default()
        };
        let told = table.check().unwrap_err().to_string();
        assert!(told.contains("e mail") && told.contains("id = \"\""), "{told}");
    }

    #[test]
    fn same_statement_is_kept_once() {
        let twice = [kept("SELECT 1".to_owned()), kept("SELECT 1".to_owned())];
        assert!(std::ptr::eq(twice[0], twice[1]));
    }
}
