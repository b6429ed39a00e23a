//! What the CSRF decision knows and says: the settings, the reasons, and the token check.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, request};
use palisade_core::Threat;
use palisade_core::cookie::{CookieAttributes, SetCookie};
use palisade_core::csrf::{CsrfRejection, CsrfSecret, InvalidToken, check_token, header_title};
use palisade_core::origin::{TrustedOrigins, UntrustedReferer};
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

/// What the person may do about a refusal.
fn hint(reason: &CsrfRejection) -> &'static str {
    match reason {
        CsrfRejection::Referer(UntrustedReferer::Missing) => {
            "Your browser sent no Referer header, which this site needs over HTTPS to know that the form was its own. \
             Allow it for this site, or for same-origin requests, and try again."
        }
        CsrfRejection::NoCookie | CsrfRejection::InvalidCookie(_) => {
            "Your browser did not send this site's cookie. Allow cookies for this site, go back, reload the page and \
             send the form again."
        }
        CsrfRejection::TokenMissing | CsrfRejection::InvalidToken(..) | CsrfRejection::IncorrectToken(_) => {
            "The form was out of date, perhaps because you logged in or out in another tab. Go back, reload the page \
             and send it again."
        }
        _ => "The request seems to come from another site, and was not carried out.",
    }
}

impl From<CsrfRejection> for Rejection {
    fn from(reason: CsrfRejection) -> Self {
        let hint = hint(&reason);
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
        // Bytes beyond ASCII are Latin-1, as WSGI has them: no letter or digit either.
        let header = request
            .headers
            .get(&self.0.header)
            .map(|header| latin1(header.as_bytes()));
        let title = || Some(header_title(self.0.header.as_str()));
        check_token(secret.as_str(), field, header.as_deref(), title)
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

fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(ascii) if ascii.is_ascii() => ascii.into(),
        _ => bytes.iter().copied().map(char::from).collect::<String>().into(),
    }
}
