//! A request that changes something is answered to its end, whether or not its client waits for it.
//!
//! hyper drops the answer of a client that has gone away, and with it whatever the handler was about to do. Whoever sits between a
//! person and the site could so take back a logout that they saw leave: the request arrives, the connection is cut, the session stays
//! open ([`Threat::SessionHijacking`](crate::core::threat::Threat), CWE-613). Django works a request off to its end, and so does this:
//! what has begun goes on without its client, within the same time as with it, and no more of them at once than [`MOST`].

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::Response;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many requests go on without their clients. The ones beyond are dropped with their connections, so that hanging up is no way to
/// have more requests worked on than there may be connections.
const MOST: usize = 256;

/// The places for them, one set for all servers of the process.
static PLACES: Semaphore = Semaphore::const_new(MOST);

/// What the application answers in the end.
type Answered = dyn Future<Output = Result<Response<Body>, Infallible>> + Send;

/// The answer of a request that may change something.
pub(super) struct Change {
    future: Option<Pin<Box<Answered>>>,
    limit: Duration,
}

impl Change {
    pub(super) fn new(
        future: impl Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
        limit: Duration,
    ) -> Self {
        Self {
            future: Some(Box::pin(future)),
            limit,
        }
    }

    /// Gives it up: its time is over.
    pub(super) fn give_up(&mut self) {
        self.future = None;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<Body>, Infallible>> {
        let Some(future) = &mut self.future else {
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let (Some(future), Ok(runtime)) = (self.future.take(), Handle::try_current()) else {
            return;
        };
        let Ok(place) = PLACES.try_acquire() else {
            tracing::info!(
                target: "palisade::rejection",
                threat = "resource-exhaustion",
                "a request was dropped with its client: {MOST} others go on without theirs"
            );
            return;
        };
        let limit = self.limit;
        runtime.spawn(async move {
            // Nobody reads the answer; that there was none in time stands in the log.
            let _unread = timeout(limit, future).await;
            drop(place);
        });
    }
}
