//! What a session store must be able to do.
//!
//! A store keeps opaque text under a key until a time; what the text means is the session's business. Its one hard duty
//! is [`SessionStore::update`]: read, merge and write as one step that no other writer can come between, and only if
//! the row is still there. A database does it in a transaction, Redis by compare-and-swap; the merge is a function
//! that may be called again with newer data. That one primitive answers lost updates (defect D1 of peers), sessions
//! that come back after logout (D2, D5, D8) and logins that destroy a session when the handler fails (D3).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;

use super::key::SessionKey;

/// A session as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// The signed encoding of the data (Django's `session_data`).
    pub data: String,
    /// When the session ends (Django's `expire_date`).
    pub expires: SystemTime,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Whose session it is and where it was begun, for the list of one's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The user's primary key, as text.
    pub user_id: String,
    /// The client's address.
    pub address: String,
    /// The client's `User-Agent`, shortened.
    pub user_agent: String,
}

/// A line of the list of one's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The session's key.
    pub key: SessionKey,
    /// Where it was begun.
    pub device: Device,
    /// When it was begun.
    pub created: SystemTime,
    /// When it ends.
    pub expires: SystemTime,
}

/// How newer data becomes the data to write. It may be called more than once.
#[derive(Clone)]
pub struct Merge(Arc<dyn Fn(&Stored) -> Stored + Send + Sync>);

impl Merge {
    /// Makes a merge of a function.
    pub fn new(merge: impl Fn(&Stored) -> Stored + Send + Sync + 'static) -> Self {
        Self(Arc::new(merge))
    }

    /// Merges into what the store holds now.
    pub fn apply(&self, current: &Stored) -> Stored {
        (self.0)(current)
    }
}

impl fmt::Debug for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Merge")
    }
}

/// A store that cannot answer. A request that meets it is a 503, never an empty session (defect D7 of peers).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or does not answer in time.
    #[error("the session store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store cannot do this at all.
    #[error("the session store cannot {0}")]
    Unsupported(&'static str),
}

impl StoreError {
    /// Wraps a driver's error.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// What [`SessionStore::update`] and [`SessionStore::cycle`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The merged data is written.
    Saved,
    /// The session is no longer there: somebody logged out. Nothing is written.
    Gone,
}

/// Keeps sessions.
///
/// All methods answer only when what they say is durable as far as the store is. Keys are compared exactly. Whatever ends a session, once
/// asked for (its future polled once), is done to the end though the future is dropped: who logged out and hung up is out.
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Whether the data is carried by the session cookie itself, so that nothing here is ever asked.
    fn is_the_cookie(&self) -> bool {
        false
    }

    /// Whether the store reads the data of sessions, because whose they are stands in it. Where it does not, any text will do.
    fn looks_into_data(&self) -> bool {
        false
    }

    /// Reads a session that has not ended.
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>>;

    /// Writes a new session and, in the same step, deletes the one that it replaces. The key is newly made: one that
    /// is taken is an error of the store.
    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Merges into the session in one step, if it is there and has not ended.
    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>>;

    /// Merges into the session and moves it to a new key in one step, if it is there and has not ended.
    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>>;

    /// Deletes a session; one that is not there is no error.
    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Deletes at most so many sessions that have ended, and says how many.
    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// Lists a user's sessions, newest first.
    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>>;

    /// Deletes a user's sessions but one, and says how many.
    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>>;
}

/// Does work to its end, even if the client that asked for it hangs up: who logged out is out.
pub(super) async fn to_the_end<R: Send + 'static>(
    work: impl Future<Output = Result<R, StoreError>> + Send + 'static,
) -> Result<R, StoreError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|gone| Err(StoreError::unavailable(gone)))
}
