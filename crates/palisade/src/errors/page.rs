//! What a person or a program sees when something goes wrong: a status, what to do next, and an id to quote.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::MatchedPath;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use palisade_core::token;

use super::wanted::Wanted;
use crate::rejection::{Refusal, in_one_line};
use palisade_core::escape::Escaped;

/// A request's id: 64 random bits as 16 hexadecimal digits. An extension of the request.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<Known>);

#[derive(Debug)]
struct Known {
    digits: [u8; 16],
    /// Told by the routing, which is further in than whoever asks.
    route: OnceLock<MatchedPath>,
    /// Told by the transport guard, which knows whom a proxy speaks for.
    client: OnceLock<IpAddr>,
    /// Told by the server, when the time for the answer is over.
    overdue: OnceLock<Duration>,
}

impl RequestId {
    pub(crate) fn generate() -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let random: [u8; 8] = token::random_bytes();
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(random) {
            if let [high, low] = pair {
                *high = HEX.get(usize::from(byte >> 4)).copied().unwrap_or_default();
                *low = HEX.get(usize::from(byte & 15)).copied().unwrap_or_default();
            }
        }
        Self(Arc::new(Known {
            digits,
            route: OnceLock::new(),
            client: OnceLock::new(),
            overdue: OnceLock::new(),
        }))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0.digits).unwrap_or_default()
    }

    /// The route that answers, once it is known: `/notes/{id}/`.
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(MatchedPath::as_str)
    }

    pub(crate) fn tell_route(&self, route: &MatchedPath) {
        self.0.route.get_or_init(|| route.clone());
    }

    /// The client's address, once it is known.
    pub fn client(&self) -> Option<IpAddr> {
        self.0.client.get().copied()
    }

    pub(crate) fn tell_client(&self, client: IpAddr) {
        self.0.client.get_or_init(|| client);
    }

    /// The time that was over before there was an answer, if the server has given one in its place.
    pub(super) fn overdue(&self) -> Option<Duration> {
        self.0.overdue.get().copied()
    }

    pub(crate) fn tell_overdue(&self, limit: Duration) {
        self.0.overdue.get_or_init(|| limit);
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0.digits).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, for whoever renders the page.
#[derive(Clone, Copy, Debug)]
pub struct Trouble<'r> {
    /// The id to quote.
    pub id: &'r RequestId,
    /// The response's status.
    pub status: StatusCode,
    /// Why.
    pub refusal: &'r Refusal,
}

impl Trouble<'_> {
    /// The status in words, such as `Forbidden`.
    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// What the client may be told.
    pub fn hint(&self) -> &str {
        self.refusal.hint().unwrap_or(if self.status.is_server_error() {
            "Something went wrong on our side. If it happens again, tell us the number below."
        } else {
            "The request could not be carried out."
        })
    }
}

/// Makes an error page's HTML from what went wrong.
type Template = Arc<dyn Fn(&Trouble<'_>) -> String + Send + Sync>;

/// The page that people see when something goes wrong.
#[derive(Clone)]
pub struct ErrorPage {
    template: Template,
    show_reasons: bool,
}

impl fmt::Debug for ErrorPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorPage")
            .field("show_reasons", &self.show_reasons)
            .finish_non_exhaustive()
    }
}

impl Default for ErrorPage {
    fn default() -> Self {
        Self {
            template: Arc::new(plain),
            show_reasons: false,
        }
    }
}

impl ErrorPage {
    /// Renders the page by a function of the site's own. What it puts in must be escaped by it.
    pub fn new(template: impl Fn(&Trouble<'_>) -> String + Send + Sync + 'static) -> Self {
        Self {
            template: Arc::new(template),
            show_reasons: false,
        }
    }

    /// Shows reasons on the page, for development.
    ///
    /// # Security
    ///
    /// Reasons tell an attacker which check refused, and may hold parts of the request.
    #[must_use]
    pub fn dangerous_show_reasons(mut self, show: bool) -> Self {
        self.show_reasons = show;
        self
    }

    pub(super) fn render(
        &self,
        trouble: &Trouble<'_>,
        accept: Option<&HeaderValue>,
        response: &mut Response<Body>,
    ) {
        let (kind, text) = match Wanted::by(accept) {
            Wanted::Page => ("text/html; charset=utf-8", self.html(trouble)),
            Wanted::Problem => ("application/problem+json", self.problem(trouble)),
            Wanted::Text => ("text/plain; charset=utf-8", self.text(trouble)),
        };
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.body_mut() = Body::from(text);
    }

    /// The members of RFC 9457, of which `type` is left out where it says no more than the status; and the id.
    fn problem(&self, trouble: &Trouble<'_>) -> String {
        let mut problem = serde_json::json!({
            "title": trouble.title(), "status": trouble.status.as_u16(), "detail": trouble.hint(), "id": trouble.id.as_str(),
        });
        if let Some(problem) = problem.as_object_mut().filter(|_| self.show_reasons) {
            problem.insert("reason".to_owned(), trouble.refusal.reason().into());
        }
        problem.to_string()
    }

    fn text(&self, trouble: &Trouble<'_>) -> String {
        let (status, title, hint) = (trouble.status.as_u16(), trouble.title(), trouble.hint());
        let reason = if self.show_reasons {
            format!("Reason: {}\n", in_one_line(trouble.refusal.reason()))
        } else {
            String::new()
        };
        format!("{status} {title}\n{hint}\n{reason}Number: {}\n", trouble.id)
    }

    fn html(&self, trouble: &Trouble<'_>) -> String {
        let page = (self.template)(trouble);
        if !self.show_reasons {
            return page;
        }
        let reason = format!(
            "<p><b>Reason</b> (shown in development only): {}</p>",
            Escaped(trouble.refusal.reason())
        );
        match page.rfind("</main>") {
            Some(at) => page
                .split_at_checked(at)
                .map_or_else(String::new, |(head, tail)| format!("{head}{reason}{tail}")),
            None => page + &reason,
        }
    }
}

fn plain(trouble: &Trouble<'_>) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title></head><body><main><h1>{status} {title}</h1><p>{hint}</p>\
         <p>Number: {id}</p></main></body></html>",
        title = trouble.title(),
        status = trouble.status.as_u16(),
        hint = Escaped(trouble.hint()),
        id = trouble.id,
    )
}
