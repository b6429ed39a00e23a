//! Which table holds the users: Django's `auth_user`, or that of a user model of one's own.
//!
//! Its names are checked letter by letter before anything is asked of a database, and then held against the database's
//! catalogue: what is not there, or is of another kind, is told at start and all at once.

use std::error::Error;

use serde::Deserialize;

use super::dialect::Dialect;

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
    /// Tables or columns that the database does not have, or has with another type.
    #[error("the database lacks {}: name the tables and columns of your user model, or run its migrations first", .0.join(", "))]
    Missing(Vec<String>),
    /// Tables or columns of Django's own that the database does not have, or has with another type.
    #[error(
        "the database lacks {}: run Django's migrate first (python manage.py migrate), or is this another database than Django's?",
        .0.join(", ")
    )]
    NotMigrated(Vec<String>),
    /// The database cannot say what it has.
    #[error(transparent)]
    Database(Box<dyn Error + Send + Sync>),
}

impl UserTableError {
    /// What is missing should have been made by Django.
    pub(super) fn at_django(self) -> Self {
        match self {
            Self::Missing(missing) => Self::NotMigrated(missing),
            other => other,
        }
    }

    /// Nothing may be missing.
    pub(super) fn unless_complete(missing: Vec<String>) -> Result<(), Self> {
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Self::Missing(missing))
        }
    }
}

/// What is kept in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Flag,
    Time,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Number => "a whole number",
            Self::Text => "text",
            Self::Flag => "a boolean",
            Self::Time => "a date with a time",
        }
    }
}

/// A table that must be in the database, with its columns.
#[derive(Debug)]
pub(super) struct Needed<'t> {
    pub(super) table: &'t str,
    columns: Vec<(&'t str, Kind)>,
}

/// A column that is there, and the database's name of its type.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) column: String,
    pub(super) of_type: String,
}

impl UserTable {
    /// The columns, each with what it is, whether it must be there, and what it holds.
    fn columns(&self) -> [(&'static str, &str, bool, Kind); 11] {
        [
            ("id", &self.id, true, Kind::Number),
            ("username", &self.username, true, Kind::Text),
            ("password", &self.password, true, Kind::Text),
            ("last_login", &self.last_login, false, Kind::Time),
            ("is_superuser", &self.is_superuser, false, Kind::Flag),
            ("is_staff", &self.is_staff, false, Kind::Flag),
            ("is_active", &self.is_active, false, Kind::Flag),
            ("email", &self.email, false, Kind::Text),
            ("first_name", &self.first_name, false, Kind::Text),
            ("last_name", &self.last_name, false, Kind::Text),
            ("date_joined", &self.date_joined, false, Kind::Time),
        ]
    }

    /// Whether groups and permissions are kept, and are this table's own.
    pub(super) fn has_permissions(&self) -> bool {
        // Most databases know a table by its name in any case of its letters.
        let named = |name: &str, of_auth_user: &str| {
            !name.is_empty() && (self.table == "auth_user" || !name.eq_ignore_ascii_case(of_auth_user))
        };
        named(&self.groups, "auth_user_groups") && named(&self.user_permissions, "auth_user_user_permissions")
    }

    /// What must be in the database.
    pub(super) fn needed(&self) -> Vec<Needed<'_>> {
        let columns = self.columns().into_iter();
        let own = columns.filter(|(_, name, ..)| !name.is_empty());
        let mut needed = vec![Needed {
            table: &self.table,
            columns: own.map(|(_, name, _, kind)| (name, kind)).collect(),
        }];
        if self.has_permissions() {
            let mut need = |table, columns| needed.push(Needed { table, columns });
            need(&self.groups, numbers([&self.user_id, "group_id"]));
            need(&self.user_permissions, numbers([&self.user_id, "permission_id"]));
            need(
                "auth_permission",
                vec![
                    ("id", Kind::Number),
                    ("content_type_id", Kind::Number),
                    ("codename", Kind::Text),
                ],
            );
            need("auth_group_permissions", numbers(["group_id", "permission_id"]));
            need(
                "django_content_type",
                vec![("id", Kind::Number), ("app_label", Kind::Text)],
            );
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
        let columns = self.columns().map(|(what, name, must, _)| (what, name, must));
        let wrong: Vec<String> = columns
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

impl Needed<'_> {
    /// What of it is not there, or cannot be what it is said to be. No columns at all are no table.
    pub(super) fn lacks(&self, found: &[Found], dialect: &Dialect) -> Vec<String> {
        let table = self.table;
        if found.is_empty() {
            return vec![format!("the table {table}")];
        }
        let lack = |&(column, kind): &(&str, Kind)| {
            let there = found
                .iter()
                .find(|found| (dialect.same_name)(&found.column, column));
            let Some(there) = there else {
                return Some(format!("the column {column} of {table}"));
            };
            let (fits, of_type) = ((dialect.types)(kind), there.of_type.as_str());
            let fits = fits.is_empty() || fits.contains(&of_type);
            (!fits).then(|| {
                format!(
                    "{} in the column {column} of {table}, which is {of_type}",
                    kind.name()
                )
            })
        };
        self.columns.iter().filter_map(lack).collect()
    }
}

fn numbers(columns: [&str; 2]) -> Vec<(&str, Kind)> {
    columns.map(|column| (column, Kind::Number)).into()
}

/// A name that means nothing else in any dialect, quoted or not.
fn is_identifier(name: &str) -> bool {
    name.len() <= 63
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
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
}
