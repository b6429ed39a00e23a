//! A row that is one's own or that its owner has granted, as an extractor.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request;

use super::asker::{Asker, Found, id_in_path, not_there};
use super::database::RowError;
use super::held;
use super::role::{AtLeast, Editor, Role};
use super::{OwnedRow, RowChange};
use crate::rejection::Rejection;

/// The row that the address names, if who is logged in owns it, or was granted this role (or a stronger one) and the grant has not
/// ended.
///
/// It is found by one query, and everything else is the same 404 as of [`Owned`](super::Owned). To delete it and to share it stays
/// with the owner: here are no methods for that.
///
/// # Example
///
/// ```
/// use palisade::rows::{Editor, Owned, Reach, Viewer};
/// use palisade::Rejection;
///
/// #[derive(Owned)]
/// #[owned(table = "note", id = "id", owner = "owner", name = "note", change = Rewrite(body))]
/// struct Note {
///     id: i64,
///     body: String,
/// }
///
/// async fn read(note: Reach<Note, Viewer>) -> String {
///     note.body.clone()
/// }
///
/// async fn rewrite(note: Reach<Note, Editor>, body: String) -> Result<&'static str, Rejection> {
///     let done = note.update(Rewrite { body }).await?;
///     Ok(if done { "done" } else { "it was taken back meanwhile" })
/// }
/// # let _: axum::Router = axum::Router::new().route("/{id}/", axum::routing::get(read).post(rewrite));
/// ```
///
/// Whoever may see it may not change it, and nobody but the owner deletes it: neither compiles.
///
/// ```compile_fail,E0599
/// # use palisade::rows::{OwnedRow, Reach, RowChange, Viewer};
/// async fn change<T: OwnedRow, C: RowChange<Row = T>>(row: Reach<T, Viewer>, change: C) {
///     row.update(change).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// # use palisade::rows::{Editor, OwnedRow, Reach};
/// async fn delete<T: OwnedRow>(row: Reach<T, Editor>) {
///     row.delete().await;
/// }
/// ```
#[derive(Debug)]
pub struct Reach<T, R = super::Viewer> {
    found: Found<T>,
    asker: Asker,
    role: PhantomData<fn() -> R>,
}

impl<T, R> Deref for Reach<T, R> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.found.row
    }
}

impl<T: OwnedRow, R: AtLeast, S: Sync> FromRequestParts<S> for Reach<T, R> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        let asker = Asker::of(parts).await?;
        let found = match held::take::<T>(parts) {
            Some(found) => Some(found),
            None => match id_in_path::<T>(parts).await? {
                Some(id) => asker.reach::<T>(&id, R::ROLE).await?,
                None => None,
            },
        };
        let may = |found: &Found<T>| found.granted.is_none_or(|role| role >= R::ROLE);
        let found = found.filter(may).ok_or_else(not_there::<T>)?;
        Ok(Self {
            found,
            asker,
            role: PhantomData,
        })
    }
}

impl<T: OwnedRow, R: AtLeast> Reach<T, R> {
    /// The row itself.
    pub fn into_row(self) -> T {
        self.found.row
    }

    /// The number of the user who owns the row.
    pub fn owner_id(&self) -> i64 {
        self.found.owner
    }

    /// What was granted; nothing, if the row is one's own.
    pub fn granted(&self) -> Option<Role> {
        self.found.granted
    }

    /// Says whether the row is one's own.
    pub fn is_own(&self) -> bool {
        self.found.granted.is_none()
    }

    /// Says whether who is logged in may change the row.
    pub fn may_edit(&self) -> bool {
        self.found.granted.is_none_or(|role| role >= Role::Editor)
    }

    /// Gives up what was granted, as who was granted it. Says whether there was something.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn leave(&self) -> Result<bool, RowError> {
        self.asker.leave::<T>(self.found.row.id()).await
    }
}

impl<T: OwnedRow> Reach<T, Editor> {
    /// Writes a change in one statement that asks once more whether it is granted: what was taken back meanwhile, or has ended, changes
    /// nothing. Says whether it did.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn update<C: RowChange<Row = T>>(&self, change: C) -> Result<bool, RowError> {
        self.asker.update(self.found.row.id(), change, false).await
    }
}
