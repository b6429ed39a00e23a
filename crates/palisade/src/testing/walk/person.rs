//! Who walks.

use std::fmt;

use crate::auth::User;
use crate::rows::Role;

/// In which part somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Who {
    /// Somebody who is not logged in.
    Nobody,
    /// A user who owns nothing of what is asked for.
    Other,
    /// A user to whom the owner granted it.
    Granted(Role),
    /// A user who is staff, and owns nothing of it either.
    Staff,
    /// The user who owns it.
    Owner,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nobody => "nobody",
            Self::Other => "another user",
            Self::Granted(role) => role.name(),
            Self::Staff => "staff",
            Self::Owner => "the owner",
        })
    }
}

/// Somebody who takes part.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) who: Who,
    pub(super) user: Option<User>,
}

impl Person {
    pub(super) fn nobody() -> Self {
        Self {
            who: Who::Nobody,
            user: None,
        }
    }

    pub(super) fn of(who: Who, user: &User) -> Self {
        Self {
            who,
            user: Some(user.clone()),
        }
    }
}
