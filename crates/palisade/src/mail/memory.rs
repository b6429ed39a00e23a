//! Mails that are kept in memory, for tests to read: Django's `mail.outbox`.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{Carrier, Letter, Mail, Undelivered};

/// The mails that were sent. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Outbox(Arc<Mutex<Vec<Mail>>>);

impl Outbox {
    /// What was sent, in its order.
    pub fn sent(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Carrier for Outbox {
    fn deliver<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Undelivered>> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(letter.mail.clone());
        ready(Ok(())).boxed()
    }
}
