//! Tables that are made when they are missing, and left alone when Django made them.

use super::{Postgres, PostgresError};

/// A table as Django's migrations make it, with its indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// What it is called, in the schema that the connection sees first.
    pub(crate) name: &'static str,
    /// The statements that make it.
    pub(crate) sql: &'static str,
}

pub(super) async fn provide(database: &Postgres, tables: &'static [Table]) -> Result<(), PostgresError> {
    let mut writer = database.writer().await?;
    // Two processes that start together take turns, however long the first takes. The number is ours.
    let turn = "SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock(7020061125)";
    writer.first(turn, &[]).await?;
    let mut made = Vec::new();
    for table in tables {
        // Looked for first, because a user who may not make tables may use those that are there.
        let found = writer
            .one("SELECT to_regclass($1::text) IS NOT NULL", &[&table.name])
            .await?;
        let is_there = found.map(|row| row.try_get::<_, bool>(0)).transpose()?;
        if is_there != Some(true) {
            writer
                .define(table.sql)
                .await
                .map_err(|error| PostgresError::Table {
                    table: table.name,
                    reason: error.to_string(),
                })?;
            made.push(table.name);
        }
    }
    writer.last("SELECT 1", &[]).await?;
    if !made.is_empty() {
        tracing::info!(target: "palisade::postgres", database = ?database, "made the tables {}", made.join(", "));
    }
    Ok(())
}
