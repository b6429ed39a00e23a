//! Names of request headers as settings write them: plain, or in Django's CGI spelling.

use std::fmt;
use std::str::FromStr;

/// The name of a request header in lower case.
///
/// Django's settings write `HTTP_X_FORWARDED_PROTO` for `X-Forwarded-Proto`; both are read.
///
/// # Example
/// ```
/// use palisade_core::settings::HeaderName;
///
/// let name: HeaderName = "HTTP_X_CSRFTOKEN".parse()?;
/// assert_eq!(name.as_str(), "x-csrftoken");
/// assert_eq!("X-CsrfToken".parse(), Ok(name));
/// # Ok::<(), palisade_core::settings::InvalidHeaderName>(())
/// ```
///
/// # Security
/// A name with `_` is refused: servers that fold it into `-` let a client write the header that a proxy strips
/// (CVE-2026-3902).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderName(String);

/// A text that is no header's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is `{}`, not a header's name such as X-Forwarded-Proto or HTTP_X_FORWARDED_PROTO", .0.escape_debug())]
pub struct InvalidHeaderName(String);

impl HeaderName {
    /// Django's header for the CSRF token.
    pub(super) fn csrf_token() -> Self {
        Self("x-csrftoken".to_owned())
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = InvalidHeaderName;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderName> {
        let name = match text.strip_prefix("HTTP_") {
            Some(name) => name.replace('_', "-").to_ascii_lowercase(),
            None => text.to_ascii_lowercase(),
        };
        let valid = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.!#$%&'*+^`|~".contains(&b));
        if valid && !name.is_empty() {
            Ok(Self(name))
        } else {
            Err(InvalidHeaderName(text.to_owned()))
        }
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::ops::Deref for HeaderName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The header by which a proxy says that a request came over TLS: Django's `SECURE_PROXY_SSL_HEADER`.
///
/// # Security
/// Whoever can send this header decides whether the site believes to be on HTTPS. It counts only from the addresses
/// in `trusted_proxies`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProxyHeader {
    /// The header's name.
    pub name: HeaderName,
    /// The value that means TLS, usually `https`.
    pub value: String,
}

impl ProxyHeader {
    /// Says what a value of the header means: whether the client used TLS.
    ///
    /// Only the text before the first comma counts, without spaces around it (Django's `HttpRequest.scheme`).
    pub fn says_secure(&self, value: &str) -> bool {
        says_secure(value, &self.value)
    }
}

/// Says whether a proxy's word is the one that means TLS.
pub(crate) fn says_secure(said: &str, secure: &str) -> bool {
    said.split(',').next().unwrap_or_default().trim() == secure
}
