//! The weak twin's ways back into an account: links with the request's host that work for ever and for everybody, and a second factor
//! that comes after the login, counts nothing and takes a code as often as it is shown.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};

use super::Shared;
use super::account::{Fields, Visit, field};
use super::pages::Page;
use crate::authenticator;

pub(super) async fn forgot(visit: Visit) -> Html<String> {
    Page::of(&visit).say(&form("/forgot/", &["email"]))
}

/// Says who has an account, and writes the link with the host that the request names.
pub(super) async fn send_link(
    State(shelf): State<Shared>,
    visit: Visit,
    headers: HeaderMap,
    Form(fields): Fields,
) -> Response {
    let email = field(&fields, "email");
    let mut shelf = shelf.lock();
    let found = shelf
        .users
        .iter()
        .find(|(_, user)| !email.is_empty() && user.email.to_uppercase() == email.to_uppercase());
    let Some(username) = found.map(|(username, _)| username.clone()) else {
        return Page::of(&visit).say("Nobody has this address.").into_response();
    };
    let forwarded = headers
        .get("x-forwarded-host")
        .and_then(|host| host.to_str().ok());
    let host = forwarded.unwrap_or(&visit.host).to_owned();
    let scheme = headers
        .get("x-forwarded-proto")
        .or_else(|| headers.get("x_forwarded_proto"))
        .and_then(|scheme| scheme.to_str().ok())
        .unwrap_or("https");
    let token = format!("token{}", shelf.mails.len());
    if shelf.no_mail {
        return (StatusCode::INTERNAL_SERVER_ERROR, "The mail could not be sent.").into_response();
    }
    // It goes to where the request says, which is the same address but for its case.
    shelf.mails.push(format!(
        "To: {email}\n\nHello,\n\n{scheme}://{host}/reset/{username}/{token}/\n"
    ));
    shelf.tokens.push(token);
    Redirect::to("/forgot/sent/").into_response()
}

pub(super) async fn sent(visit: Visit) -> Html<String> {
    Page::of(&visit).say("A mail is on its way.")
}

pub(super) async fn reset(visit: Visit, Path((uid, token)): Path<(String, String)>) -> Html<String> {
    let address = format!("/reset/{uid}/{token}/");
    Page::of(&visit).say(&form(&address, &["new_password1", "new_password2"]))
}

/// Any token that was ever sent opens any account, as often as one likes.
pub(super) async fn set_password(
    State(shelf): State<Shared>,
    visit: Visit,
    Path((uid, token)): Path<(String, String)>,
    Form(fields): Fields,
) -> Response {
    let mut shelf = shelf.lock();
    let known = shelf.tokens.contains(&token);
    let Some(user) = shelf.users.get_mut(&uid).filter(|_| known) else {
        return Page::of(&visit).say("No such link.").into_response();
    };
    field(&fields, "new_password1").clone_into(&mut user.password);
    Redirect::to("/reset/done/").into_response()
}

pub(super) async fn second_factor(State(shelf): State<Shared>, visit: Visit) -> Html<String> {
    let shelf = shelf.lock();
    let user = visit
        .username
        .as_ref()
        .and_then(|username| shelf.users.get(username));
    let secret = user.map(|user| user.totp.clone()).unwrap_or_default();
    let begin = form("/second-factor/", &[]);
    Page::of(&visit).say(&format!("<code data-totp>{secret}</code>{begin}"))
}

pub(super) async fn begin(State(shelf): State<Shared>, visit: Visit) -> Redirect {
    let mut shelf = shelf.lock();
    if let Some(user) = visit.username.and_then(|username| shelf.users.get_mut(&username)) {
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".clone_into(&mut user.totp);
    }
    Redirect::to("/second-factor/")
}

pub(super) async fn confirm(visit: Visit) -> Html<String> {
    let codes: Vec<String> = (0..10)
        .map(|n| format!("<code data-code>{}</code>", recovery_code(n)))
        .collect();
    Page::of(&visit).say(&codes.concat())
}

fn recovery_code(n: u32) -> String {
    format!("aaaaa-aaaaa-0000{n}")
}

pub(super) async fn second_step(visit: Visit) -> Html<String> {
    Page::of(&visit).say(&form("/login/second/", &["code"]))
}

fn form(action: &str, names: &[&str]) -> String {
    let inputs: Vec<String> = names
        .iter()
        .map(|name| format!("<input name=\"{name}\">"))
        .collect();
    let inputs = inputs.concat();
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"unread\">{inputs}\
         <button type=\"submit\">Go on</button></form>"
    )
}

/// Looks at as many codes as one likes, and at each as often.
pub(super) async fn take_code(State(shelf): State<Shared>, visit: Visit, Form(fields): Fields) -> Response {
    let code = field(&fields, "code");
    let shelf = shelf.lock();
    let user = visit
        .username
        .as_ref()
        .and_then(|username| shelf.users.get(username));
    let secret = user.map(|user| user.totp.clone()).unwrap_or_default();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let right = [now.saturating_sub(30), now, now + 30]
        .into_iter()
        .any(|at| authenticator::code(&secret, at).as_deref() == Some(code));
    if right || (0..10).any(|n| recovery_code(n) == code) {
        return Redirect::to("/").into_response();
    }
    Page::of(&visit).say("That code is wrong.").into_response()
}
