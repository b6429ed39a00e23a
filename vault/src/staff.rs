//! The staff area: what those see who look after the vault, and nobody else.
//!
//! A member of staff sees who has an account, and no note. Each room of the area brings its own routes and one [`Room`], by
//! which the front page leads there; [`ROOMS`] and [`routes`] are the two places where a new one is named.

pub(crate) mod appoint;
pub(crate) mod certificate;
mod csp;
mod throttle;
mod users;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use minijinja::value::Value;
use palisade::{Rejection, Router};

use crate::app::App;
use crate::pages::Page;
use crate::pages::moment::moment;
use crate::reach::Reach;
use users::{PAGE, UserLine};

pub(crate) use users::People;

/// A room of the staff area, as the front page leads to it.
#[derive(Clone, Copy, Debug)]
struct Room {
    address: &'static str,
    name: &'static str,
    about: &'static str,
}

/// The rooms beside the front page: `throttle::ROOM` and so on.
const ROOMS: &[Room] = &[csp::ROOM, throttle::ROOM];

/// The area is there for staff, from its networks and with its certificates, if it has any: all of it must be so at once.
pub(crate) fn routes(reach: &Reach) -> Router<App> {
    // A room's own routes are merged before the rule, which then holds for them, too.
    let routes = Router::new()
        .route("/staff/", get(front))
        .merge(csp::routes())
        .merge(throttle::routes())
        .staff()
        .networks(&reach.staff_networks);
    if reach.staff_certificate {
        routes.client_certificate_required()
    } else {
        routes
    }
}

/// Where in the list of accounts the page begins.
#[derive(Debug, Default)]
struct After(String);

impl After {
    fn of(query: Vec<(String, String)>) -> Self {
        let named = query.into_iter().find(|(name, _)| name == "after");
        Self(named.map(|(_, username)| username).unwrap_or_default())
    }
}

async fn front(
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
    page: Page,
) -> Result<Response, Rejection> {
    let After(after) = After::of(query);
    let users = app.people.list(&after)?;
    // A full page may be the last one; then the next says that there is nobody more.
    let next = (users.len() == PAGE).then(|| users.last().map(|user| user.username.clone()));
    let about = context! {
        rooms => ROOMS.iter().map(room).collect::<Vec<_>>(),
        users => users.iter().map(line).collect::<Vec<_>>(),
        begins => after.is_empty(),
        after => next.flatten(),
    };
    page.show("staff.html", about)
}

fn room(room: &Room) -> Value {
    context! { address => room.address, name => room.name, about => room.about }
}

fn line(user: &UserLine) -> Value {
    context! {
        username => user.username.as_str(),
        active => user.is_active,
        staff => user.is_staff,
        superuser => user.is_superuser,
        last_login => user.last_login.map(moment),
    }
}
