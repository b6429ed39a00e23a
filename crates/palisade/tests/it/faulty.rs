//! A session store with one fault, of the kinds that stores have had, for the contract to find.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use palisade::session::store::{Merge, StoreError, Stored, Updated};
use palisade::session::{Device, Listed, MemorySessions, SessionKey, SessionStore};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    LosesUpdates,
    UpdatesInsert,
    KeepsTheOldKey,
    DestroysBeforeItMoves,
    NeverEnds,
    ForgetsTheReplaced,
    ClearsWithoutBound,
    IsEmptyWhenDown,
    IsGoneWhenDown,
    AcknowledgesWhenDown,
    StopsWhenNobodyWaits,
}

/// Sessions in memory with one fault, and a switch.
#[derive(Clone, Debug)]
pub(crate) struct Faulty(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: MemorySessions,
    fault: Fault,
    down: AtomicBool,
    /// How many changes it still acknowledges when it is down.
    buffer: AtomicUsize,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self(Arc::new(Inner {
            store: MemorySessions::new(),
            fault,
            down: AtomicBool::new(false),
            buffer: AtomicUsize::new(40),
        }))
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    fn has(&self, fault: Fault) -> bool {
        self.0.fault == fault
    }

    fn has_room(&self) -> bool {
        let taken = self
            .0
            .buffer
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| room.checked_sub(1));
        taken.is_ok()
    }

    fn up(&self) -> Result<&MemorySessions, StoreError> {
        if self.0.down.load(Ordering::SeqCst) {
            Err(StoreError::unavailable("connection refused"))
        } else {
            Ok(&self.0.store)
        }
    }
}

impl SessionStore for Faulty {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            let now = if self.has(Fault::NeverEnds) {
                UNIX_EPOCH
            } else {
                now
            };
            match self.up() {
                Err(_) if self.has(Fault::IsEmptyWhenDown) => Ok(None),
                up => up?.load(key, now).await,
            }
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let replaces = replaces.filter(|_| !self.has(Fault::ForgetsTheReplaced));
            self.up()?.create(key, session, device, replaces, now).await
        })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        Box::pin(async move {
            let store = match self.up() {
                Err(_) if self.has(Fault::IsGoneWhenDown) => return Ok(Updated::Gone),
                // Some, as a buffer does that is lost with the server.
                Err(_) if self.has(Fault::AcknowledgesWhenDown) && self.has_room() => {
                    return Ok(Updated::Saved);
                }
                up => up?,
            };
            if self.has(Fault::UpdatesInsert) && store.load(key, UNIX_EPOCH).await?.is_none() {
                let session = Stored {
                    data: String::new(),
                    expires: now + Duration::from_mins(1),
                };
                store
                    .create(key, merge.apply(&session), None, None, now)
                    .await
                    .ok();
                return Ok(Updated::Saved);
            }
            if self.has(Fault::LosesUpdates)
                && let Some(read) = store.load(key, now).await?
            {
                // Read, changed, and written over whatever others wrote meanwhile.
                tokio::task::yield_now().await;
                let mine = merge.apply(&read);
                return store.update(key, Merge::new(move |_| mine.clone()), now).await;
            }
            store.update(key, merge, now).await
        })
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        Box::pin(async move {
            let store = self.up()?;
            let before = store.load(old, now).await?;
            if self.has(Fault::DestroysBeforeItMoves) && store.load(new, now).await?.is_some() {
                store.delete(old).await?;
            }
            let cycled = store.cycle(old, new, merge, device, now).await?;
            if let Some(before) = before
                && self.has(Fault::KeepsTheOldKey)
            {
                store.create(old, before, None, None, now).await?;
            }
            Ok(cycled)
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if self.has(Fault::StopsWhenNobodyWaits) {
                // As for a server's answer: whoever hangs up meanwhile drops the rest.
                tokio::task::yield_now().await;
            }
            self.up()?.delete(key).await
        })
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move {
            let at_most = if self.has(Fault::ClearsWithoutBound) {
                usize::MAX
            } else {
                at_most
            };
            self.up()?.clear_expired(at_most, now).await
        })
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        Box::pin(async move { self.up()?.list(user_id, now).await })
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move { self.up()?.delete_others(user_id, keep).await })
    }
}
