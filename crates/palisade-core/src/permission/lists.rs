//! Who may do what: Django's `ModelBackend`, over whatever lists the permissions.
//!
//! A permission is a name, `app_label.codename`. The rules are few and each fails closed: nobody who is inactive or
//! anonymous has any, no permission holds for a single object (Django's tables know none), and a superuser has all that exist. The
//! lists are asked for only when a rule needs them. Meets `broken-access-control`.
//!
//! # Example
//!
//! ```
//! use std::collections::BTreeSet;
//! use std::convert::Infallible;
//!
//! use palisade_core::permission::lists::{Holder, Origin, has_perm};
//!
//! let ann = Holder { is_active: true, is_anonymous: false, is_superuser: false };
//! let lists = |origin| Ok::<_, Infallible>(match origin {
//!     Origin::User => BTreeSet::from(["notes.add_note".to_owned()]),
//!     _ => BTreeSet::new(),
//! });
//! assert!(has_perm(ann, "notes.add_note", false, lists)?);
//! assert!(!has_perm(Holder { is_active: false, ..ann }, "notes.add_note", false, lists)?);
//! # Ok::<(), Infallible>(())
//! ```

use std::collections::BTreeSet;

/// What the rules ask of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account has not been switched off.
    pub is_active: bool,
    /// There is no account.
    pub is_anonymous: bool,
    /// The account may do everything.
    pub is_superuser: bool,
}

/// Where permissions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Granted to the user.
    User,
    /// Granted to a group the user is in.
    Group,
    /// All that exist.
    Every,
}

/// Which permissions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// To the user.
    User,
    /// To the user's groups.
    Group,
    /// Either.
    All,
}

/// Lists the permissions that a user has: `get_user_permissions`, `get_group_permissions` and `get_all_permissions`.
///
/// # Errors
///
/// What `list` says.
pub fn permissions<E>(
    holder: Holder,
    granted: Granted,
    with_object: bool,
    mut list: impl FnMut(Origin) -> Result<BTreeSet<String>, E>,
) -> Result<BTreeSet<String>, E> {
    if !holder.is_active || holder.is_anonymous || with_object {
        return Ok(BTreeSet::new());
    }
    match (holder.is_superuser, granted) {
        (true, _) => list(Origin::Every),
        (false, Granted::User) => list(Origin::User),
        (false, Granted::Group) => list(Origin::Group),
        (false, Granted::All) => {
            let mut all = list(Origin::User)?;
            all.extend(list(Origin::Group)?);
            Ok(all)
        }
    }
}

/// Says whether a user has a permission.
///
/// # Errors
///
/// What `list` says.
pub fn has_perm<E>(
    holder: Holder,
    permission: &str,
    with_object: bool,
    list: impl FnMut(Origin) -> Result<BTreeSet<String>, E>,
) -> Result<bool, E> {
    Ok(permissions(holder, Granted::All, with_object, list)?.contains(permission))
}

/// Says whether a user has any permission of an application.
///
/// # Errors
///
/// What `list` says.
pub fn has_module_perms<E>(
    holder: Holder,
    app_label: &str,
    list: impl FnMut(Origin) -> Result<BTreeSet<String>, E>,
) -> Result<bool, E> {
    let all = permissions(holder, Granted::All, false, list)?;
    Ok(all.iter().any(|permission| {
        permission
            .split_once('.')
            .is_some_and(|(label, _)| label == app_label)
    }))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const ANN: Holder = Holder {
        is_active: true,
        is_anonymous: false,
        is_superuser: false,
    };

    #[expect(clippy::unnecessary_wraps, reason = "a list may fail, and this one does not")]
    fn lists(origin: Origin) -> Result<BTreeSet<String>, Infallible> {
        Ok(match origin {
            Origin::User => BTreeSet::from(["app.add_x".to_owned()]),
            Origin::Group => BTreeSet::from(["app.view_x".to_owned()]),
            Origin::Every => BTreeSet::from(["app.add_x".to_owned(), "other.del_y".to_owned()]),
        })
    }

    #[test]
    fn nobody_without_an_active_account_has_any_and_no_list_is_read() {
        let never = |_| -> Result<BTreeSet<String>, ()> { Err(()) };
        let superuser = Holder {
            is_superuser: true,
            ..ANN
        };
        for holder in [
            Holder {
                is_active: false,
                ..superuser
            },
            Holder {
                is_anonymous: true,
                ..superuser
            },
        ] {
            assert_eq!(has_perm(holder, "app.add_x", false, never), Ok(false));
            assert_eq!(has_module_perms(holder, "app", never), Ok(false));
        }
        assert_eq!(has_perm(superuser, "app.add_x", true, never), Ok(false));
    }

    #[test]
    fn user_has_what_the_account_and_its_groups_have() {
        for (permission, has) in [("app.add_x", true), ("app.view_x", true), ("other.del_y", false)] {
            assert_eq!(has_perm(ANN, permission, false, lists), Ok(has));
        }
        assert_eq!(has_module_perms(ANN, "app", lists), Ok(true));
        assert_eq!(has_module_perms(ANN, "ap", lists), Ok(false));
        assert_eq!(permissions(ANN, Granted::Group, false, lists).unwrap().len(), 1);
    }

    #[test]
    fn superuser_has_every_permission_that_exists() {
        let root = Holder {
            is_superuser: true,
            ..ANN
        };
        assert_eq!(has_perm(root, "other.del_y", false, lists), Ok(true));
        assert_eq!(has_perm(root, "no.such_thing", false, lists), Ok(false));
    }
}
