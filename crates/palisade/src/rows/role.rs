//! What an owner may grant: to see a row, or to change it, for ever or until a time.

use std::time::SystemTime;

/// What somebody else may do with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// May see it.
    Viewer,
    /// May see it and change it. To delete it or to share it stays with the owner.
    Editor,
}

impl Role {
    /// All of them, the weakest first.
    pub const ALL: [Self; 2] = [Self::Viewer, Self::Editor];

    /// The word for it: `viewer`, `editor`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
        }
    }

    /// The role of that word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// As it is kept: there is room between them.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Viewer => 10,
            Self::Editor => 20,
        }
    }

    /// The role that is kept as this, or the next weaker one.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|role| role.number() <= number)
    }
}

/// A role as a type, for [`Reach`](super::Reach).
pub trait AtLeast: Send + Sync + 'static + private::Sealed {
    /// The role.
    const ROLE: Role;
}

/// Whoever may see a row: its owner, or somebody to whom the owner granted it in any role.
#[derive(Clone, Copy, Debug)]
pub struct Viewer;

/// Whoever may change a row: its owner, or somebody to whom the owner granted that.
#[derive(Clone, Copy, Debug)]
pub struct Editor;

impl AtLeast for Viewer {
    const ROLE: Role = Role::Viewer;
}

impl AtLeast for Editor {
    const ROLE: Role = Role::Editor;
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Viewer {}
    impl Sealed for super::Editor {}
}

/// What an owner has granted, as the owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The name that the owner granted it to.
    pub username: String,
    /// What was granted.
    pub role: Role,
    /// When it ends; never, if there is nothing.
    pub until: Option<SystemTime>,
    /// When it was granted.
    pub granted: SystemTime,
}

impl Grant {
    /// Says whether it still counts.
    pub fn counts_at(&self, now: SystemTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
