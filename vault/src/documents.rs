//! Documents: keeping a file, seeing what is kept, fetching it, sharing and deleting it.
//!
//! A file lies under a random name in the data folder, where no address leads. What a person sees of it is a row: its title, what it is
//! and how large, told from its bytes. It is sent to whoever the row lets in, and to nobody else.

mod download;
mod line;
mod link;
mod shared;
mod store;
mod terms;
mod upload;

pub(crate) use store::{DOCUMENTS, media};

use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::get;
use minijinja::context;
use minijinja::value::Value;
use palisade::media::Media;
use palisade::rows::{List, Owned, Reach, Rows, Viewer};
use palisade::session::Session;
use palisade::{Policies as _, Rejection, Router};

use crate::app::App;
use crate::pages::{Page, leave_notice};
use crate::share;
use line::line;
use store::{Document, MOST_DOCUMENTS};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/documents/", get(list))
        .route(
            "/documents/new/",
            get(upload::ask).post(upload::keep).body_limit(upload::MOST_BODY),
        )
        .route("/documents/{id}/", get(read).reach::<Document, Viewer>())
        .route(
            "/documents/{id}/file/",
            get(download::attachment).reach::<Document, Viewer>(),
        )
        .route(
            "/documents/{id}/picture/",
            get(download::picture).reach::<Document, Viewer>(),
        )
        .route(
            "/documents/{id}/delete/",
            get(back).post(delete).owned::<Document>(),
        )
        .route(
            "/documents/{id}/leave/",
            get(shared::back).post(shared::leave).reach::<Document, Viewer>(),
        )
        .merge(share::routes::<Document>("/documents/{id}/"))
        .route(
            "/documents/{id}/links/",
            get(link::list).post(link::make).owned::<Document>(),
        )
        .route(
            "/documents/{id}/links/end/",
            get(link::back).post(link::revoke).owned::<Document>(),
        )
        .route("/d/{token}/", get(link::open).linked::<Document>())
        .route("/d/{token}/file/", get(link::attachment).linked::<Document>())
        .route("/d/{token}/picture/", get(link::picture).linked::<Document>())
        .logged_in()
}

async fn list(State(app): State<App>, documents: Rows<Document>, page: Page) -> Result<Response, Rejection> {
    let own = documents
        .list(&List::page(1, MOST_DOCUMENTS).order_by("-id"))
        .await?;
    let own: Vec<Value> = own.iter().map(line).collect();
    let shared = shared::lines(&app, &documents).await?;
    page.show("documents.html", context! { documents => own, shared })
}

async fn read(State(app): State<App>, document: Reach<Document>, page: Page) -> Result<Response, Rejection> {
    let owner = if document.is_own() {
        None
    } else {
        Some(app.people.name(document.owner_id())?)
    };
    page.show("document.html", context! { document => line(&document), owner })
}

/// Deletes nothing: whoever had to log in between the button and the deletion comes here, and is asked again.
async fn back(document: Owned<Document>) -> Redirect {
    to_document(document.id)
}

/// The row goes first: a file that no row names is swept away, and a row without its file would be a document that cannot be had.
async fn delete(document: Owned<Document>, media: Media, session: Session) -> Result<Redirect, Rejection> {
    let name = document.media;
    if document.delete().await? {
        media.delete(&name).await?;
    }
    leave_notice(&session, "The document is deleted.").await?;
    Ok(Redirect::to("/documents/"))
}

fn to_document(id: i64) -> Redirect {
    Redirect::to(&format!("/documents/{id}/"))
}
