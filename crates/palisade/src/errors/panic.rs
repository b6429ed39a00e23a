//! A handler's panic is one request's 500, not the connection's end.
//!
//! It stands outside the sessions, so that a request that panicked saves nothing, and inside the headers, so that its
//! page carries them.

use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::IntoResponse;
use http::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::trace::{self, Catching};
use crate::rejection::Rejection;

/// Answers panics with a 500.
#[derive(Clone, Copy, Debug, Default)]
pub struct PanicLayer;

impl<S> Layer<S> for PanicLayer {
    type Service = PanicService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PanicService { inner }
    }
}

/// A service whose panics are answered.
#[derive(Clone, Debug)]
pub struct PanicService<S> {
    inner: S,
}

impl<S, R> Service<R> for PanicService<S>
where
    S: Service<R, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = PanicFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // A panic in `call` itself, too, must not pass.
        let _catching = Catching::begin();
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(inner) => PanicFuture {
                inner: Some(inner),
                panicked: None,
            },
            Err(panic) => PanicFuture {
                inner: None,
                panicked: Some(answer(&*panic)),
            },
        }
    }
}

pin_project! {
    /// The answer of a [`PanicService`].
    #[derive(Debug)]
    pub struct PanicFuture<F> {
        #[pin]
        inner: Option<F>,
        panicked: Option<Response<Body>>,
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for PanicFuture<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            let gone = || Rejection::internal("polled after its answer").into_response();
            return Poll::Ready(Ok(this.panicked.take().unwrap_or_else(gone)));
        };
        let _catching = Catching::begin();
        // The future is not polled again after a panic, so nothing half-changed can be seen.
        catch_unwind(AssertUnwindSafe(|| inner.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Ok(answer(&*panic))))
    }
}

fn answer(panic: &(dyn Any + Send)) -> Response<Body> {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    let mut response = Rejection::internal(format!("a handler panicked: {message}")).into_response();
    if let Some(trace) = trace::last() {
        response.extensions_mut().insert(trace);
    }
    response
}
