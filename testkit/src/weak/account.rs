//! Who visits the weak twin, and the forms that change an account.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::{Extension, Form, FromRequest, FromRequestParts, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::request::Parts;
use serde_json::Value;

use super::pages::{self, Page};
use super::passwords;
use super::shelf::User;
use super::{Scheme, Shared};

const COOKIE_NAME: &str = "sessionid";

/// How many wrong passwords lock an account.
const LOCKED_FROM: u32 = 50;

/// The fields of a form, as many as there are.
pub(super) type Fields = Form<Vec<(String, String)>>;

/// What a body says, as a form or as JSON.
pub(super) struct Said(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Said {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Said, Response> {
        let kind = request.headers().get(CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            let form = Form::from_request(request, state).await;
            return form
                .map(|Form(fields)| Said(fields))
                .map_err(IntoResponse::into_response);
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let said: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields = said.into_iter().map(|(name, value)| (name, text(value)));
        Ok(Said(fields.collect()))
    }
}

/// Somebody who visits: the session id they bring, if any, and the user behind it.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) session: Option<String>,
    pub(super) username: Option<String>,
    pub(super) host: String,
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shelf: &Shared) -> Result<Visit, Infallible> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let mut cookies = text(COOKIE).split("; ").filter_map(|pair| pair.split_once('='));
        let session = cookies
            .find(|(name, _)| *name == COOKIE_NAME)
            .map(|(_, value)| value.to_owned());
        let username = session
            .as_ref()
            .and_then(|session| shelf.lock().sessions.get(session).cloned());
        Ok(Visit {
            session,
            username,
            // The first of two, and before both what the target says.
            host: match parts.uri.authority() {
                Some(authority) => authority.to_string(),
                None => text(http::header::HOST).to_owned(),
            },
        })
    }
}

pub(super) async fn sign_up(State(shelf): State<Shared>, visit: Visit, Form(fields): Fields) -> Response {
    let username = field(&fields, "username");
    if username.is_empty() || shelf.lock().users.contains_key(username) {
        return Page::of(&visit)
            .say("A user with that username already exists.")
            .into_response();
    }
    let mut user = User {
        password: field(&fields, "password1").to_owned(),
        ..User::default()
    };
    for (name, value) in &fields {
        user.assign(name, value);
    }
    shelf.lock().users.insert(username.to_owned(), user);
    Redirect::to("/login/").into_response()
}

pub(super) async fn log_in(
    State(shelf): State<Shared>,
    Extension(scheme): Extension<Scheme>,
    visit: Visit,
    Query(asked): Query<Vec<(String, String)>>,
    Form(fields): Fields,
) -> Response {
    let username = field(&fields, "username");
    let mut shelf = shelf.lock();
    let _ = writeln!(shelf.log, "login of {fields:?}");
    match shelf.users.get_mut(username) {
        None => return Page::of(&visit).say("There is no such user.").into_response(),
        // Tries are counted, and too many lock the account: whoever knows a name locks its owner out, for ever.
        Some(user) if user.failures >= LOCKED_FROM => {
            return Page::of(&visit).say("This account is locked.").into_response();
        }
        Some(user) if !passwords::fits(&user.password, field(&fields, "password")) => {
            user.failures += 1;
            return Page::of(&visit).say("The password is wrong.").into_response();
        }
        Some(user) => user.failures = 0,
    }
    // The id that was brought is kept, known or not: whoever planted it is logged in too.
    let session = visit.session.unwrap_or_else(|| shelf.next_session());
    shelf.sessions.insert(session.clone(), username.to_owned());
    let place = match field(&asked, "next") {
        "" => "/",
        next => next,
    };
    let mut response = remember(scheme, &session, "", place);
    // So that it need not be asked again, a second cookie says who it is, for whoever forgets the first.
    if let Ok(value) = HeaderValue::from_str(&format!("remember={session}; Path=/")) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub(super) async fn log_out(Extension(scheme): Extension<Scheme>) -> Response {
    // The cookie is forgotten, the session is not.
    remember(scheme, "", "; Max-Age=0", "/")
}

pub(super) async fn change_profile(
    State(shelf): State<Shared>,
    visit: Visit,
    Said(fields): Said,
) -> Response {
    let mut shelf = shelf.lock();
    let Some(user) = visit.username.and_then(|name| shelf.users.get_mut(&name)) else {
        return pages::to_login();
    };
    for (name, value) in &fields {
        user.assign(name, value);
    }
    Redirect::to("/profile/").into_response()
}

pub(super) async fn change_password(
    State(shelf): State<Shared>,
    visit: Visit,
    Form(fields): Fields,
) -> Response {
    let mut shelf = shelf.lock();
    let Some(user) = visit.username.and_then(|name| shelf.users.get_mut(&name)) else {
        return pages::to_login();
    };
    // The old password is asked for and not compared; other sessions stay open.
    field(&fields, "new_password1").clone_into(&mut user.password);
    Redirect::to("/profile/").into_response()
}

fn remember(scheme: Scheme, session: &str, age: &str, place: &str) -> Response {
    let attributes = match scheme {
        Scheme::Https => "Path=/; SameSite=None; Secure",
        Scheme::Http => "Path=/",
    };
    (
        [(SET_COOKIE, format!("{COOKIE_NAME}={session}; {attributes}{age}"))],
        Redirect::to(place),
    )
        .into_response()
}

/// Returns the first field called `name`, or an empty text.
pub(super) fn field<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value)
}
