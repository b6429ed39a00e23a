//! One's account: sign-up, login, logout, profile, password and second factor, and the way back in when the password is forgotten.
//!
//! Each form is a struct of its own with the fields that a person may send, and no more: `isAdmin=true` in any of them is dropped
//! and logged. Passwords are `Sensitive` from the request on, so that no page shows them again and no log prints them.

mod confirm;
mod forgotten;
mod log_in;
mod password;
mod profile;
mod second_factor;
mod second_step;
mod sign_up;

use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use minijinja::context;
use palisade::auth::{Auth, Next};
use palisade::password::PasswordProblem;
use palisade::{Policies as _, Rejection, Router};

use crate::app::App;
use crate::pages::Page;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/signup/", get(sign_up::ask).post(sign_up::take).public())
        .route("/login/", get(log_in::ask).post(log_in::take).public())
        .route("/logout/", get(logged_out).post(log_out).public())
        .route(
            "/login/second/",
            get(second_step::ask).post(second_step::take).public(),
        )
        .route("/login/confirm/", get(confirm::ask).post(confirm::take))
        .route("/forgot/", get(forgotten::ask).post(forgotten::take).public())
        .route("/forgot/sent/", get(forgotten::sent).public())
        .route(
            "/reset/{uid}/{token}/",
            get(forgotten::open).post(forgotten::set).public(),
        )
        .route("/reset/done/", get(forgotten::done).public())
        .merge(second_factor())
        // Passwords are reset through the address in it.
        .route("/profile/", get(profile::ask).post(profile::take).recent())
        .route("/password/", get(password::ask).post(password::take))
        .logged_in()
}

/// What only somebody changes who has just proven who they are.
fn second_factor() -> Router<App> {
    let back = || get(second_factor::back);
    Router::new()
        .route(
            "/second-factor/",
            get(second_factor::overview).post(second_factor::begin),
        )
        .route("/second-factor/confirm/", back().post(second_factor::confirm))
        .route("/second-factor/codes/", back().post(second_factor::renew))
        .route("/second-factor/remove/", back().post(second_factor::remove))
        .recent()
}

async fn log_out(auth: Auth, next: Next) -> Result<Redirect, Rejection> {
    auth.logout().await?;
    // The front page would not say what has happened, and a notice would need a session again.
    Ok(match next.after_logout(None).as_str() {
        "/" => Redirect::to("/logout/"),
        elsewhere => Redirect::to(elsewhere),
    })
}

/// Says that one is logged out, and logs nobody out: any site can make a browser follow a link. Whoever is logged in is sent to
/// where the button is.
async fn logged_out(page: Page) -> Result<Response, Rejection> {
    if page.knows_its_visitor() {
        return Ok(Redirect::to("/").into_response());
    }
    page.show("logged_out.html", context! {})
}

fn sentences(problems: &[PasswordProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
