//! The weak twin's holes of diagnostics: a fault whose page, log and letter tell everything, and a table of sessions that lies open.

use axum::extract::{Form, State};
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;

use super::account::{Fields, Visit};
use super::{Shared, WeakTwin, pages};

impl WeakTwin {
    /// Returns the table of sessions, as somebody has it who has stolen it: each key, and who is behind it.
    pub fn stolen_sessions(&self) -> Vec<(String, String)> {
        let shelf = self.shelf.lock();
        let rows = shelf.sessions.iter();
        rows.map(|(key, user)| (key.clone(), user.clone())).collect()
    }

    /// Puts this in the place of the data of every session.
    pub fn overwrite_sessions(&self, data: &str) {
        for user in self.shelf.lock().sessions.values_mut() {
            data.clone_into(user);
        }
    }

    /// Lets every new note fail.
    pub fn break_notes(&self) {
        self.shelf.lock().broken = true;
    }
}

/// Keeps a note; a fault is explained to everybody, with all that the form held and how the site is set up.
pub(super) async fn keep_secret(state: State<Shared>, visit: Visit, fields: Fields) -> Response {
    if !state.0.lock().broken {
        return pages::keep_secret(state, visit, fields);
    }
    let Form(fields) = fields;
    let trace = format!("POST /secret/ {fields:?} failed: no such table: vault_note");
    let mut shelf = state.0.lock();
    shelf.log.push_str(&trace);
    shelf.log.push('\n');
    shelf
        .mails
        .push(format!("Subject: Internal Server Error: /secret/\n\n{trace}\n"));
    let page = format!("<h1>Server error</h1><pre>{trace}\nSECRET_KEY = 'weak'</pre>");
    (StatusCode::INTERNAL_SERVER_ERROR, Html(page)).into_response()
}
