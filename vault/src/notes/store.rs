//! Where notes are kept. `derive(Owned)` gives every question about them its owner, so that an answer cannot be somebody else's; one
//! is written here, since it searches, and names the owner by hand.

use std::time::{Duration, UNIX_EPOCH};

use palisade::Sensitive;
use palisade::rows::{Owned, Seconds};
use palisade::sql::contains;
use palisade::sqlite::{Migration, Sqlite, SqliteError};
use rusqlite::{Row, params};

use super::search::Search;

/// How many notes one person may have.
pub(super) const MOST_NOTES: u32 = 500;

/// Ids are never used again: the session remembers one for longer than a note may live.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "vault_note",
    sql: "CREATE TABLE vault_note (
              id INTEGER PRIMARY KEY AUTOINCREMENT,
              owner INTEGER NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              title TEXT NOT NULL,
              body TEXT NOT NULL,
              written INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX vault_note_owner ON vault_note (owner, id);",
}];

/// A note with its secret.
#[derive(Debug, Owned)]
#[owned(table = "vault_note", id = "id", owner = "owner", name = "note", new = NewNote, change = Rewrite(title, body))]
pub(super) struct Note {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) body: Sensitive<String>,
    pub(super) written: Seconds,
}

/// A note in the list.
#[derive(Debug, Owned)]
#[owned(table = "vault_note", id = "id", owner = "owner", name = "note")]
pub(super) struct NoteLine {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) written: Seconds,
}

/// The notes of everybody. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Notes(Sqlite);

impl Notes {
    /// Keeps notes in this database, beside the users they belong to.
    pub(crate) fn open(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        Ok(Self(database))
    }

    /// Lists those of a person's notes that are looked for, in the order that was asked for.
    pub(super) fn list(&self, owner: i64, search: &Search) -> Result<Vec<NoteLine>, SqliteError> {
        self.0.read(|reader| {
            reader.all(
                search.sorted.sql,
                params![owner, contains(&search.words)],
                |row| {
                    Ok(NoteLine {
                        id: row.get(0)?,
                        title: row.get(1)?,
                        written: written(row, 2)?,
                    })
                },
            )
        })
    }
}

fn written(row: &Row<'_>, column: usize) -> rusqlite::Result<Seconds> {
    let seconds: i64 = row.get(column)?;
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    Ok(Seconds(UNIX_EPOCH + since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_a_note_does_not_print_its_secret() {
        let note = Note {
            id: 1,
            title: "door".to_owned(),
            body: Sensitive::new("4711-0815".to_owned()),
            written: Seconds(UNIX_EPOCH),
        };
        assert!(!format!("{note:?}").contains("4711"));
    }
}
