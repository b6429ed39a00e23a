//! The CSRF layer: runs the decision before the handler, replays the body it looked into, and sends the cookie.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::{Method, Request, Response, request};
use http_body_util::BodyExt;
use palisade_core::Threat;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::protection::CsrfProtection;
use super::room::{Place, Room};
use super::scan::{SCAN_LIMIT, Scan, scan};
use super::token::RequestState;
use super::{FIELD, Proof};
use crate::rejection::Rejection;
use crate::session::Session;
use crate::transport::Connection;

/// Checks unsafe requests, and gives handlers their [`super::CsrfToken`].
///
/// # Example
///
/// ```
/// use palisade::{SecretKey, Settings, clock::Clock, csrf::{CsrfLayer, CsrfProtection}};
///
/// let settings = Settings::for_development(SecretKey::new("a key for this example only"));
/// let protection = CsrfProtection::from_settings(&settings, Clock::system());
/// let app: axum::Router = axum::Router::new().layer(CsrfLayer::new(protection));
/// ```
#[derive(Clone, Debug)]
pub struct CsrfLayer {
    protection: CsrfProtection,
    exempt: Option<&'static str>,
}

impl CsrfLayer {
    /// Makes the layer.
    pub fn new(protection: CsrfProtection) -> Self {
        Self {
            protection,
            exempt: None,
        }
    }

    /// Lets everything through, for the stated reason; tokens and their cookie still work.
    #[must_use]
    pub fn dangerous_exempt(mut self, reason: &'static str) -> Self {
        self.exempt = Some(reason);
        self
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService {
            layer: self.clone(),
            inner,
        }
    }
}

/// A service whose unsafe requests are checked.
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    layer: CsrfLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for CsrfService<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = CsrfFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let state = RequestState::new(
            self.layer.protection.clone(),
            request.headers().get(COOKIE).cloned(),
        );
        request.extensions_mut().insert(state.clone());
        if is_safe(request.method()) {
            return CsrfFuture::Passing {
                inner: self.inner.call(request),
                state,
            };
        }
        if self.layer.exempt.is_some() || request.extensions().get::<Proof>().is_some() {
            request.extensions_mut().insert(Proof::passed());
            return CsrfFuture::Passing {
                inner: self.inner.call(request),
                state,
            };
        }
        let protection = self.layer.protection.clone();
        // The service that was polled ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        CsrfFuture::Checking {
            answer: Box::pin(async move {
                let mut response = match check(&protection, &state, request).await {
                    Ok(mut request) => {
                        request.extensions_mut().insert(Proof::passed());
                        let Ok(response) = inner.call(request).await;
                        response.into_response()
                    }
                    Err(rejection) => rejection.into_response(),
                };
                state.release(response.headers_mut());
                response
            }),
        }
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

pin_project! {
    /// The answer of a [`CsrfService`].
    #[project = Projection]
    #[expect(missing_docs, reason = "the fields are the macro's, not the reader's")]
    pub enum CsrfFuture<F> {
        /// The handler runs without a check.
        Passing { #[pin] inner: F, state: RequestState },
        /// The check runs, then perhaps the handler.
        Checking { answer: BoxFuture<'static, Response<Body>> },
    }
}

impl<F, R> Future for CsrfFuture<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Passing { inner, state } => {
                let Ok(response) = ready!(inner.poll(context));
                let mut response = response.into_response();
                state.release(response.headers_mut());
                Poll::Ready(Ok(response))
            }
            Projection::Checking { answer } => answer.as_mut().poll(context).map(Ok),
        }
    }
}

/// The decision, in Django's order. Gives the request back with its body whole.
async fn check(
    protection: &CsrfProtection,
    state: &RequestState,
    request: Request<Body>,
) -> Result<Request<Body>, Rejection> {
    let (mut parts, body) = request.into_parts();
    let connection = parts.extensions.get::<Connection>().copied().ok_or_else(|| {
        Rejection::internal("the transport guard is missing: serve what Palisade::protect returns")
    })?;
    protection.check_origin(&parts, connection)?;
    let secret = state.incoming(parts.extensions.get::<Session>()).await?;
    let (field, body) = if parts.method == Method::POST {
        token_field(&mut parts, body, protection).await?
    } else {
        (None, body)
    };
    protection.check_token(&secret, field.as_deref(), &parts)?;
    Ok(Request::from_parts(parts, body))
}

