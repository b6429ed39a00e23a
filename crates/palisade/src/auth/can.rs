//! Who may do what: a permission as an extractor.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request;
use palisade_core::Threat;
use palisade_core::permission::PermissionName;

use super::extract::LoggedIn;
use crate::rejection::Rejection;

/// A permission as a type, for [`Can`].
pub trait Permitted: Send + Sync + 'static {
    /// What is asked for.
    const NAME: PermissionName;
}

/// The user who is logged in and has this permission. A handler that asks for it is reached by nobody else.
///
/// Who is not logged in is answered as [`LoggedIn`] answers; who may not, with 403.
///
/// # Example
///
/// ```
/// use palisade::auth::{Can, Permitted};
/// use palisade::core::permission::PermissionName;
///
/// struct ChangeNote;
///
/// impl Permitted for ChangeNote {
///     const NAME: PermissionName = PermissionName::new("notes", "change_note");
/// }
///
/// async fn edit(user: Can<ChangeNote>) -> String {
///     format!("{} may change notes", user.username)
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(edit));
/// ```
#[derive(Clone, Debug)]
pub struct Can<P>(LoggedIn, PhantomData<P>);

impl<P> Deref for Can<P> {
    type Target = LoggedIn;

    fn deref(&self) -> &LoggedIn {
        &self.0
    }
}

impl<P: Permitted, S: Sync> FromRequestParts<S> for Can<P> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        user.require(&P::NAME).await?;
        Ok(Self(user, PhantomData))
    }
}

/// The answer to somebody who may not.
pub(super) fn forbidden(user: i64, name: &PermissionName) -> Rejection {
    Rejection::forbidden(format!("user {user} does not have the permission {name}"))
        .with_threat(Threat::BrokenAccessControl)
        .with_hint("You are not allowed to do this.")
}
