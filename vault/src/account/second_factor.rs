//! One's second factor: to be added with a picture, shown its recovery codes once, and removed.
//!
//! Every page here asks for a recent login, so that neither a stolen session nor a machine left open changes it.

use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use minijinja::value::Value;
use palisade::auth::{Auth, EnrolError, LoggedIn, Recent, RecoveryCodes, SecondFactorStatus};
use palisade::form::{Bound, Checked, Form};
use palisade::{Rejection, Sensitive, templates};

use crate::pages::{Page, leave_notice, unprocessable};

/// Under what name an authenticator keeps the secret.
const ISSUER: &str = "Vault";

#[derive(Form)]
pub(super) struct FirstCodeForm {
    #[form(
        label = "Code",
        widget = text,
        autocomplete = "one-time-code",
        autocapitalize = "none",
        inputmode = "numeric",
        help = "The six digits that your authenticator shows now."
    )]
    code: Sensitive<String>,
}

pub(super) async fn overview(user: Recent<LoggedIn>, auth: Auth, page: Page) -> Result<Response, Rejection> {
    match auth.second_factor(&user).await? {
        SecondFactorStatus::Begun => enrolment(&user, &auth, &page, &FirstCodeForm::blank()).await,
        SecondFactorStatus::Confirmed { recovery_codes } => page.show(
            "second_factor.html",
            context! { confirmed => true, recovery_codes },
        ),
        _ => page.show("second_factor.html", context! { confirmed => false }),
    }
}

pub(super) async fn begin(user: Recent<LoggedIn>, auth: Auth) -> Result<Redirect, Rejection> {
    match auth.begin_second_factor(&user, ISSUER).await {
        Err(EnrolError::Auth(error)) => Err(error.into()),
        _ => Ok(Redirect::to("/second-factor/")),
    }
}

pub(super) async fn confirm(
    user: Recent<LoggedIn>,
    auth: Auth,
    page: Page,
    form: Checked<FirstCodeForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return Ok(unprocessable(enrolment(&user, &auth, &page, &form).await?)),
    };
    match auth.confirm_second_factor(&user, &form.code).await {
        Ok(codes) => show_codes(&page, &codes, true),
        Err(EnrolError::Auth(error)) => Err(error.into()),
        Err(error @ EnrolError::WrongCode) => {
            let form = form.refuse("code", error.to_string());
            Ok(unprocessable(enrolment(&user, &auth, &page, &form).await?))
        }
        Err(_) => Ok(Redirect::to("/second-factor/").into_response()),
    }
}

pub(super) async fn renew(user: Recent<LoggedIn>, auth: Auth, page: Page) -> Result<Response, Rejection> {
    match auth.renew_recovery_codes(&user).await {
        Ok(codes) => show_codes(&page, &codes, false),
        Err(EnrolError::Auth(error)) => Err(error.into()),
        Err(_) => Ok(Redirect::to("/second-factor/").into_response()),
    }
}

pub(super) async fn remove(user: Recent<LoggedIn>, auth: Auth) -> Result<Redirect, Rejection> {
    if auth.remove_second_factor(&user).await? {
        leave_notice(
            auth.session(),
            "Nothing but your password is asked for when you log in.",
        )
        .await?;
    }
    Ok(Redirect::to("/second-factor/"))
}

/// Changes nothing: whoever had to give the password between the button and the change comes here, and is asked again.
pub(super) async fn back() -> Redirect {
    Redirect::to("/second-factor/")
}

/// The one place where the secret is taken out of its wrapping, to be shown to its owner.
async fn enrolment(
    user: &Recent<LoggedIn>,
    auth: &Auth,
    page: &Page,
    form: &Bound<FirstCodeForm>,
) -> Result<Response, Rejection> {
    let told = match auth.begin_second_factor(user, ISSUER).await {
        Ok(told) => told,
        Err(EnrolError::Auth(error)) => return Err(error.into()),
        Err(_) => return Ok(Redirect::to("/second-factor/").into_response()),
    };
    let about = context! {
        form => templates::form(form),
        // Palisade has drawn it, and nothing of anybody is in it but squares.
        picture => Value::from_safe_string(told.picture.expose().clone()),
        secret => told.secret.expose().as_str(),
    };
    page.show("second_factor_begun.html", about)
}

fn show_codes(page: &Page, codes: &RecoveryCodes, added: bool) -> Result<Response, Rejection> {
    let codes: Vec<String> = codes.iter().map(|code| code.expose().clone()).collect();
    page.show("recovery_codes.html", context! { codes, added })
}
