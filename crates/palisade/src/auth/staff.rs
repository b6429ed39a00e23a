//! Who may enter the administration: the flag `is_staff` as an extractor.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request;
use palisade_core::Threat;

use super::extract::LoggedIn;
use crate::rejection::Rejection;

/// The user who is logged in and is staff (Django's `is_active` and `is_staff`). A handler that asks for it is reached by nobody else.
///
/// Who is not logged in is answered as [`LoggedIn`] answers; who is no staff, with 403. As in Django, a superuser who is no
/// staff does not enter.
///
/// # Example
///
/// ```
/// use palisade::auth::Staff;
///
/// async fn overview(staff: Staff) -> String {
///     format!("hello, {}", staff.username)
/// }
/// # let _: axum::Router = axum::Router::new().route("/staff/", axum::routing::get(overview));
/// ```
#[derive(Clone, Debug)]
pub struct Staff(LoggedIn);

impl Deref for Staff {
    type Target = LoggedIn;

    fn deref(&self) -> &LoggedIn {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Staff {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        // `LoggedIn` knows active users only.
        if user.is_staff {
            return Ok(Self(user));
        }
        Err(Rejection::forbidden(format!("user {} is no staff", user.id))
            .with_threat(Threat::BrokenAccessControl)
            .with_hint("This part of the site is for its staff."))
    }
}
