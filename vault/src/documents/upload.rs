//! Keeping a file: looked into while it comes, kept when its row is written, gone when anything goes wrong.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use palisade::auth::LoggedIn;
use palisade::form::{Bound, Checked, Form};
use palisade::media::{Media, Upload};
use palisade::rows::{RowError, Rows, Seconds};
use palisade::session::Session;
use palisade::{Rejection, templates};

use super::store::{Document, MOST_DOCUMENTS, NewDocument};
use super::to_document;
use crate::app::App;
use crate::pages::{Page, leave_notice};

/// The most bytes of a document.
const MOST_BYTES: u64 = 10_000_000;
/// The most bytes of what a browser sends with one; a file that is only a little too large is still told so at its field.
pub(super) const MOST_BODY: usize = 16_000_000;

/// What a document is kept with.
#[derive(Form)]
pub(super) struct DocumentForm {
    #[form(
        optional,
        max_length = 200,
        autocomplete = "off",
        help = "What you will know it by. Empty: the name of the file."
    )]
    title: String,
    #[form(
        accept = [Pdf, Png, Jpeg, Gif, WebP, Text],
        max_size = MOST_BYTES,
        images = strip_metadata,
        help = "A PDF, a picture or a plain text, of up to 10 MB."
    )]
    document: Upload,
}

pub(super) async fn ask(_user: LoggedIn, page: Page) -> Result<Response, Rejection> {
    page.show("keep.html", about(&DocumentForm::blank()))
}

pub(super) async fn keep(
    State(app): State<App>,
    documents: Rows<Document>,
    media: Media,
    session: Session,
    page: Page,
    form: Checked<DocumentForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form.into_form(),
        Err(form) => return page.show_again("keep.html", about(&form)),
    };
    // Noted before its row is: whether a row that was not answered for has been written, the next sweep knows.
    let file = form.document.keep().await?.noted();
    let new = NewDocument {
        title: if form.title.is_empty() {
            file.file_name.clone()
        } else {
            form.title
        },
        media: file.name,
        file_name: file.file_name.clone(),
        media_type: file.media_type,
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        digest: file.digest,
        kept: Seconds(app.clock.now()),
    };
    let id = match documents.add_up_to(MOST_DOCUMENTS, new).await {
        Ok(id) => id,
        Err(RowError::Full { most }) => {
            media.delete(&file.name).await?;
            let full =
                format!("You have {most} documents, which is the most one can have. Delete one first.");
            let about = context! { full, ..about(&DocumentForm::blank()) };
            return page.show_again("keep.html", about);
        }
        Err(error) => return Err(error.into()),
    };
    leave_notice(&session, "The document is kept.").await?;
    Ok(to_document(id).into_response())
}

fn about(form: &Bound<DocumentForm>) -> minijinja::value::Value {
    context! { form => templates::form(form) }
}
