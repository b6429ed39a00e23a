//! One's account: sign-up, login, logout, profile and password.
//!
//! Each form is a struct of its own with the fields that a person may send, and no more: `isAdmin=true` in any of them is dropped
//! and logged. Passwords are `Sensitive` from the request on, so that no page shows them again and no log prints them.

mod log_in;
mod password;
mod profile;
mod sign_up;

use axum::response::Redirect;
use axum::routing::get;
use palisade::auth::{Auth, Next};
use palisade::password::PasswordProblem;
use palisade::{Rejection, Router};

use crate::app::App;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/signup/", get(sign_up::ask).post(sign_up::take))
        .route("/login/", get(log_in::ask).post(log_in::take))
        .route("/logout/", get(log_out_by_link).post(log_out))
        .route("/profile/", get(profile::ask).post(profile::take))
        .route("/password/", get(password::ask).post(password::take))
}

async fn log_out(auth: Auth, next: Next) -> Result<Redirect, Rejection> {
    auth.logout().await?;
    Ok(Redirect::to(&next.after_logout(None)))
}

/// Logs nobody out: any site can make a browser follow a link. The page it leads to has the button.
async fn log_out_by_link() -> Redirect {
    Redirect::to("/")
}

fn sentences(problems: &[PasswordProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
