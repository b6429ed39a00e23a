//! What the content security policy has stopped, as browsers report it: the first sign of script that does not belong here.
//!
//! Reports come from anybody, so they are shown as hints and as text; the library has cut them down and counted them before.

use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::Value;
use palisade::headers::csp_report::{Disposition, Seen};
use palisade::session::Session;
use palisade::{Policies as _, Rejection, Router};

use super::Room;
use crate::app::App;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};

pub(super) const ROOM: Room = Room {
    address: "/staff/csp/",
    name: "Stopped by the policy",
    about: "What browsers kept from running or loading here.",
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/staff/csp/", get(list))
        .route("/staff/csp/clear/", get(back).merge(post(clear)).recent())
}

async fn list(State(app): State<App>, page: Page) -> Result<Response, Rejection> {
    let reports: Vec<Value> = app.csp_reports.list().iter().map(line).collect();
    page.show(
        "csp.html",
        context! { reports, dropped => app.csp_reports.dropped() },
    )
}

/// Clears nothing: whoever had to log in between the button and the clearing comes here.
async fn back() -> Redirect {
    Redirect::to("/staff/csp/")
}

async fn clear(State(app): State<App>, session: Session) -> Result<Redirect, Rejection> {
    app.csp_reports.clear().await?;
    leave_notice(&session, "The reports are cleared.").await?;
    Ok(Redirect::to("/staff/csp/"))
}

fn line(seen: &Seen) -> Value {
    let violation = &seen.violation;
    context! {
        count => seen.count,
        directive => violation.directive(),
        blocked => violation.blocked(),
        document => violation.document(),
        source => violation.source(),
        on_trial => violation.disposition() == Disposition::Reported,
        last => moment(seen.last),
    }
}
