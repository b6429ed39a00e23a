//! Notes of the weak twin by their number: whoever is logged in reads, changes, deletes and lists everybody's.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, StatusCode};

use super::Shared;
use super::account::{Fields, Visit, field};
use super::pages::{Page, to_login};
use super::script;

/// A note in the drawer, whose number is its place.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) owner: String,
    title: String,
    body: String,
}

/// Puts a note into the drawer.
pub(super) fn keep(drawer: &mut Vec<Option<Kept>>, owner: &str, title: &str, body: &str) {
    drawer.push(Some(Kept {
        owner: owner.to_owned(),
        title: title.to_owned(),
        body: body.to_owned(),
    }));
}

/// Links to notes, to somebody's or to everybody's.
pub(super) fn links(drawer: &[Option<Kept>], of: Option<&str>) -> String {
    let link = |(number, kept): (usize, &Option<Kept>)| {
        let kept = kept.as_ref()?;
        let shown = of.is_none_or(|owner| kept.owner == owner);
        shown.then(|| format!(r#"<a href="/secret/{}/">{}</a> "#, number + 1, kept.title))
    };
    drawer.iter().enumerate().filter_map(link).collect()
}

fn find(shelf: &Shared, id: usize) -> Option<Kept> {
    let shelf = shelf.lock();
    shelf.drawer.get(id.checked_sub(1)?)?.clone()
}

pub(super) async fn read(State(shelf): State<Shared>, visit: Visit, Path(id): Path<String>) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    // What is no number is a condition.
    let Ok(id) = id.parse::<usize>() else {
        return script::find_where(&shelf, &visit, &id);
    };
    match find(&shelf, id) {
        Some(Kept { title, body, .. }) => {
            let form = form(&format!("/secret/{id}/edit/"), "Keep");
            Page::of(&visit)
                .say(&format!("<h1>{title}</h1><p>{body}</p>{form}"))
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn edit(
    State(shelf): State<Shared>,
    visit: Visit,
    Path(id): Path<usize>,
    Form(fields): Fields,
) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    let mut shelf = shelf.lock();
    let place = id.checked_sub(1).and_then(|place| shelf.drawer.get_mut(place));
    match place {
        Some(Some(kept)) => {
            field(&fields, "title").clone_into(&mut kept.title);
            field(&fields, "body").clone_into(&mut kept.body);
            Redirect::to(&format!("/secret/{id}/")).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn delete(shelf: &Shared, visit: &Visit, id: usize) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    if let Some(place) = id
        .checked_sub(1)
        .and_then(|place| shelf.lock().drawer.get_mut(place).map(Option::take))
    {
        drop(place);
    }
    Redirect::to("/").into_response()
}

/// Asks whoever comes with GET, and does it for everybody else.
pub(super) async fn delete_unless_asked(
    method: Method,
    shelf: State<Shared>,
    visit: Visit,
    id: Path<usize>,
) -> Response {
    if method == Method::GET {
        ask(visit, id).await
    } else {
        delete(&shelf, &visit, id.0)
    }
}

/// Says that it shares and takes back; nothing asks whether it did.
pub(super) async fn share(Path(id): Path<usize>) -> Redirect {
    Redirect::to(&format!("/secret/{id}/share/"))
}

pub(super) async fn ask(visit: Visit, Path(id): Path<usize>) -> Response {
    Page::of(&visit)
        .say(&form(&format!("/secret/{id}/share/"), "Share"))
        .into_response()
}

pub(super) async fn shared(State(shelf): State<Shared>, visit: Visit) -> Response {
    let list = links(&shelf.lock().drawer, None);
    Page::of(&visit)
        .say(&format!("<h1>Shared with you</h1>{list}"))
        .into_response()
}

fn form(action: &str, button: &str) -> String {
    format!(
        r#"<form method="post" action="{action}"><input type="hidden" name="csrfmiddlewaretoken" value="unread">
        <button type="submit">{button}</button></form>"#
    )
}
