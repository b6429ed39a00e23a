//! Proof that it is still the same person: a login, or the password once more, within the last minutes.
//!
//! A session is stolen, or a machine left open: then the thief is logged in. What cannot be taken back (removing a second factor,
//! changing the address that passwords are reset through) asks for more than a session: [`Recent`]. Meets `session-hijacking`.

use std::ops::Deref;
use std::time::{Duration, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use http::header::ACCEPT;
use http::{StatusCode, request};
use palisade_core::{Sensitive, Threat};

use super::error::AuthError;
use super::extract::{LoggedIn, asked};
use super::login::Auth;
use super::next::login_redirect;
use crate::rejection::Rejection;
use crate::session::{Session, SessionError};
use crate::stack::StackContext;

/// When it was last proven who the person is, in seconds since 1970.
const PROVEN_AT: &str = "_palisade_proven_at";

/// The user, who has logged in or given the password once more within `reauthenticate_after`. A handler that asks for it is reached by
/// nobody else.
///
/// Anybody else is sent to `reauthenticate_url`, and comes back afterwards; a program gets 401, and the reason
/// `reauthenticate` in a header `WWW-Authenticate`. A login at a Django beside is no proof.
///
/// # Example
///
/// ```
/// use palisade::auth::{LoggedIn, Recent};
///
/// async fn delete_account(user: Recent<LoggedIn>) -> String {
///     format!("goodbye, {}", user.username)
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(delete_account));
/// ```
#[derive(Clone, Debug)]
pub struct Recent<T>(T);

impl<T> Deref for Recent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Recent<LoggedIn> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let context = StackContext::of(&parts.extensions)?;
        if is_recent(&session, &context).await? {
            return Ok(Self(user));
        }
        Err(once_more(parts, &context, user.id))
    }
}

async fn is_recent(session: &Session, context: &StackContext) -> Result<bool, SessionError> {
    let Some(proven_at) = session.get::<u64>(PROVEN_AT).await? else {
        return Ok(false);
    };
    let proven_at = UNIX_EPOCH + Duration::from_secs(proven_at.min(u64::from(u32::MAX)));
    let now = context.clock().now();
    // A clock that was set back a little makes no proof of tomorrow out of one of today.
    let age = now
        .duration_since(proven_at)
        .unwrap_or_else(|early| early.duration());
    Ok(age <= context.settings().reauthenticate_after)
}

/// Records that the person has just proven who they are.
pub(super) async fn prove(session: &Session, context: &StackContext) -> Result<(), SessionError> {
    let now = context
        .clock()
        .now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    session.insert(PROVEN_AT, &now.as_secs()).await
}

/// Forgets when the person has proven who they are, as if it were long ago.
pub(crate) async fn disprove(session: &Session) -> Result<(), SessionError> {
    session.remove(PROVEN_AT).await.map(drop)
}

fn once_more(parts: &request::Parts, context: &StackContext, user: i64) -> Rejection {
    let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_page = accept.is_some_and(|accept| accept.contains("text/html"));
    let reason = format!("user {user} has not logged in recently enough for this");
    let location = is_page.then(|| login_redirect(&context.settings().reauthenticate_url, &asked(parts)));
    match location.flatten() {
        Some(location) => Rejection::redirect(StatusCode::FOUND, location, reason),
        None => Rejection::unauthorized(reason)
            .with_threat(Threat::SessionHijacking)
            .with_header(
                http::header::WWW_AUTHENTICATE,
                http::HeaderValue::from_static("Session error=\"reauthenticate\""),
            )
            .with_hint("Please confirm your password first."),
    }
}

impl Auth {
    /// Takes the password of the user who is logged in once more, as proof for [`Recent`], and moves the session to a new key. Says
    /// whether it was right.
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] after too many wrong ones; otherwise what is not the person's doing.
    pub async fn confirm(&self, user: &LoggedIn, password: &Sensitive<String>) -> Result<bool, AuthError> {
        if !self.check_password(user, password).await? {
            return Ok(false);
        }
        // A key that somebody saw before opens nothing that needs this proof.
        self.session.cycle_key().await?;
        prove(&self.session, &self.context).await?;
        tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "password confirmed");
        Ok(true)
    }
}
