//! Logging in. A wrong name and a wrong password are answered alike, in the same time; and so is one try too many.

use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, AuthError, LoginStep, Next, login_redirect};
use palisade::form::{Checked, Form};
use palisade::{Rejection, Sensitive};

use crate::pages::Page;

/// Django's sentence.
const WRONG: &str =
    "Please enter a correct username and password. Note that both fields may be case-sensitive.";

/// Django's `AuthenticationForm`.
#[derive(Form)]
pub(super) struct LogInForm {
    #[form(max_length = 150, autocomplete = "username", autocapitalize = "none")]
    username: String,
    #[form(autocomplete = "current-password")]
    password: Sensitive<String>,
}

/// The form posts to the address it is shown at, so that `next` comes along in the query. It is shown to whoever is logged
/// in, too: a login as somebody else begins a new session.
pub(super) async fn ask(page: Page) -> Result<Response, Rejection> {
    page.ask("log_in.html", &LogInForm::blank())
}

pub(super) async fn take(
    auth: Auth,
    next: Next,
    page: Page,
    form: Checked<LogInForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("log_in.html", &form),
    };
    match auth.authenticate(&form.username, &form.password).await {
        Ok(Some(user)) => {
            let place = match auth.login(&user).await? {
                LoginStep::Done => next.after_login(None),
                _ => onward("/login/second/", next.queried()),
            };
            Ok(Redirect::to(&place).into_response())
        }
        Ok(None) => page.ask_again("log_in.html", &form.refuse_form(WRONG)),
        Err(error @ AuthError::Throttled { retry_after }) => {
            page.ask_later("log_in.html", &form.refuse_form(error.to_string()), retry_after)
        }
        Err(error) => Err(error.into()),
    }
}

/// The next page of a login, with the place that the person wants to go to.
pub(super) fn onward(page: &str, next: Option<&str>) -> String {
    let next = next.and_then(|next| next.parse::<Uri>().ok());
    let address = next.and_then(|next| login_redirect(page, &next));
    let address = address.and_then(|address| address.to_str().map(str::to_owned).ok());
    address.unwrap_or_else(|| page.to_owned())
}
