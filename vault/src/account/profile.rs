//! One's profile: the form writes three fields, whatever the request says.

use axum::response::{IntoResponse as _, Redirect, Response};
use palisade::Rejection;
use palisade::auth::{AccountEvent, Auth, AuthError, LoggedIn, Profile, Recent};
use palisade::form::{Checked, ModelForm};
use palisade::password::normalize_email;

use crate::pages::{Page, leave_notice};

/// Names what may be written in `fields(…)`; a field that the model gets later stays closed until it is named there.
#[derive(ModelForm)]
#[form(model = Profile, fields(first_name, last_name, email))]
pub(super) struct ProfileForm {
    #[form(optional, max_length = 150, autocomplete = "given-name")]
    first_name: String,
    #[form(optional, max_length = 150, autocomplete = "family-name")]
    last_name: String,
    #[form(
        label = "Email address",
        optional,
        email,
        max_length = 254,
        autocomplete = "email"
    )]
    email: String,
}

pub(super) async fn ask(user: LoggedIn, page: Page) -> Result<Response, Rejection> {
    page.ask("profile.html", &ProfileForm::of(&profile(&user)))
}

pub(super) async fn take(
    user: Recent<LoggedIn>,
    auth: Auth,
    page: Page,
    form: Checked<ProfileForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("profile.html", &form),
    };
    let mut profile = profile(&user);
    let mut form = form.into_form();
    form.email = normalize_email(&form.email);
    let changed = form.apply(&mut profile);
    let sentence = if changed.is_empty() {
        "Nothing has changed."
    } else {
        "Your profile is saved."
    };
    if !changed.is_empty() {
        auth.users()
            .store()
            .save_profile(user.id, profile)
            .await
            .map_err(AuthError::from)?;
    }
    if changed.contains(&"email") {
        auth.tell(&user, AccountEvent::AddressChanged);
    }
    leave_notice(auth.session(), sentence).await?;
    Ok(Redirect::to("/profile/").into_response())
}

fn profile(user: &LoggedIn) -> Profile {
    Profile {
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
    }
}
