//! The token that a page puts into its forms, and the request's own CSRF state behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, request};
use palisade_core::Sensitive;
use palisade_core::csrf::{CsrfRejection, CsrfSecret};
use palisade_core::session::AUTH_USER_ID;

use super::anonymous::{ANONYMOUS_AGE, AnonymousKey};
use super::protection::CsrfProtection;
use super::room::Room;
use super::{FIELD, SESSION_KEY};
use crate::rejection::Rejection;
use crate::session::store::StoreError;
use crate::session::{Session, SessionError, vary_on_cookie};

/// What the request knows of its secret; clones are the same state.
#[derive(Clone, Debug)]
pub(super) struct RequestState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    protection: CsrfProtection,
    cookies: Option<HeaderValue>,
    secret: Mutex<Secret>,
}

#[derive(Debug, Default)]
struct Secret {
    current: Option<CsrfSecret>,
    /// Whether the response sets the cookie.
    send: bool,
    /// The key of an anonymous visitor, for whom the response sets another cookie.
    anonymous: Option<AnonymousKey>,
}

impl RequestState {
    pub(super) fn new(protection: CsrfProtection, cookies: Option<HeaderValue>) -> Self {
        Self(Arc::new(Inner {
            protection,
            cookies,
            secret: Mutex::default(),
        }))
    }

    fn secret(&self) -> MutexGuard<'_, Secret> {
        self.0.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that came with the request.
    pub(super) async fn incoming(&self, session: Option<&Session>) -> Result<CsrfSecret, Rejection> {
        if self.0.protection.uses_sessions() {
            let stored: Option<String> = needed(session)?.get(SESSION_KEY).await.map_err(Rejection::from)?;
            let Some(stored) = stored else {
                let anonymous = self.anonymous(needed(session)?).await?;
                let (_, secret) = anonymous.ok_or(CsrfRejection::NoCookie)?;
                return Ok(secret);
            };
            return CsrfSecret::parse(&stored).map_err(|error| CsrfRejection::InvalidCookie(error).into());
        }
        match self.0.protection.cookie_secret(self.0.cookies.as_ref()) {
            None => Err(CsrfRejection::NoCookie.into()),
            Some(Ok(secret)) => Ok(secret),
            Some(Err(error)) => {
                // A cookie that cannot be read is replaced, or the person could never send a form again.
                self.renew();
                Err(CsrfRejection::InvalidCookie(error).into())
            }
        }
    }

    /// The key and secret of a visitor who is not logged in, where such are kept.
    async fn anonymous(&self, session: &Session) -> Result<Option<(AnonymousKey, CsrfSecret)>, Rejection> {
        let protection = &self.0.protection;
        let Some(secrets) = protection.anonymous() else {
            return Ok(None);
        };
        if is_logged_in(session).await? {
            return Ok(None);
        }
        let Some(key) = AnonymousKey::sent(self.0.cookies.as_ref()) else {
            return Ok(None);
        };
        let kept = secrets.load(&key.digest(), protection.now()).await;
        let secret = kept
            .map_err(|error| unavailable(&error))?
            .and_then(|secret| CsrfSecret::parse(secret.expose()).ok());
        Ok(secret.map(|secret| (key, secret)))
    }

    /// The secret of an anonymous visitor's page: the one that is kept, or a new one under a new key. Its time begins anew.
    async fn anonymous_page(&self, session: &Session) -> Result<Option<CsrfSecret>, Rejection> {
        let protection = &self.0.protection;
        let Some(secrets) = protection.anonymous() else {
            return Ok(None);
        };
        if is_logged_in(session).await? {
            return Ok(None);
        }
        let (key, secret) = match self.anonymous(session).await? {
            Some(kept) => kept,
            None => (AnonymousKey::generate(), CsrfSecret::generate()),
        };
        let kept = Sensitive::new(secret.as_str().to_owned());
        let now = protection.now();
        secrets
            .keep(&key.digest(), kept, now + ANONYMOUS_AGE, now)
            .await
            .map_err(|error| unavailable(&error))?;
        self.secret().anonymous = Some(key);
        Ok(Some(secret))
    }

    /// A new secret, to be sent with the response.
    fn renew(&self) -> CsrfSecret {
        let fresh = CsrfSecret::generate();
        let mut secret = self.secret();
        secret.current = Some(fresh.clone());
        secret.send = true;
        fresh
    }

