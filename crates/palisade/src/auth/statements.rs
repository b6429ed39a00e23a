//! The statements over a table of users, put together once for each table and dialect from checked names.
//!
//! Query text is a `&'static str` by type, so that nothing of a request can get into it. A table of one's own has names
//! that are known only at start; so its statements are put together there, once, from names that were checked letter by
//! letter, and are then kept for the life of the process. Nothing that comes later can add to them. They are written
//! once for all databases, so that these cannot come to differ in what they ask.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use palisade_core::Sensitive;

use super::dialect::Dialect;
use super::table::{UserTable, UserTableError};

/// What is asked of a table of users.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    pub(super) by_id: Statement,
    pub(super) by_username: Statement,
    pub(super) by_email: Option<Statement>,
    pub(super) passwords: Statement,
    pub(super) taken: Statement,
    pub(super) create: Statement,
    pub(super) replace_password: Statement,
    pub(super) logged_in: Option<Statement>,
    pub(super) save_profile: Option<Statement>,
    pub(super) permissions: Option<Statement>,
}

/// A statement, and what its places are for, in their order.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    sql: &'static str,
    places: Vec<Place>,
}

/// What a value in a statement is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Id,
    AtMost,
    Username,
    Password,
    OldPassword,
    FirstName,
    LastName,
    Email,
    Now,
    IsSuperuser,
}

/// What a statement is asked with; it takes what it has places for.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) id: i64,
    pub(super) at_most: i64,
    pub(super) username: String,
    pub(super) password: Sensitive<String>,
    pub(super) old_password: Sensitive<String>,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) now: Option<SystemTime>,
    pub(super) is_superuser: bool,
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

/// A value to bind.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    Secret(Sensitive<String>),
    Time(Option<SystemTime>),
    Flag(bool),
}

impl Statement {
    /// Puts values into the places.
    pub(super) fn with(&self, given: &Given) -> Asked {
        let value = |place: &Place| match place {
            Place::Id => Value::Number(given.id),
            Place::AtMost => Value::Number(given.at_most),
            Place::Username => Value::Text(given.username.clone()),
            Place::Password => Value::Secret(given.password.clone()),
            Place::OldPassword => Value::Secret(given.old_password.clone()),
            Place::FirstName => Value::Text(given.first_name.clone()),
            Place::LastName => Value::Text(given.last_name.clone()),
            Place::Email => Value::Text(given.email.clone()),
            Place::Now => Value::Time(given.now),
            Place::IsSuperuser => Value::Flag(given.is_superuser),
        };
        Asked {
            sql: self.sql,
            values: self.places.iter().map(value).collect(),
        }
    }
}

impl Statements {
    /// Puts them together; every name in them has passed the check.
    pub(super) fn over(table: &UserTable, dialect: &Dialect) -> Result<Self, UserTableError> {
        table.check()?;
        Ok(Self::checked(table, dialect))
    }

    /// The statements over Django's own table.
    pub(super) fn over_auth_user(dialect: &Dialect) -> Self {
        Self::checked(&UserTable::default(), dialect)
    }

    fn checked(names: &UserTable, dialect: &Dialect) -> Self {
        let draft = || Draft::in_dialect(dialect);
        let user = || draft().user(names).say(" FROM ").name(&names.table);
        let update = || draft().say("UPDATE ").name(&names.table).say(" SET ");
        let set = |columns: &[(&str, Place)]| {
            let columns: Vec<_> = columns.iter().filter(|(name, _)| !name.is_empty()).collect();
            let update = update().list(&columns, |draft, (name, place)| draft.equal(name, *place));
            (!columns.is_empty()).then(|| update.say(" WHERE ").equal(&names.id, Place::Id).kept())
        };
        // Where the e-mail address is the name to log in with, changing a profile does not change it.
        let email = Some(names.email.as_str()).filter(|email| !(dialect.same_name)(email, &names.username));
        Self {
            by_id: user().say(" WHERE ").equal(&names.id, Place::Id).kept(),
            by_username: user()
                .say(" WHERE ")
                .equal(&names.username, Place::Username)
                .kept(),
            by_email: (!names.email.is_empty()).then(|| {
                user()
                    .say(" WHERE ")
                    .equal_within(dialect.folded, &names.email, Place::Email)
                    .say(" ORDER BY ")
                    .name(&names.id)
                    .say(" LIMIT ")
                    .value(Place::AtMost)
                    .kept()
            }),
            passwords: draft().passwords(names).kept(),
            taken: draft()
                .say("SELECT 1 FROM ")
                .name(&names.table)
                .say(" WHERE ")
                .equal_within(dialect.folded, &names.username, Place::Username)
                .say(" LIMIT 1")
                .kept(),
            create: draft().create(names).kept(),
            replace_password: update()
                .equal(&names.password, Place::Password)
                .say(" WHERE ")
                .equal(&names.id, Place::Id)
                .say(" AND ")
                .equal_within(dialect.exact, &names.password, Place::OldPassword)
                .kept(),
            logged_in: set(&[(&names.last_login, Place::Now)]),
            save_profile: set(&[
                (&names.first_name, Place::FirstName),
                (&names.last_name, Place::LastName),
                (email.unwrap_or_default(), Place::Email),
            ]),
            permissions: names.has_permissions().then(|| draft().permissions(names).kept()),
        }
    }
}

/// A statement in the making. What is said in it is literal, a checked name, or a place for a value.
#[derive(Debug)]
struct Draft<'d> {
    dialect: &'d Dialect,
    sql: String,
    places: Vec<Place>,
}

impl<'d> Draft<'d> {
    fn in_dialect(dialect: &'d Dialect) -> Self {
        Self {
            dialect,
            sql: String::new(),
            places: Vec::new(),
        }
    }

