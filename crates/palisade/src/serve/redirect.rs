//! The plain-HTTP door, behind which there is only a way to HTTPS.
//!
//! It has no answers of its own: the site's own stack gets the request's head, marked as having come through this door, and the
//! [transport guard](crate::transport) redirects or refuses it, whatever the settings say. So there is one place
//! where plain HTTP is decided about, and a refusal looks like every other.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::peer::PlainDoor;

/// Hands plain-HTTP requests to the site without their bodies, which are never read.
#[derive(Clone, Debug)]
pub(super) struct Redirect<A> {
    pub(super) app: A,
    pub(super) door: PlainDoor,
}

impl<A> Service<Request<Body>> for Redirect<A>
where
    A: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Closing<A::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.app.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (mut parts, _body) = request.into_parts();
        parts.extensions.insert(self.door);
        Closing {
            answer: self.app.call(Request::from_parts(parts, Body::empty())),
        }
    }
}

pin_project! {
    /// The site's answer, after which the connection closes: the body that was not read must not become a request.
    pub(super) struct Closing<F> {
        #[pin]
        answer: F,
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for Closing<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(mut response) = ready!(self.project().answer.poll(context));
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        Poll::Ready(Ok(response))
    }
}
