//! Sessions in Django's `django_session` table, in SQLite in process.
//!
//! A load is one prepared look-up on this thread's own connection: no hand-off, no wait. A change goes to the one
//! writer, where read, merge and write are one step because nobody else writes.
//!
//! Beside Django's table stands `palisade_session_index`: whose session it is and where it was begun, which Django
//! does not record. Django's own sessions are not in it; they are found by their key as ever.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use rusqlite::params;

use super::key::SessionKey;
use super::store::{Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use crate::sqlite::datetime::{from_text, to_text};
use crate::sqlite::{Migration, Sqlite, SqliteError, Writer};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "django_session",
    sql: "CREATE TABLE IF NOT EXISTS django_session (
              session_key varchar(40) NOT NULL PRIMARY KEY,
              session_data text NOT NULL,
              expire_date datetime NOT NULL
          );
          CREATE INDEX IF NOT EXISTS django_session_expire_date_a5c62663 ON django_session (expire_date);
          CREATE TABLE IF NOT EXISTS palisade_session_index (
              session_key varchar(40) NOT NULL PRIMARY KEY,
              user_id varchar(64) NOT NULL,
              address varchar(45) NOT NULL,
              user_agent varchar(200) NOT NULL,
              created datetime NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX IF NOT EXISTS palisade_session_index_user ON palisade_session_index (user_id);",
}];

/// Keeps sessions in SQLite, in Django's table.
///
/// # Example
///
/// ```
/// use palisade::{session::SqliteSessions, sqlite::Sqlite};
///
/// let database = Sqlite::in_memory()?;
/// let sessions = SqliteSessions::new(database)?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteSessions(Sqlite);

impl SqliteSessions {
    /// Keeps sessions in this database, making the tables if they are not there.
    ///
    /// # Errors
    ///
    /// When the tables cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        Ok(Self(database))
    }

    fn write<'a, R: Send + 'static>(
        &self,
        work: impl FnOnce(&Writer<'_>) -> Result<R, SqliteError> + Send + 'static,
    ) -> BoxFuture<'a, Result<R, StoreError>> {
        self.0
            .write(work)
            .map(|done| done.map_err(StoreError::unavailable))
            .boxed()
    }

    /// Strikes out of the index what ended elsewhere: at Django, which knows of no index. A page at a time, so that nobody waits
    /// long to write.
    async fn strike_ended_elsewhere(&self) -> Result<(), StoreError> {
        let mut last_seen = String::new();
        loop {
            let last = self.write(move |writer| strike_page(writer, &last_seen)).await?;
            match last {
                Some(last) => last_seen = last,
                None => return Ok(()),
            }
        }
    }
}

/// Strikes a page of the index behind `last_seen`, as far as its sessions are not there, and gives the page's last key.
fn strike_page(writer: &Writer<'_>, last_seen: &str) -> Result<Option<String>, SqliteError> {
    let last = writer.one(
        "SELECT max(session_key) FROM
         (SELECT session_key FROM palisade_session_index WHERE session_key > ?1 ORDER BY session_key LIMIT 1000)",
        params![last_seen],
        |row| row.get::<_, Option<String>>(0),
    )?;
    let last = last.flatten();
    if let Some(last) = &last {
        writer.execute(
            "DELETE FROM palisade_session_index WHERE session_key > ?1 AND session_key <= ?2 AND NOT EXISTS
             (SELECT 1 FROM django_session s WHERE s.session_key = palisade_session_index.session_key)",
            params![last_seen, last],
        )?;
    }
    Ok(last)
}

fn row_to_stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Stored>> {
    let expires = from_text(row.get_ref(1)?.as_str()?);
    Ok(match expires {
        Some(expires) => Some(Stored {
            data: row.get(0)?,
            expires,
        }),
        None => None,
    })
}

fn current(writer: &Writer<'_>, key: &SessionKey, now: SystemTime) -> Result<Option<Stored>, SqliteError> {
    let row = writer.one(
        "SELECT session_data, expire_date FROM django_session WHERE session_key = ?1",
        params![key.expose()],
        row_to_stored,
    )?;
    Ok(row.flatten().filter(|stored| stored.expires > now))
}

fn insert(writer: &Writer<'_>, key: &SessionKey, session: &Stored) -> Result<(), SqliteError> {
    writer.execute(
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?1, ?2, ?3)",
        params![key.expose(), session.data, to_text(session.expires)],
    )?;
    Ok(())
}

fn remove(writer: &Writer<'_>, key: &SessionKey) -> Result<(), SqliteError> {
    writer.execute(
        "DELETE FROM django_session WHERE session_key = ?1",
        params![key.expose()],
    )?;
    writer.execute(
        "DELETE FROM palisade_session_index WHERE session_key = ?1",
        params![key.expose()],
    )?;
    Ok(())
}

