//! The request that this thread is at work for, so that a line written deep inside can carry its id.
//!
//! A request's future is polled piece by piece on whatever thread is free. While a piece runs nothing else runs on that thread, so
//! the id lies with the thread for just so long. A task that a handler starts is its own.

use std::cell::RefCell;

use super::RequestId;

thread_local! {
    static CURRENT: RefCell<Option<RequestId>> = const { RefCell::new(None) };
}

/// Lets the lines of this thread carry an id until it is dropped, also by a panic.
pub(super) struct Scope(Option<RequestId>);

impl Scope {
    pub(super) fn of(id: &RequestId) -> Self {
        Self(CURRENT.replace(Some(id.clone())))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // At the end of a thread there may be nothing left to put it back into.
        let _ = CURRENT.try_with(|current| current.replace(self.0.take()));
    }
}

/// The id of the request that this thread is at work for.
pub(crate) fn current() -> Option<RequestId> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}
