//! Logging in. A wrong name and a wrong password are answered alike, in the same time; and so is one try too many.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, AuthError, Next};
use palisade::form::{Checked, Form};
use palisade::{Rejection, Sensitive};

use crate::pages::Page;

/// Django's sentence.
const WRONG: &str =
    "Please enter a correct username and password. Note that both fields may be case-sensitive.";

/// Django's `AuthenticationForm`.
#[derive(Form)]
pub(super) struct LogInForm {
    #[form(max_length = 150, autocomplete = "username")]
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
            auth.login(&user).await?;
            Ok(Redirect::to(&next.after_login(None)).into_response())
        }
        Ok(None) => page.ask_again("log_in.html", &form.refuse_form(WRONG)),
        Err(error @ AuthError::Throttled { retry_after }) => {
            page.ask_later("log_in.html", &form.refuse_form(error.to_string()), retry_after)
        }
        Err(error) => Err(error.into()),
    }
}
