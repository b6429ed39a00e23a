//! Sharing a note with somebody, to see or to edit, for ever or until a day, and taking that back.
//!
//! The page does not tell whether anybody has the name: a name that nobody has stands in the list like any other.

use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::context;
use minijinja::value::Value;
use palisade::Rejection;
use palisade::form::{Bound, Checked, Form};
use palisade::rows::{Grant, GrantError, Owned, Role, RowError};
use palisade::session::Session;
use palisade::templates;
use time::macros::format_description;
use time::{Date, Time};

use super::store::Note;
use crate::app::App;
use crate::pages::moment::end;
use crate::pages::{Page, leave_notice};

/// With whom, what for, until when.
#[derive(Form)]
pub(super) struct ShareForm {
    #[form(
        label = "Name of the person",
        max_length = 150,
        autocomplete = "off",
        autocapitalize = "none",
        help = "The name they log in with. Whether somebody has it is not told here."
    )]
    username: String,
    #[form(label = "They may", initial = "viewer", choices = [("viewer", "see it"), ("editor", "see and edit it")])]
    role: String,
    #[form(
        label = "Until",
        optional,
        regex = r"^\d{4}-\d{2}-\d{2}$",
        max_length = 10,
        widget = date,
        autocomplete = "off",
        help = "The last day (UTC). Empty: until you take it back."
    )]
    until: String,
}

/// Whose grant is taken back.
#[derive(Form)]
pub(super) struct RevokeForm {
    #[form(max_length = 150, widget = hidden)]
    username: String,
}

async fn about(app: &App, note: &Owned<Note>, form: &Bound<ShareForm>) -> Result<Value, Rejection> {
    let now = app.clock.now();
    let grants: Vec<Value> = note
        .grants()
        .await?
        .iter()
        .map(|grant| line(grant, now))
        .collect();
    Ok(context! { id => note.id, title => note.title.as_str(), grants, form => templates::form(form) })
}

fn line(grant: &Grant, now: SystemTime) -> Value {
    context! {
        username => grant.username.as_str(),
        edits => grant.role == Role::Editor,
        until => grant.until.map(end),
        ended => !grant.counts_at(now),
    }
}

pub(super) async fn ask(
    State(app): State<App>,
    note: Owned<Note>,
    page: Page,
) -> Result<Response, Rejection> {
    page.show("share.html", about(&app, &note, &ShareForm::blank()).await?)
}

pub(super) async fn take(
    State(app): State<App>,
    note: Owned<Note>,
    session: Session,
    page: Page,
    form: Checked<ShareForm>,
) -> Result<Response, Rejection> {
    let again = async |form| page.show_again("share.html", about(&app, &note, &form).await?);
    let form = match form.validate() {
        Ok(form) => form,
        Err(form) => return again(form).await,
    };
    let until = match form.until.as_str() {
        "" => None,
        day => match end_of(day).filter(|end| *end > app.clock.now()) {
            Some(end) => Some(end),
            None => return again(form.refuse("until", "Enter a day that is not over yet.")).await,
        },
    };
    if form.username == note.owner().username {
        return again(form.refuse("username", "That is you: the note is yours already.")).await;
    }
    let role = Role::of_name(&form.role).unwrap_or(Role::Viewer);
    match note.grant(&form.username, role, until).await {
        Ok(true) => {}
        Ok(false) => return Err(Rejection::not_found("the note was deleted meanwhile")),
        Err(GrantError::Name) => return again(form.refuse("username", "That is no name.")).await,
        Err(GrantError::Rows(RowError::Full { most })) => {
            let full = format!("A note can be shared with {most} people. Take one back first.");
            return again(form.refuse_form(full)).await;
        }
        Err(error) => return Err(error.into()),
    }
    let sentence = format!("Shared with {}, if somebody has this name.", form.username);
    leave_notice(&session, &sentence).await?;
    Ok(to_share(&note).into_response())
}

/// Takes nothing back: whoever had to log in between comes here, and is asked again.
pub(super) async fn back(note: Owned<Note>) -> Redirect {
    to_share(&note)
}

pub(super) async fn revoke(
    note: Owned<Note>,
    session: Session,
    form: Checked<RevokeForm>,
) -> Result<Redirect, Rejection> {
    if let Ok(form) = form.validate() {
        let taken = note.revoke(&form.username).await?;
        let sentence = if taken {
            format!("Not shared with {} any more.", form.username)
        } else {
            "That was taken back already.".to_owned()
        };
        leave_notice(&session, &sentence).await?;
    }
    Ok(to_share(&note))
}

fn to_share(note: &Note) -> Redirect {
    Redirect::to(&format!("/secret/{}/share/", note.id))
}

/// The moment at which a day is over, in UTC.
fn end_of(day: &str) -> Option<SystemTime> {
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