    /// The secret for a page: the one that came, or a new one; its cookie is renewed either way.
    async fn outgoing(&self, session: Option<&Session>) -> Result<CsrfSecret, Rejection> {
        if let Some(current) = self.secret().current.clone() {
            return Ok(current);
        }
        if self.0.protection.uses_sessions() {
            let session = needed(session)?;
            let stored: Option<String> = session.get(SESSION_KEY).await.map_err(Rejection::from)?;
            let secret = if let Some(Ok(secret)) = stored.map(|stored| CsrfSecret::parse(&stored)) {
                secret
            } else if let Some(secret) = self.anonymous_page(session).await? {
                secret
            } else {
                let fresh = CsrfSecret::generate();
                session
                    .insert(SESSION_KEY, fresh.as_str())
                    .await
                    .map_err(Rejection::from)?;
                fresh
            };
            self.secret().current = Some(secret.clone());
            return Ok(secret);
        }
        match self.0.protection.cookie_secret(self.0.cookies.as_ref()) {
            Some(Ok(came)) => {
                let mut secret = self.secret();
                secret.current = Some(came.clone());
                secret.send = true;
                Ok(came)
            }
            _ => Ok(self.renew()),
        }
    }

    /// Writes the cookie, if the response is to carry it.
    pub(super) fn release(&self, headers: &mut HeaderMap) {
        let secret = self.secret();
        if let Some(current) = secret.current.as_ref().filter(|_| secret.send)
            && let Some(cookie) = self.0.protection.cookie(current)
        {
            headers.append(SET_COOKIE, cookie);
            vary_on_cookie(headers);
        }
        if let Some(key) = &secret.anonymous
            && let Some(cookie) = key.cookie(self.0.protection.now())
        {
            headers.append(SET_COOKIE, cookie);
            vary_on_cookie(headers);
        }
    }
}

async fn is_logged_in(session: &Session) -> Result<bool, Rejection> {
    let logged_in = session.read(|data| data.contains(AUTH_USER_ID)).await;
    Ok(logged_in?)
}

/// A token that cannot be checked, or a form that could not be sent: come back when the cache is there again.
fn unavailable(error: &StoreError) -> Rejection {
    let source = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    Rejection::unavailable(
        format!("the CSRF secrets of anonymous visitors cannot be reached: {source}"),
        5,
    )
    .with_hint("Please try again in a moment.")
}

fn needed(session: Option<&Session>) -> Result<&Session, Rejection> {
    session.ok_or_else(|| {
        Rejection::internal("csrf_use_sessions is on, but there are no sessions: give Palisade a store")
    })
}

/// The token for a page's forms: an extractor.
///
/// Each rendering is masked anew, so that compression of the page tells nothing about the secret (BREACH). A page that
/// asks for the token sets the cookie and varies on it; a page that does not stays cacheable.
///
/// # Example
///
/// ```
/// use axum::response::Html;
/// use palisade::csrf::CsrfToken;
///
/// async fn form(csrf: CsrfToken) -> Html<String> {
///     Html(format!("<form method=post>{}<button>Send</button></form>", csrf.input()))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(form));
/// ```
#[derive(Clone, Debug)]
pub struct CsrfToken(RequestState);

impl CsrfToken {
    /// The token, masked anew.
    pub fn masked(&self) -> String {
        self.0
            .secret()
            .current
            .as_ref()
            .map_or_else(String::new, CsrfSecret::mask)
    }

    /// The hidden form field, as Django's `{% csrf_token %}` renders it.
    pub fn input(&self) -> String {
        format!(
            "<input type=\"hidden\" name=\"{FIELD}\" value=\"{}\">",
            self.masked()
        )
    }
}

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        let state = state(&parts.extensions)?;
        state.outgoing(parts.extensions.get::<Session>()).await?;
        Ok(Self(state))
    }
}

/// What a login needs to make a new secret: tokens that somebody got hold of before are worth nothing afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    state: RequestState,
    session: Option<Session>,
}

impl Rotation {
    /// Takes what is needed from a request.
    pub(crate) fn of(extensions: &http::Extensions) -> Result<Self, Rejection> {
        Ok(Self {
            state: state(extensions)?,
            session: extensions.get::<Session>().cloned(),
        })
    }

    /// Makes a new secret where there is one in use; a secret in a session that was dropped is gone with it, and a new one would
    /// only begin another session.
    pub(crate) async fn rotate_if_used(&self) -> Result<(), SessionError> {
        if self.state.0.protection.uses_sessions() && self.state.secret().current.is_none() {
            return Ok(());
        }
        self.rotate().await
    }

    /// Makes a new secret, to be sent with the response.
    pub(crate) async fn rotate(&self) -> Result<(), SessionError> {
        if self.state.0.protection.uses_sessions() {
            let fresh = CsrfSecret::generate();
            if let Some(session) = &self.session {
                session.insert(SESSION_KEY, fresh.as_str()).await?;
            }
            self.state.secret().current = Some(fresh);
        } else {
            self.state.renew();
        }
        Ok(())
    }
}

/// The site's room for forms that are being read.
pub(crate) fn room_of(extensions: &http::Extensions) -> Option<Room> {
    let state = extensions.get::<RequestState>()?;
    Some(state.0.protection.room().clone())
}

fn state(extensions: &http::Extensions) -> Result<RequestState, Rejection> {
    extensions
        .get::<RequestState>()
        .cloned()
        .ok_or_else(|| Rejection::internal("the CSRF layer is missing: serve what Palisade::protect returns"))
}
