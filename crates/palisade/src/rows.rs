//! Rows that belong to users, and cannot be asked for without their owner (threat `broken-access-control`).
//!
//! A table whose rows have an owner is described once, by `#[derive(Owned)]`: its name, the columns of id and owner, and the
//! fields. From then on there are extractors, and no queries to get wrong:
//!
//! | extractor | who gets through | what can be done |
//! |---|---|---|
//! | [`Rows<T>`] | who is logged in | list, find, add, update, delete: one's own rows |
//! | [`Owned<T>`] | the owner of the row in the address | read, update, delete, share |
//! | [`Reach<T, Viewer>`](Reach) | the owner, and to whom the owner granted it | read |
//! | [`Reach<T, Editor>`](Reach) | the owner, and to whom the owner granted to change it | read, update |
//! | [`Linked<T>`] | who holds a link that the owner made, with or without an account | read |
//!
//! 1. Every query names the owner (or the grant) in its `WHERE`, also those that change: nobody comes between a look and a change.
//! 2. What is not there, what is somebody else's, and what is no id at all have one and the same answer, a 404 (CWE-639).
//! 3. The owner of a new row is who is logged in. No field sets it: neither the struct for new rows nor one for changes has it.
//! 4. Grants stand in the table `palisade_grant`; the owner alone makes, lists and takes them back. One counts as long as its time has
//!    not come and the row's owner is who gave it. They go with the row and with either user.
//! 5. Links ([`Owned::link`]) stand in the table `palisade_link`, by a digest of their token that opens nothing. One opens the row until its end,
//!    unless it is taken back before, the row is gone or somebody else's, or its owner may not log in any more.
//!
//! The attributes of `#[owned(…)]`: `table`, `id` and `owner` name the table and its columns; `name` is what a person calls such a
//! row; `parameter` names the address's parameter if it is not `id`; `new = NewNote` writes the struct of a new row with all fields but id
//! and owner (a text id is given with it); `change = EditNote(title, body)` writes a struct that changes those fields, as often as wanted;
//! `#[owned(column = "…")]` on a field names a column that is called otherwise. Several structs may describe one table: a list needs
//! fewer columns than a page.
//!
//! A route says so, too, and then no handler can forget it: `get(read).reach::<Note, Viewer>()`. [`Policies::owned`](crate::Policies::owned)
//! and [`Policies::reach`](crate::Policies::reach) look for the row before the handler runs, and its extractor takes what they found: one
//! query in all.
//!
//! The database is given with [`Palisade::with_rows`](crate::Palisade::with_rows).
//!
//! # Security
//!
//! What an application asks its database directly is its own affair. A query of one's own about owned rows is best written next to these,
//! with the owner in it. Ids must not be used again by the database (`AUTOINCREMENT`, sequences; Django's are not): a row that is added
//! here begins without grants, whatever its id was before, but one that another program adds does not know of them.

mod asker;
mod database;
mod dialect;
mod held;
mod issue;
mod link;
mod linked;
mod list;
#[cfg(feature = "mysql")]
mod mysql;
mod owned;
#[cfg(feature = "postgres")]
mod postgres;
mod reach;
mod role;
mod room;
mod rule;
mod sqlite;
mod statements;
mod table;
mod value;

pub use asker::{Cells, GrantError};
pub use database::{RowError, RowStore};
pub use link::{IssuedLink, Link, LinkError, LinkTerms};
pub use linked::{LinkRule, Linked};
pub use list::List;
#[cfg(feature = "mysql")]
pub use mysql::MySqlRows;
pub use owned::Owned;
pub use palisade_macros::Owned;
#[cfg(feature = "postgres")]
pub use postgres::PostgresRows;
pub use reach::Reach;
pub use role::{AtLeast, Editor, Grant, Role, Viewer};
pub use room::{Rows, Shared};
pub use rule::RowRule;
pub use sqlite::SqliteRows;
pub use table::{Column, OwnedTable, Written};
pub use value::{Cell, Kind, RowId, Seconds, Value};

/// A row with an owner: derive it.
pub trait OwnedRow: Sized + Send + Sync + 'static {
    /// The type of its id.
    type Id: RowId;
    /// The table, its columns in the order in which [`OwnedRow::read`] takes them.
    const TABLE: &'static OwnedTable;
    /// What a person calls it.
    const NAME: &'static str;
    /// What the address's parameter is called that names it.
    const PARAMETER: &'static str;

    /// Its id.
    fn id(&self) -> &Self::Id;

    /// Reads a row.
    ///
    /// # Errors
    ///
    /// [`RowError::Shape`] if a column holds something else than its field.
    fn read(cells: &mut Cells) -> Result<Self, RowError>;
}

/// Values for some columns of a row: what `new = …` and `change = …` of the derive write.
pub trait Writes: Send + 'static {
    /// Of which row.
    type Row: OwnedRow;
    /// Which columns, in the order of the values.
    const WRITTEN: &'static Written;

    /// The values.
    fn into_values(self) -> Vec<Value>;
}

/// What a new row is made of. Its owner is not.
pub trait NewRow: Writes {
    /// The row's id, where the application gives it.
    fn id(&self) -> Option<<Self::Row as OwnedRow>::Id>;
}

/// A change of a row.
pub trait RowChange: Writes {}
