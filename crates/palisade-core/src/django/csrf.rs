//! What `CsrfViewMiddleware` does before, around and after a view.

use std::borrow::Cow;

use super::request::{HostSettings, Request, Unhosted};
use crate::csrf::{
    CsrfRejection, CsrfSecret, InvalidToken, Source, bad_referer, check_token, check_token_format,
    header_title,
};
use crate::origin::{TrustedOrigins, UntrustedReferer, good_referer};
use crate::secret::constant_time_eq;

/// What the middleware keeps with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsrfState {
    /// The secret, bare: `META["CSRF_COOKIE"]`.
    pub secret: Option<String>,
    /// Whether the response is to carry it: `META["CSRF_COOKIE_NEEDS_UPDATE"]`.
    pub needs_update: bool,
    /// Whether the request has been accepted: `csrf_processing_done`.
    pub done: bool,
}

/// Where the secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the cookie.
    Cookie,
    /// In the session, with what it holds: `CSRF_USE_SESSIONS`.
    Session(Option<String>),
    /// In the session, and the request has none.
    NoSession,
}

/// `CSRF_USE_SESSIONS` is on and there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "CSRF_USE_SESSIONS is enabled, but request.session is not set. SessionMiddleware must appear before \
     CsrfViewMiddleware in MIDDLEWARE."
)]
pub struct ImproperlyConfigured;

/// Why there is no answer, where Django raises an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessView {
    /// The settings and the middleware contradict.
    #[error(transparent)]
    Settings(#[from] ImproperlyConfigured),
    /// The form is needed and cannot be read, for another reason than a broken connection.
    #[error("the form cannot be read")]
    Form,
    /// The request's own host or port is not known.
    #[error(transparent)]
    Host(#[from] Unhosted),
    /// A session holds a secret that is none.
    #[error(transparent)]
    Secret(#[from] Secret),
}

/// How a secret or token is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Secret {
    /// It has neither 32 nor 64 characters.
    #[error("the token has neither 32 nor 64 characters")]
    Length,
    /// It has a character other than an ASCII letter or digit.
    #[error("substring not found")]
    Character,
}

/// What the form has in its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormToken {
    /// This.
    Sent(Option<String>),
    /// The connection broke, which counts as nothing.
    Unreadable,
    /// Reading it fails otherwise.
    Failed,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing was decided: it has been already, or the view is exempt.
    Pass,
    /// The view may run.
    Accept,
    /// It may not, for this reason.
    Reject(String),
}

/// The settings of the middleware.
#[derive(Clone, Debug, Default)]
pub struct CsrfSettings {
    /// `CSRF_COOKIE_NAME`
    pub cookie_name: String,
    /// `CSRF_COOKIE_DOMAIN`, or `SESSION_COOKIE_DOMAIN` where the session keeps the secret.
    pub cookie_domain: Option<String>,
    /// `CSRF_HEADER_NAME`, a CGI name.
    pub header_name: String,
    /// `CSRF_TRUSTED_ORIGINS`
    pub trusted_origins: TrustedOrigins,
    /// What decides about the request's own host.
    pub hosts: HostSettings,
}

impl CsrfState {
    /// Gives a masked token for a page, making a secret if there is none: `get_token`.
    ///
    /// # Errors
    ///
    /// Where the secret that is there is none.
    pub fn token(&mut self) -> Result<String, Secret> {
        let secret = match &self.secret {
            Some(secret) => bare(secret)?,
            None => self.renew(),
        };
        self.needs_update = true;
        Ok(secret.mask())
    }

    /// Makes a new secret: `rotate_token`.
    pub fn rotate(&mut self) {
        self.renew();
    }

    fn renew(&mut self) -> CsrfSecret {
        let secret = CsrfSecret::generate();
        self.secret = Some(secret.as_str().to_owned());
        self.needs_update = true;
        secret
    }

    /// Takes the secret that the response is to carry, if any; once.
    pub fn take_update(&mut self) -> Option<String> {
        std::mem::take(&mut self.needs_update)
            .then(|| self.secret.clone())
            .flatten()
    }
}

fn bare(secret: &str) -> Result<CsrfSecret, Secret> {
    match CsrfSecret::parse(secret) {
        Ok(parsed) if secret.len() == parsed.as_str().len() => Ok(parsed),
        Err(InvalidToken::InvalidCharacters) => Err(Secret::Character),
        _ => Err(Secret::Length),
    }
}

/// Takes the mask off a token of 64 characters, and leaves any other text alone.
fn unmasked(token: &str) -> Result<String, Secret> {
    if token.chars().count() != 2 * crate::csrf::SECRET_LENGTH {
        return Ok(token.to_owned());
    }
    let secret = CsrfSecret::parse(token).map_err(|_| Secret::Character)?;
    Ok(secret.as_str().to_owned())
}

impl CsrfSettings {
    /// Says whether a token of 32 or 64 characters stands for a secret: `_does_token_match`.
    ///
    /// # Errors
    ///
    /// Where the token has another length or, masked, another character.
    pub fn matches(token: &str, secret: &str) -> Result<bool, Secret> {
        let token = unmasked(token)?;
        if token.chars().count() != crate::csrf::SECRET_LENGTH {
            return Err(Secret::Length);
        }
        Ok(constant_time_eq(token, secret))
    }

