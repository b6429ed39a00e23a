//! Where notes are kept: every question names the owner, so that an answer cannot be somebody else's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade::Sensitive;
use palisade::sql::contains;
use palisade::sqlite::{Migration, Sqlite, SqliteError};
use rusqlite::{Row, params};

use super::search::Search;

/// How many notes one person may have.
pub(super) const MOST_NOTES: i64 = 500;

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
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) id: i64,
    pub(super) owner: i64,
    pub(super) title: String,
    pub(super) body: Sensitive<String>,
    pub(super) written: SystemTime,
}

/// A note in the list.
#[derive(Clone, Debug)]
pub(super) struct NoteLine {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) written: SystemTime,
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

    /// Finds a person's note.
    pub(super) fn find(&self, owner: i64, id: i64) -> Result<Option<Note>, SqliteError> {
        self.0.read(|reader| {
            reader.one(
                "SELECT id, owner, title, body, written FROM vault_note WHERE owner = ?1 AND id = ?2",
                params![owner, id],
                |row| {
                    Ok(Note {
                        id: row.get(0)?,
                        owner: row.get(1)?,
                        title: row.get(2)?,
                        body: Sensitive::new(row.get(3)?),
                        written: written(row, 4)?,
                    })
                },
            )
        })
    }

    /// Keeps a note and gives its id, unless the person has [`MOST_NOTES`].
    pub(super) async fn add(
        &self,
        owner: i64,
        title: String,
        body: String,
        now: SystemTime,
    ) -> Result<Option<i64>, SqliteError> {
        let body = Sensitive::new(body);
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let work = self.0.write(move |writer| {
            let added = writer.execute(
                "INSERT INTO vault_note (owner, title, body, written)
                 SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM vault_note WHERE owner = ?1) < ?5",
                params![owner, title, body.expose(), seconds, MOST_NOTES],
            )?;
            Ok((added == 1).then(|| writer.last_insert_id()))
        });
        work.await
    }

    /// Deletes a person's note, and says whether there was one.
    pub(super) async fn remove(&self, owner: i64, id: i64) -> Result<bool, SqliteError> {
        let work = self.0.write(move |writer| {
            let removed = writer.execute(
                "DELETE FROM vault_note WHERE owner = ?1 AND id = ?2",
                params![owner, id],
            )?;
            Ok(removed == 1)
        });
        work.await
    }
}

fn written(row: &Row<'_>, column: usize) -> rusqlite::Result<SystemTime> {
    let seconds: i64 = row.get(column)?;
    Ok(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade::auth::{NewUser, SqliteUsers, UserStore as _};

    async fn notes_of_two() -> (Notes, i64, i64) {
        let database = Sqlite::in_memory().unwrap();
        let users = SqliteUsers::new(database.clone()).unwrap();
        let mut ids = Vec::new();
        for username in ["ann", "bob"] {
            let new = NewUser {
                username: username.to_owned(),
                ..NewUser::default()
            };
            ids.push(
                users
                    .create(new, Sensitive::new("!".to_owned()), UNIX_EPOCH)
                    .await
                    .unwrap()
                    .id,
            );
        }
        (Notes::open(database).unwrap(), ids[0], ids[1])
    }

    async fn add(notes: &Notes, owner: i64, title: &str) -> Option<i64> {
        notes
            .add(owner, title.to_owned(), "secret".to_owned(), UNIX_EPOCH)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn nobody_finds_lists_or_deletes_anothers_note() {
        let (notes, ann, bob) = notes_of_two().await;
        let id = add(&notes, ann, "door").await.unwrap();
        assert!(notes.find(bob, id).unwrap().is_none());
        assert!(notes.list(bob, &Search::of(&[])).unwrap().is_empty());
        assert!(!notes.remove(bob, id).await.unwrap());
        assert_eq!(notes.find(ann, id).unwrap().unwrap().title, "door");
        assert!(notes.remove(ann, id).await.unwrap());
        assert!(notes.find(ann, id).unwrap().is_none());
    }

    #[tokio::test]
    async fn one_person_cannot_fill_the_disk_with_notes() {
        let (notes, ann, bob) = notes_of_two().await;
        for _ in 0..MOST_NOTES {
            assert!(add(&notes, ann, "x").await.is_some());
        }
        assert_eq!(add(&notes, ann, "one too many").await, None);
        assert!(add(&notes, bob, "his first").await.is_some());
    }

    #[tokio::test]
    async fn id_of_a_deleted_note_is_not_given_to_another() {
        let (notes, ann, _) = notes_of_two().await;
        let first = add(&notes, ann, "a").await.unwrap();
        notes.remove(ann, first).await.unwrap();
        assert_ne!(add(&notes, ann, "b").await.unwrap(), first);
    }

    #[tokio::test]
    async fn debugging_a_note_does_not_print_its_secret() {
        let (notes, ann, _) = notes_of_two().await;
        let id = add(&notes, ann, "door").await.unwrap();
        assert!(!format!("{:?}", notes.find(ann, id).unwrap()).contains("secret"));
    }
}
