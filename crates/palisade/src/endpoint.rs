//! The guard nearest to a handler, one for each route: the CSRF decision, and what the route's policy says: from where it is reached at
//! all, who may reach it, how large a body may be.
//!
//! It stands inside axum's routing because only there is it known which route answers (Django's `process_view`). What the policy
//! says of the response (frames) goes outward with it, as an extension that [`crate::headers`] reads.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath};
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Limited;
use palisade_core::Threat;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::access::{AccessLayer, Admitted, AdmittedFuture};
use crate::csrf::{CsrfFuture, CsrfLayer, CsrfProtection, CsrfService};
use crate::errors::RequestId;
use crate::gate::{Elsewhere, Kept, Stopped};
use crate::headers::FramePolicy;
use crate::redact::SensitiveParameters;
use crate::rejection::Rejection;
use crate::report::Notes;
use crate::router::RoutePolicy;
use crate::session::Cacheable;

/// Makes the guard of a route from its policy.
#[derive(Clone, Debug)]
pub(crate) struct EndpointLayer {
    gate: Option<Kept>,
    csrf: CsrfLayer,
    access: AccessLayer,
    frames: Option<FramePolicy>,
    cacheable: bool,
    /// What a form holds here that stands in no report, if the route says so.
    hidden: Option<Arc<SensitiveParameters>>,
    body_limit: usize,
}

impl EndpointLayer {
    pub(crate) fn new(
        protection: CsrfProtection,
        policy: RoutePolicy,
        elsewhere: &Elsewhere,
        body_limit: usize,
    ) -> Self {
        let csrf = CsrfLayer::new(protection);
        Self {
            gate: Kept::new(&policy.gate, elsewhere),
            csrf: match policy.csrf_exempt {
                Some(reason) => csrf.dangerous_exempt(reason),
                None => csrf,
            },
            access: AccessLayer::new(policy.access, policy.recent),
            frames: policy.frames,
            cacheable: policy.cacheable.is_some(),
            hidden: Some(policy.sensitive_post_parameters)
                .filter(|hidden| *hidden != SensitiveParameters::None)
                .map(Arc::new),
            body_limit: policy.body_limit.unwrap_or(body_limit),
        }
    }
}

impl<S> Layer<S> for EndpointLayer {
    type Service = Endpoint<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Endpoint {
            gate: self.gate.clone(),
            inner: self.csrf.layer(self.access.layer(inner)),
            frames: self.frames.clone(),
            cacheable: self.cacheable,
            hidden: self.hidden.clone(),
            body_limit: self.body_limit,
        }
    }
}

/// A route behind its guard.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint<S> {
    gate: Option<Kept>,
    inner: CsrfService<Admitted<S>>,
    frames: Option<FramePolicy>,
    cacheable: bool,
    /// What a form holds here that stands in no report, if the route says so.
    hidden: Option<Arc<SensitiveParameters>>,
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
        if let (Some(hidden), Some(notes)) = (&self.hidden, extensions.get::<Notes>()) {
            notes.hide(hidden);
        }
        if let Some(gate) = &self.gate {
            request = match gate.admit(request) {
                Ok(request) => request,
                Err(Stopped::Elsewhere(answer)) => return EndpointFuture::Elsewhere { answer },
                Err(Stopped::Refused(rejection)) => return self.refuse(rejection),
            };
        }
        if !request.body().is_end_stream() {
            let declared = request.body().size_hint().lower();
            if declared > self.body_limit as u64 {
                return self.refuse(too_big());
            }
            let limit = self.body_limit;
            request = request.map(|body| Body::new(Limited::new(body, limit)));
            // axum's own limit of 2 MB would stand beside ours.
            DefaultBodyLimit::disable().apply(&mut request);
        }
        EndpointFuture::Inside {
            inner: self.inner.call(request),
            frames: self.frames.clone(),
            cacheable: self.cacheable,
        }
    }
}

impl<S> Endpoint<S> {
    fn refuse<F>(&self, rejection: Rejection) -> EndpointFuture<F> {
        EndpointFuture::Refused {
            rejection: Some(rejection),
            frames: self.frames.clone(),
            cacheable: self.cacheable,
        }
    }
}

pin_project! {
    /// The answer of an [`Endpoint`].
    #[project = Projection]
    pub(crate) enum EndpointFuture<F> {
        Inside {
            #[pin]
            inner: CsrfFuture<F>,
            frames: Option<FramePolicy>,
            cacheable: bool,
        },
        Refused {
            rejection: Option<Rejection>,
            frames: Option<FramePolicy>,
            cacheable: bool,
        },
        /// Of another route, which has its own policy.
        Elsewhere { answer: BoxFuture<'static, Response<Body>> },
    }
}

impl<F, R> Future for EndpointFuture<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut response, frames, cacheable) = match self.project() {
            Projection::Inside {
                inner,
                frames,
                cacheable,
            } => match ready!(inner.poll(context)) {
                Ok(response) => (response, frames.take(), *cacheable),
            },
            Projection::Refused {
                rejection,
                frames,
                cacheable,
            } => match rejection.take() {
                Some(rejection) => (rejection.into_response(), frames.take(), *cacheable),
                // It is taken here, once.
                None => return Poll::Pending,
            },
            Projection::Elsewhere { answer } => return answer.as_mut().poll(context).map(Ok),
        };
        if let Some(frames) = frames
            && response.extensions().get::<FramePolicy>().is_none()
        {
            response.extensions_mut().insert(frames);
        }
        // The reason is one for what the route shows, and not for whom it refuses or where it sends somebody.
        let shown = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        if cacheable && shown {
            response.extensions_mut().insert(Cacheable);
        }
        Poll::Ready(Ok(response))
    }
}

fn too_big() -> Rejection {
    Rejection::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.",
    )
    .with_threat(Threat::ResourceExhaustion)
    .with_hint("What was sent is larger than this page accepts.")
}
