//! A user as Django's `auth_user` table has it, and what a store of users must be able to do.

use std::fmt;
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::Sensitive;
use palisade_core::permission::Permissions;
use unicode_normalization::UnicodeNormalization as _;

/// A row of `auth_user`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct User {
    /// The primary key.
    pub id: i64,
    /// The name to log in with.
    pub username: String,
    /// The encoded password hash, which is nobody's business.
    pub password: Sensitive<String>,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The e-mail address.
    pub email: String,
    /// Whether the user may use the admin.
    pub is_staff: bool,
    /// Whether the user has every permission.
    pub is_superuser: bool,
    /// Whether the user may log in at all.
    pub is_active: bool,
    /// When the user last logged in.
    pub last_login: Option<SystemTime>,
    /// When the account was made.
    pub date_joined: SystemTime,
}

/// What a new account is made of. It has no privileges: there is no field to ask for them.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The name to log in with, already checked and normalised.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
}

/// What a person may change of their own account.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The e-mail address.
    pub email: String,
}

/// What can go wrong with a store of users.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserStoreError {
    /// There is a user of that name.
    #[error("A user with that username already exists.")]
    NameTaken,
    /// The store cannot do this, and the text says what it lacks.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The store cannot answer.
    #[error("the user store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A stored password, of whoever it may be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredPassword {
    /// The user's primary key.
    pub id: i64,
    /// The encoded hash.
    pub password: Sensitive<String>,
}

/// A store of users that can be gone through, for work on all passwords, such as wrapping old hashes under a key.
pub trait PasswordTable: UserStore {
    /// Reads the stored passwords of the users whose primary key is greater than `after`, in its order, `at_most` so many:
    /// the last of them is where the next call goes on.
    fn stored_passwords(
        &self,
        after: i64,
        at_most: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredPassword>, UserStoreError>>;
}

impl UserStoreError {
    /// What a database's error is to a store: a name that is taken, or no answer.
    pub(super) fn of(error: impl std::error::Error + Send + Sync + 'static, is_taken: bool) -> Self {
        if is_taken {
            Self::NameTaken
        } else {
            Self::Unavailable(Box::new(error))
        }
    }
}

/// Says whether two e-mail addresses are the same but for case: after NFKC, letter by letter in lower case.
///
/// Django folds case fully (`casefold`); here `ß` is not `ss`, so that fewer addresses are the same, and never more.
///
/// # Example
///
/// ```
/// use palisade::auth::same_address;
///
/// assert!(same_address("Ada@Example.com", "ada@example.com"));
/// assert!(!same_address("mike@example.com", "mıke@example.com")); // a dotless i is another person's address
/// ```
pub fn same_address(one: &str, other: &str) -> bool {
    let folded = |address: &str| -> Vec<char> { address.nfkc().flat_map(char::to_lowercase).collect() };
    folded(one) == folded(other)
}

/// Keeps users.
pub trait UserStore: fmt::Debug + Send + Sync + 'static {
    /// Finds a user by primary key.
    fn by_id(&self, id: i64) -> BoxFuture<'_, Result<Option<User>, UserStoreError>>;

    /// Finds a user by name, exactly.
    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<User>, UserStoreError>>;

    /// Finds the users of an e-mail address, whatever the case of its letters (Django's `PasswordResetForm.get_users`), whether or
    /// not they may log in; a few at most.
    ///
    /// # Errors
    ///
    /// A store that does not say how it finds them cannot reset passwords: [`UserStoreError::Unsupported`].
    ///
    /// # Security
    ///
    /// Two addresses are the same only by [`same_address`], whatever a database's collation holds (CVE-2019-19844).
    fn by_email<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<Vec<User>, UserStoreError>> {
        let _ = email;
        let unsupported = "this store of users cannot find anybody by e-mail: implement UserStore::by_email";
        ready(Err(UserStoreError::Unsupported(unsupported))).boxed()
    }

    /// Makes an account with an encoded password, if nobody has the name, whatever the case of its letters, as far as the
    /// database knows case (Django's `UserCreationForm`; SQLite knows that of English): `ada` and `Ada` are not two people,
    /// also when they sign up at the same moment.
    fn create(
        &self,
        user: NewUser,
        password: Sensitive<String>,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<User, UserStoreError>>;

    /// Replaces the encoded password, if it still is `old`: whoever changed it meanwhile wins. Says whether it did.
    fn replace_password<'a>(
        &'a self,
        id: i64,
        old: &'a Sensitive<String>,
        new: Sensitive<String>,
    ) -> BoxFuture<'a, Result<bool, UserStoreError>>;

    /// Records a login.
    fn logged_in(&self, id: i64, now: SystemTime) -> BoxFuture<'_, Result<(), UserStoreError>>;

    /// Writes what a person may change of their account, and nothing else.
    fn save_profile(&self, id: i64, profile: Profile) -> BoxFuture<'_, Result<(), UserStoreError>>;

    /// Reads what a user may do: granted to the user, or to one of the user's groups.
    ///
    /// A store without such tables grants nothing: then only superusers may do anything.
    fn permissions<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<Permissions, UserStoreError>> {
        let permissions = Permissions::of_user(user.is_active, user.is_superuser, []);
        ready(Ok(permissions)).boxed()
    }
}