fn index(writer: &Writer<'_>, key: &SessionKey, device: &Device, now: SystemTime) -> Result<(), SqliteError> {
    writer.execute(
        "INSERT OR REPLACE INTO palisade_session_index (session_key, user_id, address, user_agent, created)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            key.expose(),
            device.user_id,
            device.address,
            device.user_agent,
            to_text(now)
        ],
    )?;
    Ok(())
}

impl SessionStore for SqliteSessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        let row = self.0.read(|reader| {
            reader.one(
                "SELECT session_data, expire_date FROM django_session WHERE session_key = ?1",
                params![key.expose()],
                row_to_stored,
            )
        });
        let stored = row.map(|row| row.flatten().filter(|stored| stored.expires > now));
        ready(stored.map_err(StoreError::unavailable)).boxed()
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (key, replaces) = (key.clone(), replaces.cloned());
        self.write(move |writer| {
            if let Some(replaced) = &replaces {
                remove(writer, replaced)?;
            }
            insert(writer, &key, &session)?;
            if let Some(device) = &device {
                index(writer, &key, device, now)?;
            }
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let key = key.clone();
        self.write(move |writer| {
            let Some(stored) = current(writer, &key, now)? else {
                return Ok(Updated::Gone);
            };
            let merged = merge.apply(&stored);
            writer.execute(
                "UPDATE django_session SET session_data = ?2, expire_date = ?3 WHERE session_key = ?1",
                params![key.expose(), merged.data, to_text(merged.expires)],
            )?;
            Ok(Updated::Saved)
        })
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (old, new) = (old.clone(), new.clone());
        self.write(move |writer| {
            let Some(stored) = current(writer, &old, now)? else {
                return Ok(Updated::Gone);
            };
            insert(writer, &new, &merge.apply(&stored))?;
            match &device {
                Some(device) => index(writer, &new, device, now)?,
                None => {
                    writer.execute(
                        "UPDATE palisade_session_index SET session_key = ?2 WHERE session_key = ?1",
                        params![old.expose(), new.expose()],
                    )?;
                }
            }
            remove(writer, &old)?;
            Ok(Updated::Saved)
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let key = key.clone();
        self.write(move |writer| remove(writer, &key))
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let cleared = self.write(move |writer| {
            let ended = writer.all(
                "SELECT session_key FROM django_session WHERE expire_date < ?1 LIMIT ?2",
                params![to_text(now), limit],
                |row| row.get::<_, String>(0),
            )?;
            for key in &ended {
                writer.execute("DELETE FROM django_session WHERE session_key = ?1", params![key])?;
                writer.execute(
                    "DELETE FROM palisade_session_index WHERE session_key = ?1",
                    params![key],
                )?;
            }
            Ok(ended.len())
        });
        async move {
            let cleared = cleared.await?;
            if cleared < at_most {
                self.strike_ended_elsewhere().await?;
            }
            Ok(cleared)
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        let rows = self.0.read(|reader| {
            reader.all(
                "SELECT i.session_key, i.address, i.user_agent, i.created, s.expire_date
                 FROM palisade_session_index i JOIN django_session s ON s.session_key = i.session_key
                 WHERE i.user_id = ?1 AND s.expire_date > ?2 ORDER BY i.created DESC",
                params![user_id, to_text(now)],
                |row| {
                    let key = SessionKey::parse(row.get_ref(0)?.as_str()?);
                    let created = from_text(row.get_ref(3)?.as_str()?);
                    let expires = from_text(row.get_ref(4)?.as_str()?);
                    let device = Device {
                        user_id: user_id.to_owned(),
                        address: row.get(1)?,
                        user_agent: row.get(2)?,
                    };
                    Ok(key
                        .zip(created)
                        .zip(expires)
                        .map(|((key, created), expires)| Listed {
                            key,
                            device,
                            created,
                            expires,
                        }))
                },
            )
        });
        ready(
            rows.map(|rows| rows.into_iter().flatten().collect())
                .map_err(StoreError::unavailable),
        )
        .boxed()
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let (user_id, keep) = (
            user_id.to_owned(),
            keep.map_or_else(String::new, |key| key.expose().to_owned()),
        );
        self.write(move |writer| {
            let deleted = writer.execute(
                "DELETE FROM django_session WHERE session_key <> ?2 AND session_key IN
                 (SELECT session_key FROM palisade_session_index WHERE user_id = ?1)",
                params![user_id, keep],
            )?;
            writer.execute(
                "DELETE FROM palisade_session_index WHERE user_id = ?1 AND session_key <> ?2",
                params![user_id, keep],
            )?;
            Ok(deleted)
        })
    }
}
