//! Second factors in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::store::{SecondFactorStore, StoredFactor};
use crate::auth::user::UserStoreError;

/// Keeps second factors in memory: they end with the program. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct MemorySecondFactors(Arc<Mutex<BTreeMap<i64, StoredFactor>>>);

impl MemorySecondFactors {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, StoredFactor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecondFactorStore for MemorySecondFactors {
    fn find(&self, user: i64) -> BoxFuture<'_, Result<Option<StoredFactor>, UserStoreError>> {
        ready(Ok(self.lock().get(&user).cloned())).boxed()
    }

    fn insert(&self, user: i64, factor: StoredFactor) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        let mut kept = self.lock();
        let is_new = !kept.contains_key(&user);
        if is_new {
            kept.insert(user, factor);
        }
        ready(Ok(is_new)).boxed()
    }

    fn swap(
        &self,
        user: i64,
        revision: i64,
        factor: StoredFactor,
    ) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        let mut kept = self.lock();
        let fits = kept.get(&user).is_some_and(|kept| kept.revision == revision);
        if fits {
            kept.insert(user, factor);
        }
        ready(Ok(fits)).boxed()
    }

    fn remove(&self, user: i64) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        ready(Ok(self.lock().remove(&user).is_some())).boxed()
    }
}
