//! Who asks, when, and which database: every question about rows begins here, with the user who is logged in.

use std::time::SystemTime;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request;
use palisade_core::Threat;

use super::database::{Asks, Forget, Insertion, Most, RowError, RowStore};
use super::list::List;
use super::role::{Grant, Role};
use super::statements::{Asked, Given, Statement, Statements, Writing};
use super::value::{Cell, Kind, RowId, Seconds, Value};
use super::{NewRow, OwnedRow, RowChange, Writes};
use crate::auth::{LoggedIn, UserStoreError};
use crate::rejection::Rejection;
use crate::stack::StackContext;

/// A row can be granted to so many.
pub(super) const MOST_GRANTS: u32 = 100;

/// The user who is logged in, before the rows.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    user: LoggedIn,
    store: RowStore,
    pub(super) context: StackContext,
}

/// A row that was found, and by what right.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub(super) row: T,
    pub(super) owner: i64,
    /// Nothing, if it is one's own.
    pub(super) granted: Option<Role>,
}

impl Asker {
    /// Whoever is logged in, or the answer to nobody.
    pub(crate) async fn of(parts: &mut request::Parts) -> Result<Self, Rejection> {
        let user = <LoggedIn as FromRequestParts<()>>::from_request_parts(parts, &()).await?;
        let context = StackContext::of(&parts.extensions)?;
        let store = context.rows()?.clone();
        Ok(Self { user, store, context })
    }

    pub(super) fn user(&self) -> &LoggedIn {
        &self.user
    }

    pub(super) fn database(&self) -> &dyn Asks {
        &*self.store.0
    }

