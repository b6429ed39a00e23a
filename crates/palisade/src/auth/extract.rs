//! Who is logged in: a guard as an extractor.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, OriginalUri};
use http::header::{ACCEPT, HOST};
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode, Uri, request};
use palisade_core::Threat;
use palisade_core::permission::{PermissionName, Permissions};
use palisade_core::session::{LoginProof, StoredLogin};
use tokio::sync::OnceCell;

use super::Users;
use super::can::forbidden;
use super::error::AuthError;
use super::login::BACKEND;
use super::next::login_redirect;
use super::user::User;
use crate::rejection::Rejection;
use crate::session::Session;
use crate::stack::StackContext;
use crate::transport::Connection;

/// The user who is logged in. A handler that asks for it is reached by nobody else.
///
/// Without a user, a browser is redirected to the login page, and comes back afterwards; a program gets 401.
/// `Option<LoggedIn>` lets everybody in.
///
/// # Example
///
/// ```
/// use palisade::auth::LoggedIn;
///
/// async fn home(user: Option<LoggedIn>) -> String {
///     user.map_or_else(|| "hello".to_owned(), |user| format!("hello, {}", user.username))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(home));
/// ```
#[derive(Clone, Debug)]
pub struct LoggedIn(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    user: User,
    users: Users,
    /// Asked for once a request, as Django caches them on the user object.
    permissions: OnceCell<Permissions>,
}

impl Deref for LoggedIn {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0.user
    }
}

impl LoggedIn {
    fn new(user: User, users: Users) -> Self {
        Self(Arc::new(Inner {
            user,
            users,
            permissions: OnceCell::new(),
        }))
    }

    /// What the user may do, read from the store once a request.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn permissions(&self) -> Result<&Permissions, AuthError> {
        let read = || self.0.users.store().permissions(&self.0.user);
        Ok(self.0.permissions.get_or_try_init(read).await?)
    }

    /// Says whether the user may do this (Django `User.has_perm`).
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn has_perm(&self, name: &PermissionName) -> Result<bool, AuthError> {
        Ok(self.permissions().await?.has_perm(name))
    }

    /// Says whether the user may do all of these (Django `User.has_perms`).
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn has_perms(&self, names: &[PermissionName]) -> Result<bool, AuthError> {
        Ok(self.permissions().await?.has_perms(names))
    }

    /// Says whether the user may do anything at all in an application (Django `User.has_module_perms`).
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn has_module_perms(&self, app_label: &str) -> Result<bool, AuthError> {
        Ok(self.permissions().await?.has_module_perms(app_label))
    }

    /// Goes on only if the user may do this; see [`Can`](super::Can) for the same as an extractor.
    ///
    /// # Errors
    ///
    /// 403 if the user may not, 503 if the store cannot answer.
    pub async fn require(&self, name: &PermissionName) -> Result<(), Rejection> {
        if self.has_perm(name).await? {
            Ok(())
        } else {
            Err(forbidden(self.id, name))
        }
    }
}

/// The answer for this request, so that several extractors ask the stores once.
#[derive(Clone, Debug)]
struct Known(Option<LoggedIn>);

async fn known(parts: &mut request::Parts) -> Result<Option<LoggedIn>, Rejection> {
    if let Some(Known(user)) = parts.extensions.get() {
        return Ok(user.clone());
    }
    let context = StackContext::of(&parts.extensions)?;
    let session = <Session as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
    let users = context.users()?.clone();
    let user = look_up(&context, &session)
        .await?
        .map(|user| LoggedIn::new(user, users));
    parts.extensions.insert(Known(user.clone()));
    Ok(user)
}

/// Finds the session's user (Django `get_user`).
async fn look_up(context: &StackContext, session: &Session) -> Result<Option<User>, Rejection> {
    let users = context.users()?;
    let stored = session.read(StoredLogin::of).await?;
    let id = stored.user_id.as_deref().and_then(|id| id.parse().ok());
    let (Some(id), Some(BACKEND)) = (id, stored.backend.as_deref()) else {
        return Ok(None);
    };
    let found = users.store().by_id(id).await.map_err(AuthError::from)?;
    let Some(user) = found.filter(|user| user.is_active) else {
        return Ok(None);
    };
    let (hasher, password) = (context.login_hasher(), user.password.expose());
    let hash = hasher.hash(password);
    let (plan, is_theirs) = stored.verify(Some(LoginProof {
        hash: Some(&hash),
        fallback_hashes: hasher.fallback_hashes(password),
    }));
    session.keep_login(&plan).await?;
    Ok(is_theirs.then_some(user))
}

impl<S: Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        match known(parts).await? {
            Some(user) => Ok(user),
            None => Err(nobody(parts)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for LoggedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        known(parts).await
    }
}

fn nobody(parts: &request::Parts) -> Rejection {
    let accept = parts
        .headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or("");
    let page = StackContext::of(&parts.extensions)
        .ok()
        .filter(|_| accept.contains("text/html"));
    match page.and_then(|context| login_redirect(&context.settings().login_url, &asked(parts))) {
        Some(location) => Rejection::redirect(StatusCode::FOUND, location, "nobody is logged in"),
        None => Rejection::unauthorized("nobody is logged in")
            .with_threat(Threat::BrokenAccessControl)
            .with_hint("Please log in first."),
    }
}

/// The whole address that was asked for, where it can be told; else what the request says.
pub(super) fn asked(parts: &request::Parts) -> Uri {
    // In a nested router the URI has lost its beginning.
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    let secure = parts
        .extensions
        .get::<Connection>()
        .map(|connection| connection.secure);
    let scheme = if secure == Some(true) { "https" } else { "http" };
    let host = parts.headers.get(HOST).map_or(&[][..], HeaderValue::as_bytes);
    let place = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let whole = Uri::builder()
        .scheme(scheme)
        .authority(host)
        .path_and_query(place);
    whole.build().unwrap_or_else(|_| uri.clone())
}
