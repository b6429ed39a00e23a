//! One's sessions: where one is logged in, a button for each other one that ends it, and one that ends them all.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use axum::routing::get;
use minijinja::context;
use minijinja::value::Value;
use palisade::auth::{Auth, LoggedIn, Recent};
use palisade::session::{Listed, Session, SessionError};
use palisade::{Rejection, Router};

use crate::app::App;
use crate::device;
use crate::pages::moment::moment;
use crate::pages::{Page, leave_notice};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sessions/", get(list).post(end_others))
        .route("/sessions/{handle}/end/", get(back).post(end_one))
        .logged_in()
}

async fn list(
    State(app): State<App>,
    user: LoggedIn,
    session: Session,
    page: Page,
) -> Result<Response, Rejection> {
    let listed = sessions_of(&user, &session, app.clock.now()).await?;
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

/// Whoever has stolen a session must not end the owner's.
async fn end_others(user: Recent<LoggedIn>, auth: Auth) -> Result<Redirect, Rejection> {
    let ended = auth.log_out_everywhere_else(&user).await?;
    let sentence = match ended {
        0 => "You were logged in nowhere else.".to_owned(),
        1 => "One other session has ended.".to_owned(),
        more => format!("{more} other sessions have ended."),
    };
    leave_notice(auth.session(), &sentence).await?;
    Ok(Redirect::to("/sessions/"))
}

/// Ends one of the user's own sessions; the one that asks has the log-out button for that.
async fn end_one(
    State(app): State<App>,
    user: LoggedIn,
    session: Session,
    Path(asked): Path<String>,
) -> Result<Redirect, Rejection> {
    let here = session.key().await?;
    let listed = sessions_of(&user, &session, app.clock.now()).await?;
    let found = listed
        .iter()
        .find(|one| handle(one) == asked && Some(&one.key) != here.as_ref());
    let sentence = match found {
        Some(one) => {
            let store = session.sessions().store();
            store.delete(&one.key).await.map_err(SessionError::from)?;
            "That session has ended."
        }
        None => "There is no such session any more.",
    };
    leave_notice(&session, sentence).await?;
    Ok(Redirect::to("/sessions/"))
}

/// Ends nothing: whoever had to log in between the button and the end comes here.
async fn back(_user: LoggedIn) -> Redirect {
    Redirect::to("/sessions/")
}

async fn sessions_of(
    user: &LoggedIn,
    session: &Session,
    now: SystemTime,
) -> Result<Vec<Listed>, SessionError> {
    let store = session.sessions().store();
    Ok(store.list(&user.id.to_string(), now).await?)
}

/// Names a session among its owner's without its key: the microsecond in which it was begun. It stays the same when the key
/// is changed.
fn handle(listed: &Listed) -> String {
    let begun = listed.created.duration_since(UNIX_EPOCH).unwrap_or_default();
    begun.as_micros().to_string()
}

/// What is shown of a session. Its key is not: whoever reads that has the session.
fn line(listed: &Listed, here: bool) -> Value {
    context! {
        here,
        handle => handle(listed),
        device => device::describe(&listed.device.user_agent),
        agent => listed.device.user_agent.as_str(),
        address => listed.device.address.as_str(),
        begun => moment(listed.created),
        ends => moment(listed.expires),
    }
}
