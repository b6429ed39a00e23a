//! What others have shared with who is logged in, a page at a time, and giving it up.
//!
//! Anybody may share with anybody: so a list that ended after its first page would be filled by one stranger, and hide all else.

use axum::extract::{Query, State};
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

/// How many notes one page shows.
const PAGE: u32 = 100;

/// Reads `?page=`; what is no number is the first.
fn number(query: &[(String, String)]) -> u32 {
    let named = query.iter().find(|(name, _)| name == "page");
    named.and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
    notes: Rows<NoteLine>,
    page: Page,
) -> Result<Response, Rejection> {
    let mut lines: Vec<Value> = Vec::new();
    let number = number(&query);
    for shared in notes.shared_with_me(&List::page(number, PAGE)).await? {
        lines.push(context! {
            id => shared.row.id,
            title => shared.row.title.as_str(),
            written => moment(shared.row.written.0),
            owner => app.people.name(shared.owner_id)?,
            edits => shared.role == Role::Editor,
        });
    }
    // A full page may be the last one; then the next says that there is nothing more.
    let more = (lines.len() == PAGE as usize).then(|| number.saturating_add(1));
    page.show(
        "shared.html",
        context! { notes => lines, begins => number <= 1, more },
    )
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
