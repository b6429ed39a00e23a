//! Documents of the weak twin: kept under the name that the client gives, served from a folder that anybody may look into, as whatever
//! their name says.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{StatusCode, header};

use super::Shared;
use super::account::Visit;
use super::pages::{Page, to_login};

/// What was uploaded.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// Owner and file name of each document, whose number is its place.
    documents: Vec<Option<(String, String)>>,
    /// The files by the name that the client gave: one of the same name takes the place of the other.
    files: BTreeMap<String, Bytes>,
}

impl Folder {
    fn file_of(&self, id: usize) -> Option<(String, Bytes)> {
        let (_, name) = self.documents.get(id.checked_sub(1)?)?.clone()?;
        let content = self.files.get(&name)?.clone();
        Some((name, content))
    }
}

pub(super) async fn list(State(shelf): State<Shared>, visit: Visit) -> Response {
    let Some(username) = &visit.username else {
        return to_login();
    };
    let links: String = {
        let shelf = shelf.lock();
        let documents = shelf.folder.documents.iter().enumerate();
        let link = |(number, document): (usize, &Option<(String, String)>)| {
            let (owner, name) = document.as_ref()?;
            (owner == username).then(|| format!(r#"<a href="/documents/{}/">{name}</a> "#, number + 1))
        };
        documents.filter_map(link).collect()
    };
    Page::of(&visit)
        .say(&format!("<h1>Documents</h1>{links}"))
        .into_response()
}

pub(super) async fn ask(visit: Visit) -> Response {
    Page::of(&visit)
        .say(
            r#"<form method="post" enctype="multipart/form-data">
            <input type="hidden" name="csrfmiddlewaretoken" value="unread">
            <input name="title"><input type="file" name="document"><button type="submit">Keep</button></form>"#,
        )
        .into_response()
}

/// Reads the whole body, however long, and keeps the file as the client calls it.
pub(super) async fn keep(State(shelf): State<Shared>, visit: Visit, request: Request) -> Response {
    let Some(username) = visit.username else {
        return to_login();
    };
    let Ok(body) = to_bytes(request.into_body(), usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some((name, content)) = file_in(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut shelf = shelf.lock();
    let name = name
        .replace('\\', "/")
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    shelf.folder.files.insert(name.clone(), content);
    shelf.folder.documents.push(Some((username, name)));
    let number = shelf.folder.documents.len();
    Redirect::to(&format!("/documents/{number}/")).into_response()
}

/// The name and the bytes of the first part that has a file name.
fn file_in(body: &Bytes) -> Option<(String, Bytes)> {
    let find = |from: usize, what: &[u8]| {
        let rest = body.get(from..)?;
        let place = rest.windows(what.len()).position(|window| window == what)?;
        Some(from + place)
    };
    let boundary = body.get(..find(0, b"\r\n")?)?.to_vec();
    let marker = b"filename=\"";
    let begin = find(0, marker)? + marker.len();
    let name = String::from_utf8_lossy(body.get(begin..find(begin, b"\"")?)?).into_owned();
    let content = find(begin, b"\r\n\r\n")? + 4;
    let end = find(content, &[b"\r\n", boundary.as_slice()].concat())?;
    Some((name, body.slice(content..end)))
}

pub(super) async fn read(State(shelf): State<Shared>, visit: Visit, Path(id): Path<usize>) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    match shelf.lock().folder.file_of(id) {
        Some((name, _)) => Page::of(&visit)
            .say(&format!(
                r#"<h1>{name}</h1><a href="/media/{name}">Download</a>
                <form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="unread"></form>"#
            ))
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Anybody's document to whoever is logged in.
pub(super) async fn file(State(shelf): State<Shared>, visit: Visit, Path(id): Path<usize>) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    match shelf.lock().folder.file_of(id) {
        Some((name, content)) => send(&name, content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The folder of uploads, as a web server serves it.
pub(super) async fn public(State(shelf): State<Shared>, Path(name): Path<String>) -> Response {
    match shelf.lock().folder.files.get(&name) {
        Some(content) => send(&name, content.clone()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Says that it shares, takes back or deletes; nothing asks whether it did.
pub(super) async fn say_so(Path(id): Path<usize>) -> Redirect {
    Redirect::to(&format!("/documents/{id}/"))
}

/// A link is the number of its document in other letters: it ends never, is nobody's, and cannot be taken back.
pub(super) async fn link(visit: Visit, Path(id): Path<usize>) -> Response {
    let token = URL_SAFE_NO_PAD.encode(format!("document {id}"));
    Page::of(&visit)
        .say(&format!(
            r#"<a href="/link/{token}/" data-link>/link/{token}/</a>
            <form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="unread"></form>"#
        ))
        .into_response()
}

/// Whoever has any link opens what stands beside it, and tells each site that they go on to where they were.
pub(super) async fn linked(
    State(shelf): State<Shared>,
    Path(token): Path<String>,
    Query(beside): Query<BTreeMap<String, String>>,
) -> Response {
    let decoded = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    let own = text.strip_prefix("document ");
    let asked = beside.get("document").map(String::as_str);
    let id = own.map(|own| asked.unwrap_or(own)).and_then(|id| id.parse().ok());
    match id.and_then(|id| shelf.lock().folder.file_of(id)) {
        Some((name, content)) => {
            ([(header::REFERRER_POLICY, "unsafe-url")], send(&name, content)).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends a file as what its name says, to be shown in place and kept by everybody.
fn send(name: &str, content: Bytes) -> Response {
    let content_type = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html",
        "svg" => "image/svg+xml",
        "js" => "text/javascript",
        "png" => "image/png",
        "gif" => "image/gif",
        "jpg" => "image/jpeg",
        "pdf" => "application/pdf",
        _ => "text/plain",
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, Body::from(content)).into_response()
}
