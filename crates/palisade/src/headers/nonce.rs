//! The nonce that lets a page's own script run under the strict policy.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use http::request;
use palisade_core::token;

use crate::rejection::Rejection;

/// The nonce of this response: 128 random bits, made when somebody first asks.
///
/// # Example
///
/// ```
/// use axum::response::Html;
/// use palisade::headers::CspNonce;
///
/// async fn page(nonce: CspNonce) -> Html<String> {
///     Html(format!("<script nonce=\"{nonce}\">document.title = 'ours'</script>"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(page));
/// ```
///
/// # Security
///
/// A page with a nonce must not be cached for others: the nonce would be theirs to read.
#[derive(Clone, Debug)]
pub struct CspNonce(NonceCell);

/// Where the request's nonce is, once there is one.
#[derive(Clone, Debug, Default)]
pub struct NonceCell(Arc<OnceLock<String>>);

impl NonceCell {
    pub(super) fn used(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl CspNonce {
    /// The nonce as it stands in the `nonce` attribute.
    pub fn as_str(&self) -> &str {
        self.0.0.get_or_init(token::nonce)
    }
}

impl std::fmt::Display for CspNonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for CspNonce {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        let cell = parts.extensions.get::<NonceCell>().cloned();
        let cell = cell.ok_or_else(|| {
            Rejection::internal("the header guard is missing: serve what Palisade::protect returns")
        })?;
        Ok(Self(cell))
    }
}
