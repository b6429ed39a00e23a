//! A session store that can be switched off, as a database that is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade::session::store::{Merge, StoreError, Stored, Updated};
use palisade::session::{Device, Listed, MemorySessions, SessionKey, SessionStore};

/// Sessions in memory behind a switch, counting what is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flaky(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    store: MemorySessions,
    down: AtomicBool,
    loads: AtomicUsize,
    writes: AtomicUsize,
}

impl Flaky {
    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.store.count()
    }

    pub(crate) fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.writes.load(Ordering::SeqCst)
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        counter: &AtomicUsize,
        ask: impl FnOnce(&'a MemorySessions) -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        counter.fetch_add(1, Ordering::SeqCst);
        if self.0.down.load(Ordering::SeqCst) {
            return ready(Err(StoreError::unavailable("connection refused"))).boxed();
        }
        ask(&self.0.store)
    }
}

impl SessionStore for Flaky {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.ask(&self.0.loads, |store| store.load(key, now))
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask(&self.0.writes, |store| {
            store.create(key, session, device, replaces, now)
        })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        self.ask(&self.0.writes, |store| store.update(key, merge, now))
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        self.ask(&self.0.writes, |store| store.cycle(old, new, merge, device, now))
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.ask(&self.0.writes, |store| store.delete(key))
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.ask(&self.0.writes, |store| store.clear_expired(at_most, now))
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        self.ask(&self.0.loads, |store| store.list(user_id, now))
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        self.ask(&self.0.writes, |store| store.delete_others(user_id, keep))
    }
}
