//! What a user may do: the names of permissions, and the decision.
//!
//! Follows Django's `PermissionsMixin` and `ModelBackend`: an inactive user may nothing, an active superuser everything, and
//! everybody else what was granted to them or to one of their groups. Who granted what is for a store to say; the
//! decision is made here, so that it is the same whatever the store. Meets `broken-access-control`.

mod holder;

pub use self::holder::{Granted, Holder, Origin};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The name of a permission, as Django writes it: `app_label.codename`.
///
/// # Example
///
/// ```
/// use palisade_core::permission::PermissionName;
///
/// const CHANGE_NOTE: PermissionName = PermissionName::new("notes", "change_note");
/// assert_eq!(CHANGE_NOTE.to_string(), "notes.change_note");
/// assert_eq!("notes.change_note".parse::<PermissionName>()?, CHANGE_NOTE);
/// # Ok::<(), palisade_core::permission::InvalidPermissionName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionName {
    app_label: Cow<'static, str>,
    codename: Cow<'static, str>,
}

/// A text that names no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no permission: write app_label.codename")]
pub struct InvalidPermissionName(String);

impl PermissionName {
    /// Names a permission of the program's own. A label with a dot is nobody's: it is never granted.
    pub const fn new(app_label: &'static str, codename: &'static str) -> Self {
        Self {
            app_label: Cow::Borrowed(app_label),
            codename: Cow::Borrowed(codename),
        }
    }

    /// Names a permission as a database has it, in two columns.
    pub fn from_columns(app_label: impl Into<String>, codename: impl Into<String>) -> Self {
        Self {
            app_label: Cow::Owned(app_label.into()),
            codename: Cow::Owned(codename.into()),
        }
    }

    /// The application that the permission belongs to.
    pub fn app_label(&self) -> &str {
        &self.app_label
    }

    /// What is permitted, such as `change_note`.
    pub fn codename(&self) -> &str {
        &self.codename
    }
}

impl FromStr for PermissionName {
    type Err = InvalidPermissionName;

    /// Splits at the first dot, as Django does.
    fn from_str(text: &str) -> Result<Self, InvalidPermissionName> {
        match text.split_once('.') {
            Some((app_label, codename)) if !app_label.is_empty() && !codename.is_empty() => {
                Ok(Self::from_columns(app_label, codename))
            }
            _ => Err(InvalidPermissionName(text.to_owned())),
        }
    }
}

impl fmt::Display for PermissionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.app_label, self.codename)
    }
}

/// What one user may do.
///
/// # Example
///
/// ```
/// use palisade_core::permission::{PermissionName, Permissions};
///
/// let change = PermissionName::new("notes", "change_note");
/// let delete = PermissionName::new("notes", "delete_note");
/// let ann = Permissions::of_user(true, false, [change.clone()]);
/// assert!(ann.has_perm(&change) && !ann.has_perm(&delete));
/// assert!(ann.has_module_perms("notes") && !ann.has_module_perms("note"));
/// assert!(!Permissions::of_user(false, true, [change.clone()]).has_perm(&change));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    everything: bool,
    granted: BTreeSet<PermissionName>,
}

impl Permissions {
    /// May nothing: what nobody may.
    pub fn none() -> Self {
        Self::default()
    }

    /// Decides from the user's two flags and what was granted to the user and the user's groups together, as Django's `User`
    /// does: an active superuser may what nobody has ever listed, too.
    pub fn of_user(
        is_active: bool,
        is_superuser: bool,
        granted: impl IntoIterator<Item = PermissionName>,
    ) -> Self {
        let holder = Holder {
            is_active,
            is_anonymous: false,
            is_superuser,
        };
        match holder.lists(Granted::All, false) {
            [] => Self::none(),
            lists => Self {
                everything: lists.contains(&Origin::Every),
                granted: granted.into_iter().collect(),
            },
        }
    }

    /// Reads the lists that hold what a user may do, as Django's `ModelBackend` does: `get_user_permissions`,
    /// `get_group_permissions` and `get_all_permissions`. A superuser may what is listed, and nothing else; no list is read
    /// where the rules need none.
    ///
    /// # Errors
    ///
    /// What `list` says.
    pub fn listed<E, L: IntoIterator<Item = PermissionName>>(
        holder: Holder,
        granted: Granted,
        with_object: bool,
        mut list: impl FnMut(Origin) -> Result<L, E>,
    ) -> Result<Self, E> {
        let mut all = Self::none();
        for origin in holder.lists(granted, with_object) {
            all.granted.extend(list(*origin)?);
        }
        Ok(all)
    }