    /// Takes the secret from cookie or session into the state; a malformed cookie is replaced: `process_request`.
    ///
    /// # Errors
    ///
    /// Where there is no session to take it from, or the session's is none.
    pub fn process_request(
        &self,
        request: &Request,
        kept: &Kept,
        state: &mut CsrfState,
    ) -> Result<(), ProcessView> {
        match self.secret(request, kept)? {
            Err(_) => state.rotate(),
            Ok(Some(secret)) => state.secret = Some(secret),
            Ok(None) => {}
        }
        Ok(())
    }

    /// Decides about a request: `process_view`. `exempt` is the view's word, `skip_checks` the test client's.
    ///
    /// # Errors
    ///
    /// Where Django raises an error, rather than refuse.
    pub fn process_view(
        &self,
        request: &Request,
        kept: &Kept,
        state: &mut CsrfState,
        (exempt, skip_checks): (bool, bool),
        form: &FormToken,
    ) -> Result<Decision, ProcessView> {
        if state.done || exempt {
            return Ok(Decision::Pass);
        }
        let safe = matches!(
            request.method.as_deref(),
            Some("GET" | "HEAD" | "OPTIONS" | "TRACE")
        );
        if !safe && !skip_checks {
            let reason = match self.foreign(request)? {
                Some(reason) => Some(reason),
                None => self.bad_token(request, kept, form)?,
            };
            if let Some(reason) = reason {
                return Ok(Decision::Reject(reason.to_string()));
            }
        }
        state.done = true;
        Ok(Decision::Accept)
    }

    /// Says whether the request's `Origin` is its own or a trusted one: `_origin_verified`.
    ///
    /// # Errors
    ///
    /// Where the request's own host is not known.
    pub fn origin_is_verified(&self, origin: &str, request: &Request) -> Result<bool, Unhosted> {
        let own = allowed(self.hosts.host(request))?;
        let trusted = self
            .trusted_origins
            .check_origin(origin, request.is_secure(), own.as_deref());
        Ok(trusted.is_ok())
    }

    /// Says why the request's `Referer` is not acceptable, if it is not: `_check_referer`.
    ///
    /// # Errors
    ///
    /// Where the request's own host or port is needed and not known.
    pub fn bad_referer(&self, request: &Request) -> Result<Option<UntrustedReferer>, Unhosted> {
        let own = || self.own_referer(request);
        bad_referer(&self.trusted_origins, request.meta("HTTP_REFERER"), own)
    }

    /// What a referer of the site's own names.
    fn own_referer(&self, request: &Request) -> Result<Option<Cow<'_, str>>, Unhosted> {
        let (host, port) = match &self.cookie_domain {
            Some(_) => (None, self.hosts.port(request)?),
            None => (allowed(self.hosts.host(request))?, ""),
        };
        let own = good_referer(self.cookie_domain.as_deref(), host.as_deref(), port);
        Ok(own.map(|own| own.into_owned().into()))
    }

    /// Says why the request comes from elsewhere, if it does.
    fn foreign(&self, request: &Request) -> Result<Option<CsrfRejection>, Unhosted> {
        let source = Source {
            secure: request.is_secure(),
            origin: request.meta("HTTP_ORIGIN"),
            referer: request.meta("HTTP_REFERER"),
        };
        let host = || Ok(allowed(self.hosts.host(request))?.map(Cow::Owned));
        source.check(&self.trusted_origins, host, || self.own_referer(request))
    }

    /// Says what is wrong with the token, if anything is.
    fn bad_token(
        &self,
        request: &Request,
        kept: &Kept,
        form: &FormToken,
    ) -> Result<Option<CsrfRejection>, ProcessView> {
        let secret = match self.secret(request, kept)? {
            Err(fault) => return Ok(Some(CsrfRejection::InvalidCookie(fault))),
            Ok(None) => return Ok(Some(CsrfRejection::NoCookie)),
            Ok(Some(secret)) => secret,
        };
        let sent = match form {
            _ if request.method.as_deref() != Some("POST") => None,
            FormToken::Failed => return Err(ProcessView::Form),
            FormToken::Unreadable => None,
            FormToken::Sent(token) => token.as_deref(),
        };
        let header = request.meta(&self.header_name);
        Ok(check_token(&secret, sent, header, || self.header_title()).err())
    }

    /// The header's name as Django shows it; a CGI name that stands for no header has none.
    fn header_title(&self) -> Option<String> {
        let name = match self.header_name.strip_prefix("HTTP_") {
            Some(name) => name,
            None if matches!(self.header_name.as_str(), "CONTENT_TYPE" | "CONTENT_LENGTH") => {
                &self.header_name
            }
            None => return None,
        };
        Some(header_title(&name.replace('_', "-")))
    }

    /// The secret that the request came with: bare, absent, or a malformed cookie.
    fn secret(
        &self,
        request: &Request,
        kept: &Kept,
    ) -> Result<Result<Option<String>, InvalidToken>, ProcessView> {
        let secret = match kept {
            Kept::NoSession => return Err(ImproperlyConfigured.into()),
            Kept::Session(secret) => secret.as_deref(),
            Kept::Cookie => {
                let cookie = request.cookies.get(&self.cookie_name).map(String::as_str);
                if let Some(Err(fault)) = cookie.map(check_token_format) {
                    return Ok(Err(fault));
                }
                cookie
            }
        };
        Ok(Ok(secret.map(unmasked).transpose()?))
    }
}

/// A host, or none where it is not allowed.
fn allowed(host: Result<String, Unhosted>) -> Result<Option<String>, Unhosted> {
    match host {
        Ok(host) => Ok(Some(host)),
        Err(Unhosted::Disallowed(_)) => Ok(None),
        Err(unknown) => Err(unknown),
    }
}

#[cfg(test)]
mod tests;