    pub(super) fn statements<T: OwnedRow>(&self) -> &'static Statements {
        Statements::of::<T>(T::TABLE, <T::Id as Cell>::KIND, self.database().dialect())
    }

    fn writing<W: Writes>(&self) -> &'static Writing {
        let dialect = self.database().dialect();
        let id = <<W::Row as OwnedRow>::Id as Cell>::KIND;
        Writing::of::<W>(<W::Row as OwnedRow>::TABLE, id, W::WRITTEN, dialect)
    }

    fn given<T: OwnedRow>(&self) -> Given {
        Given {
            user: self.user.id,
            now: Seconds::number(self.context.clock().now()),
            ..Given::over(T::TABLE.name)
        }
    }

    pub(super) fn given_about<T: OwnedRow>(&self, id: &T::Id) -> Given {
        Given {
            user: self.user.id,
            now: Seconds::number(self.context.clock().now()),
            ..Given::about(T::TABLE.name, &id.clone().into_value())
        }
    }

    async fn rows<T: OwnedRow>(&self, asked: Asked, and: &[Kind]) -> Result<Vec<(T, Vec<Value>)>, RowError> {
        let columns = T::TABLE.columns;
        let kinds = columns
            .iter()
            .map(|column| column.kind)
            .chain(and.iter().copied());
        let rows = self.database().all(asked, kinds.collect()).await?;
        let read = |mut values: Vec<Value>| {
            let beside = values.split_off(columns.len().min(values.len()));
            let row = T::read(&mut Cells::of::<T>(values))?;
            Ok((row, beside))
        };
        rows.into_iter().map(read).collect()
    }

    pub(super) async fn find<T: OwnedRow>(&self, id: &T::Id) -> Result<Option<Found<T>>, RowError> {
        let asked = self.statements::<T>().find.with(&self.given_about::<T>(id));
        let found = self.rows(asked, &[]).await?.into_iter().next();
        Ok(found.map(|(row, _)| Found {
            row,
            owner: self.user.id,
            granted: None,
        }))
    }

    /// One's own row, or one that was granted in this role at least.
    pub(super) async fn reach<T: OwnedRow>(
        &self,
        id: &T::Id,
        role: Role,
    ) -> Result<Option<Found<T>>, RowError> {
        let given = Given {
            role: role.number(),
            ..self.given_about::<T>(id)
        };
        let asked = self.statements::<T>().reach.with(&given);
        let found = self
            .rows(asked, &[Kind::Number, Kind::Number])
            .await?
            .into_iter()
            .next();
        Ok(found.and_then(|(row, beside)| self.found(row, &beside)))
    }

    fn found<T>(&self, row: T, beside: &[Value]) -> Option<Found<T>> {
        let [Value::Number(owner), Value::Number(role)] = *beside else {
            return None;
        };
        let granted = if owner == self.user.id {
            None
        } else {
            Some(Role::of_number(role)?)
        };
        Some(Found { row, owner, granted })
    }

    pub(super) async fn list<T: OwnedRow>(&self, list: &List) -> Result<Vec<T>, RowError> {
        let table = T::TABLE;
        let order = list.order.as_deref();
        let (column, downwards) = match order {
            None => (table.id, true),
            Some(order) => order
                .strip_prefix('-')
                .map_or((order, false), |column| (column, true)),
        };
        let lists = &self.statements::<T>().lists;
        let [upwards_text, downwards_text] = lists
            .iter()
            .find_map(|(name, texts)| (*name == column).then_some(texts))
            .ok_or_else(|| RowError::NoOrder {
                table: table.name,
                column: column.chars().take(64).collect(),
            })?;
        let statement = if downwards { downwards_text } else { upwards_text };
        let rows = self.rows(self.part::<T>(statement, list), &[]).await?;
        Ok(rows.into_iter().map(|(row, _)| row).collect())
    }

    pub(super) async fn shared<T: OwnedRow>(&self, list: &List) -> Result<Vec<Found<T>>, RowError> {
        let asked = self.part::<T>(&self.statements::<T>().shared, list);
        let rows = self.rows(asked, &[Kind::Number, Kind::Number]).await?;
        let found = rows
            .into_iter()
            .filter_map(|(row, beside)| self.found(row, &beside));
        Ok(found.collect())
    }

    fn part<T: OwnedRow>(&self, statement: &Statement, list: &List) -> Asked {
        statement.with(&Given {
            at_most: i64::from(list.at_most),
            from: i64::try_from(list.from).unwrap_or(i64::MAX),
            ..self.given::<T>()
        })
    }

    pub(super) async fn count<T: OwnedRow>(&self) -> Result<u64, RowError> {
        self.number(self.statements::<T>().count.with(&self.given::<T>()))
            .await
    }

    pub(super) async fn number(&self, asked: Asked) -> Result<u64, RowError> {
        let rows = self.database().all(asked, vec![Kind::Number]).await?;
        let number = rows.into_iter().flatten().next().and_then(i64::from_value);
        Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
    }

    pub(super) async fn add<N: NewRow>(
        &self,
        new: N,
        most: Option<u32>,
    ) -> Result<<N::Row as OwnedRow>::Id, RowError> {
        let (table, id) = (<N::Row as OwnedRow>::TABLE, new.id().map(Cell::into_value));
        let statements = self.statements::<N::Row>();
        let given = Given {
            written: new.into_values(),
            ..self.given::<N::Row>()
        };
        let insertion = Insertion {
            insert: self.writing::<N>().insert.with(&given),
            id,
            most: most.map(|most| Most {
                line: format!("{} {}", table.name, self.user.id),
                count: statements.count.with(&given),
                number: i64::from(most),
            }),
            forget: Forget {
                statements,
                table: table.name,
            },
        };
        let id = self.database().insert(insertion).await?.ok_or(RowError::Full {
            most: most.unwrap_or(0),
        })?;
        Cell::from_value(id).ok_or(RowError::Shape {
            table: table.name,
            column: table.id,
        })
    }

    /// Writes a change, if the row is still the user's, or still granted.
    pub(super) async fn update<C: RowChange>(
        &self,
        id: &<C::Row as OwnedRow>::Id,
        change: C,
        is_own: bool,
    ) -> Result<bool, RowError> {
        let given = Given {
            written: change.into_values(),
            role: Role::Editor.number(),
            ..self.given_about::<C::Row>(id)
        };
        let writing = self.writing::<C>();
        let statement = if is_own {
            &writing.update
        } else {
            &writing.update_reached
        };
        Ok(self.database().change(statement.with(&given), Vec::new()).await? > 0)
    }

    pub(super) async fn delete<T: OwnedRow>(&self, id: &T::Id) -> Result<bool, RowError> {
        let (statements, given) = (self.statements::<T>(), self.given_about::<T>(id));
        let deleted = statements.delete.with(&given);
        let forgotten = [&statements.forget, &statements.link.forget].map(|forget| forget.with(&given));
        Ok(self.database().change(deleted, forgotten.into()).await? > 0)
    }

    pub(super) async fn grant<T: OwnedRow>(
        &self,
        id: &T::Id,
        username: &str,
        role: Role,
        until: Option<SystemTime>,
    ) -> Result<bool, GrantError> {
        let users = self
            .context
            .users()
            .map_err(|rejection| GrantError::Rows(RowError::Refused(Box::new(rejection))))?;
        // A name that nobody has is kept as one that somebody has, and opens the row for nobody, not even for who takes the name later.
        let named = users
            .store()
            .by_username(username)
            .await
            .map_err(GrantError::Users)?;
        let given = Given {
            grantee_name: username.to_owned(),
            grantee: named.filter(|user| user.is_active).map(|user| user.id),
            role: role.number(),
            ends: until.map(Seconds::number),
            at_most: i64::from(MOST_GRANTS),
            ..self.given_about::<T>(id)
        };
        let statements = self.statements::<T>();
        if self
            .database()
            .change(statements.grant.with(&given), Vec::new())
            .await?
            > 0
        {
            return Ok(true);
        }
        let granted = self.number(statements.count_grants.with(&given)).await?;
        if granted >= u64::from(MOST_GRANTS) {
            return Err(GrantError::Rows(RowError::Full { most: MOST_GRANTS }));
        }
        Ok(false)
    }

    pub(super) async fn grants<T: OwnedRow>(&self, id: &T::Id) -> Result<Vec<Grant>, RowError> {
        let asked = self.statements::<T>().grants.with(&self.given_about::<T>(id));
        let kinds = vec![Kind::Text, Kind::Number, Kind::Number, Kind::Number];
        let rows = self.database().all(asked, kinds).await?;
        let grant = |values: Vec<Value>| {
            let [username, role, until, granted] = <[Value; 4]>::try_from(values).ok()?;
            Some(Grant {
                username: Cell::from_value(username)?,
                role: Role::of_number(i64::from_value(role)?)?,
                until: Option::<i64>::from_value(until)?.map(Seconds::of_number),
                granted: Seconds::of_number(i64::from_value(granted)?),
            })
        };
        Ok(rows.into_iter().filter_map(grant).collect())
    }

    pub(super) async fn revoke<T: OwnedRow>(&self, id: &T::Id, username: &str) -> Result<bool, RowError> {
        let given = Given {
            grantee_name: username.to_owned(),
            ..self.given_about::<T>(id)
        };
        let asked = self.statements::<T>().revoke.with(&given);
        Ok(self.database().change(asked, Vec::new()).await? > 0)
    }

    pub(super) async fn leave<T: OwnedRow>(&self, id: &T::Id) -> Result<bool, RowError> {
        let asked = self.statements::<T>().leave.with(&self.given_about::<T>(id));
        Ok(self.database().change(asked, Vec::new()).await? > 0)
    }
}

