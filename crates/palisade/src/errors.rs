//! The outermost layer: a request id, one log line, and a plain page for whatever went wrong (threat `exposed-diagnostics`).
//!
//! 1. Each request gets an id; the response carries it as `X-Request-Id`, the log line too.
//! 2. A handler's panic ends as a 500: the page says the id and nothing else, the log has the panic.
//! 3. A refusal or an empty error becomes a page for browsers and a problem (RFC 9457) or a line of text for programs, never with its
//!    reason (in development, with it). A response that a handler wrote itself is left alone.
//! 4. One line a request on `palisade::access`: method, path, route, status, time, client, id, with secrets masked; also of
//!    one whose client hung up (status 499) or for which the server's time was over (503). Lines of `palisade::rejection` have the id,
//!    too.
//! 5. A 5xx has a report of its own on `palisade::error`: the same id, and the request with its secrets masked; and one with all that is
//!    known where reports go ([`crate::report`]).

mod current;
mod page;
mod panic;
mod trace;
mod wanted;

pub(crate) use current::current;
pub use page::{ErrorPage, RequestId, Trouble};
pub use panic::{PanicFuture, PanicLayer, PanicService};
pub(crate) use trace::{PanicTrace, watch_panics};

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use palisade_core::Threat;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use self::current::Scope;
use crate::peer::Peer;
use crate::redact::{Redactor, printable};
use crate::rejection::{Refusal, in_one_line};
use crate::report::{Facts, Notes, Reporter};

/// How much of a header the report keeps, in characters.
const LONGEST: usize = 300;

/// What the log says of a request whose client did not wait for the answer; nginx's number.
const CLIENT_GONE: u16 = 499;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives requests ids, shows error pages and writes the access log.
#[derive(Clone, Debug)]
pub struct ErrorLayer {
    page: ErrorPage,
    redactor: Arc<Redactor>,
    reporter: Option<Reporter>,
}

impl ErrorLayer {
    /// Makes the layer with the page that people see when something goes wrong, and what masks secrets in the log.
    pub fn new(page: ErrorPage, redactor: impl Into<Arc<Redactor>>) -> Self {
        Self {
            page,
            redactor: redactor.into(),
            reporter: None,
        }
    }

    /// Reports faults here.
    pub(crate) fn with_reports(mut self, reporter: Option<Reporter>) -> Self {
        self.reporter = reporter;
        self
    }
}

impl<S> Layer<S> for ErrorLayer {
    type Service = ErrorService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorService {
            layer: self.clone(),
            inner,
        }
    }
}

/// A service whose faults are answered and logged.
#[derive(Clone, Debug)]
pub struct ErrorService<S> {
    layer: ErrorLayer,
    inner: S,
}

/// What the log line and the page need to know of the request, after it is gone.
#[derive(Debug)]
struct Seen {
    id: RequestId,
    method: Method,
    uri: Uri,
    accept: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    content_type: Option<HeaderValue>,
    peer: Option<IpAddr>,
    began: Instant,
    /// What a report needs to know besides, where there are reports.
    for_report: Option<Box<(HeaderMap, Version, Notes)>>,
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
        // The server has made one, so that it can say what it did with the request.
        let id = request.extensions().get::<RequestId>().cloned();
        let id = id.unwrap_or_else(|| {
            let id = RequestId::generate();
            request.extensions_mut().insert(id.clone());
            id
        });
        let for_report = self.layer.reporter.as_ref().map(|reporter| {
            let notes = reporter.notes();
            request.extensions_mut().insert(notes.clone());
            Box::new((request.headers().clone(), request.version(), notes))
        });
        let header = |name| request.headers().get(name).cloned();
        let seen = Seen {
            id,
            method: request.method().clone(),
            uri: request.uri().clone(),
            accept: header(ACCEPT),
            referer: header(REFERER),
            user_agent: header(USER_AGENT),
            content_type: header(CONTENT_TYPE),
            peer: request.extensions().get::<Peer>().map(|peer| peer.addr.ip()),
            began: Instant::now(),
            for_report,
        };
        let _scope = Scope::of(&seen.id);
        ErrorFuture {
            inner: self.inner.call(request),
            layer: self.layer.clone(),
            seen: Some(seen),
        }
    }
}

pin_project! {
    /// The answer of an [`ErrorService`].
    #[derive(Debug)]
    pub struct ErrorFuture<F> {
        #[pin]
        inner: F,
        layer: ErrorLayer,
        seen: Option<Seen>,
    }

    impl<F> PinnedDrop for ErrorFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // Whoever hangs up is not forgotten: a guesser need not wait for the answer.
            let this = this.project();
            if let Some(seen) = this.seen.take() {
                seen.given_up(this.layer);
            }
        }
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for ErrorFuture<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let scope = this.seen.as_ref().map(|seen| Scope::of(&seen.id));
        let Ok(response) = ready!(this.inner.poll(context));
        drop(scope);
        Poll::Ready(Ok(match this.seen.take() {
            Some(seen) => seen.finish(response, this.layer),
            None => response,
        }))
    }
}

