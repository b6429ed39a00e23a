//! Whose a row has to be, as the rule of a route: asked before the handler, whatever the handler asks for.

use std::any::TypeId;
use std::fmt;

use futures_util::future::{BoxFuture, FutureExt};
use http::request;

use super::OwnedRow;
use super::asker::{Asker, id_in_path, not_there};
use super::held;
use super::role::{AtLeast, Role};
use crate::rejection::Rejection;

/// Whose the row that a path names has to be: made by [`Policies::owned`](crate::Policies::owned) and
/// [`Policies::reach`](crate::Policies::reach).
#[derive(Clone, Copy)]
pub struct RowRule {
    row: TypeId,
    table: &'static str,
    parameter: &'static str,
    role: Option<Role>,
    ask: for<'a> fn(&'a mut request::Parts) -> BoxFuture<'a, Result<(), Rejection>>,
}

impl RowRule {
    /// The owner's alone.
    pub fn owned<T: OwnedRow>() -> Self {
        Self {
            row: TypeId::of::<T>(),
            table: T::TABLE.name(),
            parameter: T::PARAMETER,
            role: None,
            ask: |parts| ask::<T>(parts, None).boxed(),
        }
    }

    /// The owner's, and theirs to whom it was granted.
    pub fn reach<T: OwnedRow, R: AtLeast>() -> Self {
        Self {
            row: TypeId::of::<T>(),
            table: T::TABLE.name(),
            parameter: T::PARAMETER,
            role: Some(R::ROLE),
            ask: |parts| ask::<T>(parts, Some(R::ROLE)).boxed(),
        }
    }

    /// The parameter of the path that names the row.
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// What has to be granted to whoever is not the owner; nothing opens it for them, if there is none.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    pub(crate) async fn admit(&self, parts: &mut request::Parts) -> Result<(), Rejection> {
        (self.ask)(parts).await
    }
}

/// Looks for the row, and keeps it for the handler's extractor.
async fn ask<T: OwnedRow>(parts: &mut request::Parts, role: Option<Role>) -> Result<(), Rejection> {
    let asker = Asker::of(parts).await?;
    let id = id_in_path::<T>(parts).await?.ok_or_else(not_there::<T>)?;
    let found = match role {
        Some(role) => asker.reach::<T>(&id, role).await?,
        None => asker.find::<T>(&id).await?,
    };
    held::keep(parts, found.ok_or_else(not_there::<T>)?);
    Ok(())
}

impl PartialEq for RowRule {
    fn eq(&self, other: &Self) -> bool {
        (self.row, self.role) == (other.row, other.role)
    }
}

impl Eq for RowRule {}

impl fmt::Debug for RowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RowRule").field(&format_args!("{self}")).finish()
    }
}

impl fmt::Display for RowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.role.map_or("owner", Role::name);
        write!(f, "{role} of {}", self.table)
    }
}
