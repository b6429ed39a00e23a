//! A store in memory, for tests: every session is lost when the process ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};

/// Keeps sessions in memory, for tests.
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<HashMap<SessionKey, Row>>);

#[derive(Debug)]
struct Row {
    session: Stored,
    device: Option<Device>,
    created: SystemTime,
}

impl MemorySessions {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the sessions, ended ones included.
    pub fn count(&self) -> usize {
        self.rows().len()
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<SessionKey, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StoreError>> {
    ready(Ok(value)).boxed()
}

impl SessionStore for MemorySessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let rows = self.rows();
        done(
            rows.get(key)
                .filter(|row| row.session.expires > now)
                .map(|row| row.session.clone()),
        )
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut rows = self.rows();
        if rows.contains_key(key) {
            return ready(Err(StoreError::unavailable("the new session key is taken"))).boxed();
        }
        if let Some(replaced) = replaces {
            rows.remove(replaced);
        }
        rows.insert(
            key.clone(),
            Row {
                session,
                device,
                created: now,
            },
        );
        done(())
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let mut rows = self.rows();
        done(match rows.get_mut(key).filter(|row| row.session.expires > now) {
            Some(row) => {
                row.session = merge.apply(&row.session);
                Updated::Saved
            }
            None => Updated::Gone,
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
        let mut rows = self.rows();
        if rows.contains_key(new) {
            return ready(Err(StoreError::unavailable("the new session key is taken"))).boxed();
        }
        done(match rows.remove(old).filter(|row| row.session.expires > now) {
            Some(row) => {
                let session = merge.apply(&row.session);
                let (device, created) = match device {
                    Some(device) => (Some(device), now),
                    None => (row.device, row.created),
                };
                rows.insert(
                    new.clone(),
                    Row {
                        session,
                        device,
                        created,
                    },
                );
                Updated::Saved
            }
            None => Updated::Gone,
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        self.rows().remove(key);
        done(())
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        let mut rows = self.rows();
        let ended: Vec<SessionKey> = rows
            .iter()
            .filter(|(_, row)| row.session.expires <= now)
            .map(|(key, _)| key.clone())
            .take(at_most)
            .collect();
        for key in &ended {
            rows.remove(key);
        }
        done(ended.len())
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        let rows = self.rows();
        let mut listed: Vec<Listed> = rows
            .iter()
            .filter(|(_, row)| row.session.expires > now)
            .filter_map(|(key, row)| {
                let device = row.device.clone().filter(|device| device.user_id == user_id)?;
                Some(Listed {
                    key: key.clone(),
                    device,
                    created: row.created,
                    expires: row.session.expires,
                })
            })
            .collect();
        listed.sort_by_key(|line| std::cmp::Reverse(line.created));
        done(listed)
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let mut rows = self.rows();
        let before = rows.len();
        rows.retain(|key, row| {
            Some(key) == keep || row.device.as_ref().is_none_or(|device| device.user_id != user_id)
        });
        done(before - rows.len())
    }
}
