//! Who may connect: how many connections there are, how many from where, and how they all end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::limits::Limits;
use super::pulse::Pulse;
use crate::peer::network;

/// The register of open connections.
#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    /// `None` behind a proxy, where all connections come from one address.
    per_address: Option<u32>,
    register: Mutex<Register>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Register {
    by_address: HashMap<IpAddr, u32>,
    open: HashMap<u64, (Arc<Pulse>, Option<AbortHandle>)>,
    next: u64,
    finishing: bool,
}

impl Admission {
    pub(super) fn new(limits: &Limits, behind_proxy: bool) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            per_address: (!behind_proxy).then_some(limits.per_address),
            register: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Registers a connection, unless its address has too many already.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let network = network(address);
        let mut register = self.register();
        let count = register.by_address.entry(network).or_default();
        if self.per_address.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        let id = register.next;
        register.next += 1;
        let pulse = Arc::new(Pulse::default());
        if register.finishing {
            pulse.finish();
        }
        register.open.insert(id, (Arc::clone(&pulse), None));
        Some(Slot {
            admission: Arc::clone(self),
            network,
            id,
            pulse,
            place: None,
        })
    }

    /// Remembers how to end a connection's task; too late is fine.
    pub(super) fn attach(&self, id: u64, task: AbortHandle) {
        if let Some((_, handle)) = self.register().open.get_mut(&id) {
            *handle = Some(task);
        }
    }

    /// Asks every connection to end once its requests are answered; those still shaking hands end now.
    pub(super) fn finish(&self) {
        let mut register = self.register();
        register.finishing = true;
        for (pulse, task) in register.open.values() {
            pulse.finish();
            if !pulse.is_established()
                && let Some(task) = task
            {
                task.abort();
            }
        }
    }

    /// Ends every connection now.
    pub(super) fn abort(&self) {
        for (_, task) in self.register().open.values() {
            if let Some(task) = task {
                task.abort();
            }
        }
    }

    /// Waits until no connection is open.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.register().open.len()
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    admission: Arc<Admission>,
    network: IpAddr,
    pub(super) id: u64,
    pub(super) pulse: Arc<Pulse>,
    place: Option<OwnedSemaphorePermit>,
}

impl Slot {
    /// Waits until there are fewer connections than allowed; meanwhile the next ones wait in the kernel's queue.
    pub(super) async fn wait_for_place(&mut self) {
        // The semaphore is never closed.
        self.place = Arc::clone(&self.admission.places).acquire_owned().await.ok();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut register = self.admission.register();
        register.open.remove(&self.id);
        if let Some(count) = register.by_address.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                register.by_address.remove(&self.network);
            }
        }
        if register.open.is_empty() {
            self.admission.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(limits: &Limits) -> Arc<Admission> {
        Admission::new(limits, false)
    }

    fn arrive(admission: &Arc<Admission>, address: &str) -> Option<Slot> {
        admission.admit(address.parse().unwrap())
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let admission = admission(&Limits::default().with_connections_per_address(2));
        let first = arrive(&admission, "192.0.2.1");
        let second = arrive(&admission, "::ffff:192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(arrive(&admission, "192.0.2.1").is_none());
        assert!(arrive(&admission, "192.0.2.2").is_some());
        drop(first);
        assert!(arrive(&admission, "192.0.2.1").is_some());
    }

    #[test]
    fn the_addresses_of_one_ipv6_subscriber_are_one_client() {
        let admission = admission(&Limits::default().with_connections_per_address(1));
        let _first = arrive(&admission, "2001:db8::1").unwrap();
        assert!(arrive(&admission, "2001:db8::ffff:2").is_none());
        assert!(arrive(&admission, "2001:db8:0:1::1").is_some());
    }

    #[tokio::test]
    async fn a_register_without_connections_is_empty_at_once() {
        let admission = admission(&Limits::default());
        admission.emptied().await;
        let slot = arrive(&admission, "192.0.2.1");
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.emptied().await }
        });
        drop(slot);
        waiting.await.unwrap();
    }
}
