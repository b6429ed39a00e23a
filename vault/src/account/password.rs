//! Changing the password, which ends every other session.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, AuthError, LoggedIn, PasswordChangeError};
use palisade::form::{Checked, Form, FormErrors};
use palisade::{Rejection, Sensitive};

use super::sentences;
use crate::pages::{Page, leave_notice};

/// Django's `PasswordChangeForm`.
#[derive(Form)]
#[form(clean = both_passwords_alike)]
pub(super) struct PasswordForm {
    #[form(autocomplete = "current-password")]
    old_password: Sensitive<String>,
    #[form(
        label = "New password",
        autocomplete = "new-password",
        help = "Four or five words are good; your name and what everybody uses are not."
    )]
    new_password1: Sensitive<String>,
    #[form(label = "New password once more", autocomplete = "new-password")]
    new_password2: Sensitive<String>,
}

fn both_passwords_alike(form: &mut PasswordForm, errors: &mut FormErrors) {
    if !form.new_password1.matches(&form.new_password2) {
        errors.add("new_password2", "The two password fields didn’t match.");
    }
}

pub(super) async fn ask(_user: LoggedIn, page: Page) -> Result<Response, Rejection> {
    page.ask("password.html", &PasswordForm::blank())
}

pub(super) async fn take(
    user: LoggedIn,
    auth: Auth,
    page: Page,
    form: Checked<PasswordForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("password.html", &form),
    };
    let refused = match auth
        .change_password(&user, &form.old_password, &form.new_password1)
        .await
    {
        Ok(()) => {
            let sentence = "Your password is changed. Every other session of yours has ended.";
            leave_notice(auth.session(), sentence).await?;
            return Ok(Redirect::to("/profile/").into_response());
        }
        Err(PasswordChangeError::Password(problems)) => form.refuse("new_password1", sentences(&problems)),
        Err(PasswordChangeError::Auth(error @ AuthError::Throttled { retry_after })) => {
            let form = form.refuse("old_password", error.to_string());
            return page.ask_later("password.html", &form, retry_after);
        }
        Err(PasswordChangeError::Auth(error)) => return Err(error.into()),
        // The old password is wrong: the error is the sentence.
        Err(error) => form.refuse("old_password", error.to_string()),
    };
    page.ask_again("password.html", &refused)
}
