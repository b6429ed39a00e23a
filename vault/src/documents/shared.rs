//! Documents that others share with who is logged in, and giving one up.

use axum::response::Redirect;
use minijinja::context;
use minijinja::value::Value;
use palisade::Rejection;
use palisade::rows::{List, Reach, Rows};
use palisade::session::Session;

use super::line::line;
use super::store::Document;
use super::to_document;
use crate::app::App;
use crate::pages::leave_notice;

/// How many are listed, the latest first: a stranger who shares more than these hides none of what is shared later.
const MOST_SHARED: u32 = 100;

/// What is shared, each with whose it is.
pub(super) async fn lines(app: &App, documents: &Rows<Document>) -> Result<Vec<Value>, Rejection> {
    let mut lines = Vec::new();
    for shared in documents.shared_with_me(&List::page(1, MOST_SHARED)).await? {
        let owner = app.people.name(shared.owner_id)?;
        lines.push(context! { owner, ..line(&shared.row) });
    }
    Ok(lines)
}

/// Gives nothing up: whoever had to log in between comes here, and is asked again.
pub(super) async fn back(document: Reach<Document>) -> Redirect {
    to_document(document.id)
}

pub(super) async fn leave(document: Reach<Document>, session: Session) -> Result<Redirect, Rejection> {
    if document.leave().await? {
        leave_notice(&session, "The document is not shared with you any more.").await?;
    }
    Ok(Redirect::to("/documents/"))
}
