//! The statements over a table of users, put together once from checked names.

use super::super::table::{UserTable, UserTableError, kept};

/// What is asked of a table of users.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statements {
    pub(super) by_id: &'static str,
    pub(super) by_username: &'static str,
    pub(super) create: &'static str,
    pub(super) taken: &'static str,
    pub(super) replace_password: &'static str,
    pub(super) logged_in: Option<&'static str>,
    pub(super) save_profile: Option<&'static str>,
    pub(super) permissions: Option<&'static str>,
}

impl Statements {
    /// Puts them together; every name in them has passed the check.
    pub(super) fn over(names: &UserTable) -> Result<Self, UserTableError> {
        names.check()?;
        let table = quoted(&names.table);
        let id = quoted(&names.id);
        let password = quoted(&names.password);
        let or = |name: &str, otherwise: &str| {
            if name.is_empty() {
                otherwise.to_owned()
            } else {
                quoted(name)
            }
        };
        let select = format!(
            "SELECT {id}, {}, {password}, {}, {}, {}, {}, {}, {}, {}, {} FROM {table}",
            quoted(&names.username),
            or(&names.first_name, "''"),
            or(&names.last_name, "''"),
            or(&names.email, "''"),
            or(&names.is_staff, "0"),
            or(&names.is_superuser, "0"),
            or(&names.last_login, "NULL"),
            or(&names.is_active, "1"),
            or(&names.date_joined, "''"),
        );
        // Every value is named in the condition, too, so that as many are asked for as are bound, whatever columns there are.
        let set = |columns: &[(&str, u8)], all: &str| {
            let columns: Vec<String> = columns
                .iter()
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, place)| format!("{} = ?{place}", quoted(name)))
                .collect();
            (!columns.is_empty()).then(|| {
                kept(format!(
                    "UPDATE {table} SET {} WHERE {id} = ?1 AND {all} IS NOT NULL",
                    columns.join(", ")
                ))
            })
        };
        Ok(Self {
            by_id: kept(format!("{select} WHERE {id} = ?1")),
            by_username: kept(format!("{select} WHERE {} = ?1", quoted(&names.username))),
            create: kept(create(names)),
            taken: kept(format!(
                "SELECT 1 FROM {table} WHERE {} = ?1 COLLATE NOCASE",
                quoted(&names.username)
            )),
            replace_password: kept(format!(
                "UPDATE {table} SET {password} = ?3 WHERE {id} = ?1 AND {password} = ?2"
            )),
            logged_in: set(&[(&names.last_login, 2)], "?2"),
            // Where the e-mail address is the name to log in with, changing a profile does not change it.
            save_profile: set(
                &[
                    (names.first_name.as_str(), 2),
                    (names.last_name.as_str(), 3),
                    (
                        if names.email.eq_ignore_ascii_case(&names.username) {
                            ""
                        } else {
                            names.email.as_str()
                        },
                        4,
                    ),
                ],
                "coalesce(?2, ?3, ?4)",
            ),
            permissions: names.has_permissions().then(|| kept(permissions(names))),
        })
    }
}

fn create(names: &UserTable) -> String {
    let values = [
        (&names.password, "?1"),
        (&names.username, "?2"),
        (&names.last_name, "?3"),
        (&names.email, "?4"),
        (&names.date_joined, "?5"),
        (&names.first_name, "?6"),
        (&names.is_superuser, "0"),
        (&names.is_staff, "0"),
        (&names.is_active, "1"),
    ];
    // A username that is the e-mail address, too, is written once.
    let mut written: Vec<(&str, &str)> = Vec::new();
    for (name, value) in values {
        if !name.is_empty() && !written.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            written.push((name, value));
        }
    }
    let columns: Vec<String> = written.iter().map(|(name, _)| quoted(name)).collect();
    let values: Vec<&str> = written.iter().map(|(_, value)| *value).collect();
    format!(
        "INSERT INTO {} ({}) SELECT {} WHERE coalesce(?1, ?2, ?3, ?4, ?5, ?6) IS NOT NULL",
        quoted(&names.table),
        columns.join(", "),
        values.join(", ")
    )
}

/// Granted to the user and to the user's groups; everything there is, for a superuser (`?2`).
fn permissions(names: &UserTable) -> String {
    let (groups, granted, user) = (
        quoted(&names.groups),
        quoted(&names.user_permissions),
        quoted(&names.user_id),
    );
    format!(
        "SELECT c.app_label, p.codename FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
         WHERE ?2 OR p.id IN (SELECT permission_id FROM {granted} WHERE {user} = ?1)
            OR p.id IN (SELECT g.permission_id FROM auth_group_permissions g
                        JOIN {groups} u ON u.group_id = g.group_id WHERE u.{user} = ?1)"
    )
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
