//! Sessions in Django's `django_session` table, in MySQL or MariaDB.
//!
//! A load is one journey to the server. A change locks the session's row in a transaction, merges into what is there, and
//! writes.
//! Updates of one session that come at the same time are one change (`queue.rs`), and whoever would wait for its lock waits
//! before taking a connection (`turn.rs`).
//!
//! Beside Django's table stands `palisade_session_index`, as in SQLite: whose session it is and where it was begun.

mod tables;

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};

use super::key::SessionKey;
use super::queue::{Batch, UpdateQueue};
use super::store::{self, Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use crate::mysql::{MySql, MySqlConnection, MySqlError, TRIES, Value, field, to_the_end, to_value};
use crate::turn::{Turn, Turns};
use tables::{
    CHUNK, TABLES, at, clear, insert, list_as, lock, move_to, remove, stored, strike_ended_elsewhere, text,
};

/// How often the others of a user's sessions are looked for again, when they moved while they were being ended.
const PASSES: usize = 5;

/// Keeps sessions in MySQL or MariaDB, in Django's table.
///
/// # Example
///
/// ```no_run
/// use palisade::{mysql::MySql, session::MySqlSessions};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let sessions = MySqlSessions::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlSessions {
    database: MySql,
    updates: UpdateQueue,
    turns: Turns,
}

impl MySqlSessions {
    /// Keeps sessions in this database, making the tables if they are not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(TABLES).await?;
        Ok(Self {
            database,
            updates: UpdateQueue::default(),
            turns: Turns::default(),
        })
    }

    /// One's turn at a session or at a user's list, and then a connection.
    async fn connection_at(&self, at: &str) -> Result<(Turn, MySqlConnection), MySqlError> {
        let limit = self.database.statement_deadline();
        let turn = self.turns.take(at, limit).await;
        let turn = turn.ok_or(MySqlError::Overloaded)?;
        Ok((turn, self.database.connection().await?))
    }

    /// Writes what a batch of updates makes of a session, if it is still there.
    async fn write(&self, key: &SessionKey, batch: &mut Batch) -> Result<(), MySqlError> {
        let (_turn, mut connection) = self.connection_at(key.expose()).await?;
        let Some(current) = lock(&mut connection, key, batch.now()).await? else {
            batch.gone();
            return connection.undo().await;
        };
        let Some(merged) = batch.merge(current) else {
            return connection.undo().await;
        };
        connection
            .execute(
                "UPDATE django_session SET session_data = ?, expire_date = ?
                 WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
                vec![merged.data.into(), to_value(merged.expires), text(key), text(key)],
            )
            .await?;
        connection.commit().await
    }
}

/// Where to wait for one's turn at a user's list; no session's key has a space.
fn list_of(user_id: &str) -> String {
    format!("user {user_id}")
}

fn answer<'a, R: Send + 'static>(
    work: impl Future<Output = Result<R, MySqlError>> + Send + 'a,
) -> BoxFuture<'a, Result<R, StoreError>> {
    async move { work.await.map_err(StoreError::unavailable) }.boxed()
}

