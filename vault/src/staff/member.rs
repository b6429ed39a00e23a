//! Who may come in: a guard as an extractor.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use palisade::Rejection;
use palisade::auth::LoggedIn;
use palisade::core::Threat;

use crate::app::App;

/// A member of staff. Whoever is not logged in is asked to; somebody else gets 403, and so does a superuser who is not staff, as
/// in Django's admin.
pub(super) struct Member;

impl FromRequestParts<App> for Member {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        if user.is_staff {
            return Ok(Self);
        }
        Err(
            Rejection::forbidden(format!("user {} is not a member of staff", user.id))
                .with_threat(Threat::BrokenAccessControl)
                .with_hint("This part of the vault is for its staff."),
        )
    }
}
