//! A page for other sites to frame, and the only one: the frame policy stands with the route.
//!
//! It asks for no session, so that it says the same to everybody, and has no button: there is nothing that a hostile site could
//! lend a click to.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use minijinja::context;
use palisade::headers::InvalidAncestor;
use palisade::router::Policies as _;
use palisade::{Rejection, Router};

use crate::app::App;

pub(crate) fn routes(origins: &[String]) -> Result<Router<App>, InvalidAncestor> {
    let route = if origins.is_empty() {
        get(widget)
            .frame_exempt("public: it asks for no session, says the same to everybody and has no button")
    } else {
        get(widget).frame_ancestors(origins)?
    };
    Ok(Router::new().route("/widget/", route.public()))
}

async fn widget(State(app): State<App>) -> Result<impl IntoResponse, Rejection> {
    let html = Html(app.templates.render("widget.html", context! {})?);
    Ok(([(CACHE_CONTROL, "public, max-age=300")], html))
}
