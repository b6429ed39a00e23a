//! Changing a note, as its owner or as somebody who was granted to edit it.

use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use minijinja::value::Value;
use palisade::form::{Bound, Checked, Form as _};
use palisade::rows::{Editor, Reach};
use palisade::session::Session;
use palisade::templates;
use palisade::{Rejection, Sensitive};

use super::store::{Note, Rewrite};
use super::{NoteForm, to_note};
use crate::pages::{Page, leave_notice};

fn about(note: &Note, form: &Bound<NoteForm>) -> Value {
    context! { id => note.id, title => note.title.as_str(), form => templates::form(form) }
}

pub(super) async fn ask(note: Reach<Note, Editor>, page: Page) -> Result<Response, Rejection> {
    let form = NoteForm::blank()
        .with_initial("title", [note.title.as_str()])
        .with_initial("body", [note.body.expose().as_str()]);
    page.show("edit.html", about(&note, &form))
}

pub(super) async fn take(
    note: Reach<Note, Editor>,
    session: Session,
    page: Page,
    form: Checked<NoteForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form.into_form(),
        Err(form) => return page.show_again("edit.html", about(&note, &form)),
    };
    let change = Rewrite {
        title: form.title,
        body: Sensitive::new(form.body),
    };
    let sentence = if note.update(change).await? {
        "The note is changed."
    } else {
        "Nothing has changed: the note was deleted meanwhile, or is not shared with you any more."
    };
    leave_notice(&session, sentence).await?;
    Ok(to_note(note.id).into_response())
}
