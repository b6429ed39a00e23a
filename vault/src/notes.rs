//! Notes: writing one, seeing it once on its secure page, reading it again, changing, sharing and deleting it.
//!
//! A secret goes one way: it comes in the body of a POST, is kept here, and the answer is a redirect to a page without a parameter
//! that would name it. Which note that page shows stands in the session. So neither history nor log nor
//! `Referer` ever holds a word of it (CWE-598), and sending the form again by reloading is impossible.
//!
//! Whose a note has to be stands with the route, and with what its handler asks for: [`Owned`] for the owner, [`Reach`] also for those
//! with whom it is shared.
//!
//! A note is kept as it was written, and read as Markdown when it is shown: [`whole`] is the one place where that happens.

mod edit;
mod search;
mod shared;
mod store;
mod terms;

pub(crate) use store::Notes;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use minijinja::context;
use minijinja::value::Value;
use palisade::auth::LoggedIn;
use palisade::form::{Checked, Form};
use palisade::html::RichText;
use palisade::rows::{Editor, Owned, Reach, RowError, Rows, Seconds, Viewer};
use palisade::session::Session;
use palisade::{Policies as _, Rejection, Router, Sensitive};

use crate::app::App;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};
use crate::share;
use search::Search;
use store::{MOST_NOTES, NewNote, Note, NoteLine};

/// Where the session keeps the id of the note that was just written.
const JUST_WRITTEN: &str = "vault_just_written";

/// What a note is written with. The owner is no field: it is who is logged in.
#[derive(Form)]
struct NoteForm {
    #[form(
        max_length = 200,
        autocomplete = "off",
        help = "What you will know it by in your list."
    )]
    title: String,
    #[form(
        label = "Secret",
        max_length = 50_000,
        autocomplete = "off",
        widget = textarea,
        help = "Plain text, or Markdown: **bold**, lists, `code`, links."
    )]
    body: String,
}

/// What of a note's form stands in no report of a fault, wherever the form is sent.
const UNREPORTED: [&str; 2] = ["title", "body"];

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home).public())
        .route(
            "/secret/",
            get(ask).post(keep).sensitive_post_parameters(UNREPORTED),
        )
        .route("/secret/shown/", get(show_once))
        .route("/secret/{id}/", get(read).reach::<Note, Viewer>())
        .route(
            "/secret/{id}/edit/",
            get(edit::ask)
                .post(edit::take)
                .reach::<Note, Editor>()
                .sensitive_post_parameters(UNREPORTED),
        )
        .route("/secret/{id}/delete/", get(back).post(delete).owned::<Note>())
        .route(
            "/secret/{id}/leave/",
            get(shared::back).post(shared::leave).reach::<Note, Viewer>(),
        )
        .route("/shared/", get(shared::list))
        .merge(share::routes::<Note>("/secret/{id}/"))
        .logged_in()
}

async fn home(
    State(app): State<App>,
    user: Option<LoggedIn>,
    Query(query): Query<Vec<(String, String)>>,
    page: Page,
) -> Result<Response, Rejection> {
    let Some(user) = user else {
        return page.show("welcome.html", context! {});
    };
    let search = Search::of(&query);
    let notes: Vec<Value> = app.notes.list(user.id, &search)?.iter().map(line).collect();
    page.show("notes.html", context! { notes, ..search.shown() })
}

async fn ask(_user: LoggedIn, page: Page) -> Result<Response, Rejection> {
    page.ask("write.html", &NoteForm::blank())
}

async fn keep(
    State(app): State<App>,
    notes: Rows<Note>,
    session: Session,
    page: Page,
    form: Checked<NoteForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("write.html", &form),
    };
    let new = NewNote {
        title: form.title.clone(),
        body: Sensitive::new(form.body.clone()),
        written: Seconds(app.clock.now()),
    };
    let id = match notes.add_up_to(MOST_NOTES, new).await {
        Ok(id) => id,
        Err(RowError::Full { most }) => {
            let full = format!("You have {most} notes, which is the most one can have. Delete one first.");
            return page.ask_again("write.html", &form.refuse_form(full));
        }
        Err(error) => return Err(error.into()),
    };
    session.insert(JUST_WRITTEN, &id).await?;
    Ok(Redirect::to("/secret/shown/").into_response())
}

async fn show_once(notes: Rows<Note>, session: Session, page: Page) -> Result<Response, Rejection> {
    let note = match session.take(JUST_WRITTEN).await? {
        Some(id) => notes.find(&id).await?,
        None => None,
    };
    page.show("shown.html", context! { note => note.as_deref().map(whole) })
}

async fn read(State(app): State<App>, note: Reach<Note>, page: Page) -> Result<Response, Rejection> {
    let owner = if note.is_own() {
        None
    } else {
        Some(app.people.name(note.owner_id())?)
    };
    let about = context! { note => whole(&note), owner, may_edit => note.may_edit() };
    page.show("note.html", about)
}

/// Deletes nothing: whoever had to log in between the button and the deletion comes here, and is asked again.
async fn back(note: Owned<Note>) -> Redirect {
    to_note(note.id)
}

async fn delete(note: Owned<Note>, session: Session) -> Result<Redirect, Rejection> {
    note.delete().await?;
    leave_notice(&session, "The note is deleted.").await?;
    Ok(Redirect::to("/"))
}

fn to_note(id: i64) -> Redirect {
    Redirect::to(&format!("/secret/{id}/"))
}

fn line(note: &NoteLine) -> Value {
    context! { id => note.id, title => note.title.as_str(), written => moment(note.written.0) }
}

/// How notes become HTML: no pictures, lines end where they were ended, and the title stands above every heading.
const MARKDOWN: RichText = RichText::new().with_line_breaks().with_headings_below(1);

/// The one place where a secret is taken out of its wrapping, to be shown to its owner and theirs with whom it is shared: as it was written, and as HTML.
fn whole(note: &Note) -> Value {
    context! {
        id => note.id,
        title => note.title.as_str(),
        body => note.body.expose().as_str(),
        html => Value::from(MARKDOWN.markdown(note.body.expose())),
        written => moment(note.written.0),
    }
}
