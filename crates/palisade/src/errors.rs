//! The outermost layer: a request id, one log line, and a plain page for whatever went wrong (threat `exposed-diagnostics`).
//!
//! 1. Each request gets an id; the response carries it as `X-Request-Id`, the log line too.
//! 2. A handler's panic ends as a 500: the page says the id and nothing else, the log has the panic.
//! 3. A refusal or an empty error becomes a page for browsers and JSON for programs, never with its reason (in
//!    development, with it). A response that a handler wrote itself is left alone.
//! 4. One line a request on `palisade::access`: method, route, status, time, id, with secrets masked.

mod page;
mod panic;

pub use page::{ErrorPage, RequestId, Trouble};
pub use panic::{PanicFuture, PanicLayer, PanicService};

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use http::header::{ACCEPT, HeaderName};
use http::{HeaderValue, Method, Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::rejection::Refusal;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives requests ids, shows error pages and writes the access log.
#[derive(Clone, Debug)]
pub struct ErrorLayer {
    page: ErrorPage,
}

impl ErrorLayer {
    /// Makes the layer with the page that people see when something goes wrong.
    pub fn new(page: ErrorPage) -> Self {
        Self { page }
    }
}

impl<S> Layer<S> for ErrorLayer {
    type Service = ErrorService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorService { page: self.page.clone(), inner }
    }
}

/// A service whose faults are answered and logged.
#[derive(Clone, Debug)]
pub struct ErrorService<S> {
    page: ErrorPage,
    inner: S,
}

/// What the log line and the page need to know of the request, after it is gone.
#[derive(Debug)]
struct Seen {
    id: RequestId,
    method: Method,
    uri: Uri,
    accept: Option<HeaderValue>,
    began: Instant,
}

impl<S, B> Service<Request<B>> for ErrorService<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ErrorFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = RequestId::generate();
        request.extensions_mut().insert(id);
        let seen = Seen {
            id,
            method: request.method().clone(),
            uri: request.uri().clone(),
            accept: request.headers().get(ACCEPT).cloned(),
            began: Instant::now(),
        };
        ErrorFuture { inner: self.inner.call(request), page: self.page.clone(), seen: Some(seen) }
    }
}

pin_project! {
    /// The answer of an [`ErrorService`].
    #[derive(Debug)]
    pub struct ErrorFuture<F> {
        #[pin]
        inner: F,
        page: ErrorPage,
        seen: Option<Seen>,
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for ErrorFuture<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.inner.poll(context));
        Poll::Ready(Ok(match this.seen.take() {
            Some(seen) => seen.finish(response, this.page),
            None => response,
        }))
    }
}

impl Seen {
    fn finish(self, mut response: Response<Body>, page: &ErrorPage) -> Response<Body> {
        let refusal = response.extensions_mut().remove::<Refusal>();
        let status = response.status();
        if let Some(refusal) = refusal.as_ref().filter(|_| status.is_client_error() || status.is_server_error()) {
            let trouble = Trouble { id: self.id, status, refusal };
            page.render(&trouble, self.accept.as_ref(), &mut response);
        }
        response.headers_mut().insert(X_REQUEST_ID, self.id.header_value());
        self.log(&response, refusal.as_ref());
        response
    }

    fn log(&self, response: &Response<Body>, refusal: Option<&Refusal>) {
        let status = response.status().as_u16();
        if !tracing::enabled!(target: "palisade::access", tracing::Level::INFO) {
            return;
        }
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let path = log_target(&self.uri);
        match refusal {
            None => {
                tracing::info!(target: "palisade::access", id = %self.id, method = %self.method, path = %path, status, micros);
            }
            Some(refusal) => {
                let threat = refusal.threat().map_or("", palisade_core::Threat::id);
                let reason = refusal.reason().escape_debug();
                tracing::info!(target: "palisade::access", id = %self.id, method = %self.method, path = %path, status, micros, threat, reason = %reason);
            }
        }
    }
}

/// What the log may hold of a request's address: the path, and that there was a query.
fn log_target(uri: &Uri) -> std::borrow::Cow<'_, str> {
    match uri.query() {
        None => uri.path().into(),
        Some(_) => format!("{}?…", uri.path()).into(),
    }
}
