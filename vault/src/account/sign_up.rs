//! Signing up: an account without any privilege, and at once logged in.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::auth::{Auth, AuthError, NewUser, Next, SignUpError};
use palisade::form::{Checked, Form, FormErrors};
use palisade::password::normalize_email;
use palisade::{Rejection, Sensitive};

use super::sentences;
use crate::pages::{Page, leave_notice};

/// Django's `UserCreationForm`, and an address.
#[derive(Form)]
#[form(clean = both_passwords_alike)]
pub(super) struct SignUpForm {
    #[form(username, help = "Letters, digits and @ . + - _ only.")]
    username: String,
    #[form(
        label = "Email address (optional)",
        optional,
        email,
        max_length = 254,
        autocomplete = "email"
    )]
    email: String,
    #[form(
        label = "Password",
        autocomplete = "new-password",
        help = "Four or five words are good; your name and what everybody uses are not."
    )]
    password1: Sensitive<String>,
    #[form(label = "Password once more", autocomplete = "new-password")]
    password2: Sensitive<String>,
}

fn both_passwords_alike(form: &mut SignUpForm, errors: &mut FormErrors) {
    if !form.password1.matches(&form.password2) {
        errors.add("password2", "The two password fields didn’t match.");
    }
}

pub(super) async fn ask(page: Page) -> Result<Response, Rejection> {
    page.ask("sign_up.html", &SignUpForm::blank())
}

pub(super) async fn take(
    auth: Auth,
    next: Next,
    page: Page,
    form: Checked<SignUpForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("sign_up.html", &form),
    };
    let new = NewUser {
        username: form.username.clone(),
        email: normalize_email(&form.email),
        ..NewUser::default()
    };
    let refused = match auth.sign_up(new, &form.password1).await {
        Ok(user) => {
            // A new account has no second factor.
            let _done = auth.login(&user).await?;
            leave_notice(
                auth.session(),
                "Welcome. Your account is ready, and you are logged in.",
            )
            .await?;
            return Ok(Redirect::to(&next.after_login(None)).into_response());
        }
        Err(SignUpError::Password(problems)) => form.refuse("password1", sentences(&problems)),
        Err(SignUpError::Auth(error @ AuthError::Throttled { retry_after })) => {
            return page.ask_later("sign_up.html", &form.refuse_form(error.to_string()), retry_after);
        }
        Err(SignUpError::Auth(error)) => return Err(error.into()),
        // The name is taken, or none: the error is the sentence.
        Err(error) => form.refuse("username", error.to_string()),
    };
    page.ask_again("sign_up.html", &refused)
}
