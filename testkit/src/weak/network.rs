//! A staff area that believes what headers say of the client's address and certificate, a room of it that asks for neither, and one for
//! which any certificate will do.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use super::Shared;
use super::account::Visit;
use crate::site::Shown;

/// Where staff sits.
const OFFICE: &str = "127.0.0.9";

pub(super) async fn staff(State(shelf): State<Shared>, headers: HeaderMap, visit: Visit) -> Response {
    let says = |name: &str, value: &str| {
        let said = headers.get(name).and_then(|said| said.to_str().ok());
        said.is_some_and(|said| said.contains(value))
    };
    let is_there = says("x-forwarded-for", OFFICE)
        || says("x-real-ip", OFFICE)
        || says("forwarded", OFFICE)
        || says("x-ssl-client-verify", "SUCCESS");
    if is_there {
        room(State(shelf), visit).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// The list was put before one page and not before those behind it.
pub(super) async fn room(State(shelf): State<Shared>, visit: Visit) -> Response {
    let shelf = shelf.lock();
    let user = visit.username.and_then(|name| shelf.users.get(&name));
    match user {
        Some(user) if user.is_admin => {
            let names: Vec<&str> = shelf.users.keys().map(String::as_str).collect();
            names.join("\n").into_response()
        }
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Who has issued the certificate, and for what, is not looked at.
pub(super) async fn kept(
    shelf: State<Shared>,
    Extension(Shown(certificate)): Extension<Shown>,
    visit: Visit,
) -> Response {
    if certificate {
        room(shelf, visit).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}
