//! One's sessions: where one is logged in, and the button that ends the others.

use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::get;
use minijinja::context;
use minijinja::value::Value;
use palisade::auth::{Auth, LoggedIn};
use palisade::session::{Listed, Session, SessionError};
use palisade::{Rejection, Router};

use crate::app::App;
use crate::device;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/sessions/", get(list).post(end_others))
}

async fn list(
    State(app): State<App>,
    user: LoggedIn,
    session: Session,
    page: Page,
) -> Result<Response, Rejection> {
    let store = session.sessions().store();
    let listed = store
        .list(&user.id.to_string(), app.clock.now())
        .await
        .map_err(SessionError::from)?;
    let here = session.key().await?;
    let lines: Vec<Value> = listed
        .iter()
        .map(|one| line(one, Some(&one.key) == here.as_ref()))
        .collect();
    page.show(
        "sessions.html",
        context! { others => lines.len().saturating_sub(1), sessions => lines },
    )
}

async fn end_others(user: LoggedIn, auth: Auth) -> Result<Redirect, Rejection> {
    let ended = auth.log_out_everywhere_else(&user).await?;
    let sentence = match ended {
        0 => "You were logged in nowhere else.".to_owned(),
        1 => "One other session has ended.".to_owned(),
        more => format!("{more} other sessions have ended."),
    };
    leave_notice(auth.session(), &sentence).await?;
    Ok(Redirect::to("/sessions/"))
}

/// What is shown of a session. Its key is not: whoever reads that has the session.
fn line(listed: &Listed, here: bool) -> Value {
    context! {
        here,
        device => device::describe(&listed.device.user_agent),
        agent => listed.device.user_agent.as_str(),
        address => listed.device.address.as_str(),
        begun => moment(listed.created),
        ends => moment(listed.expires),
    }
}
