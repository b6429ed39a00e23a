//! A forgotten password: a mail with a link, and the page that the link leads to.
//!
//! The page that asks for the address says the same whoever has it, in the same time; what there is to say to its owner is in the mail.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use palisade::auth::{Auth, ResetError, ResetStep, Resetting};
use palisade::form::{Bound, Checked, Form, FormErrors};
use palisade::{Rejection, Sensitive, templates};

use super::sentences;
use crate::pages::{Page, unprocessable};

/// Django's `PasswordResetForm`.
#[derive(Form)]
pub(super) struct ForgottenForm {
    #[form(label = "Email address", email, max_length = 254, autocomplete = "email")]
    email: String,
}

/// Django's `SetPasswordForm`.
#[derive(Form)]
#[form(clean = both_passwords_alike)]
pub(super) struct NewPasswordForm {
    #[form(
        label = "New password",
        autocomplete = "new-password",
        help = "Four or five words are good; your name and what everybody uses are not."
    )]
    new_password1: Sensitive<String>,
    #[form(label = "New password once more", autocomplete = "new-password")]
    new_password2: Sensitive<String>,
}

fn both_passwords_alike(form: &mut NewPasswordForm, errors: &mut FormErrors) {
    if !form.new_password1.matches(&form.new_password2) {
        errors.add("new_password2", "The two password fields didn’t match.");
    }
}

pub(super) async fn ask(page: Page) -> Result<Response, Rejection> {
    page.ask("forgotten.html", &ForgottenForm::blank())
}

pub(super) async fn take(
    auth: Auth,
    page: Page,
    form: Checked<ForgottenForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("forgotten.html", &form),
    };
    auth.request_reset(&form.email).await?;
    Ok(Redirect::to("/forgot/sent/").into_response())
}

pub(super) async fn sent(page: Page) -> Result<Response, Rejection> {
    page.show("forgotten_sent.html", context! {})
}

pub(super) async fn open(
    auth: Auth,
    page: Page,
    Path((uid, token)): Path<(String, String)>,
) -> Result<Response, Rejection> {
    match auth.open_reset(&uid, &token).await? {
        ResetStep::Elsewhere(here) => Ok(Redirect::to(&here).into_response()),
        ResetStep::Ask(link) => show(&page, &link, &NewPasswordForm::blank()),
        _ => useless(&page),
    }
}

pub(super) async fn set(
    auth: Auth,
    page: Page,
    Path((uid, token)): Path<(String, String)>,
    form: Checked<NewPasswordForm>,
) -> Result<Response, Rejection> {
    let ResetStep::Ask(link) = auth.open_reset(&uid, &token).await? else {
        return useless(&page);
    };
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return Ok(unprocessable(show(&page, &link, &form)?)),
    };
    match auth.reset_password(&link, &form.new_password1).await {
        Ok(_) => Ok(Redirect::to("/reset/done/").into_response()),
        Err(ResetError::Auth(error)) => Err(error.into()),
        Err(ResetError::Password(problems)) => {
            let form = form.refuse("new_password1", sentences(&problems));
            Ok(unprocessable(show(&page, &link, &form)?))
        }
        Err(_) => useless(&page),
    }
}

pub(super) async fn done(page: Page) -> Result<Response, Rejection> {
    page.show("reset_done.html", context! {})
}

fn show(page: &Page, link: &Resetting, form: &Bound<NewPasswordForm>) -> Result<Response, Rejection> {
    let about = context! { form => templates::form(form), whose => link.username() };
    page.show("reset.html", about)
}

/// A link that is used, too old, or none: in each case what to do is the same.
fn useless(page: &Page) -> Result<Response, Rejection> {
    Ok(unprocessable(page.show("reset_useless.html", context! {})?))
}
