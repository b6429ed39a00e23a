//! Bringing a database's tables up to date.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::SqliteError;

/// One step of a schema, applied once to each database.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The place of the step in its list; lists grow at the end only.
    pub version: u32,
    /// What the step is called, unique across the application; recorded in the database.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

pub(super) fn apply(
    connection: &mut Connection,
    migrations: &'static [Migration],
    is_kept: bool,
) -> Result<(), SqliteError> {
    let mut before = 0;
    for migration in migrations {
        let failed = |reason: String| SqliteError::Migration {
            name: migration.name,
            reason,
        };
        if migration.version <= before {
            return Err(failed(format!(
                "version {} does not come after {before}",
                migration.version
            )));
        }
        before = migration.version;
        apply_one(connection, migration, is_kept).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn apply_one(connection: &mut Connection, migration: &Migration, is_kept: bool) -> rusqlite::Result<()> {
    // The lock is taken before looking, so that two processes that start together do not apply a step twice.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS palisade_migrations (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    )?;
    let applied = transaction
        .query_row(
            "SELECT 1 FROM palisade_migrations WHERE name = ?1",
            [migration.name],
            |_| Ok(()),
        )
        .optional()?;
    let mut made = Vec::new();
    if applied.is_none() {
        let before = tables(&transaction)?;
        transaction.execute_batch(migration.sql)?;
        made = tables(&transaction)?;
        made.retain(|table| !before.contains(table));
        transaction.execute(
            "INSERT INTO palisade_migrations (name, version) VALUES (?1, ?2)",
            params![migration.name, migration.version],
        )?;
    }
    transaction.commit()?;
    // Tables of a database that goes with its test, or with the report of the routes, are no news.
    if !made.is_empty() && is_kept {
        let database = connection.path();
        tracing::info!(target: "palisade::sqlite", database, "made the tables {}", made.join(", "));
    }
    Ok(())
}

/// The tables that are there, without SQLite's own.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    names.collect()
}
