//! The two bodies of an exchange: the upload, which must keep moving and end in time, and the download, which tells when it
//! is over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::kernel::{Lane, poll_stand_in, sent_file};
use super::limits::Limits;
use super::pace::Pace;
use super::pulse::InFlight;
use crate::sent_file::FileBody;

/// Says why the server stopped an upload; a body's error has it as its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The body is larger than [`Limits::with_body_bytes`] allows.
    #[error("the request body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The body came slower than [`Limits::with_body_rate`] asks for.
    #[error("the request body came too slowly")]
    TooSlow,
    /// The connection failed or the body is malformed.
    #[error("the request body broke off: {0}")]
    Broken(#[source] hyper::Error),
}

/// A request body that ends at its cap and fails when it comes too slowly.
#[derive(Debug)]
pub(super) struct Upload {
    body: Incoming,
    limit: u64,
    left: u64,
    pace: Pace,
    /// Made when the client is first waited for, and reused.
    timer: Option<Pin<Box<Sleep>>>,
    waiting_since: Option<Instant>,
    failed: bool,
}

impl Upload {
    pub(super) fn new(body: Incoming, limits: &Limits) -> Self {
        let patience = limits.body_grace.saturating_mul(6);
        Self {
            body,
            limit: limits.body_bytes,
            left: limits.body_bytes,
            pace: Pace::new(limits.body_grace, patience, limits.body_rate),
            timer: None,
            waiting_since: None,
            failed: false,
        }
    }

    fn fail(&mut self, error: UploadError) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        self.failed = true;
        tracing::info!(
            target: "palisade::rejection",
            threat = "resource-exhaustion",
            reason = %error,
            "upload stopped"
        );
        Poll::Ready(Some(Err(error)))
    }

    /// Runs while the client is waited for; `true` when it has been too long.
    fn is_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        let since = *self.waiting_since.get_or_insert_with(|| {
            let now = Instant::now();
            let until = now + self.pace.left();
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(until),
                None => self.timer = Some(Box::pin(sleep_until(until))),
            }
            now
        });
        let Some(timer) = &mut self.timer else {
            return false;
        };
        if timer.as_mut().poll(cx).is_ready() {
            self.pace.spend(since.elapsed());
            return true;
        }
        false
    }

    fn arrived(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.pace.spend(since.elapsed());
        }
        self.pace.earn(bytes as u64);
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let upload = &mut *self;
        if upload.failed {
            return Poll::Ready(None);
        }
        match Pin::new(&mut upload.body).poll_frame(cx) {
            Poll::Pending => {
                if upload.is_too_slow(cx) {
                    return upload.fail(UploadError::TooSlow);
                }
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                let Some(left) = upload.left.checked_sub(bytes as u64) else {
                    let limit = upload.limit;
                    return upload.fail(UploadError::TooLarge { limit });
                };
                upload.left = left;
                upload.arrived(bytes);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(UploadError::Broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body that holds its request's place until it is sent.
#[derive(Debug)]
pub(super) struct Download {
    body: Sent,
    in_flight: InFlight,
}

/// Where it comes from.
#[derive(Debug)]
enum Sent {
    Body(Body),
    /// A file, which the kernel sends as far as it has it in memory.
    File(FileBody, Arc<Lane>),
}

impl Download {
    /// The body of a response, which is a file for the lane if there is one.
    pub(super) fn new(
        response: Response<Body>,
        in_flight: InFlight,
        lane: Option<&Arc<Lane>>,
    ) -> Response<Self> {
        let mut response = response;
        let file = lane.and_then(|lane| Some((sent_file(&mut response)?, lane)));
        response.map(|body| Self {
            body: match file {
                Some((file, lane)) => Sent::File(FileBody::new(file), Arc::clone(lane)),
                None => Sent::Body(body),
            },
            in_flight,
        })
    }
}

impl Sent {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self {
            Self::Body(body) => Pin::new(body).poll_frame(cx),
            Self::File(body, lane) => poll_stand_in(lane, body, cx).map_err(axum::Error::new),
        }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let download = &mut *self;
        download.in_flight.send(false);
        let frame = ready!(download.body.poll_frame(cx));
        match &frame {
            Some(Ok(_)) => download.in_flight.send(true),
            Some(Err(error)) => {
                download.in_flight.complete();
                tracing::warn!(%error, "a response body failed and was broken off");
            }
            None => download.in_flight.complete(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Sent::Body(body) => body.is_end_stream(),
            Sent::File(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Sent::Body(body) => body.size_hint(),
            Sent::File(body, _) => body.size_hint(),
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.is_end_stream() {
            self.in_flight.complete();
        }
    }
}
