//! The shape of a stateless defence: admit a request's head on the way in, stamp the response's head on the way out.
//!
//! A guard sees heads, never bodies and never the service behind it, so it cannot call back inwards, cannot buffer
//! and cannot forget to forward. [`Guarded`] is the one tower service that runs guards; every defence that needs no
//! waiting is a [`Guard`], alone with plain tower or in the order that [`crate::stack`] gives.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::IntoResponse;
use http::{Request, Response, request, response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::rejection::Rejection;

/// A stateless defence.
///
/// # Example
///
/// ```
/// use palisade::guard::{Guard, GuardLayer};
/// use palisade::rejection::Rejection;
///
/// /// Refuses requests from robots that say so.
/// struct NoRobots;
///
/// impl Guard for NoRobots {
///     type Pass = ();
///
///     fn admit(&self, request: &mut http::request::Parts) -> Result<(), Rejection> {
///         if request.headers.contains_key("x-robot") {
///             return Err(Rejection::forbidden("robots are not served here"));
///         }
///         Ok(())
///     }
///
///     fn release(&self, (): (), _response: &mut http::response::Parts) {}
/// }
///
/// let app: axum::Router = axum::Router::new().layer(GuardLayer::new(NoRobots));
/// ```
pub trait Guard: Send + Sync + 'static {
    /// What admission learned and release needs, for example whether the request came over TLS.
    type Pass: Send + 'static;

    /// Decides about a request's head.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] ends the request here: nothing further in sees it.
    fn admit(&self, request: &mut request::Parts) -> Result<Self::Pass, Rejection>;

    /// Stamps a response's head, also that of a rejection from further in.
    fn release(&self, pass: Self::Pass, response: &mut response::Parts);
}

/// Puts a [`Guard`] around a tower service.
#[derive(Debug)]
pub struct GuardLayer<G>(Arc<G>);

impl<G> GuardLayer<G> {
    /// Makes a layer of a guard.
    pub fn new(guard: G) -> Self {
        Self(Arc::new(guard))
    }
}

impl<G> Clone for GuardLayer<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G, S> Layer<S> for GuardLayer<G> {
    type Service = Guarded<G, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded {
            guard: Arc::clone(&self.0),
            inner,
        }
    }
}

/// A service with a [`Guard`] around it.
#[derive(Debug)]
pub struct Guarded<G, S> {
    guard: Arc<G>,
    inner: S,
}

impl<G, S: Clone> Clone for Guarded<G, S> {
    fn clone(&self) -> Self {
        Self {
            guard: Arc::clone(&self.guard),
            inner: self.inner.clone(),
        }
    }
}

impl<G, S, B> Service<Request<B>> for Guarded<G, S>
where
    G: Guard,
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = GuardedFuture<G, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.guard.admit(&mut parts) {
            Ok(pass) => GuardedFuture::Admitted {
                inner: self.inner.call(Request::from_parts(parts, body)),
                release: Some((Arc::clone(&self.guard), pass)),
            },
            Err(rejection) => GuardedFuture::Rejected {
                rejection: Some(rejection),
            },
        }
    }
}

pin_project! {
    /// The answer of a [`Guarded`] service.
    #[project = Projection]
    #[expect(missing_docs, reason = "the fields are the macro's, not the reader's")]
    pub enum GuardedFuture<G: Guard, F> {
        /// The guard let the request in.
        Admitted { #[pin] inner: F, release: Option<(Arc<G>, G::Pass)> },
        /// The guard refused.
        Rejected { rejection: Option<Rejection> },
    }
}

impl<G, F> Future for GuardedFuture<G, F>
where
    G: Guard,
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Admitted { inner, release } => {
                let Ok(response) = ready!(inner.poll(context));
                let (mut parts, body) = response.into_parts();
                if let Some((guard, pass)) = release.take() {
                    guard.release(pass, &mut parts);
                }
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            Projection::Rejected { rejection } => {
                let rejection = rejection
                    .take()
                    .unwrap_or_else(|| Rejection::internal("polled after its answer"));
                Poll::Ready(Ok(rejection.into_response()))
            }
        }
    }
}
