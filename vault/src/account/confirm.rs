//! The password once more, before something that cannot be taken back.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, LoggedIn, Next};
use palisade::form::{Checked, Form};
use palisade::{Rejection, Sensitive};

use crate::pages::Page;

#[derive(Form)]
pub(super) struct ConfirmForm {
    #[form(autocomplete = "current-password")]
    password: Sensitive<String>,
}

pub(super) async fn ask(page: Page) -> Result<Response, Rejection> {
    page.ask("confirm.html", &ConfirmForm::blank())
}

pub(super) async fn take(
    user: LoggedIn,
    auth: Auth,
    next: Next,
    page: Page,
    form: Checked<ConfirmForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("confirm.html", &form),
    };
    if auth.confirm(&user, &form.password).await? {
        return Ok(Redirect::to(&next.after_login(None)).into_response());
    }
    let wrong = "That is not your password. Please enter it again.";
    page.ask_again("confirm.html", &form.refuse("password", wrong))
}