impl Seen {
    fn finish(mut self, mut response: Response<Body>, layer: &ErrorLayer) -> Response<Body> {
        let refusal = response.extensions_mut().remove::<Refusal>();
        let panic = response.extensions_mut().remove::<PanicTrace>();
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            let silent = response.body().is_end_stream() && !response.headers().contains_key(CONTENT_TYPE);
            let unsaid = (refusal.is_none() && silent).then(|| Refusal::unsaid(status));
            if let Some(refusal) = refusal.as_ref().or(unsaid.as_ref()) {
                let trouble = Trouble {
                    id: &self.id,
                    status,
                    refusal,
                };
                layer.page.render(&trouble, self.accept.as_ref(), &mut response);
            }
        }
        response
            .headers_mut()
            .insert(X_REQUEST_ID, self.id.header_value());
        self.log(status, refusal.as_ref(), &layer.redactor);
        if status.is_server_error() {
            self.report(status, refusal.as_ref(), &layer.redactor);
            self.hand_on(status, refusal.as_ref(), panic, layer);
        }
        response
    }

    /// Gives all that is known to whoever keeps reports.
    fn hand_on(
        &mut self,
        status: StatusCode,
        refusal: Option<&Refusal>,
        panic: Option<PanicTrace>,
        layer: &ErrorLayer,
    ) {
        let (Some(reporter), Some(known)) = (&layer.reporter, self.for_report.take()) else {
            return;
        };
        let (headers, version, notes) = *known;
        reporter.report(Facts {
            id: self.id.to_string(),
            status,
            method: self.method.clone(),
            uri: self.uri.clone(),
            version,
            headers,
            route: self.id.route().map(str::to_owned),
            client: self.id.client().or(self.peer),
            threat: refusal.and_then(Refusal::threat),
            reason: refusal.map_or_else(
                || "the handler's own answer".to_owned(),
                |refusal| refusal.reason().to_owned(),
            ),
            sources: refusal.map(Refusal::sources).unwrap_or_default().to_vec(),
            panic,
            notes,
        });
    }

    /// Nobody waits for the answer any more: the server has answered in its place, or the client is gone.
    fn given_up(mut self, layer: &ErrorLayer) {
        if let Some(limit) = self.id.overdue() {
            let (status, overdue) = (StatusCode::SERVICE_UNAVAILABLE, Refusal::overdue(limit));
            self.log(status, Some(&overdue), &layer.redactor);
            self.report(status, Some(&overdue), &layer.redactor);
            self.hand_on(status, Some(&overdue), None, layer);
        } else {
            let gone = StatusCode::from_u16(CLIENT_GONE).unwrap_or_default();
            self.log(gone, Some(&Refusal::client_gone()), &layer.redactor);
        }
    }

    fn log(&self, status: StatusCode, refusal: Option<&Refusal>, redactor: &Redactor) {
        if !tracing::enabled!(target: "palisade::access", tracing::Level::INFO) {
            return;
        }
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "palisade::access",
            id = %self.id,
            method = %self.method,
            path = %redactor.uri_of(&self.uri, self.id.route()),
            route = self.id.route(),
            status = status.as_u16(),
            micros,
            client = self.id.client().map(tracing::field::display),
            peer = self.peer.filter(|_| self.id.client().is_none()).map(tracing::field::display),
            threat = refusal.and_then(Refusal::threat).map(Threat::id),
            reason = refusal.map(|refusal| tracing::field::display(in_one_line(refusal.reason()))),
        );
    }

    /// The error report: the request with its secrets masked. What the form held is not in it at all.
    fn report(&self, status: StatusCode, refusal: Option<&Refusal>, redactor: &Redactor) {
        let whole = |header: &Option<HeaderValue>| -> Option<String> {
            Some(header.as_ref()?.to_str().unwrap_or("(not ASCII)").to_owned())
        };
        let text = |header| whole(header).map(|text| printable(&text, LONGEST).into_owned());
        // Cleansed before it is cut: half an address hides where its secret begins.
        let referer = whole(&self.referer).map(|referer| redactor.address(&referer));
        tracing::error!(
            target: "palisade::error",
            id = %self.id,
            status = status.as_u16(),
            method = %self.method,
            path = %redactor.uri_of(&self.uri, self.id.route()),
            route = self.id.route(),
            client = self.id.client().map(tracing::field::display),
            peer = self.peer.filter(|_| self.id.client().is_none()).map(tracing::field::display),
            referer = referer.map(|referer| printable(&referer, LONGEST).into_owned()),
            user_agent = text(&self.user_agent),
            content_type = text(&self.content_type),
            reason = refusal.map_or_else(|| "the handler's own answer".to_owned(), |refusal| in_one_line(refusal.reason())),
        );
    }
}
