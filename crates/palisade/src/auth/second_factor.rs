//! A second factor: codes of an authenticator (RFC 6238), and recovery codes for when it is lost.
//!
//! A password that was leaked elsewhere, guessed or read over a shoulder does not open an account that has one. Meets
//! `credential-guessing` (CWE-308).
//!
//! 1. [`Auth::login`] of a user with a confirmed second factor logs nobody in. It begins a *half login* in the session, without the
//!    user's id under Django's key, so that neither [`LoggedIn`] nor a Django beside sees anybody, and answers
//!    [`LoginStep::SecondFactor`]. [`Auth::finish_second_factor`] takes the code, within ten minutes and five tries.
//! 2. A try at a code is counted before it is looked at, where all tries are: in the throttle ([`Scope::SecondFactor`]). So ten
//!    thousand parallel guesses get five looks, then each waits, twice as long as the one before, and more than a hundred or so a
//!    day are had by nobody; the owner, at a browser that has been logged in, is not among those who wait.
//! 3. A code is accepted once: its step of thirty seconds must be later than the last that was used, by compare-and-swap. Of two
//!    parallel logins with one code, one wins.
//! 4. The secret lies sealed in the database ([`crate::seal`]), bound to its user; recovery codes, of 75 bits each, lie hashed, and each
//!    works once.
//! 5. Whatever changes it asks for [`Recent`]: a session alone does not remove a second factor.
//!
//! Users without a second factor cost one look-up at login, and nothing at any other request.
//!
//! # Security
//!
//! A code can be asked for by a site in the middle that passes it on at once (phishing): the browser does not bind it to a host. Who
//! knows a password can keep its owner waiting at a new device; recovery codes are not counted, and not held up. Counts are as good
//! as the store they are in: several processes need one that they share ([`Palisade::with_throttle`]). A Django beside knows nothing of
//! the factor: its login page asks for the password only.
//!
//! [`Scope::SecondFactor`]: crate::throttle::Scope::SecondFactor
//! [`Palisade::with_throttle`]: crate::Palisade::with_throttle
//! [`LoggedIn`]: super::LoggedIn
//! [`Recent`]: super::Recent

mod code;
mod enrol;
mod half;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod recovery;
mod sqlite;
mod store;
mod table;
mod verify;

pub use code::Enrolment;
pub use enrol::{EnrolError, SecondFactorStatus};
pub use half::SecondFactorStep;
pub use memory::MemorySecondFactors;
#[cfg(feature = "mysql")]
pub use mysql::MySqlSecondFactors;
#[cfg(feature = "postgres")]
pub use postgres::PostgresSecondFactors;
pub use recovery::RecoveryCodes;
pub use sqlite::SqliteSecondFactors;
pub use store::{SecondFactorStore, StoredFactor};
pub use verify::FactorError;

pub(crate) use half::HALF_LOGIN;

use std::sync::Arc;

use super::user::UserStoreError;
use crate::seal::SealKeys;

/// How far a login has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the user may not be logged in yet: a second factor may have to be asked for"]
#[non_exhaustive]
pub enum LoginStep {
    /// The user is logged in.
    Done,
    /// The password was right, and nobody is logged in: ask for a code, and give it to `Auth::finish_second_factor`.
    SecondFactor,
}

/// The second factors of a service: where they are kept, and the keys that their secrets are sealed under.
#[derive(Clone, Debug)]
pub(crate) struct SecondFactors {
    store: Arc<dyn SecondFactorStore>,
    keys: SealKeys,
}

impl SecondFactors {
    pub(crate) fn new(store: impl SecondFactorStore, keys: SealKeys) -> Self {
        Self {
            store: Arc::new(store),
            keys,
        }
    }

    /// Whether a login has to ask for a code.
    pub(super) async fn is_asked_of(&self, user: i64) -> Result<bool, UserStoreError> {
        Ok(self
            .store
            .find(user)
            .await?
            .is_some_and(|factor| factor.confirmed))
    }
}
