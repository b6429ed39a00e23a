//! The second step of a login: the code of the authenticator, or one for recovery.

use std::time::Duration;

use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use palisade::auth::{Auth, Next, SecondFactorStep};
use palisade::form::{Bound, Checked, Form};
use palisade::{Rejection, Sensitive, templates};

use crate::pages::{Page, later, seconds, unprocessable};

const WRONG: &str =
    "That code is wrong, or was used before. Please enter the one that your authenticator shows now.";

#[derive(Form)]
pub(super) struct CodeForm {
    #[form(
        label = "Code",
        widget = text,
        autocomplete = "one-time-code",
        autocapitalize = "none",
        help = "The six digits that your authenticator shows now, or one of your recovery codes."
    )]
    code: Sensitive<String>,
}

pub(super) async fn ask(auth: Auth, page: Page) -> Result<Response, Rejection> {
    match auth.half_login().await? {
        Some(whose) => show(&page, &whose, &CodeForm::blank(), false),
        None => Ok(Redirect::to("/login/").into_response()),
    }
}

pub(super) async fn take(
    auth: Auth,
    next: Next,
    page: Page,
    form: Checked<CodeForm>,
) -> Result<Response, Rejection> {
    let Some(whose) = auth.half_login().await? else {
        return Ok(Redirect::to("/login/").into_response());
    };
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return Ok(unprocessable(show(&page, &whose, &form, false)?)),
    };
    let sentence = match auth.finish_second_factor(&form.code).await? {
        SecondFactorStep::Done(_) => return Ok(Redirect::to(&next.after_login(None)).into_response()),
        SecondFactorStep::Wrong => WRONG,
        SecondFactorStep::TooMany { retry_after } => {
            let wait = spoken(retry_after);
            let sentence = format!("Too many codes were wrong. Please wait {wait}, or use a recovery code.");
            let shown = show(&page, &whose, &form.refuse("code", sentence), true)?;
            return Ok(later(shown, retry_after));
        }
        _ => return Ok(unprocessable(page.show("second_step_ended.html", context! {})?)),
    };
    Ok(unprocessable(show(
        &page,
        &whose,
        &form.refuse("code", sentence),
        false,
    )?))
}

fn show(page: &Page, whose: &str, form: &Bound<CodeForm>, waits: bool) -> Result<Response, Rejection> {
    let about = context! { form => templates::form(form), whose, later => waits };
    page.show("second_step.html", about)
}

fn spoken(wait: Duration) -> String {
    match seconds(wait) {
        0..=1 => "a second".to_owned(),
        seconds @ 2..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}
