//! Tables that are made when they are missing, and left alone when Django made them.

use super::{MySql, MySqlError};

/// A table as Django's migrations make it, with its indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// What it is called, in the connection's database.
    pub(crate) name: &'static str,
    /// The statement that makes it, if it is not there; `IF NOT EXISTS`, since another process may be faster.
    pub(crate) sql: &'static str,
}

pub(super) async fn provide(database: &MySql, tables: &'static [Table]) -> Result<(), MySqlError> {
    let mut connection = database.connection().await?;
    for table in tables {
        // Looked for first, because a user who may not make tables may use those that are there.
        let found = connection
            .one(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
                vec![table.name.into()],
            )
            .await?;
        if found.is_none() {
            connection
                .run(table.sql)
                .await
                .map_err(|error| MySqlError::Table {
                    table: table.name,
                    reason: error.to_string(),
                })?;
            tracing::info!(target: "palisade::mysql", database = ?database, "made the table {}", table.name);
        }
    }
    Ok(())
}