/// Why nothing was granted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// That name cannot be anybody's: it is empty, too long, or holds what no name holds.
    #[error("that is no user name")]
    Name,
    /// The database of rows.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The users are out of reach.
    #[error(transparent)]
    Users(UserStoreError),
}

impl From<GrantError> for Rejection {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Name => Rejection::bad_request("a grant names no user")
                .with_hint("That is no user name: letters, digits and @ . + - _ make one."),
            GrantError::Rows(error) => error.into(),
            GrantError::Users(error) => crate::auth::AuthError::from(error).into(),
        }
    }
}

/// The columns of one row, in their order, for [`OwnedRow::read`].
#[derive(Debug)]
pub struct Cells {
    table: &'static str,
    columns: std::slice::Iter<'static, super::Column>,
    values: std::vec::IntoIter<Value>,
}

impl Cells {
    pub(super) fn of<T: OwnedRow>(values: Vec<Value>) -> Self {
        Self {
            table: T::TABLE.name,
            columns: T::TABLE.columns.iter(),
            values: values.into_iter(),
        }
    }

    /// Takes the next column.
    ///
    /// # Errors
    ///
    /// [`RowError::Shape`] if it holds something else than its field.
    pub fn take<T: Cell>(&mut self) -> Result<T, RowError> {
        let column = self.columns.next().map_or("", |column| column.name);
        let shape = RowError::Shape {
            table: self.table,
            column,
        };
        self.values.next().and_then(T::from_value).ok_or(shape)
    }
}

/// The id that an address names, if it is one.
pub(super) async fn id_in_path<T: OwnedRow>(parts: &mut request::Parts) -> Result<Option<T::Id>, Rejection> {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, &()).await else {
        // Not even text.
        return Ok(None);
    };
    let named = parameters.iter().find(|(name, _)| *name == T::PARAMETER);
    let (_, text) = named.ok_or_else(|| {
        Rejection::internal(format!(
            "the route has no parameter {{{}}}, which names the row of {}: #[owned(parameter = \"…\")] says what it is called",
            T::PARAMETER,
            T::TABLE.name
        ))
    })?;
    Ok(T::Id::of_address(text))
}

/// The one answer to whoever asks for a row that is not there, not theirs, or has an id that is none.
pub(super) fn not_there<T: OwnedRow>() -> Rejection {
    Rejection::not_found(format!("no row of {} of this id is the user's", T::TABLE.name))
        .with_threat(Threat::BrokenAccessControl)
        .with_hint(format!(
            "There is no such {0}, or it is not one of yours.",
            T::NAME
        ))
}
