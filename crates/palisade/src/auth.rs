//! Users, login and logout on Django's `auth_user` table (threats `session-hijacking`, `credential-guessing`).
//!
//! 1. [`Auth::authenticate`] hashes whether or not the user exists, so that the time tells nothing; a hash that is weaker than
//!    today's is replaced while the password is at hand.
//! 2. [`Auth::login`] moves the session to a new key, or, if another user was logged in, begins a new one; the CSRF secret
//!    is made anew; `last_login` is written.
//! 3. Each request that asks who is logged in ([`LoggedIn`]) compares the session's hash of the password column with
//!    the user's: a password change ends all other sessions, at once and without a list.
//! 4. What a user may do stands in Django's tables of groups and permissions: [`Can`], [`LoggedIn::has_perm`].
//! 5. [`Auth::logout`] deletes the session, at the store.
//! 6. A forgotten password is reset through a mail ([`Auth::request_reset`]), with Django's tokens.
//! 7. Users may have a second factor ([`Auth::begin_second_factor`]): then [`Auth::login`] asks for it before anybody is logged in.
//! 8. What cannot be taken back asks for a [`Recent`] login.
//!
//! The session keys (`_auth_user_id`, `_auth_user_backend`, `_auth_user_hash`) and the hash are Django's (section
//! *Authentication and the session* of `django.contrib.auth`): whoever logs in here is logged in at a Django beside.
//!
//! Tries are counted before they are made, and after a few the next one has to wait: [`crate::throttle`].

mod can;
mod dialect;
mod error;
mod extract;
mod in_table;
mod letters;
mod login;
#[cfg(feature = "mysql")]
mod mysql;
mod next;
#[cfg(feature = "postgres")]
mod postgres;
mod recent;
mod reset;
mod second_factor;
mod sqlite;
mod staff;
mod statements;
mod table;
mod user;

pub use can::{Can, Permitted};
pub use error::{AuthError, PasswordChangeError, SignUpError};
pub use extract::LoggedIn;
pub use letters::{AccountEvent, Addressee, Letters, Wording};
pub use login::Auth;
#[cfg(feature = "mysql")]
pub use mysql::MySqlUsers;
pub use next::{Next, login_redirect};
#[cfg(feature = "postgres")]
pub use postgres::PostgresUsers;
pub use recent::Recent;
pub(crate) use recent::disprove;
pub use reset::{ResetError, ResetStep, Resetting};
#[cfg(feature = "mysql")]
pub use second_factor::MySqlSecondFactors;
#[cfg(feature = "postgres")]
pub use second_factor::PostgresSecondFactors;
pub use second_factor::{
    EnrolError, Enrolment, FactorError, LoginStep, MemorySecondFactors, RecoveryCodes, SecondFactorStatus,
    SecondFactorStep, SecondFactorStore, SqliteSecondFactors, StoredFactor,
};
pub use sqlite::SqliteUsers;
pub use staff::Staff;
pub use table::{UserTable, UserTableError};
pub use user::{
    NewUser, PasswordTable, Profile, StoredPassword, User, UserStore, UserStoreError, same_address,
};

pub(crate) use letters::PlainLetters;
pub(crate) use reset::RESET_TOKEN;
pub(crate) use second_factor::{HALF_LOGIN, SecondFactors};

use std::sync::Arc;

use crate::password::{Hashers, PasswordPolicy};

/// The users of a service: the store, how passwords are hashed, and which are refused. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    store: Arc<dyn UserStore>,
    hashers: Hashers,
    policy: Arc<PasswordPolicy>,
}

impl Users {
    pub(crate) fn new(store: impl UserStore, hashers: Hashers, policy: PasswordPolicy) -> Self {
        Self {
            store: Arc::new(store),
            hashers,
            policy: Arc::new(policy),
        }
    }

    /// The store.
    pub fn store(&self) -> &dyn UserStore {
        &*self.store
    }

    /// Which passwords are refused.
    pub fn policy(&self) -> &PasswordPolicy {
        &self.policy
    }
}
