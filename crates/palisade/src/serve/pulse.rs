//! What a connection's parts tell one another: bytes moved, requests open, responses waiting to be read.
//!
//! The socket, the exchanges and the bodies only count, with relaxed atomics; the one place that knows the time and judges
//! is `Vigil`. So no request pays for a timer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use futures_util::task::AtomicWaker;

/// The counters of one connection.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Bytes taken from the socket; only the connection's own task writes it.
    read: AtomicU64,
    /// Bytes given to the socket; only the connection's own task writes it.
    written: AtomicU64,
    /// Whether the socket took nothing at the last attempt.
    blocked: AtomicBool,
    /// Requests begun.
    begun: AtomicU32,
    /// Requests whose response is not finished.
    open: AtomicU32,
    /// Responses that have data which the client has not made room for.
    sending: AtomicU32,
    /// Requests given up before their response was complete.
    abandoned: AtomicU32,
    /// The number (from 1) of the first request whose framing is ambiguous; 0 for none.
    ambiguous: AtomicU32,
    /// HTTP/2 header blocks begun; only the connection's own task writes it, and the next two.
    blocks: AtomicU32,
    /// Whether the last of them is incomplete.
    in_block: AtomicBool,
    /// HTTP/2 frames that bring no request and no data.
    chatter: AtomicU32,
    /// Whether the handshake is over.
    established: AtomicBool,
    /// Whether the connection is to end once its requests are answered.
    finishing: AtomicBool,
    waker: AtomicWaker,
}

/// Adds without a locked instruction, for counters with a single writer.
fn add(counter: &AtomicU64, more: usize) {
    counter.store(counter.load(Relaxed).wrapping_add(more as u64), Relaxed);
}

impl Pulse {
    pub(super) fn count_read(&self, bytes: usize) {
        add(&self.read, bytes);
    }

    pub(super) fn count_written(&self, bytes: usize) {
        add(&self.written, bytes);
        self.blocked.store(false, Relaxed);
    }

    pub(super) fn block(&self, blocked: bool) {
        self.blocked.store(blocked, Relaxed);
    }

    pub(super) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Whether something waits for the client to read.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_blocked() || self.sending.load(Relaxed) > 0
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed)
    }

    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Relaxed)
    }

    pub(super) fn open(&self) -> u32 {
        self.open.load(Relaxed)
    }

    pub(super) fn abandoned(&self) -> u32 {
        self.abandoned.load(Relaxed)
    }

    pub(super) fn refuse(&self, request: u32) {
        self.ambiguous.store(request, Relaxed);
    }

    pub(super) fn is_refused(&self, request: u32) -> bool {
        self.ambiguous.load(Relaxed) == request
    }

    pub(super) fn begin_block(&self) {
        self.blocks
            .store(self.blocks.load(Relaxed).wrapping_add(1), Relaxed);
        self.in_block.store(true, Relaxed);
    }

    pub(super) fn end_block(&self) {
        self.in_block.store(false, Relaxed);
    }

    /// The number of the header block that has begun and not ended.
    pub(super) fn open_block(&self) -> Option<u32> {
        self.in_block.load(Relaxed).then(|| self.blocks.load(Relaxed))
    }

    pub(super) fn count_chatter(&self) {
        self.chatter
            .store(self.chatter.load(Relaxed).wrapping_add(1), Relaxed);
    }

    pub(super) fn chatter(&self) -> u32 {
        self.chatter.load(Relaxed)
    }

    pub(super) fn establish(&self) {
        self.established.store(true, Relaxed);
    }

    pub(super) fn is_established(&self) -> bool {
        self.established.load(Relaxed)
    }

    /// Asks the connection to end once its requests are answered.
    pub(super) fn finish(&self) {
        self.finishing.store(true, std::sync::atomic::Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn is_finishing(&self) -> bool {
        self.finishing.load(std::sync::atomic::Ordering::Acquire)
    }

    pub(super) fn listen(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Counts a request as open until the returned value is dropped; its number, from 1, comes along.
    pub(super) fn begin(self: &Arc<Self>) -> (InFlight, u32) {
        let number = self.begun.fetch_add(1, Relaxed).wrapping_add(1);
        self.open.fetch_add(1, Relaxed);
        (
            InFlight {
                pulse: Arc::clone(self),
                complete: false,
                sending: false,
            },
            number,
        )
    }
}

/// One request in flight, from its head to the last byte of its response.
#[derive(Debug)]
pub(super) struct InFlight {
    pulse: Arc<Pulse>,
    complete: bool,
    sending: bool,
}

impl InFlight {
    /// Says that nothing of the response is missing, so that its end is not taken for a reset.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Says whether the response has handed out data that hyper has not come back from.
    pub(super) fn send(&mut self, sending: bool) {
        if sending != self.sending {
            self.sending = sending;
            if sending {
                self.pulse.sending.fetch_add(1, Relaxed);
            } else {
                self.pulse.sending.fetch_sub(1, Relaxed);
            }
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.send(false);
        if !self.complete {
            self.pulse.abandoned.fetch_add(1, Relaxed);
        }
        self.pulse.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_given_up_counts_as_a_reset_and_an_answered_one_does_not() {
        let pulse = Arc::new(Pulse::default());
        let (given_up, first) = pulse.begin();
        let (mut answered, second) = pulse.begin();
        assert_eq!((first, second, pulse.open()), (1, 2, 2));
        answered.complete();
        answered.send(true);
        assert!(pulse.is_stuck());
        drop(answered);
        assert!(!pulse.is_stuck());
        drop(given_up);
        assert_eq!((pulse.open(), pulse.abandoned()), (0, 1));
    }
}
