//! Second factors in a table, written once for all databases.

use std::fmt;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Sensitive;

use super::store::{SecondFactorStore, StoredFactor};
use crate::auth::in_table::{Asks, Columns};
use crate::auth::statements::{Asked, Value};
use crate::auth::user::UserStoreError;

/// What a database is asked; the values are in the order of their names here.
#[derive(Debug)]
pub(super) struct FactorStatements {
    /// By the user.
    pub(super) find: &'static str,
    /// With everything, then the user, who must have none.
    pub(super) insert: &'static str,
    /// With everything, then the user and the revision that it must have.
    pub(super) swap: &'static str,
    /// By the user.
    pub(super) remove: &'static str,
}

/// A database with the table `palisade_second_factor`.
pub(super) trait FactorTable: fmt::Debug + Send + Sync + 'static {
    type Database: Asks;

    const STATEMENTS: FactorStatements;

    fn database(&self) -> &Self::Database;
}

fn factor(row: &mut dyn Columns) -> Result<StoredFactor, UserStoreError> {
    Ok(StoredFactor {
        secret: row.text(0)?,
        confirmed: row.number(1)? == 1,
        last_step: row.number(2)?,
        recovery: row.text(3)?,
        revision: row.number(4)?,
    })
}

/// What a row holds, and then what it is found by.
fn values(factor: StoredFactor, then: [i64; 2]) -> Vec<Value> {
    let mut values = vec![
        Value::Secret(Sensitive::new(factor.secret)),
        Value::Number(i64::from(factor.confirmed)),
        Value::Number(factor.last_step),
        Value::Secret(Sensitive::new(factor.recovery)),
        Value::Number(factor.revision),
    ];
    values.extend(then.map(Value::Number));
    values
}

impl<T: FactorTable> SecondFactorStore for T {
    fn find(&self, user: i64) -> BoxFuture<'_, Result<Option<StoredFactor>, UserStoreError>> {
        let asked = Asked {
            sql: T::STATEMENTS.find,
            values: vec![Value::Number(user)],
        };
        let found = self.database().all(asked, factor);
        found.map(|found| Ok(found?.into_iter().next())).boxed()
    }

    fn insert(&self, user: i64, factor: StoredFactor) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        let mut values = values(factor, [user, 0]);
        values.pop();
        let asked = Asked {
            sql: T::STATEMENTS.insert,
            values,
        };
        let inserted = self.database().change(asked);
        async {
            match inserted.await {
                Ok(inserted) => Ok(inserted == 1),
                // The primary key is taken.
                Err(UserStoreError::NameTaken) => Ok(false),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn swap(
        &self,
        user: i64,
        revision: i64,
        factor: StoredFactor,
    ) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        let asked = Asked {
            sql: T::STATEMENTS.swap,
            values: values(factor, [user, revision]),
        };
        let swapped = self.database().change(asked);
        swapped.map(|swapped| Ok(swapped? == 1)).boxed()
    }

    fn remove(&self, user: i64) -> BoxFuture<'_, Result<bool, UserStoreError>> {
        let asked = Asked {
            sql: T::STATEMENTS.remove,
            values: vec![Value::Number(user)],
        };
        let removed = self.database().change(asked);
        removed.map(|removed| Ok(removed? == 1)).boxed()
    }
}
