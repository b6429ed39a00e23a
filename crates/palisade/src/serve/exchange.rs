//! One request and its response: let in, given to the application, bounded in time, counted until the last byte.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use super::admit::{Refusal, admit};
use super::body::{Download, Upload};
use super::change::Change;
use super::kernel::Lane;
use super::limits::Limits;
use super::pulse::{InFlight, Pulse};
use crate::certificate::Credentials;
use crate::errors::RequestId;
use crate::peer::Peer;

/// What the connections call: any service of the application's shape.
pub(super) trait Answers:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

/// The application as one connection calls it.
///
/// Each connection has a copy of the application and calls it again and again: copying it for each request would touch a
/// dozen counters that all threads share. The lock is never waited for, as a connection is one task.
#[derive(Debug)]
pub(super) struct Exchange<S> {
    pub(super) app: Mutex<S>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) limits: Arc<Limits>,
    pub(super) peer: Peer,
    pub(super) credentials: Credentials,
    pub(super) http2: bool,
    /// Where files go that the kernel sends, if it does.
    pub(super) lane: Option<Arc<Lane>>,
}

impl<S: Answers> hyper::service::Service<Request<Incoming>> for Exchange<S> {
    type Response = Response<Download>;
    type Error = Infallible;
    type Future = Answer<S>;

    fn call(&self, request: Request<Incoming>) -> Answer<S> {
        let (mut in_flight, number) = self.pulse.begin();
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::HEAD {
            // hyper drops the body of its response unread.
            in_flight.complete();
        }
        let admitted = if self.pulse.is_refused(number) {
            Err(Refusal {
                status: StatusCode::BAD_REQUEST,
                threat: "untrusted-host",
                reason: "the request could be read in two ways",
            })
        } else {
            admit(&mut parts, &self.limits)
        };
        // After a chunked body the framing is no longer followed, so nothing may come after it.
        let mut close = !self.http2 && parts.headers.contains_key(TRANSFER_ENCODING);
        let id = RequestId::generate();
        let state = match admitted {
            Ok(()) => {
                parts.extensions.insert(self.peer);
                self.credentials.tell(&mut parts.extensions);
                parts.extensions.insert(id.clone());
                let body = if body.is_end_stream() {
                    Body::empty()
                } else {
                    Body::new(Upload::new(body, &self.limits))
                };
                let is_safe = parts.method.is_safe();
                let future = self.ask(Request::from_parts(parts, body));
                if is_safe {
                    State::Running { future }
                } else {
                    State::Changing {
                        change: Change::new(future, self.limits.request),
                    }
                }
            }
            Err(Refusal {
                status,
                threat,
                reason,
            }) => {
                tracing::info!(target: "palisade::rejection", peer = %self.peer.addr, status = status.as_u16(), threat, reason, "request refused");
                close = !self.http2;
                State::Refused { status }
            }
        };
        Answer {
            state,
            in_flight: Some(in_flight),
            timer: None,
            id,
            limit: self.limits.request,
            close,
            http2: self.http2,
            lane: self.lane.clone(),
        }
    }
}

impl<S: Answers> Exchange<S> {
    fn ask(&self, request: Request<Body>) -> S::Future {
        let mut app = self.app.lock().unwrap_or_else(PoisonError::into_inner);
        // A router is always ready; it is asked all the same, as tower wants it.
        let _ = app.poll_ready(&mut Context::from_waker(Waker::noop()));
        app.call(request)
    }
}

pin_project! {
    /// The response to come.
    pub(super) struct Answer<S: Service<Request<Body>>> {
        #[pin]
        state: State<S::Future>,
        in_flight: Option<InFlight>,
        // Only made for a handler that does not answer at once.
        timer: Option<Pin<Box<Sleep>>>,
        id: RequestId,
        limit: Duration,
        close: bool,
        http2: bool,
        lane: Option<Arc<Lane>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] future: F },
        Changing { change: Change },
        Refused { status: StatusCode },
    }
}

impl<S: Answers> Future for Answer<S> {
    type Output = Result<Response<Download>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = match this.state.as_mut().project() {
            StateProjection::Refused { status } => Poll::Ready(Ok(plain(*status))),
            StateProjection::Running { future } => future.poll(cx),
            StateProjection::Changing { change } => change.poll(cx),
        };
        let mut response = match polled {
            Poll::Ready(Ok(response)) => response,
            Poll::Pending => {
                let limit = *this.limit;
                let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                // Whoever wrote the id down logs the request when it is dropped.
                this.id.tell_overdue(limit);
                if let StateProjection::Changing { change } = this.state.project() {
                    change.give_up();
                }
                *this.close = !*this.http2;
                let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
                response
                    .headers_mut()
                    .insert("x-request-id", this.id.header_value());
                response
            }
        };
        if *this.close {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match this.in_flight.take() {
            Some(in_flight) => Poll::Ready(Ok(Download::new(response, in_flight, this.lane.as_ref()))),
            // Only a future polled after its end comes here.
            None => Poll::Pending,
        }
    }
}

/// The server's own short answer, for requests that the application never sees.
pub(super) fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(status.canonical_reason().unwrap_or("Error")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
