//! What the CSRF decision knows and says: the settings, the reasons, and the token check.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, request};
use palisade_core::Threat;
use palisade_core::cookie::{CookieAttributes, SetCookie};
use palisade_core::csrf::{CsrfSecret, InvalidToken};
use palisade_core::origin::{TrustedOrigins, UntrustedOrigin, UntrustedReferer};
use palisade_core::settings::Settings;
use std::time::{Duration, SystemTime};

use super::anonymous::AnonymousSecrets;
use super::origin::{self, Site};
use super::room::Room;
use crate::clock::Clock;
use crate::cookies;
use crate::redact::Redactor;
use crate::rejection::Rejection;
use crate::transport::Connection;

/// Where a request's token stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// The form field.
    Post,
    /// This header, in title case as Django names it.
    Header(String),
}

impl std::fmt::Display for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Post => f.write_str("POST"),
            Self::Header(name) => write!(f, "the '{name}' HTTP header"),
        }
    }
}

/// Why a request was refused, in Django's words where Django has the check.
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

impl CsrfRejection {
    fn hint(&self) -> &'static str {
        match self {
            Self::Referer(UntrustedReferer::Missing) => {
                "Your browser sent no Referer header, which this site needs over HTTPS to know that the form was its own. \
                 Allow it for this site, or for same-origin requests, and try again."
            }
            Self::NoCookie | Self::InvalidCookie(_) => {
                "Your browser did not send this site's cookie. Allow cookies for this site, go back, reload the page and \
                 send the form again."
            }
            Self::TokenMissing | Self::InvalidToken(..) | Self::IncorrectToken(_) => {
                "The form was out of date, perhaps because you logged in or out in another tab. Go back, reload the page \
                 and send it again."
            }
            _ => "The request seems to come from another site, and was not carried out.",
        }
    }
}

impl From<CsrfRejection> for Rejection {
    fn from(reason: CsrfRejection) -> Self {
        let hint = reason.hint();
        Rejection::forbidden(reason.to_string())
            .with_threat(Threat::CrossSiteRequestForgery)
            .with_hint(hint)
    }
}

/// The CSRF decision with its settings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CsrfProtection(Arc<Config>);

#[derive(Debug)]
struct Config {
    use_sessions: bool,
    anonymous: Option<Arc<dyn AnonymousSecrets>>,
    cookie_name: String,
    attributes: CookieAttributes,
    age: Option<Duration>,
    cookie_domain: Option<String>,
    header: HeaderName,
    trusted: TrustedOrigins,
    body_limit: usize,
    room: Room,
    /// Whether `X-Forwarded-Port` is asked; the transport guard has taken it off requests of strangers.
    believe_port: bool,
    clock: Clock,
}

impl CsrfProtection {
    /// Makes the decision that the settings ask for.
    pub fn from_settings(settings: &Settings, clock: Clock) -> Self {
        Self(Arc::new(Config {
            use_sessions: settings.csrf_use_sessions,
            anonymous: None,
            cookie_name: settings.csrf_cookie_name.clone(),
            attributes: settings.csrf_cookie_attributes(),
            age: settings.csrf_cookie_age,
            cookie_domain: settings.csrf_referer_domain().map(ToOwned::to_owned),
            header: HeaderName::try_from(settings.csrf_header_name.as_str())
                .unwrap_or(HeaderName::from_static("x-csrftoken")),
            trusted: settings.csrf_trusted_origins.clone(),
            believe_port: settings.use_x_forwarded_port,
            body_limit: settings.data_upload_max_memory_size,
            room: Room::for_forms_of(settings.data_upload_max_memory_size),
            clock,
        }))
    }

    /// Keeps the secrets of visitors who are not logged in here, where those of the others are in their sessions.
    pub(crate) fn with_anonymous(mut self, secrets: Option<Arc<dyn AnonymousSecrets>>) -> Self {
        if let Some(config) = Arc::get_mut(&mut self.0) {
            config.anonymous = secrets;
        }
        self
    }

    pub(super) fn anonymous(&self) -> Option<&dyn AnonymousSecrets> {
        self.0.anonymous.as_deref()
    }

    pub(super) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    pub(super) fn uses_sessions(&self) -> bool {
        self.0.use_sessions
    }

    pub(super) fn room(&self) -> &Room {
        &self.0.room
    }

    pub(super) fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// Checks where the request comes from.
    ///
    /// # Errors
    ///
    /// The reason to refuse it.
    pub fn check_origin(
        &self,
        request: &request::Parts,
        connection: Connection,
    ) -> Result<(), CsrfRejection> {
        let host = request
            .headers
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("");
        let site = Site {
            host,
            secure: connection.secure,
            trusted: &self.0.trusted,
            cookie_domain: self.0.cookie_domain.as_deref(),
            forwarded_port: self
                .0
                .believe_port
                .then(|| request.headers.get("x-forwarded-port")?.to_str().ok())
                .flatten(),
        };
        origin::check(site, &request.headers).map_err(|reason| match reason {
            // It goes to the log, and the address of another page may hold what is that page's secret.
            CsrfRejection::Referer(UntrustedReferer::Elsewhere(referer)) => {
                UntrustedReferer::Elsewhere(Redactor::default().address(&referer)).into()
            }
            reason => reason,
        })
    }

    /// Compares the request's token with the secret.
    ///
    /// # Errors
    ///
    /// The reason to refuse it.
    pub fn check_token(
        &self,
        secret: &CsrfSecret,
        field: Option<&str>,
        request: &request::Parts,
    ) -> Result<(), CsrfRejection> {
        let (token, source) = if let Some(token) = field.filter(|token| !token.is_empty()) {
            (token, TokenSource::Post)
        } else {
            let header = request
                .headers
                .get(&self.0.header)
                .ok_or(CsrfRejection::TokenMissing)?;
            let source = TokenSource::Header(title_case(self.0.header.as_str()));
            let Ok(token) = header.to_str() else {
                return Err(CsrfRejection::InvalidToken(
                    source,
                    InvalidToken::InvalidCharacters,
                ));
            };
            (token, source)
        };
        match CsrfSecret::parse(token) {
            Err(error) => Err(CsrfRejection::InvalidToken(source, error)),
            Ok(sent) if sent == *secret => Ok(()),
            Ok(_) => Err(CsrfRejection::IncorrectToken(source)),
        }
    }

    /// Reads the secret from the cookie, if there is one.
    pub(super) fn cookie_secret(
        &self,
        sent: Option<&HeaderValue>,
    ) -> Option<Result<CsrfSecret, InvalidToken>> {
        let value = cookies::value(sent?, &self.0.cookie_name)?;
        Some(CsrfSecret::parse(&value))
    }

    /// The cookie that holds the secret.
    pub(super) fn cookie(&self, secret: &CsrfSecret) -> Option<HeaderValue> {
        let cookie = SetCookie::new(&self.0.cookie_name, secret.as_str()).ok()?;
        let cookie = cookie.with_attributes(self.0.attributes.clone()).ok()?;
        let cookie = match self.0.age {
            Some(age) => cookie.with_age_from(self.0.clock.now(), age),
            None => cookie,
        };
        let mut value = HeaderValue::try_from(cookie.to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// `x-csrftoken` as `X-Csrftoken`.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    });
    words.collect::<Vec<_>>().join("-")
}
