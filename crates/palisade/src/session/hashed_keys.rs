//! Session keys that only the cookie has: the store is given their hashes.
//!
//! Whoever has a session's key has the session. A store that keeps the keys gives them to everybody who reads it: a backup, a
//! replica, a page with SQL in its address. So the store sees `SHA-256("palisade session key\0" + key)`, the first 200 bits of it
//! in 40 letters of Django's alphabet, which fit into Django's column. A key has 165 random bits: the hash of one is not
//! guessed, and needs no secret that could be lost.
//!
//! Everything else is the store's: what it lists are hashes, which end their sessions and open none.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};

/// Keeps sessions in another store under the hashes of their keys: a stolen table opens no session.
///
/// The setting `session_hashed_keys` puts it around the store that [`Palisade::with_sessions`](crate::Palisade::with_sessions) is given. A
/// Django beside does not find such sessions.
///
/// # Example
///
/// ```
/// use palisade::session::{HashedKeys, SqliteSessions};
/// use palisade::sqlite::Sqlite;
///
/// let sessions = HashedKeys::over(SqliteSessions::new(Sqlite::in_memory()?)?);
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HashedKeys<S> {
    store: S,
    accepts_unhashed: bool,
}

impl<S: SessionStore> HashedKeys<S> {
    /// Keeps the hashes of keys in this store.
    pub fn over(store: S) -> Self {
        Self {
            store,
            accepts_unhashed: false,
        }
    }

    /// Still finds sessions whose keys lie in the store as they are, and puts the hash in the key's place when they are used: for
    /// the days after the change, so that nobody is logged out by it.
    ///
    /// # Security
    ///
    /// For as long, whoever has an older copy of the table has the sessions in it that nobody has used since.
    #[must_use]
    pub fn dangerous_accept_unhashed(mut self) -> Self {
        self.accepts_unhashed = true;
        self
    }

    /// Whether the store may have the key itself. A hash out of the table, sent as a cookie, must not be looked for.
    fn may_be_unhashed(&self, key: &SessionKey) -> bool {
        self.accepts_unhashed && !key.looks_like_a_hash()
    }

    /// Moves a session from its key to the hash of it.
    async fn hashed_now(
        &self,
        key: &SessionKey,
        hash: &SessionKey,
        now: SystemTime,
    ) -> Result<Option<Stored>, StoreError> {
        if self.store.load(key, now).await?.is_none() {
            return Ok(None);
        }
        let moved = self
            .store
            .cycle(key, hash, Merge::new(Stored::clone), None, now)
            .await;
        match (self.store.load(hash, now).await?, moved) {
            // Also when another request was faster.
            (Some(found), _) => Ok(Some(found)),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Ok(None),
        }
    }
}

impl<S: SessionStore> SessionStore for HashedKeys<S> {
    fn is_the_cookie(&self) -> bool {
        self.store.is_the_cookie()
    }

    fn looks_into_data(&self) -> bool {
        self.store.looks_into_data()
    }

    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let hash = key.hash();
        async move {
            match self.store.load(&hash, now).await? {
                None if self.may_be_unhashed(key) => self.hashed_now(key, &hash, now).await,
                found => Ok(found),
            }
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (key, replaces) = (key.hash(), replaces.map(SessionKey::hash));
        async move {
            let replaces = replaces.as_ref();
            self.store.create(&key, session, device, replaces, now).await
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let key = key.hash();
        async move { self.store.update(&key, merge, now).await }.boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (old, new) = (old.hash(), new.hash());
        async move { self.store.cycle(&old, &new, merge, device, now).await }.boxed()
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let hash = key.hash();
        async move {
            self.store.delete(&hash).await?;
            if self.may_be_unhashed(key) {
                self.store.delete(key).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.store.clear_expired(at_most, now)
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        async move {
            let mut listed = self.store.list(user_id, now).await?;
            for line in listed.iter_mut().filter(|line| line.key.looks_like_a_hash()) {
                line.key = line.key.clone().into_hash();
            }
            Ok(listed)
        }
        .boxed()
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let keep = keep.map(SessionKey::hash);
        async move { self.store.delete_others(user_id, keep.as_ref()).await }.boxed()
    }
}
