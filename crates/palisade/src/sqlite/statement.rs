//! What may be asked of a database: literal statements with bound values.

use std::ops::Deref;

use rusqlite::{Connection, Params, Row};

use super::SqliteError;

/// Looks rows up.
///
/// Statements are compiled once a connection and kept; the text is `&'static str` so that it cannot hold a value.
pub struct Reader<'c> {
    connection: &'c Connection,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Finds the first row, if there is one.
    ///
    /// # Errors
    ///
    /// When the statement fails or the row does not have the shape that `row` expects.
    pub fn one<T>(
        &self,
        sql: &'static str,
        values: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, SqliteError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        Ok(rows.next()?.map(row).transpose()?)
    }

    /// Finds all rows.
    ///
    /// # Errors
    ///
    /// When the statement fails or a row does not have the shape that `row` expects.
    pub fn all<T>(
        &self,
        sql: &'static str,
        values: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SqliteError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Tells whether there is any row.
    ///
    /// # Errors
    ///
    /// When the statement fails.
    pub fn exists(&self, sql: &'static str, values: impl Params) -> Result<bool, SqliteError> {
        Ok(self.one(sql, values, |_| Ok(()))?.is_some())
    }
}

/// Changes rows, and reads as a [`Reader`] does, its own changes included.
pub struct Writer<'c> {
    reader: Reader<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            reader: Reader::new(connection),
        }
    }

    /// Runs one statement and tells how many rows it changed.
    ///
    /// # Errors
    ///
    /// When the statement fails; see [`SqliteError::is_unique_violation`].
    pub fn execute(&self, sql: &'static str, values: impl Params) -> Result<usize, SqliteError> {
        Ok(self.reader.connection.prepare_cached(sql)?.execute(values)?)
    }

    /// Tells the row id of the last row inserted.
    pub fn last_insert_id(&self) -> i64 {
        self.reader.connection.last_insert_rowid()
    }
}

impl<'c> Deref for Writer<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}
