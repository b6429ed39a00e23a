//! What others have shared with who is logged in, and giving it up.

use axum::extract::State;
use axum::response::{Redirect, Response};
use minijinja::context;
use minijinja::value::Value;
use palisade::Rejection;
use palisade::rows::{List, Reach, Role, Rows};
use palisade::session::Session;

use super::store::{Note, NoteLine};
use super::to_note;
use crate::app::App;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};

pub(super) async fn list(
    State(app): State<App>,
    notes: Rows<NoteLine>,
    page: Page,
) -> Result<Response, Rejection> {
    let mut lines: Vec<Value> = Vec::new();
    for shared in notes.shared_with_me(&List::default()).await? {
        lines.push(context! {
            id => shared.row.id,
            title => shared.row.title.as_str(),
            written => moment(shared.row.written.0),
            owner => app.notes.owner_name(shared.owner_id)?,
            edits => shared.role == Role::Editor,
        });
    }
    page.show("shared.html", context! { notes => lines })
}

/// Gives nothing up: whoever had to log in between comes here, and is asked again.
pub(super) async fn back(note: Reach<Note>) -> Redirect {
    to_note(note.id)
}

pub(super) async fn leave(note: Reach<Note>, session: Session) -> Result<Redirect, Rejection> {
    if note.leave().await? {
        leave_notice(&session, "The note is not shared with you any more.").await?;
    }
    Ok(Redirect::to("/shared/"))
}