    /// Says whether the user may do this.
    pub fn has_perm(&self, name: &PermissionName) -> bool {
        self.everything || self.granted.contains(name)
    }

    /// Says whether the user may do all of these. Whoever asks for nothing is told yes, as by Django.
    pub fn has_perms<'p>(&self, names: impl IntoIterator<Item = &'p PermissionName>) -> bool {
        names.into_iter().all(|name| self.has_perm(name))
    }

    /// Says whether the user may do anything at all in an application.
    pub fn has_module_perms(&self, app_label: &str) -> bool {
        self.everything || self.granted.iter().any(|name| name.app_label() == app_label)
    }

    /// Says whether the user may do something to one certain object. Django's `ModelBackend` knows of no such grants: only a
    /// superuser may, whatever was granted in general.
    pub fn has_perm_for_object(&self) -> bool {
        self.everything
    }

    /// Lists what was granted, in order; a superuser may more than that.
    pub fn granted(&self) -> impl Iterator<Item = &PermissionName> {
        self.granted.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: PermissionName = PermissionName::new("notes", "add_note");
    const VIEW: PermissionName = PermissionName::new("notes", "view_note");

    #[test]
    fn inactive_superuser_may_nothing() {
        let gone = Permissions::of_user(false, true, [ADD]);
        assert!(!gone.has_perm(&ADD) && !gone.has_module_perms("notes") && !gone.has_perm_for_object());
        assert_eq!(gone.granted().count(), 0);
    }

    #[test]
    fn active_superuser_may_what_nobody_has_ever_granted() {
        let root = Permissions::of_user(true, true, []);
        assert!(root.has_perm(&VIEW) && root.has_module_perms("anything") && root.has_perm_for_object());
    }

    #[test]
    fn grant_of_one_is_not_grant_of_another() {
        let ann = Permissions::of_user(true, false, [ADD]);
        assert!(ann.has_perms([&ADD]) && !ann.has_perms([&ADD, &VIEW]) && ann.has_perms([]));
        assert!(!ann.has_perm(&PermissionName::new("notes", "ADD_note")));
        assert!(!ann.has_perm_for_object());
    }

    const ANN: Holder = Holder {
        is_active: true,
        is_anonymous: false,
        is_superuser: false,
    };

    fn listed(holder: Holder, with_object: bool) -> Permissions {
        let list = |origin| {
            Ok::<_, std::convert::Infallible>(match origin {
                Origin::User => vec![ADD],
                Origin::Group => vec![VIEW],
                Origin::Every => vec![ADD, PermissionName::new("other", "delete_it")],
            })
        };
        let Ok(permissions) = Permissions::listed(holder, Granted::All, with_object, list);
        permissions
    }

    #[test]
    fn nobody_without_an_active_account_has_any_and_no_list_is_read() {
        let never = |_| -> Result<[PermissionName; 0], ()> { Err(()) };
        let root = Holder {
            is_superuser: true,
            ..ANN
        };
        let (gone, nobody) = (
            Holder {
                is_active: false,
                ..root
            },
            Holder {
                is_anonymous: true,
                ..root
            },
        );
        for (holder, with_object) in [(gone, false), (nobody, false), (root, true)] {
            let none = Permissions::listed(holder, Granted::All, with_object, never);
            assert_eq!(none, Ok(Permissions::none()));
        }
    }

    #[test]
    fn user_has_what_the_account_and_its_groups_have() {
        assert!(listed(ANN, false).has_perms([&ADD, &VIEW]));
        assert!(!listed(ANN, false).has_module_perms("other"));
        let groups = Permissions::listed(ANN, Granted::Group, false, |_| Ok::<_, ()>([VIEW]));
        assert_eq!(groups.unwrap().granted().collect::<Vec<_>>(), [&VIEW]);
    }

    #[test]
    fn listed_superuser_has_every_permission_that_exists_and_no_other() {
        let root = listed(
            Holder {
                is_superuser: true,
                ..ANN
            },
            false,
        );
        assert!(root.has_perm(&ADD) && root.has_module_perms("other"));
        assert!(!root.has_perm(&VIEW));
    }

    #[test]
    fn name_is_split_at_its_first_dot() {
        let name: PermissionName = "a.b.c".parse().unwrap();
        assert_eq!((name.app_label(), name.codename()), ("a", "b.c"));
        for text in ["", ".", "a.", ".b", "ab"] {
            assert!(text.parse::<PermissionName>().is_err(), "{text}");
        }
    }
}
