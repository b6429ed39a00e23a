//! What is sent while nobody waits: a bounded number of mails, a few at a time.
//!
//! The bound counts what was asked for, whether or not there turned out to be anything to send, so that a full queue tells
//! nothing of whose address is known.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::{Carrier, Letter};

/// How many mails may wait, at a few kilobytes each.
const WAITING: u32 = 1000;

/// How many are sent at the same time: a mail server is no place to be stormed.
const AT_ONCE: usize = 4;

/// How long to wait after each attempt that may work later, before the next.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
];

/// Too many mails wait to be sent, or the mailer is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many mails wait to be sent")]
#[non_exhaustive]
pub struct MailBusy;

impl From<MailBusy> for crate::rejection::Rejection {
    fn from(busy: MailBusy) -> Self {
        Self::unavailable(busy.to_string(), 60)
            .with_hint("Many mails are under way. Please try again in a minute.")
    }
}

/// The places in the queue. Clones are the same queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    places: Arc<Semaphore>,
    senders: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(WAITING as usize)),
            senders: Arc::new(Semaphore::new(AT_ONCE)),
            closing: watch::Sender::new(false),
        }
    }
}

/// How often and how long a delivery is tried, and in whose turn.
pub(super) struct Patience {
    closing: watch::Receiver<bool>,
    senders: Arc<Semaphore>,
}

impl Patience {
    /// Does something when it is its turn.
    pub(super) async fn in_turn<T>(&self, work: impl Future<Output = T>) -> T {
        // The turns are never closed, so that one can always be had.
        let _turn = self.senders.acquire().await;
        work.await
    }

    /// Delivers a letter, or says in the log that it was not. Who waits to try again gives the turn away: else a few mailboxes that
    /// answer "later" on purpose would keep everybody's mails.
    pub(super) async fn deliver(&self, carrier: &dyn Carrier, letter: &Letter) {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.in_turn(carrier.deliver(letter)).await {
                Ok(()) => {
                    tracing::debug!(target: "palisade::mail", mail = letter.number, "a mail was sent");
                    return;
                }
                Err(error) => error,
            };
            let pause = pauses.next().filter(|_| error.for_now && !*self.closing.borrow());
            let Some(pause) = pause else {
                tracing::error!(target: "palisade::mail", mail = letter.number, %error, "a mail was not sent");
                return;
            };
            tracing::warn!(target: "palisade::mail", mail = letter.number, %error, "a mail is tried again");
            let mut closing = self.closing.clone();
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                // The last attempt, at once.
                _ = closing.wait_for(|closing| *closing) => {}
            }
        }
    }
}

impl Queue {
    /// Does the work in the background: what takes long of it, in its turn ([`Patience::in_turn`]).
    pub(super) fn take<W, F>(&self, work: W) -> Result<(), MailBusy>
    where
        W: FnOnce(Patience) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        if *self.closing.borrow() {
            return Err(MailBusy);
        }
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| MailBusy)?;
        let patience = Patience {
            closing: self.closing.subscribe(),
            senders: Arc::clone(&self.senders),
        };
        tokio::spawn(async move {
            let _place = place;
            work(patience).await;
        });
        Ok(())
    }

    /// Waits until nobody is in the queue.
    pub(super) async fn empty(&self) {
        // The places are never closed, so that they can always be had.
        drop(self.places.acquire_many(WAITING).await);
    }

    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.empty().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use std::time::SystemTime;

    use futures_util::future::{BoxFuture, FutureExt as _, ready};
    use tokio::sync::mpsc;

    use super::super::{Mail, Undelivered, message};
    use super::*;

    /// Some mailboxes answer "later"; what is taken by the others is told.
    #[derive(Debug)]
    struct Postman {
        tried: Arc<AtomicUsize>,
        taken: mpsc::UnboundedSender<String>,
    }

    impl Carrier for Postman {
        fn deliver<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Undelivered>> {
            let to = letter.mail.to().to_owned();
            if to.starts_with("later") {
                self.tried.fetch_add(1, Ordering::SeqCst);
                let what = "later".to_owned();
                return ready(Err(Undelivered { what, for_now: true })).boxed();
            }
            ready(self.taken.send(to).map_err(|_| unreachable!())).boxed()
        }
    }

    #[tokio::test]
    async fn mailboxes_that_answer_later_keep_nobody_elses_mail() {
        let (queue, tried) = (Queue::default(), Arc::new(AtomicUsize::new(0)));
        let (taken, mut delivered) = mpsc::unbounded_channel();
        let from = message::sender("shop@example.com").unwrap();
        let site = "https://example.com".parse().unwrap();
        let slow = (0..3 * AT_ONCE).map(|nth| format!("later{nth}@example.com"));
        for to in slow.chain(["ada@example.com".to_owned()]) {
            let letter = Mail::new(&to, "s", "t").unwrap();
            let letter = letter.letter("n".to_owned(), &from, &site, SystemTime::UNIX_EPOCH);
            let (letter, tried, taken) = (letter.unwrap(), Arc::clone(&tried), taken.clone());
            let postman = Postman { tried, taken };
            queue
                .take(async move |patience| patience.deliver(&postman, &letter).await)
                .unwrap();
        }
        assert_eq!(delivered.recv().await.unwrap(), "ada@example.com");
        let given_up = 3 * AT_ONCE * (1 + PAUSES.len());
        assert!(
            tried.load(Ordering::SeqCst) < given_up,
            "only when all others were given up"
        );
    }

    #[tokio::test]
    async fn full_queue_refuses_instead_of_growing_and_close_waits_for_what_is_in_it() {
        let queue = Queue::default();
        let (go, stop) = watch::channel(false);
        let done = Arc::new(AtomicUsize::new(0));
        let take = || {
            let (mut stop, done) = (stop.clone(), Arc::clone(&done));
            queue.take(async move |_| {
                let _ = stop.wait_for(|go| *go).await;
                done.fetch_add(1, Ordering::SeqCst);
            })
        };
        for _ in 0..WAITING {
            take().unwrap();
        }
        assert_eq!(take(), Err(MailBusy));
        go.send_replace(true);
        queue.close().await;
        assert_eq!(done.load(Ordering::SeqCst), WAITING as usize);
        assert_eq!(take(), Err(MailBusy), "nothing is taken after the end");
    }
}