/// Finds the form field that carries the token, and gives the body back as it was.
async fn token_field(
    parts: &mut request::Parts,
    body: Body,
    protection: &CsrfProtection,
) -> Result<(Option<String>, Body), Rejection> {
    let limit = protection.body_limit();
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let declared = parts
                .headers
                .get(CONTENT_LENGTH)
                .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
            if declared.is_some_and(|declared| declared > limit) {
                return Err(too_big());
            }
            let (bytes, place) = whole(body, limit, protection.room()).await?;
            parts.extensions.insert(place);
            Ok((urlencoded_field(&bytes), Body::from(bytes)))
        }
        "multipart/form-data" => match boundary(content_type) {
            Some(boundary) => multipart_field(&boundary, body).await,
            None => Ok((None, body)),
        },
        _ => Ok((None, body)),
    }
}

/// Whether a body was longer than it may be: by this limit or by the route's, which is further in and wrapped.
pub(crate) fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

/// Copies the body together. Frames that were kept would keep all that came from the network with them: a body of single
/// bytes, a hundred times its length.
async fn whole(mut body: Body, limit: usize, room: &Room) -> Result<(Bytes, Place), Rejection> {
    let mut bytes = Vec::new();
    let mut place = Place::default();
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if is_length_limit(&error) => return Err(too_big()),
            Err(_) => return Err(Rejection::bad_request("the request's body broke off")),
        };
        if let Ok(data) = frame.into_data() {
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(too_big());
            }
            room.widen(&mut place, bytes.len().saturating_add(data.len()))?;
            bytes.extend_from_slice(&data);
        }
    }
    Ok((Bytes::from(bytes), place))
}

fn too_big() -> Rejection {
    Rejection::bad_request("Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")
        .with_threat(Threat::ResourceExhaustion)
        .with_hint("The form is larger than this page accepts.")
}

/// The last value of the token field, as Django takes it: a client may write any letter with a percent sign.
fn urlencoded_field(bytes: &[u8]) -> Option<String> {
    let mut pairs = bytes.split(|byte| *byte == b'&').map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        (
            halves.next().unwrap_or_default(),
            halves.next().unwrap_or_default(),
        )
    });
    let is_token = |name: &[u8]| name == FIELD.as_bytes() || (name.contains(&b'%') && decoded(name) == FIELD);
    pairs
        .rfind(|(name, _)| is_token(name))
        .map(|(_, value)| decoded(value))
}

fn decoded(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_encoding::percent_decode(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

/// The boundary parameter of a multipart content type (RFC 2046 §5.1.1).
fn boundary(content_type: &str) -> Option<String> {
    multer::parse_boundary(content_type).ok()
}

async fn multipart_field(boundary: &str, mut body: Body) -> Result<(Option<String>, Body), Rejection> {
    let mut seen: Vec<u8> = Vec::new();
    // The scan begins anew each time, so it waits until there is twice as much to see: many tiny frames cost no more than
    // one large one.
    let mut worth_a_look = 0;
    let field = loop {
        let over = match body.frame().await {
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                seen.extend_from_slice(&data);
                false
            }
            Some(Err(error)) if is_length_limit(&error) => return Err(too_big()),
            Some(Err(_)) => return Err(Rejection::bad_request("the request's body broke off")),
            None => {
                // A body that has ended may not be asked again.
                body = Body::empty();
                true
            }
        };
        if over || seen.len() >= worth_a_look {
            // Never more than the limit, however long the last frame: the verdict is not to depend on how the body was cut.
            match scan(seen.get(..SCAN_LIMIT).unwrap_or(&seen), boundary) {
                Scan::Found(token) => break Some(token),
                Scan::More if !over && seen.len() < SCAN_LIMIT => {
                    worth_a_look = SCAN_LIMIT.min(seen.len() * 2);
                }
                Scan::Absent | Scan::More => break None,
            }
        }
    };
    Ok((
        field,
        Body::new(Replay {
            read: Some(Bytes::from(seen)).filter(|read| !read.is_empty()),
            rest: body,
        }),
    ))
}

/// A body whose beginning has been read: it gives that again, then the rest.
struct Replay {
    read: Option<Bytes>,
    rest: Body,
}

impl http_body::Body for Replay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if let Some(bytes) = self.read.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(bytes))));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let read = self.read.as_ref().map_or(0, |read| read.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = http_body::SizeHint::new();
        hint.set_lower(read.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper() {
            hint.set_upper(read.saturating_add(upper));
        }
        hint
    }
}
