//! How a refused request is answered: the client learns the status, the log learns the reason and the threat.
//!
//! Every defence refuses through this one type. The reason goes to the log (target `palisade::rejection`) and, as a
//! [`Refusal`], into the response's extensions, so that layers further out can log it with the request's id or show
//! it on a page in development. It never stands in the body outside development.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use palisade_core::Threat;

use crate::errors::current;

/// A refused request.
///
/// # Example
///
/// ```
/// use axum::response::IntoResponse;
/// use palisade::{core::Threat, rejection::Rejection};
///
/// let response = Rejection::forbidden("CSRF cookie not set.")
///     .with_threat(Threat::CrossSiteRequestForgery)
///     .into_response();
/// assert_eq!(response.status(), 403);
/// ```
#[derive(Debug)]
#[must_use = "a rejection refuses nothing until it is returned"]
pub struct Rejection(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    threat: Option<Threat>,
    reason: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    sources: Vec<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why a response is a refusal, for layers further out; found in the response's extensions.
#[derive(Clone, Debug)]
pub struct Refusal(Arc<RefusalParts>);

#[derive(Debug)]
struct RefusalParts {
    threat: Option<Threat>,
    reason: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    sources: Vec<String>,
}

impl Refusal {
    /// What is to be said of an error that came without a word, as of a path that no route answers.
    pub(crate) fn unsaid(status: StatusCode) -> Self {
        let hint = match status {
            StatusCode::NOT_FOUND => Some("There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => Some("This address does not take what was sent to it."),
            _ => None,
        };
        let reason = status.canonical_reason().unwrap_or("Error");
        Self(Arc::new(RefusalParts {
            threat: None,
            reason: reason.into(),
            hint: hint.map(Cow::Borrowed),
            sources: Vec::new(),
        }))
    }

    /// What is to be said of a request whose client did not wait for the answer.
    pub(crate) fn client_gone() -> Self {
        Self(Arc::new(RefusalParts {
            threat: None,
            reason: "no answer was sent: the client went away".into(),
            hint: None,
            sources: Vec::new(),
        }))
    }

    /// What is to be said of a request that the server has given up.
    pub(crate) fn overdue(limit: Duration) -> Self {
        Self(Arc::new(RefusalParts {
            threat: None,
            reason: format!("there was no answer within {limit:?}, and the request was given up").into(),
            hint: None,
            sources: Vec::new(),
        }))
    }

    /// The threat that was met, where one was.
    pub fn threat(&self) -> Option<Threat> {
        self.0.threat
    }

    /// Why the request was refused: for the log, not for the client.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What caused it, the nearest first: for the report.
    pub fn sources(&self) -> &[String] {
        &self.0.sources
    }

    /// What the client may be told to do next.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl Rejection {
    /// Refuses with a status and a reason for the log.
    pub fn new(status: StatusCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status,
            threat: None,
            reason: reason.into(),
            hint: None,
            sources: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 401: nobody is logged in, and a redirect to the login page would be no answer.
    pub fn unauthorized(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, reason)
    }

    /// 403: the request is understood and refused.
    pub fn forbidden(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason)
    }

    /// 404: there is nothing here, or nothing of yours.
    pub fn not_found(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }

    /// 500: the fault is ours.
    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }

    /// 429: there were too many; come back in so many seconds.
    pub fn too_many_requests(reason: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, reason)
            .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// 503: come back in so many seconds.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
            .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// Sends the client elsewhere instead: for example to HTTPS, or to the login page.
    pub fn redirect(status: StatusCode, location: HeaderValue, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, reason).with_header(header::LOCATION, location)
    }

    /// Names the threat that was met.
    pub fn with_threat(mut self, threat: Threat) -> Self {
        self.0.threat = Some(threat);
        self
    }

    /// Tells the report what caused this: the error, and whatever caused that.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::Rejection;
    ///
    /// fn read(path: &str) -> Result<String, Rejection> {
    ///     let because = |error| Rejection::internal("the price list cannot be read").caused_by(&error);
    ///     std::fs::read_to_string(path).map_err(because)
    /// }
    /// ```
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        self.0.sources.extend(chain.map(ToString::to_string));
        self
    }

    /// Adds a sentence that the client may read: what to do next.
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The status that the client gets.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The threat that was met, where one was.
    pub fn threat(&self) -> Option<Threat> {
        self.0.threat
    }

    /// The reason for the log.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.status, self.0.reason)
    }
}

impl std::error::Error for Rejection {}

/// The most characters of a reason in the log.
const LONGEST: usize = 2000;

/// A reason in one line of a log, whatever a client put into it, and however much. Apostrophes stay, so that Django's sentences are
/// found.
pub(crate) fn in_one_line(reason: &str) -> String {
    let (shown, more) = match reason.char_indices().nth(LONGEST) {
        Some((at, _)) => (reason.get(..at).unwrap_or_default(), "…"),
        None => (reason, ""),
    };
    // It has escaped every apostrophe, and a backslash by another.
    shown.escape_debug().to_string().replace("\\'", "'") + more
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let Inner {
            status,
            threat,
            reason,
            hint,
            sources,
            headers,
        } = *self.0;
        let threat_id = threat.map_or("", Threat::id);
        let id = (!status.is_redirection()).then(current).flatten();
        let id = id.as_ref().map(tracing::field::display);
        if status.is_server_error() {
            tracing::error!(target: "palisade::rejection", id, status = status.as_u16(), threat = threat_id, "{}", in_one_line(&reason));
        } else if !status.is_redirection() {
            tracing::warn!(target: "palisade::rejection", id, status = status.as_u16(), threat = threat_id, "{}", in_one_line(&reason));
        }
        let mut response = if status.is_redirection() {
            status.into_response()
        } else {
            let title = status.canonical_reason().unwrap_or("Error");
            (status, format!("{} {title}\n", status.as_u16())).into_response()
        };
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response.extensions_mut().insert(Refusal(Arc::new(RefusalParts {
            threat,
            reason,
            hint,
            sources,
        })));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_in_which_djangos_sentence_is_found() {
        let django =
            "Invalid HTTP_HOST header: 'evil.example'. You may need to add 'evil.example' to ALLOWED_HOSTS.";
        assert_eq!(in_one_line(django), django);
        assert_eq!(
            in_one_line("a\nb \"c\" \u{1b}[31m \\' \u{2028}"),
            "a\\nb \\\"c\\\" \\u{1b}[31m \\\\' \\u{2028}"
        );
    }
}
