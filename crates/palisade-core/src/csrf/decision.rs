//! Whether an unsafe request was made by the site's own pages: where it comes from, then the token it brings.
//!
//! The order and the words are those of Django's `CsrfViewMiddleware.process_view`. Both questions are pure functions over what a request
//! says, so that every way to serve requests asks the same ones.

use std::borrow::Cow;
use std::fmt;

use super::{CsrfSecret, InvalidToken};
use crate::origin::{TrustedOrigins, UntrustedOrigin, UntrustedReferer};
use crate::repr::Repr;
use crate::secret::constant_time_eq;

/// Where a request's token stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// The form field.
    Post,
    /// This header, as Django names it: see [`header_title`].
    Header(Option<String>),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post => f.write_str("POST"),
            Self::Header(Some(name)) => write!(f, "the {} HTTP header", Repr(name)),
            Self::Header(None) => f.write_str("the None HTTP header"),
        }
    }
}

/// Why a request is refused, in Django's words where Django has the check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's sentence says what it is")]
pub enum CsrfRejection {
    #[error(transparent)]
    Origin(#[from] UntrustedOrigin),
    #[error(transparent)]
    Referer(#[from] UntrustedReferer),
    #[error("Sec-Fetch-Site checking failed - another site made the request.")]
    CrossSite,
    #[error("CSRF cookie not set.")]
    NoCookie,
    #[error("CSRF cookie {0}.")]
    InvalidCookie(InvalidToken),
    #[error("CSRF token missing.")]
    TokenMissing,
    #[error("CSRF token from {0} {1}.")]
    InvalidToken(TokenSource, InvalidToken),
    #[error("CSRF token from {0} incorrect.")]
    IncorrectToken(TokenSource),
}

/// What a request says of where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'h> {
    /// Whether it came over TLS.
    pub secure: bool,
    /// `Origin`
    pub origin: Option<&'h str>,
    /// `Referer`
    pub referer: Option<&'h str>,
}

impl Source<'_> {
    /// Says why the request comes from elsewhere, if it does. An `Origin` decides by itself; without one a request over TLS needs a
    /// `Referer`.
    ///
    /// `host` is asked for the site's own host, and `own` for what a referer of its own names
    /// ([`good_referer`](crate::origin::good_referer)), each only where it decides.
    ///
    /// # Errors
    ///
    /// What `host` and `own` say.
    pub fn check<'s, E>(
        self,
        trusted: &TrustedOrigins,
        host: impl FnOnce() -> Result<Option<Cow<'s, str>>, E>,
        own: impl FnOnce() -> Result<Option<Cow<'s, str>>, E>,
    ) -> Result<Option<CsrfRejection>, E> {
        if let Some(origin) = self.origin {
            let checked = trusted.check_origin(origin, self.secure, host()?.as_deref());
            return Ok(checked.err().map(Into::into));
        }
        if !self.secure {
            return Ok(None);
        }
        Ok(bad_referer(trusted, self.referer, own)?.map(Into::into))
    }
}

/// Says why a `Referer` is not acceptable, if it is not; `own` is asked only where the list does not have it.
///
/// # Errors
///
/// What `own` says.
pub fn bad_referer<'s, E>(
    trusted: &TrustedOrigins,
    referer: Option<&str>,
    own: impl FnOnce() -> Result<Option<Cow<'s, str>>, E>,
) -> Result<Option<UntrustedReferer>, E> {
    match trusted.check_referer(referer, None) {
        Err(UntrustedReferer::Elsewhere(_)) => Ok(trusted.check_referer(referer, own()?.as_deref()).err()),
        checked => Ok(checked.err()),
    }
}

/// Compares the token that a request brings with the bare secret: the form's, if there is any text in it, else the header's.
/// `header_name` is asked where the header's token is refused.
///
/// # Errors
///
/// The reason to refuse the request.
///
/// # Example
///
/// ```
/// use palisade_core::csrf::{CsrfSecret, check_token};
///
/// let secret = CsrfSecret::generate();
/// let title = || Some("X-Csrftoken".to_owned());
/// assert!(check_token(secret.as_str(), Some(&secret.mask()), None, title).is_ok());
/// let reason = check_token(secret.as_str(), None, Some("x"), title).unwrap_err();
/// assert_eq!(reason.to_string(), "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length.");
/// ```
pub fn check_token(
    secret: &str,
    form: Option<&str>,
    header: Option<&str>,
    header_name: impl FnOnce() -> Option<String>,
) -> Result<(), CsrfRejection> {
    let form = form.filter(|token| !token.is_empty());
    let token = form.or(header).ok_or(CsrfRejection::TokenMissing)?;
    let source = || match form {
        Some(_) => TokenSource::Post,
        None => TokenSource::Header(header_name()),
    };
    match CsrfSecret::parse(token) {
        Err(fault) => Err(CsrfRejection::InvalidToken(source(), fault)),
        Ok(sent) if constant_time_eq(sent.as_str(), secret) => Ok(()),
        Ok(_) => Err(CsrfRejection::IncorrectToken(source())),
    }
}

/// A header's name with its words capitalised, as Django shows it: `x-csrftoken` as `X-Csrftoken`.
pub fn header_title(name: &str) -> String {
    let mut title = String::with_capacity(name.len());
    let mut inside = false;
    for character in name.chars() {
        if inside {
            title.extend(character.to_lowercase());
        } else {
            title.extend(character.to_uppercase());
        }
        inside = character.is_alphabetic();
    }
    title
}
