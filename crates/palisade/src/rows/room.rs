//! All rows of one person, as an extractor: what is listed, found, added, changed and deleted here is theirs.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request;

use super::asker::{Asker, Found};
use super::database::RowError;
use super::list::List;
use super::owned::Owned;
use super::role::Role;
use super::{NewRow, OwnedRow, RowChange};
use crate::auth::LoggedIn;
use crate::rejection::Rejection;

/// The rows of who is logged in. Nobody is answered as [`LoggedIn`] answers.
///
/// # Example
///
/// ```
/// use palisade::rows::{List, Owned, Rows};
/// use palisade::Rejection;
///
/// #[derive(Owned)]
/// #[owned(table = "note", id = "id", owner = "owner", new = NewNote)]
/// struct Note {
///     id: i64,
///     title: String,
/// }
///
/// async fn mine(notes: Rows<Note>) -> Result<String, Rejection> {
///     let page = notes.list(&List::page(1, 20).order_by("title")).await?;
///     Ok(page.iter().map(|note| note.title.as_str()).collect::<Vec<_>>().join("\n"))
/// }
///
/// async fn write(notes: Rows<Note>, title: String) -> Result<String, Rejection> {
///     let id = notes.add_up_to(500, NewNote { title }).await?;
///     Ok(format!("/{id}/"))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(mine).post(write));
/// ```
#[derive(Clone, Debug)]
pub struct Rows<T> {
    asker: Asker,
    rows: PhantomData<fn() -> T>,
}

/// A row of somebody else, as it stands in the list of what was shared with who is logged in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shared<T> {
    /// The row.
    pub row: T,
    /// The number of the user who owns it.
    pub owner_id: i64,
    /// What was granted.
    pub role: Role,
}

impl<T: OwnedRow, S: Sync> FromRequestParts<S> for Rows<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        Ok(Self {
            asker: Asker::of(parts).await?,
            rows: PhantomData,
        })
    }
}

impl<T: OwnedRow> Rows<T> {
    /// Whose rows they are.
    pub fn owner(&self) -> &LoggedIn {
        self.asker.user()
    }

    /// Lists a page of them.
    ///
    /// # Errors
    ///
    /// [`RowError::NoOrder`] for an order that there is not; or the database cannot answer.
    pub async fn list(&self, list: &List) -> Result<Vec<T>, RowError> {
        self.asker.list(list).await
    }

    /// Counts them.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn count(&self) -> Result<u64, RowError> {
        self.asker.count::<T>().await
    }

    /// Finds the one of this id.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn find(&self, id: &T::Id) -> Result<Option<Owned<T>>, RowError> {
        let found = self.asker.find(id).await?;
        Ok(found.map(|found| Owned::of(self.asker.clone(), found)))
    }

    /// Adds a row, whose owner is who is logged in, and gives its id.
    ///
    /// # Errors
    ///
    /// [`RowError::Taken`] if another has the same unique value; or the database cannot answer.
    pub async fn add<N: NewRow<Row = T>>(&self, new: N) -> Result<T::Id, RowError> {
        self.asker.add(new, None).await
    }

    /// Adds a row, unless its owner has `most` already: also of many requests at the same moment no more than that come through.
    ///
    /// # Errors
    ///
    /// [`RowError::Full`] at the limit; else as [`Rows::add`].
    pub async fn add_up_to<N: NewRow<Row = T>>(&self, most: u32, new: N) -> Result<T::Id, RowError> {
        self.asker.add(new, Some(most)).await
    }

    /// Changes the one of this id, in one statement that names the owner, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn update<C: RowChange<Row = T>>(&self, id: &T::Id, change: C) -> Result<bool, RowError> {
        self.asker.update(id, change, true).await
    }

    /// Deletes the one of this id, whatever was granted of it and its links, in one statement that names the owner, and says whether there was
    /// one.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn delete(&self, id: &T::Id) -> Result<bool, RowError> {
        self.asker.delete::<T>(id).await
    }

    /// Lists what others have shared with who is logged in, the newest grant first. Of the [`List`], the part counts and the order does
    /// not.
    ///
    /// # Errors
    ///
    /// When the database cannot answer.
    pub async fn shared_with_me(&self, list: &List) -> Result<Vec<Shared<T>>, RowError> {
        let found = self.asker.shared(list).await?.into_iter();
        let shared = found.filter_map(|Found { row, owner, granted }| {
            granted.map(|role| Shared {
                row,
                owner_id: owner,
                role,
            })
        });
        Ok(shared.collect())
    }
}
