//! Cross-site request forgery protection: Django's whole decision (threat `cross-site-request-forgery`, CWE-352).
//!
//! A browser sends a site's cookies with requests that other sites make it send. For each unsafe request, in order:
//!
//! 1. A route that is exempt, with its stated reason, passes. GET, HEAD, OPTIONS and TRACE pass.
//! 2. `Origin`, if there is one, must be ours or trusted ([`origin`]); then the Referer is not asked.
//! 3. Without `Origin`, over TLS, the `Referer` must be there, be HTTPS, and be ours or trusted.
//! 4. `Sec-Fetch-Site: cross-site` without a trusted `Origin` is refused: a gate that Django has not.
//! 5. The secret in the cookie (or, with `csrf_use_sessions`, in the session) must be there and well-formed, and the
//!    token in the form field `csrfmiddlewaretoken` (POST) or the header `X-CSRFToken` must be made from it.
//!
//! What passes gets a [`Proof`] that only this module can make; form extractors ask for it. What is refused gets 403,
//! with Django's reason in the log and, in development, on the page.
//!
//! The token is found without buffering uploads: of a multipart body only the leading fields are read, up to
//! [`SCAN_LIMIT`], and then replayed to the handler. So a form with files puts the token before them.
//!
//! # Security
//!
//! Script on the same origin (XSS) has the token: this defence is against other sites. A sibling subdomain that can set
//! cookies for the parent domain can plant a secret; the Origin check is what stops it, and `csrf_use_sessions` what
//! makes it moot.

pub mod anonymous;
pub mod origin;
mod protection;
mod room;
mod scan;
mod service;
mod token;

#[cfg(feature = "redis")]
pub use anonymous::RedisAnonymousSecrets;
pub use anonymous::{AnonymousSecrets, MemoryAnonymousSecrets};
pub use palisade_core::csrf::{CsrfRejection, TokenSource};
pub use protection::CsrfProtection;
pub(crate) use room::{Place, Room, full};
pub use scan::{SCAN_LIMIT, Scan, scan};
pub(crate) use service::is_length_limit;
pub use service::{CsrfFuture, CsrfLayer, CsrfService};
pub use token::CsrfToken;
pub(crate) use token::{Rotation, room_of};

/// The form field that carries the token.
pub const FIELD: &str = "csrfmiddlewaretoken";

/// The session key that holds the secret with `csrf_use_sessions`.
pub use palisade_core::csrf::SESSION_KEY;

/// Proof that the CSRF check has passed for this request; found in its extensions.
///
/// Only this module makes one. [`crate::form::Checked`] asks for it, so that a form cannot be read on a route that the
/// check does not cover.
#[derive(Clone, Copy, Debug)]
pub struct Proof(());

impl Proof {
    pub(crate) fn passed() -> Self {
        Self(())
    }
}
