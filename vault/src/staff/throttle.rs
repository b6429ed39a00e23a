//! Who has to wait after too many wrong passwords, and letting them try again.
//!
//! The counts name no account; so staff types the name, and sees what is counted for it. That there is such an account is nothing
//! that this page says.

use std::net::IpAddr;

use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Value;
use palisade::auth::Staff;
use palisade::form::{Checked, Form};
use palisade::session::Session;
use palisade::templates;
use palisade::throttle::{Bucket, Kind, Scope, Throttled, Throttles};
use palisade::{Policies as _, Rejection, Router};

use super::Room;
use crate::app::App;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};

pub(super) const ROOM: Room = Room {
    address: "/staff/throttle/",
    name: "Waiting",
    about: "Who has to wait after too many wrong passwords.",
};

/// As many as one page shows.
const MOST: usize = 100;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/staff/throttle/", get(list))
        .route("/staff/throttle/clear/", get(back).merge(post(clear)).recent())
}

/// Whom staff lets try again.
#[derive(Form)]
struct ClearForm {
    #[form(
        label = "Account or address",
        max_length = 150,
        autocomplete = "off",
        autocapitalize = "none"
    )]
    whom: String,
}

async fn list(
    Query(query): Query<Vec<(String, String)>>,
    throttles: Throttles,
    page: Page,
) -> Result<Response, Rejection> {
    let named = query.into_iter().find(|(name, _)| name == "whom");
    let whom = named.map(|(_, whom)| whom).filter(|whom| !whom.is_empty());
    let counted = match &whom {
        Some(whom) => counted_for(&throttles, whom).await?,
        None => throttles.list(MOST).await?,
    };
    // Who was looked up is most likely who is to try again.
    let form = ClearForm::blank().with_initial("whom", whom.iter().map(String::as_str));
    let about = context! {
        counts => counted.iter().map(line).collect::<Vec<_>>(),
        form => templates::form(&form),
        whom,
    };
    page.show("throttle.html", about)
}

/// A name may look like an address: then it is both.
async fn counted_for(throttles: &Throttles, whom: &str) -> Result<Vec<Throttled>, Rejection> {
    let mut counted = throttles.of_account_named(whom).await?;
    if let Ok(address) = whom.parse::<IpAddr>() {
        counted.extend(throttles.of_address(address).await?);
    }
    Ok(counted)
}

/// Clears nothing: whoever had to log in between the button and the clearing comes here.
async fn back() -> Redirect {
    Redirect::to("/staff/throttle/")
}

async fn clear(
    staff: Staff,
    throttles: Throttles,
    session: Session,
    page: Page,
    form: Checked<ClearForm>,
) -> Result<Response, Rejection> {
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return page.ask_again("throttle.html", &form),
    };
    let mut cleared = throttles.clear_account(&form.whom).await?;
    // The buttons of the list say which count they are beside; no account has such a name.
    if let Ok(bucket) = form.whom.parse::<Bucket>() {
        cleared += usize::from(throttles.clear(bucket).await?);
    }
    if let Ok(address) = form.whom.parse::<IpAddr>() {
        cleared += throttles.clear_address(address).await?;
    }
    tracing::info!(target: "vault::staff", staff = staff.id, cleared, "counts of wrong passwords were cleared");
    let sentence = match cleared {
        0 => "Nothing was counted there.",
        _ => "Cleared: they may try again at once.",
    };
    leave_notice(&session, sentence).await?;
    Ok(Redirect::to("/staff/throttle/").into_response())
}

fn line(counted: &Throttled) -> Value {
    context! {
        what => what(counted.scope),
        whom => match (counted.kind, counted.network) {
            (Kind::Network, Some(network)) => network.to_string(),
            (Kind::Network, None) => "a network".to_owned(),
            (Kind::Device, _) => "a known device".to_owned(),
            _ => "an account".to_owned(),
        },
        failures => counted.failures,
        place => counted.bucket.to_string(),
        until => moment(counted.until),
    }
}

fn what(scope: Scope) -> &'static str {
    match scope {
        Scope::Login => "logging in",
        Scope::PasswordChange => "changing the password",
        Scope::Reauthentication => "confirming the password",
        Scope::SecondFactor => "the second factor",
        Scope::PasswordReset => "resetting the password",
        Scope::SignUp => "signing up",
        _ => "something else",
    }
}
