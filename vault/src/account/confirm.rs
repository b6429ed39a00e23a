//! The password once more, before something that cannot be taken back.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, AuthError, LoggedIn, Next};
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
    match auth.confirm(&user, &form.password).await {
        Ok(true) => Ok(Redirect::to(&next.after_login(None)).into_response()),
        Ok(false) => {
            let wrong = "That is not your password. Please enter it again.";
            page.ask_again("confirm.html", &form.refuse("password", wrong))
        }
        Err(error @ AuthError::Throttled { retry_after }) => {
            let form = form.refuse("password", error.to_string());
            page.ask_later("confirm.html", &form, retry_after)
        }
        Err(error) => Err(error.into()),
    }
}
