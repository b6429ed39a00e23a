//! What a store of second factors must be able to do: one value a user, changed by compare-and-swap alone.
//!
//! Each promise (a code once, a recovery code once) is then made in one place, for every database, and holds across processes without
//! locks. How many codes may be tried is no promise of the store: tries at a code are counted where all tries are, in
//! [`crate::throttle`].

use std::fmt;

use futures_util::future::BoxFuture;

use crate::auth::user::UserStoreError;

/// The second factor of a user, as it is stored.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredFactor {
    /// The secret, sealed.
    pub secret: String,
    /// Whether a code has shown that the user's device has the secret.
    pub confirmed: bool,
    /// The last step whose code was used.
    pub last_step: i64,
    /// The hashes of unused recovery codes, with spaces between.
    pub recovery: String,
    /// What a change names to say what it is a change of.
    pub revision: i64,
}

impl fmt::Debug for StoredFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFactor")
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}

impl StoredFactor {
    /// A new one, which no code has confirmed yet.
    pub(super) fn unconfirmed(secret: String, revision: i64) -> Self {
        Self {
            secret,
            confirmed: false,
            last_step: 0,
            recovery: String::new(),
            revision,
        }
    }

    /// This one, changed: the next revision.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        changed.revision = self.revision.wrapping_add(1);
        changed
    }
}

/// Keeps second factors.
pub trait SecondFactorStore: fmt::Debug + Send + Sync + 'static {
    /// Finds the second factor of a user, confirmed or not.
    fn find(&self, user: i64) -> BoxFuture<'_, Result<Option<StoredFactor>, UserStoreError>>;

    /// Keeps a second factor of a user who has none; says whether it did.
    fn insert(&self, user: i64, factor: StoredFactor) -> BoxFuture<'_, Result<bool, UserStoreError>>;

    /// Replaces a second factor if its revision still is `revision`; says whether it did.
    fn swap(
        &self,
        user: i64,
        revision: i64,
        factor: StoredFactor,
    ) -> BoxFuture<'_, Result<bool, UserStoreError>>;

    /// Removes the second factor of a user; says whether there was one.
    fn remove(&self, user: i64) -> BoxFuture<'_, Result<bool, UserStoreError>>;
}
