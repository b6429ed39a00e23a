//! One's own note: ownership as an extractor, so that no handler can forget to ask.
//!
//! Somebody else's note is answered like one that is not there (CWE-639): an id that can be guessed tells nothing.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use palisade::Rejection;
use palisade::auth::LoggedIn;
use palisade::core::Threat;

use super::store::Note;
use crate::app::App;

/// The note that the path's `id` names, if it belongs to who is logged in.
pub(super) struct OwnNote(pub(super) Note);

impl FromRequestParts<App> for OwnNote {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let id = Path::<String>::from_request_parts(parts, app)
            .await
            .ok()
            .and_then(|Path(id)| id.parse().ok());
        let note = match id {
            Some(id) => app.notes.find(user.id, id)?,
            None => None,
        };
        note.map(Self).ok_or_else(|| {
            Rejection::not_found("no note of this id belongs to the user")
                .with_threat(Threat::BrokenAccessControl)
                .with_hint("There is no such note, or it is not one of yours.")
        })
    }
}