    fn say(mut self, text: &'static str) -> Self {
        self.sql.push_str(text);
        self
    }

    fn name(mut self, checked: &str) -> Self {
        self.sql.extend([self.dialect.quote]);
        self.sql.push_str(checked);
        self.sql.push(self.dialect.quote);
        self
    }

    fn number(self, checked: &str) -> Self {
        let cast = self.dialect.number;
        self.name(checked).say(cast)
    }

    fn text(self, checked: &str) -> Self {
        let cast = self.dialect.text;
        self.name(checked).say(cast)
    }

    fn value(mut self, place: Place) -> Self {
        self.places.push(place);
        self.sql.push(self.dialect.place);
        if self.dialect.numbered {
            self.sql.push_str(&self.places.len().to_string());
        }
        let cast = match place {
            Place::Id | Place::AtMost => self.dialect.number,
            _ => "",
        };
        self.say(cast)
    }

    fn equal(self, column: &str, place: Place) -> Self {
        self.equal_within(["", ""], column, place)
    }

    /// `column = value`, with something around both.
    fn equal_within(self, [before, after]: [&'static str; 2], column: &str, place: Place) -> Self {
        let column = self.say(before).name(column).say(after);
        column.say(" = ").say(before).value(place).say(after)
    }

    fn list<T>(mut self, items: &[T], each: impl Fn(Self, &T) -> Self) -> Self {
        for (n, item) in items.iter().enumerate() {
            self = each(if n == 0 { self } else { self.say(", ") }, item);
        }
        self
    }

    /// The columns of a user, in the order in which they are read.
    fn user(self, names: &UserTable) -> Self {
        let dialect = self.dialect;
        let text = |draft: Self, name: &str| match name {
            "" => draft.say(", ''"),
            name => draft.say(", ").text(name),
        };
        let or = |draft: Self, name: &str, otherwise| match name {
            "" => draft.say(", ").say(otherwise),
            name => draft.say(", ").name(name),
        };
        let mut draft = self.say("SELECT ").number(&names.id);
        for name in [
            &names.username,
            &names.password,
            &names.first_name,
            &names.last_name,
            &names.email,
        ] {
            draft = text(draft, name);
        }
        draft = or(draft, &names.is_staff, dialect.no);
        draft = or(draft, &names.is_superuser, dialect.no);
        draft = or(draft, &names.last_login, dialect.no_time);
        draft = or(draft, &names.is_active, dialect.yes);
        or(draft, &names.date_joined, dialect.no_time)
    }

    fn passwords(self, names: &UserTable) -> Self {
        let columns = self
            .say("SELECT ")
            .number(&names.id)
            .say(", ")
            .text(&names.password);
        let after = columns
            .say(" FROM ")
            .name(&names.table)
            .say(" WHERE ")
            .name(&names.id);
        let in_order = after
            .say(" > ")
            .value(Place::Id)
            .say(" ORDER BY ")
            .name(&names.id);
        in_order.say(" LIMIT ").value(Place::AtMost)
    }

    fn create(self, names: &UserTable) -> Self {
        let dialect = self.dialect;
        let columns = [
            (&names.password, Ok(Place::Password)),
            (&names.username, Ok(Place::Username)),
            (&names.last_name, Ok(Place::LastName)),
            (&names.email, Ok(Place::Email)),
            (&names.date_joined, Ok(Place::Now)),
            (&names.first_name, Ok(Place::FirstName)),
            (&names.is_superuser, Err(dialect.no)),
            (&names.is_staff, Err(dialect.no)),
            (&names.is_active, Err(dialect.yes)),
        ];
        // A username that is the e-mail address, too, is written once.
        let mut written: Vec<(&str, Result<Place, &'static str>)> = Vec::new();
        for (name, value) in columns {
            if !name.is_empty() && !written.iter().any(|(other, _)| (dialect.same_name)(other, name)) {
                written.push((name, value));
            }
        }
        let draft = self.say("INSERT INTO ").name(&names.table).say(" (");
        let draft = draft
            .list(&written, |draft, (name, _)| draft.name(name))
            .say(") VALUES (");
        let draft = draft.list(&written, |draft, (_, value)| match *value {
            Ok(place) => draft.value(place),
            Err(constant) => draft.say(constant),
        });
        let draft = draft.say(")");
        if dialect.returning {
            draft.say(" RETURNING ").number(&names.id)
        } else {
            draft
        }
    }

    /// Granted to the user and to the user's groups; everything there is, for a superuser.
    fn permissions(self, names: &UserTable) -> Self {
        let all = "SELECT c.app_label, p.codename FROM auth_permission p
                   JOIN django_content_type c ON c.id = p.content_type_id WHERE ";
        let draft = self.say(all).value(Place::IsSuperuser);
        let draft = draft
            .say(" OR p.id IN (SELECT permission_id FROM ")
            .name(&names.user_permissions);
        let draft = draft
            .say(" WHERE ")
            .name(&names.user_id)
            .say(" = ")
            .value(Place::Id);
        let of_groups = ") OR p.id IN (SELECT g.permission_id FROM auth_group_permissions g JOIN ";
        let draft = draft
            .say(of_groups)
            .name(&names.groups)
            .say(" u ON u.group_id = g.group_id WHERE u.");
        draft.equal(&names.user_id, Place::Id).say(")")
    }

    fn kept(self) -> Statement {
        Statement {
            sql: kept(self.sql),
            places: self.places,
        }
    }
}

/// Keeps a statement for the life of the process. The same text is kept once, however often a table is opened.
fn kept(sql: String) -> &'static str {
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
    fn same_statement_is_kept_once() {
        let twice = [kept("SELECT 1".to_owned()), kept("SELECT 1".to_owned())];
        assert!(std::ptr::eq(twice[0], twice[1]));
    }
}
