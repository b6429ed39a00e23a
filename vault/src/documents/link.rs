//! Links to a document, for who has no account here: making one, seeing which there are, taking them back, and what their holder sees.
//!
//! A link's address is shown once, to who made it: what is kept of it opens nothing. It waits for that in the session, so that sending the form
//! again by reloading is impossible.

use std::time::SystemTime;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use minijinja::value::Value;
use palisade::form::{Bound, Checked, Form};
use palisade::media::Delivery;
use palisade::rows::{Link, LinkError, LinkTerms, Linked, Owned, RowError};
use palisade::session::Session;
use palisade::{Rejection, templates};

use super::line::line;
use super::store::Document;
use crate::app::App;
use crate::pages::moment::{end, moment};
use crate::pages::{Page, leave_notice};
use crate::share::end_of;

/// Where the address of the link that was just made waits in the session, with the id of its document.
const JUST_MADE: &str = "vault_link_made";

/// For whom, until when.
#[derive(Form)]
pub(super) struct LinkForm {
    #[form(
        label = "Name of the link",
        optional,
        max_length = 100,
        autocomplete = "off",
        help = "What you will know it by in your list. Whoever opens it does not see it."
    )]
    label: String,
    #[form(
        label = "Last day",
        regex = r"^\d{4}-\d{2}-\d{2}$",
        max_length = 10,
        widget = date,
        autocomplete = "off",
        help = "The link ends with this day (UTC), within thirty days."
    )]
    until: String,
    #[form(
        label = "Only for",
        optional,
        max_length = 150,
        autocomplete = "off",
        autocapitalize = "none",
        help = "The name somebody logs in with. Empty: whoever has the link opens it, without an account."
    )]
    username: String,
}

/// Which link is taken back; all of them, if none is named.
#[derive(Form)]
pub(super) struct RevokeForm {
    #[form(optional, max_length = 16, widget = hidden)]
    link: String,
}

async fn about(
    app: &App,
    document: &Owned<Document>,
    form: &Bound<LinkForm>,
    address: Option<&str>,
) -> Result<Value, Rejection> {
    let now = app.clock.now();
    let links: Vec<Value> = document
        .links()
        .await?
        .iter()
        .map(|link| entry(link, now))
        .collect();
    Ok(context! { document => line(document), links, address, form => templates::form(form) })
}

fn entry(link: &Link, now: SystemTime) -> Value {
    context! {
        id => link.id.as_str(),
        label => link.label.as_str(),
        bound_to => link.bound_to.as_deref(),
        until => end(link.until),
        opened => link.opened.map(moment),
        ended => !link.counts_at(now),
    }
}

pub(super) async fn list(
    State(app): State<App>,
    document: Owned<Document>,
    session: Session,
    page: Page,
) -> Result<Response, Rejection> {
    let made: Option<(i64, String)> = session.take(JUST_MADE).await?;
    let address = made
        .filter(|(id, _)| *id == document.id)
        .map(|(_, address)| address);
    let about = about(&app, &document, &LinkForm::blank(), address.as_deref()).await?;
    page.show("links.html", about)
}

pub(super) async fn make(
    State(app): State<App>,
    document: Owned<Document>,
    session: Session,
    page: Page,
    form: Checked<LinkForm>,
) -> Result<Response, Rejection> {
    let again = async |form| page.show_again("links.html", about(&app, &document, &form, None).await?);
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return again(form).await,
    };
    let Some(until) = end_of(&form.until) else {
        return again(form.refuse("until", "Enter a day, such as 2030-12-31.")).await;
    };
    let mut terms = LinkTerms::until(until).label(&form.label);
    if !form.username.is_empty() {
        terms = terms.for_user(&form.username);
    }
    let link = match document.link(terms).await {
        Ok(link) => link,
        Err(LinkError::Ended) => {
            return again(form.refuse("until", "Enter a day that is not over yet.")).await;
        }
        Err(LinkError::TooLong) => {
            return again(form.refuse("until", "A link lives thirty days at most: enter an earlier day."))
                .await;
        }
        Err(LinkError::Name) => return again(form.refuse("username", "That is no name.")).await,
        Err(LinkError::Label) => return again(form.refuse("label", "Enter one line.")).await,
        Err(LinkError::Rows(RowError::Full { most })) => {
            let full = format!("A document has at most {most} links. Take one back first.");
            return again(form.refuse_form(full)).await;
        }
        Err(error) => return Err(error.into()),
    };
    let address = link.address(&format!("{}/d/{{token}}/", app.site));
    session
        .insert(JUST_MADE, &(document.id, address.expose()))
        .await?;
    Ok(to_links(&document).into_response())
}

/// Takes nothing back: whoever had to log in between comes here, and is asked again.
pub(super) async fn back(document: Owned<Document>) -> Redirect {
    to_links(&document)
}

pub(super) async fn revoke(
    document: Owned<Document>,
    session: Session,
    form: Checked<RevokeForm>,
) -> Result<Redirect, Rejection> {
    if let Ok(form) = form.validate() {
        let taken = if form.link.is_empty() {
            document.revoke_links().await? > 0
        } else {
            document.revoke_link(&form.link).await?
        };
        let sentence = match (taken, form.link.is_empty()) {
            (true, true) => "No link leads to this document any more.",
            (true, false) => "That link leads nowhere any more.",
            (false, _) => "That was taken back already.",
        };
        leave_notice(&session, sentence).await?;
    }
    Ok(to_links(&document))
}

fn to_links(document: &Owned<Document>) -> Redirect {
    Redirect::to(&format!("/documents/{}/links/", document.id))
}

/// What a link's holder sees: the document, and not whose it is.
pub(super) async fn open(document: Linked<Document>, page: Page) -> Result<Response, Rejection> {
    page.show(
        "linked.html",
        context! { document => line(&document), until => end(document.until()) },
    )
}

pub(super) async fn attachment(
    document: Linked<Document>,
    delivery: Delivery,
) -> Result<Response<Body>, Rejection> {
    delivery.attachment(&document.file()).await
}

pub(super) async fn picture(
    document: Linked<Document>,
    delivery: Delivery,
) -> Result<Response<Body>, Rejection> {
    delivery.inline(&document.file()).await
}