impl SessionStore for MySqlSessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        answer(async move {
            let row = self
                .database
                .one(
                    "SELECT session_data, expire_date FROM django_session
                     WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
                    vec![text(key), text(key)],
                )
                .await?;
            let found = row.map(stored).transpose()?;
            Ok(found.filter(|stored| stored.expires > now))
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let work = (self.clone(), key.clone(), session, device, replaces.cloned());
        answer(to_the_end(move || {
            let (store, key, session, device, replaces) = work.clone();
            async move {
                let at = replaces.as_ref().unwrap_or(&key);
                let (_turn, mut connection) = store.connection_at(at.expose()).await?;
                if device.is_none() && replaces.is_none() {
                    return insert(&mut connection, &key, &session).await;
                }
                connection.begin().await?;
                if let Some(replaced) = &replaces {
                    remove(&mut connection, replaced).await?;
                }
                insert(&mut connection, &key, &session).await?;
                if let Some(device) = &device {
                    list_as(&mut connection, &key, device, now).await?;
                }
                connection.commit().await
            }
        }))
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let (store, name) = (self.clone(), key.clone());
        let write = move |mut batch: Batch| {
            let (store, key) = (store.clone(), name.clone());
            async move {
                let mut done = store.write(&key, &mut batch).await;
                for _ in 1..TRIES {
                    match &done {
                        Err(error) if error.is_deadlock() => done = store.write(&key, &mut batch).await,
                        _ => break,
                    }
                }
                (batch, done.map_err(StoreError::unavailable))
            }
        };
        let (updates, key) = (self.updates.clone(), key.clone());
        store::to_the_end(async move { updates.update(&key, merge, now, write).await }).boxed()
    }

    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        let work = (self.clone(), old.clone(), new.clone(), merge, device);
        answer(to_the_end(move || {
            let (store, old, new, merge, device) = work.clone();
            async move {
                let (_turn, mut connection) = store.connection_at(old.expose()).await?;
                let Some(current) = lock(&mut connection, &old, now).await? else {
                    connection.undo().await?;
                    return Ok(Updated::Gone);
                };
                let merged = merge.apply(&current);
                move_to(&mut connection, &old, &new, &merged, device.as_ref(), now).await?;
                connection.commit().await?;
                Ok(Updated::Saved)
            }
        }))
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let work = (self.clone(), key.clone());
        answer(to_the_end(move || {
            let (store, key) = work.clone();
            async move {
                let (_turn, mut connection) = store.connection_at(key.expose()).await?;
                // Two statements, each all or nothing: once the first is done, nobody has the session any more.
                remove(&mut connection, &key).await.map(drop)
            }
        }))
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        let database = self.database.clone();
        let limit = u64::try_from(at_most).unwrap_or(u64::MAX);
        answer(to_the_end(move || {
            let database = database.clone();
            async move {
                let mut connection = database.connection().await?;
                let ended = connection
                    .all(
                        "SELECT session_key FROM django_session WHERE expire_date < ? ORDER BY expire_date LIMIT ?",
                        vec![to_value(now), limit.into()],
                    )
                    .await?;
                let keys: Vec<Value> = ended
                    .into_iter()
                    .map(|mut row| field(&mut row, 0))
                    .collect::<Result<_, _>>()?;
                let mut cleared = 0;
                for chunk in keys.chunks(CHUNK) {
                    cleared += clear(&mut connection, chunk, now).await?;
                }
                if cleared < at_most {
                    strike_ended_elsewhere(&mut connection).await?;
                }
                Ok(cleared)
            }
        }))
    }

    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        answer(async move {
            let rows = self
                .database
                .all(
                    "SELECT i.session_key, i.user_id, i.address, i.user_agent, i.created, s.expire_date
                     FROM palisade_session_index i JOIN django_session s ON s.session_key = i.session_key
                     WHERE i.user_id = ? AND s.expire_date > ? ORDER BY i.created DESC",
                    vec![user_id.into(), to_value(now)],
                )
                .await?;
            let mut listed = Vec::new();
            for mut row in rows {
                let device = Device {
                    user_id: field(&mut row, 1)?,
                    address: field(&mut row, 2)?,
                    user_agent: field(&mut row, 3)?,
                };
                let key = SessionKey::parse(&field::<String>(&mut row, 0)?);
                if let Some(key) = key.filter(|_| device.user_id == user_id) {
                    listed.push(Listed {
                        key,
                        device,
                        created: at(&mut row, 4)?,
                        expires: at(&mut row, 5)?,
                    });
                }
            }
            Ok(listed)
        })
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let work = (self.clone(), user_id.to_owned(), keep.cloned());
        answer(to_the_end(move || {
            let (store, user_id, keep) = work.clone();
            async move {
                let (_turn, mut connection) = store.connection_at(&list_of(&user_id)).await?;
                let mut ended = 0;
                for _ in 0..PASSES {
                    let rows = connection
                        .all(
                            "SELECT session_key FROM palisade_session_index
                             WHERE user_id = ? AND CAST(user_id AS BINARY) = CAST(? AS BINARY)",
                            vec![user_id.as_str().into(), user_id.as_str().into()],
                        )
                        .await?;
                    let mut others = 0;
                    for mut row in rows {
                        let key = SessionKey::parse(&field::<String>(&mut row, 0)?);
                        if let Some(other) = key.filter(|key| Some(key) != keep.as_ref()) {
                            others += 1;
                            ended += usize::from(remove(&mut connection, &other).await?);
                        }
                    }
                    // One that moved to another key meanwhile is listed under it now.
                    if others == 0 {
                        break;
                    }
                }
                Ok(ended)
            }
        }))
    }
}
