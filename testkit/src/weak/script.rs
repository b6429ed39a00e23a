//! The weak twin's holes of injection: Markdown that lets HTML and any address through, a query put together from the address, and
//! reports that are believed and kept as they come.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use rusqlite::Connection;

use super::Shared;
use super::account::Visit;
use super::pages::Page;

/// Makes Markdown HTML: links lead wherever they say, and everything else stays as it is.
pub(super) fn markdown(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        html.push_str(before);
        let parts = link.split_once("](").and_then(|(words, link)| {
            let (address, after) = link.split_once(')')?;
            Some((words, address, after))
        });
        if let Some((words, address, after)) = parts {
            let _ = write!(html, "<a href=\"{address}\">{words}</a>");
            rest = after;
        } else {
            html.push('[');
            rest = link;
        }
    }
    html + rest
}

/// Finds notes by a query whose text holds what was asked for.
pub(super) fn find(shelf: &Shared, visit: &Visit, words: &str, sort: &str) -> Response {
    let owner = visit.username.as_deref().unwrap_or_default();
    let sort = if sort.is_empty() { "id DESC" } else { sort };
    let query = format!(
        "SELECT title FROM vault_note WHERE owner = '{owner}' AND title LIKE '%{words}%' ORDER BY {sort}"
    );
    list(shelf, visit, &query)
}

/// Finds the note with this number, which is put into the query's text.
pub(super) fn find_where(shelf: &Shared, visit: &Visit, id: &str) -> Response {
    list(
        shelf,
        visit,
        &format!("SELECT title || ': ' || body FROM vault_note WHERE id = {id}"),
    )
}

fn list(shelf: &Shared, visit: &Visit, query: &str) -> Response {
    match ask(shelf, query) {
        Ok(titles) => {
            let lines: Vec<String> = titles.iter().map(|title| format!("<li>{title}</li>")).collect();
            Page::of(visit)
                .say(&format!("<ul>{}</ul>", lines.concat()))
                .into_response()
        }
        Err(error) => {
            let page: Html<String> = Page::of(visit).say(&error.to_string());
            (StatusCode::INTERNAL_SERVER_ERROR, page).into_response()
        }
    }
}

/// Asks a database with everybody's notes.
fn ask(shelf: &Shared, query: &str) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open_in_memory()?;
    connection.execute(
        "CREATE TABLE vault_note (id INTEGER PRIMARY KEY, owner TEXT, title TEXT, body TEXT)",
        [],
    )?;
    for (owner, user) in &shelf.lock().users {
        for (title, body) in &user.notes {
            connection.execute(
                "INSERT INTO vault_note (owner, title, body) VALUES (?1, ?2, ?3)",
                [owner, title, body],
            )?;
        }
    }
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Keeps every report and writes it to the log as it is.
pub(super) async fn report(State(shelf): State<Shared>, body: Bytes) -> StatusCode {
    let text = String::from_utf8_lossy(&body).into_owned();
    // What a JSON string writes as \n is a line break once it is read.
    let line = text.replace("\\n", "\n");
    let mut shelf = shelf.lock();
    let _ = writeln!(shelf.log, "WARN csp violation: {line}");
    shelf.reports.push(text);
    StatusCode::NO_CONTENT
}
