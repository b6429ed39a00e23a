//! The guard nearest to a handler, one for each route: the CSRF decision, and what the route's policy says: who may reach it, how large
//! a body may be.
//!
//! It stands inside axum's routing because only there is it known which route answers (Django's `process_view`). What the policy
//! says of the response (frames) goes outward with it, as an extension that [`crate::headers`] reads.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath};
use axum::response::IntoResponse;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Limited;
use palisade_core::Threat;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::access::{AccessLayer, Admitted, AdmittedFuture};
use crate::csrf::{CsrfFuture, CsrfLayer, CsrfProtection, CsrfService};
use crate::errors::RequestId;
use crate::headers::FramePolicy;
use crate::rejection::Rejection;
use crate::router::RoutePolicy;
use crate::session::Cacheable;

/// Makes the guard of a route from its policy.
#[derive(Clone, Debug)]
pub(crate) struct EndpointLayer {
    csrf: CsrfLayer,
    access: AccessLayer,
    frames: Option<FramePolicy>,
    cacheable: bool,
    body_limit: usize,
}

impl EndpointLayer {
    pub(crate) fn new(protection: CsrfProtection, policy: RoutePolicy, body_limit: usize) -> Self {
        let csrf = CsrfLayer::new(protection);
        Self {
            csrf: match policy.csrf_exempt {
                Some(reason) => csrf.dangerous_exempt(reason),
                None => csrf,
            },
            access: AccessLayer::new(policy.access),
            frames: policy.frames,
            cacheable: policy.cacheable.is_some(),
            body_limit: policy.body_limit.unwrap_or(body_limit),
        }
    }
}

impl<S> Layer<S> for EndpointLayer {
    type Service = Endpoint<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Endpoint {
            inner: self.csrf.layer(self.access.layer(inner)),
            frames: self.frames.clone(),
            cacheable: self.cacheable,
            body_limit: self.body_limit,
        }
    }
}

/// A route behind its guard.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<S> {
    inner: CsrfService<Admitted<S>>,
    frames: Option<FramePolicy>,
    cacheable: bool,
    body_limit: usize,
}

impl<S> Service<Request<Body>> for Endpoint<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = EndpointFuture<AdmittedFuture<S::Future>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let extensions = request.extensions();
        if let (Some(id), Some(route)) = (extensions.get::<RequestId>(), extensions.get::<MatchedPath>()) {
            id.tell_route(route);
        }
        let (frames, cacheable) = (self.frames.clone(), self.cacheable);
        if !request.body().is_end_stream() {
            let declared = request.body().size_hint().lower();
            if declared > self.body_limit as u64 {
                return EndpointFuture {
                    inner: None,
                    refused: Some(too_big()),
                    frames,
                    cacheable,
                };
            }
            let limit = self.body_limit;
            request = request.map(|body| Body::new(Limited::new(body, limit)));
            // axum's own limit of 2 MB would stand beside ours.
            DefaultBodyLimit::disable().apply(&mut request);
        }
        EndpointFuture {
            inner: Some(self.inner.call(request)),
            refused: None,
            frames,
            cacheable,
        }
    }
}

pin_project! {
    /// The answer of an [`Endpoint`].
    pub(crate) struct EndpointFuture<F> {
        #[pin]
        inner: Option<CsrfFuture<F>>,
        refused: Option<Rejection>,
        frames: Option<FramePolicy>,
        cacheable: bool,
    }
}

impl<F, R> Future for EndpointFuture<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.inner.as_pin_mut() {
            Some(inner) => match ready!(inner.poll(context)) {
                Ok(response) => response,
            },
            None => this.refused.take().unwrap_or_else(too_big).into_response(),
        };
        if let Some(frames) = this.frames.take()
            && response.extensions().get::<FramePolicy>().is_none()
        {
            response.extensions_mut().insert(frames);
        }
        if *this.cacheable {
            response.extensions_mut().insert(Cacheable);
        }
        Poll::Ready(Ok(response))
    }
}

fn too_big() -> Rejection {
    Rejection::new(
        http::StatusCode::PAYLOAD_TOO_LARGE,
        "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.",
    )
    .with_threat(Threat::ResourceExhaustion)
    .with_hint("What was sent is larger than this page accepts.")
}
