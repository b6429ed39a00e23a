//! The weak twin's pages: the vault's fields and buttons, around text that nothing escapes.

use axum::extract::{Form, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Shared;
use super::account::{Fields, Visit, field};
use super::shelf::User;
use super::{access, script};

const STYLE: &str = "<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}
label{display:block;margin:.5rem 0}input,textarea{display:block;width:100%;font:inherit}
nav a,nav form{display:inline-block;margin-right:1rem}</style>";

/// One page, for one visitor.
pub(super) struct Page {
    host: String,
    username: Option<String>,
}

impl Page {
    pub(super) fn of(visit: &Visit) -> Page {
        Page {
            host: visit.host.clone(),
            username: visit.username.clone(),
        }
    }

    pub(super) fn say(&self, content: &str) -> Html<String> {
        let account = match &self.username {
            Some(name) => format!(
                r#"<span data-user>{name}</span>
                <form id="logout" method="post" action="/logout/">{TOKEN}<button type="submit">Log out</button></form>"#
            ),
            None => r#"<a href="/login/">Log in</a> <a href="/signup/">Sign up</a>"#.to_owned(),
        };
        // An absolute link, to wherever the visitor says that the site is.
        let home = format!(r#"<a href="//{}/" data-home>Weak twin</a>"#, self.host);
        let links = r#"<a href="/secret/">New note</a> <a href="/profile/">Profile</a> <a href="/sessions/">Sessions</a>"#;
        Html(format!(
            r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Weak twin</title>{STYLE}</head>
            <body><nav>{home} {links} {account}</nav><main>{content}</main></body></html>"#
        ))
    }

    fn form(&self, action: &str, button: &str, inputs: &[&str]) -> Html<String> {
        let inputs = inputs.concat();
        self.say(&format!(
            r#"<form method="post" action="{action}">{TOKEN}{inputs}<button type="submit">{button}</button></form>"#
        ))
    }
}

/// All that this site has against frames; a frame that is forbidden to lead its page elsewhere need not mind it.
const FRAME_KILLER: &str = "<script>if (self !== top) { top.location = self.location }</script>";

/// There is a field, for the look of it; nothing reads it.
const TOKEN: &str = r#"<input type="hidden" name="csrfmiddlewaretoken" value="unread">"#;

pub(super) async fn home(
    State(shelf): State<Shared>,
    visit: Visit,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    if asked
        .iter()
        .any(|(name, _)| matches!(name.as_str(), "q" | "sort"))
    {
        return script::find(&shelf, &visit, field(&asked, "q"), field(&asked, "sort"));
    }
    let links = access::links(
        &shelf.lock().drawer,
        Some(visit.username.as_deref().unwrap_or_default()),
    );
    let notes = user(&shelf, &visit).map(|user| user.notes).unwrap_or_default();
    let notes = notes
        .iter()
        .map(|(title, body)| format!("<article><h2>{title}</h2><p>{body}</p></article>"));
    Page::of(&visit)
        .say(&format!(
            "<h1>Notes</h1>{}{links}",
            notes.collect::<Vec<_>>().concat()
        ))
        .into_response()
}

pub(super) async fn signup(visit: Visit) -> Html<String> {
    let inputs = [
        input("username", "text", ""),
        input("email", "email", ""),
        input("password1", "password", ""),
        input("password2", "password", ""),
    ];
    Page::of(&visit).form("/signup/", "Sign up", &inputs.each_ref().map(String::as_str))
}

pub(super) async fn login(visit: Visit) -> Html<String> {
    let inputs = [input("username", "text", ""), input("password", "password", "")];
    Page::of(&visit).form("/login/", "Log in", &inputs.each_ref().map(String::as_str))
}

pub(super) async fn secret(visit: Visit) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    let title = input("title", "text", "");
    let body = r#"<label>body<textarea name="body"></textarea></label>"#;
    Page::of(&visit)
        .form("/secret/", "Keep", &[&title, body])
        .into_response()
}

pub(super) fn keep_secret(State(shelf): State<Shared>, visit: Visit, Form(fields): Fields) -> Response {
    let (title, body) = (field(&fields, "title"), field(&fields, "body"));
    let mut shelf = shelf.lock();
    let shelf = &mut *shelf;
    // Whose it is says a field, if there is one.
    let name = match field(&fields, "owner") {
        "" => visit.username.unwrap_or_default(),
        owner => owner.to_owned(),
    };
    let Some(user) = shelf.users.get_mut(&name) else {
        return to_login();
    };
    user.notes.push((title.to_owned(), body.to_owned()));
    access::keep(&mut shelf.drawer, &name, title, body);
    // The secret travels in the address: into the history, the server's log and the next site's Referer.
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    Redirect::to(&format!(
        "/secret/shown/?title={}&body={}",
        encode(title),
        encode(body)
    ))
    .into_response()
}

pub(super) async fn shown(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Html<String> {
    let (title, body) = (field(&fields, "title"), field(&fields, "body"));
    Page::of(&visit).say(&format!("<h1>{title}</h1><p>{}</p>", script::markdown(body)))
}

pub(super) async fn profile(State(shelf): State<Shared>, visit: Visit) -> Response {
    let Some(user) = user(&shelf, &visit) else {
        return to_login();
    };
    let inputs = [
        input("first_name", "text", &user.first_name),
        input("last_name", "text", &user.last_name),
        input("email", "email", &user.email),
    ];
    Page::of(&visit)
        .form("/profile/", "Save", &inputs.each_ref().map(String::as_str))
        .into_response()
}

pub(super) async fn password(visit: Visit) -> Response {
    if visit.username.is_none() {
        return to_login();
    }
    let inputs = ["old_password", "new_password1", "new_password2"].map(|name| input(name, "password", ""));
    Page::of(&visit)
        .form("/password/", "Change", &[&inputs.concat(), FRAME_KILLER])
        .into_response()
}

pub(super) async fn sessions(State(shelf): State<Shared>, visit: Visit) -> Html<String> {
    let sessions = shelf.lock().sessions.clone();
    let own = sessions
        .iter()
        .filter(|(_, name)| Some(*name) == visit.username.as_ref());
    let list = own
        .map(|(id, _)| format!("<li>{id}</li>"))
        .collect::<Vec<_>>()
        .concat();
    Page::of(&visit).say(&format!("<h1>Sessions</h1><ul>{list}</ul>"))
}

pub(super) async fn widget(visit: Visit) -> Html<String> {
    Page::of(&visit).say("<h1>Notes kept here</h1><p>For other sites to show.</p>")
}

/// Says what is not there, in the words of whoever asked for it, and what is.
pub(super) fn nowhere(visit: &Visit, uri: &Uri) -> Response {
    let asked = percent_decode_str(uri.path()).decode_utf8_lossy();
    let page = Page::of(visit).say(&format!(
        "<h1>There is no {asked} here</h1><p>There are /secret/{{id}}/edit/ and /staff/csp/</p>"
    ));
    (StatusCode::NOT_FOUND, page).into_response()
}

pub(super) fn to_login() -> Response {
    Redirect::to("/login/").into_response()
}

fn user(shelf: &Shared, visit: &Visit) -> Option<User> {
    visit
        .username
        .as_ref()
        .and_then(|name| shelf.lock().users.get(name).cloned())
}

fn input(name: &str, kind: &str, value: &str) -> String {
    format!(r#"<label>{name}<input type="{kind}" name="{name}" value="{value}"></label>"#)
}
