//! Sharing something of one's own with somebody, for ever or until a day, and taking that back: a note to see or to edit, a document to see.
//!
//! The page does not tell whether anybody has the name: a name that nobody has stands in the list like any other.

use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get};
use minijinja::context;
use minijinja::value::Value;
use palisade::form::{Bound, Checked, Form};
use palisade::rows::{Grant, GrantError, Owned, OwnedRow, Role, RowError};
use palisade::session::Session;
use palisade::{Policies as _, Rejection, Router, templates};
use time::macros::format_description;
use time::{Date, Time};

use crate::app::App;
use crate::pages::moment::end;
use crate::pages::{Page, leave_notice};

/// What of one's own can be shared.
pub(crate) trait Shareable: OwnedRow + Send + Sync {
    /// The form in which it is asked with whom, what for and until when.
    type Terms: Terms;
    /// What one calls it.
    const THING: &'static str;

    /// What this one is called.
    fn title(&self) -> &str;

    /// Where this one is, with a slash at its end.
    fn place(&self) -> String;
}

/// With whom, what for, until when.
pub(crate) trait Terms: Form + Send {
    /// The name of the person.
    fn username(&self) -> &str;

    /// What they may.
    fn role(&self) -> Role;

    /// The last day, or nothing.
    fn until(&self) -> &str;
}

/// Whose grant is taken back.
#[derive(Form)]
struct RevokeForm {
    #[form(max_length = 150, widget = hidden)]
    username: String,
}

/// The page, and the button on it, below the address of a thing.
pub(crate) fn routes<T: Shareable>(place: &str) -> Router<App> {
    let owned = |route: MethodRouter<App>| route.owned::<T>();
    Router::new()
        .route(&format!("{place}share/"), owned(get(ask::<T>).post(take::<T>)))
        .route(
            &format!("{place}revoke/"),
            owned(get(back::<T>).post(revoke::<T>)),
        )
}

async fn about<T: Shareable>(app: &App, item: &Owned<T>, form: &Bound<T::Terms>) -> Result<Value, Rejection> {
    let now = app.clock.now();
    let grants: Vec<Value> = item
        .grants()
        .await?
        .iter()
        .map(|grant| line(grant, now))
        .collect();
    Ok(context! {
        thing => T::THING,
        place => item.place(),
        title => item.title(),
        grants,
        form => templates::form(form),
    })
}

fn line(grant: &Grant, now: SystemTime) -> Value {
    context! {
        username => grant.username.as_str(),
        edits => grant.role == Role::Editor,
        until => grant.until.map(end),
        ended => !grant.counts_at(now),
    }
}

async fn ask<T: Shareable>(
    State(app): State<App>,
    item: Owned<T>,
    page: Page,
) -> Result<Response, Rejection> {
    page.show("share.html", about(&app, &item, &T::Terms::blank()).await?)
}

async fn take<T: Shareable>(
    State(app): State<App>,
    item: Owned<T>,
    session: Session,
    page: Page,
    form: Checked<T::Terms>,
) -> Result<Response, Rejection> {
    let again = async |form| page.show_again("share.html", about(&app, &item, &form).await?);
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return again(form).await,
    };
    let until = match form.until() {
        "" => None,
        day => match end_of(day).filter(|end| *end > app.clock.now()) {
            Some(end) => Some(end),
            None => return again(form.refuse("until", "Enter a day that is not over yet.")).await,
        },
    };
    if form.username() == item.owner().username {
        let own = format!("That is you: the {} is yours already.", T::THING);
        return again(form.refuse("username", own)).await;
    }
    match item.grant(form.username(), form.role(), until).await {
        Ok(true) => {}
        Ok(false) => {
            return Err(Rejection::not_found(
                "what was to be shared was deleted meanwhile",
            ));
        }
        Err(GrantError::Name) => return again(form.refuse("username", "That is no name.")).await,
        Err(GrantError::Rows(RowError::Full { most })) => {
            let full = format!(
                "A {} can be shared with {most} people. Take one back first.",
                T::THING
            );
            return again(form.refuse_form(full)).await;
        }
        Err(error) => return Err(error.into()),
    }
    let sentence = format!("Shared with {}, if somebody has this name.", form.username());
    leave_notice(&session, &sentence).await?;
    Ok(to_share(&item).into_response())
}

/// Takes nothing back: whoever had to log in between comes here, and is asked again.
async fn back<T: Shareable>(item: Owned<T>) -> Redirect {
    to_share(&item)
}

async fn revoke<T: Shareable>(
    item: Owned<T>,
    session: Session,
    form: Checked<RevokeForm>,
) -> Result<Redirect, Rejection> {
    if let Ok(form) = form.validate() {
        let taken = item.revoke(&form.username).await?;
        let sentence = if taken {
            format!("Not shared with {} any more.", form.username)
        } else {
            "That was taken back already.".to_owned()
        };
        leave_notice(&session, &sentence).await?;
    }
    Ok(to_share(&item))
}

fn to_share<T: Shareable>(item: &Owned<T>) -> Redirect {
    Redirect::to(&format!("{}share/", item.place()))
}

/// The moment at which a day is over, in UTC.
pub(crate) fn end_of(day: &str) -> Option<SystemTime> {
    let day = Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?;
    let begins: SystemTime = day.with_time(Time::MIDNIGHT).assume_utc().into();
    begins.checked_add(Duration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_day_counts_to_its_end() {
        assert_eq!(end_of("1970-01-01"), Some(UNIX_EPOCH + Duration::from_hours(24)));
        for none in [
            "2030-02-30",
            "2030-13-01",
            "2030-1-1",
            "tomorrow",
            "0000-00-00",
            "",
        ] {
            assert_eq!(end_of(none), None, "{none}");
        }
    }
}
