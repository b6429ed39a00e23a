//! One's own row, as an extractor: a handler that asks for it is reached by nobody but its owner.

use std::ops::Deref;
use std::time::SystemTime;

use axum::extract::FromRequestParts;
use http::request;

use super::asker::{Asker, Found, GrantError, id_in_path, not_there};
use super::database::RowError;
use super::held;
use super::role::{Grant, Role};
use super::{OwnedRow, RowChange};
use crate::auth::LoggedIn;
use crate::password::Username;
use crate::rejection::Rejection;

/// The row that the address names, if it belongs to who is logged in.
///
/// Nobody is answered as [`LoggedIn`] answers. A row that is not there, one of somebody else, and an id that is none are one
/// and the same 404: an id that can be guessed tells nothing.
///
/// # Example
///
/// ```
/// use palisade::rows::Owned;
/// use palisade::{Rejection, Sensitive};
///
/// #[derive(Owned)]
/// #[owned(table = "note", id = "id", owner = "owner", name = "note", change = Retitle(title))]
/// struct Note {
///     id: i64,
///     title: String,
///     body: Sensitive<String>,
/// }
///
/// async fn read(note: Owned<Note>) -> String {
///     note.title.clone()
/// }
///
/// async fn retitle(note: Owned<Note>, title: String) -> Result<&'static str, Rejection> {
///     note.update(Retitle { title }).await?;
///     Ok("done")
/// }
/// # let _: axum::Router = axum::Router::new().route("/{id}/", axum::routing::get(read).post(retitle));
/// ```
///
/// There is no other way to one: it cannot be made.
///
/// ```compile_fail,E0423
/// # use palisade::rows::{Owned, OwnedRow};
/// fn forge<T: OwnedRow>(row: T) -> Owned<T> {
///     Owned(row)
/// }
/// ```
#[derive(Debug)]
pub struct Owned<T> {
    row: T,
    asker: Asker,
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.row
    }
}

impl<T: OwnedRow, S: Sync> FromRequestParts<S> for Owned<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        let asker = Asker::of(parts).await?;
        let found = match held::take::<T>(parts) {
            Some(found) => Some(found),
            None => match id_in_path::<T>(parts).await? {
                Some(id) => asker.find::<T>(&id).await?,
                None => None,
            },
        };
        let own = found.filter(|found| found.granted.is_none());
        own.map(|found| Self::of(asker, found)).ok_or_else(not_there::<T>)
    }
}

impl<T: OwnedRow> Owned<T> {
    pub(super) fn of(asker: Asker, found: Found<T>) -> Self {
        Self {
            row: found.row,
            asker,
        }
    }

    pub(super) fn asker(&self) -> &Asker {
        &self.asker
    }

    /// The row itself.
    pub fn into_row(self) -> T {
        self.row
    }

    /// The owner, who is who is logged in.
    pub fn owner(&self) -> &LoggedIn {
        self.asker.user()
    }

    /// Writes a change in one statement that names the owner. Says whether it did: the row may have been deleted meanwhile.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn update<C: RowChange<Row = T>>(&self, change: C) -> Result<bool, RowError> {
        self.asker.update(self.row.id(), change, true).await
    }

    /// Deletes the row, whatever was granted of it and its links, in one statement that names the owner. Says whether it did.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn delete(self) -> Result<bool, RowError> {
        self.asker.delete::<T>(self.row.id()).await
    }

    /// Grants a role to the user of this name, until a time or for ever; what was granted to that name before is replaced.
    ///
    /// # Security
    ///
    /// A name that nobody has is kept and listed like one that somebody has, and opens the row for nobody, not even for who
    /// takes the name later: so sharing does not tell who has an account. Who has just made an account is granted anew.
    ///
    /// # Errors
    ///
    /// [`GrantError::Name`] for what cannot be a name; [`RowError::Full`] when the row was granted to a hundred others.
    pub async fn grant(
        &self,
        username: &str,
        role: Role,
        until: Option<SystemTime>,
    ) -> Result<bool, GrantError> {
        let username = Username::normalize(username);
        if username.is_empty() || username.chars().count() > 150 || username.contains(char::is_control) {
            return Err(GrantError::Name);
        }
        self.asker.grant::<T>(self.row.id(), &username, role, until).await
    }

    /// Lists what was granted, also what has ended, by name.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn grants(&self) -> Result<Vec<Grant>, RowError> {
        self.asker.grants::<T>(self.row.id()).await
    }

    /// Takes back what was granted to that name, at once: a change that comes later finds nothing granted. Says whether there was
    /// something.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn revoke(&self, username: &str) -> Result<bool, RowError> {
        self.asker
            .revoke::<T>(self.row.id(), &Username::normalize(username))
            .await
    }
}
