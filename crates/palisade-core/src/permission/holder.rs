//! Whose permissions are asked for, and which lists say what they are: the rules of Django's `ModelBackend`.

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

/// A list of permissions.
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

impl Holder {
    /// Says which lists hold what the user may do. Each rule fails closed: whoever is inactive or anonymous has nothing, nor has
    /// anybody for a single object (Django's tables know of no such grants); a superuser has all there is.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade_core::permission::{Granted, Holder, Origin};
    ///
    /// let ann = Holder { is_active: true, is_anonymous: false, is_superuser: false };
    /// assert_eq!(ann.lists(Granted::All, false), [Origin::User, Origin::Group]);
    /// assert!(Holder { is_active: false, ..ann }.lists(Granted::All, false).is_empty());
    /// ```
    pub const fn lists(self, granted: Granted, with_object: bool) -> &'static [Origin] {
        if !self.is_active || self.is_anonymous || with_object {
            return &[];
        }
        match (self.is_superuser, granted) {
            (true, _) => &[Origin::Every],
            (false, Granted::User) => &[Origin::User],
            (false, Granted::Group) => &[Origin::Group],
            (false, Granted::All) => &[Origin::User, Origin::Group],
        }
    }
}
