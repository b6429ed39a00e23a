//! Who may frame a page: one decision, two headers.
//!
//! `X-Frame-Options` is what old browsers read and `frame-ancestors` what new ones do, and where both stand the new
//! one wins; so both are rendered from one [`FramePolicy`]. An allow-list exists in CSP only: then
//! `X-Frame-Options` is left out, since its `ALLOW-FROM` was dropped by every browser and `DENY` would contradict.

use axum::response::{IntoResponseParts, ResponseParts};
use http::HeaderValue;
use palisade_core::header::Csp;

/// Who may frame a page.
///
/// # Example
///
/// ```
/// use axum::routing::get;
/// use palisade::router::{Policies, Router};
///
/// let app: Router = Router::new().route(
///     "/widget/",
///     get(async || "hello").frame_ancestors(["https://partner.example"])?,
/// );
/// # Ok::<(), palisade::headers::InvalidAncestor>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FramePolicy {
    /// Nobody.
    Deny,
    /// Pages of the same origin.
    SameOrigin,
    /// These origins (CSP source expressions such as `https://partner.example`).
    Ancestors(Vec<String>),
    /// Anybody. The reason stands in the route report.
    Exempt(&'static str),
}

/// A source that must not stand in `frame-ancestors`.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no frame ancestor: write an origin such as https://partner.example or https://*.partner.example"
)]
pub struct InvalidAncestor(pub String);

impl FramePolicy {
    /// Lets these origins frame the page.
    ///
    /// # Errors
    ///
    /// [`InvalidAncestor`] for anything that is not `https://host`, `https://*.host` or `http://` likewise, with an
    /// optional port: a stray space or semicolon would otherwise become policy.
    pub fn ancestors(origins: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidAncestor> {
        let mut list = Vec::new();
        for origin in origins {
            let origin: String = origin.into();
            if !is_origin(&origin) {
                return Err(InvalidAncestor(origin));
            }
            list.push(origin);
        }
        Ok(Self::Ancestors(list))
    }

    pub(super) fn frame_options(&self) -> Option<HeaderValue> {
        match self {
            Self::Deny => Some(HeaderValue::from_static("DENY")),
            Self::SameOrigin => Some(HeaderValue::from_static("SAMEORIGIN")),
            Self::Ancestors(_) | Self::Exempt(_) => None,
        }
    }

    /// The policy with this decision as its `frame-ancestors`.
    pub(super) fn ancestors_of(&self, csp: &Csp) -> Csp {
        let sources: Vec<&str> = match self {
            Self::Deny => vec!["'none'"],
            Self::SameOrigin => vec!["'self'"],
            Self::Ancestors(origins) => origins.iter().map(String::as_str).collect(),
            Self::Exempt(_) => vec!["*"],
        };
        csp.clone().with_frame_ancestors(sources)
    }
}

fn is_origin(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "0"));
    let host = host.strip_prefix("*.").unwrap_or(host);
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && (port == "*" || port.parse::<u16>().is_ok())
}

/// A handler may return its own policy beside its body: `(FramePolicy::SameOrigin, Html(page))`.
impl IntoResponseParts for FramePolicy {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Self::Error> {
        response.extensions_mut().insert(self);
        Ok(response)
    }
}
