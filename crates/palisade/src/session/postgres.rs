//! Sessions in Django's `django_session` table, in PostgreSQL.
//!
//! A load is one journey to the server. A change locks the session's row, merges into what is there, and writes: two
//! journeys, during which nobody else can change that session. Everything else is one statement, which is all or nothing.
//! Updates of one session that come at the same time are one change (`queue.rs`), and whoever would wait for its lock waits
//! before taking a connection (`turn.rs`).
//!
//! Beside Django's table stands `palisade_session_index`, as in SQLite: whose session it is and where it was begun. Locks
//! are always taken on the session first and then on the index, so that no two changes wait for each other.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};

use super::key::SessionKey;
use super::queue::{Batch, UpdateQueue};
use super::store::{self, Device, Listed, Merge, SessionStore, StoreError, Stored, Updated};
use crate::postgres::{Postgres, PostgresError, PostgresWriter, Row, Table, to_the_end};
use crate::turn::{Turn, Turns};

const TABLES: &[Table] = &[
    Table {
        name: "django_session",
        sql: "CREATE TABLE django_session (
                  session_key varchar(40) NOT NULL PRIMARY KEY,
                  session_data text NOT NULL,
                  expire_date timestamp with time zone NOT NULL
              );
              CREATE INDEX django_session_session_key_c0390e0f_like ON django_session (session_key varchar_pattern_ops);
              CREATE INDEX django_session_expire_date_a5c62663 ON django_session (expire_date);",
    },
    Table {
        name: "palisade_session_index",
        sql: "CREATE TABLE palisade_session_index (
                  session_key varchar(40) NOT NULL PRIMARY KEY,
                  user_id varchar(64) NOT NULL,
                  address varchar(45) NOT NULL,
                  user_agent varchar(200) NOT NULL,
                  created timestamp with time zone NOT NULL
              );
              CREATE INDEX palisade_session_index_user ON palisade_session_index (user_id);",
    },
];

/// How often the others of a user's sessions are looked for again, when they moved while they were being ended.
const PASSES: usize = 5;

/// Keeps sessions in PostgreSQL, in Django's table.
///
/// # Example
///
/// ```no_run
/// use palisade::{postgres::Postgres, session::PostgresSessions};
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let sessions = PostgresSessions::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresSessions {
    database: Postgres,
    updates: UpdateQueue,
    turns: Turns,
}

impl PostgresSessions {
    /// Keeps sessions in this database, making the tables if they are not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or a table is missing and cannot be made.
    pub async fn new(database: Postgres) -> Result<Self, PostgresError> {
        database.provide(TABLES).await?;
        Ok(Self {
            database,
            updates: UpdateQueue::default(),
            turns: Turns::default(),
        })
    }

    /// One's turn at a session or at a user's list, and then a connection.
    async fn writer_at(&self, at: &str) -> Result<(Turn, PostgresWriter), PostgresError> {
        let limit = self.database.statement_deadline();
        let turn = self.turns.take(at, limit).await;
        let turn = turn.ok_or(PostgresError::Overloaded)?;
        Ok((turn, self.database.writer().await?))
    }

    /// Writes what a batch of updates makes of a session, if it is still there.
    async fn write(&self, key: &SessionKey, batch: &mut Batch) -> Result<(), PostgresError> {
        let (_turn, mut writer) = self.writer_at(key.expose()).await?;
        let Some(current) = lock(&mut writer, key, batch.now()).await? else {
            batch.gone();
            return writer.undo().await;
        };
        let Some(merged) = batch.merge(current) else {
            return writer.undo().await;
        };
        writer
            .last(
                "UPDATE django_session SET session_data = $2, expire_date = $3 WHERE session_key = $1",
                &[&key.expose(), &merged.data, &merged.expires],
            )
            .await?;
        Ok(())
    }
}

/// Where to wait for one's turn at a user's list; no session's key has a space.
fn list_of(user_id: &str) -> String {
    format!("user {user_id}")
}

fn answer<'a, R: Send + 'static>(
    work: impl Future<Output = Result<R, PostgresError>> + Send + 'a,
) -> BoxFuture<'a, Result<R, StoreError>> {
    async move { work.await.map_err(StoreError::unavailable) }.boxed()
}

fn stored(row: &Row) -> Result<Stored, tokio_postgres::Error> {
    Ok(Stored {
        data: row.try_get(0)?,
        expires: row.try_get(1)?,
    })
}

/// Locks a session that has not ended, and gives what it holds.
async fn lock(
    writer: &mut PostgresWriter,
    key: &SessionKey,
    now: SystemTime,
) -> Result<Option<Stored>, PostgresError> {
    let row = writer
        .first(
            "SELECT session_data, expire_date FROM django_session WHERE session_key = $1 FOR UPDATE",
            &[&key.expose()],
        )
        .await?;
    let current = row.as_ref().map(stored).transpose()?;
    Ok(current.filter(|current| current.expires > now))
}

fn count(row: Option<&Row>, column: usize) -> Result<usize, PostgresError> {
    let counted: Option<i64> = row.map(|row| row.try_get(column)).transpose()?;
    Ok(counted
        .and_then(|counted| usize::try_from(counted).ok())
        .unwrap_or_default())
}

/// Strikes out of the index what ended elsewhere: at Django, which knows of no index. A page at a time, so that no statement takes
/// long; what another has locked stays for the next time.
async fn strike_ended_elsewhere(writer: &mut PostgresWriter) -> Result<(), PostgresError> {
    let mut last_seen = String::new();
    loop {
        let row = writer
            .one(
                "WITH page AS (
                     SELECT session_key FROM palisade_session_index WHERE session_key > $1
                     ORDER BY session_key LIMIT 1000),
                 orphans AS (
                     SELECT session_key FROM palisade_session_index i
                     WHERE session_key = ANY (ARRAY(SELECT session_key FROM page))
                       AND NOT EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = i.session_key)
                     FOR UPDATE SKIP LOCKED),
                 gone AS (
                     DELETE FROM palisade_session_index
                     WHERE session_key = ANY (ARRAY(SELECT session_key FROM orphans)))
                 SELECT max(session_key) FROM page",
                &[&last_seen],
            )
            .await?;
        let last = row.map(|row| row.try_get::<_, Option<String>>(0)).transpose()?;
        match last.flatten() {
            Some(last) => last_seen = last,
            None => return Ok(()),
        }
    }
}

impl SessionStore for PostgresSessions {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        answer(async move {
            let found = self
                .database
                .one(
                    "SELECT session_data, expire_date FROM django_session WHERE session_key = $1",
                    &[&key.expose()],
                    stored,
                )
                .await?;
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
        let (store, key, replaces) = (self.clone(), key.clone(), replaces.cloned());
        answer(to_the_end(async move {
            let device = device.as_ref();
            let (_turn, mut writer) = store
                .writer_at(replaces.as_ref().unwrap_or(&key).expose())
                .await?;
            writer
                .execute(
                    "WITH gone AS (DELETE FROM django_session WHERE session_key = $4),
                          unlisted AS (DELETE FROM palisade_session_index WHERE session_key = $4),
                          made AS (INSERT INTO django_session (session_key, session_data, expire_date)
                                   VALUES ($1, $2, $3))
                     INSERT INTO palisade_session_index (session_key, user_id, address, user_agent, created)
                     SELECT $1, $5, $6, $7, $8 WHERE $5::varchar IS NOT NULL",
                    &[
                        &key.expose(),
                        &session.data,
                        &session.expires,
                        &replaces.as_ref().map(SessionKey::expose),
                        &device.map(|device| &device.user_id),
                        &device.map(|device| &device.address),
                        &device.map(|device| &device.user_agent),
                        &now,
                    ],
                )
                .await?;
            Ok(())
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
                let done = store.write(&key, &mut batch).await;
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
        let (store, old, new) = (self.clone(), old.clone(), new.clone());
        answer(to_the_end(async move {
            let (_turn, mut writer) = store.writer_at(old.expose()).await?;
            let Some(current) = lock(&mut writer, &old, now).await? else {
                writer.undo().await?;
                return Ok(Updated::Gone);
            };
            let merged = merge.apply(&current);
            if let Some(device) = &device {
                writer
                    .last(
                        "WITH moved AS (UPDATE django_session
                                        SET session_key = $2, session_data = $3, expire_date = $4
                                        WHERE session_key = $1),
                              unlisted AS (DELETE FROM palisade_session_index WHERE session_key = $1)
                         INSERT INTO palisade_session_index (session_key, user_id, address, user_agent, created)
                         VALUES ($2, $5, $6, $7, $8)",
                        &[
                            &old.expose(),
                            &new.expose(),
                            &merged.data,
                            &merged.expires,
                            &device.user_id,
                            &device.address,
                            &device.user_agent,
                            &now,
                        ],
                    )
                    .await?;
            } else {
                writer
                    .last(
                        "WITH moved AS (UPDATE django_session
                                        SET session_key = $2, session_data = $3, expire_date = $4
                                        WHERE session_key = $1)
                         UPDATE palisade_session_index SET session_key = $2 WHERE session_key = $1",
                        &[&old.expose(), &new.expose(), &merged.data, &merged.expires],
                    )
                    .await?;
            }
            Ok(Updated::Saved)
        }))
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        let (store, key) = (self.clone(), key.clone());
        answer(to_the_end(async move {
            let (_turn, mut writer) = store.writer_at(key.expose()).await?;
            writer
                .execute(
                    "WITH gone AS (DELETE FROM django_session WHERE session_key = $1 RETURNING 1)
                     DELETE FROM palisade_session_index
                     WHERE session_key = $1 AND (SELECT count(*) FROM gone) >= 0",
                    &[&key.expose()],
                )
                .await?;
            Ok(())
        }))
    }

    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        let database = self.database.clone();
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        answer(to_the_end(async move {
            let mut writer = database.writer().await?;
            // In the order of the index on the date, so that a batch costs what it deletes and not what is there.
            let cleared = writer
                .one(
                    "WITH gone AS (
                         DELETE FROM django_session WHERE session_key = ANY (ARRAY(
                             SELECT session_key FROM django_session WHERE expire_date < $1
                             ORDER BY expire_date LIMIT $2 FOR UPDATE SKIP LOCKED))
                         RETURNING session_key),
                     unlisted AS (
                         DELETE FROM palisade_session_index
                         WHERE session_key = ANY (ARRAY(SELECT session_key FROM gone)))
                     SELECT count(*) FROM gone",
                    &[&now, &limit],
                )
                .await?;
            let cleared = count(cleared.as_ref(), 0)?;
            if cleared < at_most {
                strike_ended_elsewhere(&mut writer).await?;
            }
            Ok(cleared)
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
                    "SELECT i.session_key, i.address, i.user_agent, i.created, s.expire_date
                     FROM palisade_session_index i JOIN django_session s ON s.session_key = i.session_key
                     WHERE i.user_id = $1 AND s.expire_date > $2 ORDER BY i.created DESC",
                    &[&user_id, &now],
                    |row| {
                        let device = Device {
                            user_id: user_id.to_owned(),
                            address: row.try_get(1)?,
                            user_agent: row.try_get(2)?,
                        };
                        let (created, expires) = (row.try_get(3)?, row.try_get(4)?);
                        Ok(SessionKey::parse(row.try_get(0)?).map(|key| Listed {
                            key,
                            device,
                            created,
                            expires,
                        }))
                    },
                )
                .await?;
            Ok(rows.into_iter().flatten().collect())
        })
    }

    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        let (store, user_id) = (self.clone(), user_id.to_owned());
        let keep = keep.map_or_else(String::new, |key| key.expose().to_owned());
        answer(to_the_end(async move {
            let (_turn, mut writer) = store.writer_at(&list_of(&user_id)).await?;
            let mut ended = 0;
            for _ in 0..PASSES {
                let row = writer
                    .one(
                        "WITH theirs AS (
                             SELECT i.session_key FROM palisade_session_index i
                             JOIN django_session s ON s.session_key = i.session_key
                             WHERE i.user_id = $1 AND i.session_key <> $2
                             ORDER BY i.session_key FOR UPDATE OF s),
                         gone AS (
                             DELETE FROM django_session
                             WHERE session_key = ANY (ARRAY(SELECT session_key FROM theirs))
                             RETURNING session_key),
                         unlisted AS (
                             DELETE FROM palisade_session_index i
                             WHERE user_id = $1 AND session_key <> $2 AND (SELECT count(*) FROM gone) >= 0
                               AND (session_key = ANY (ARRAY(SELECT session_key FROM gone)) OR NOT EXISTS (
                                   SELECT 1 FROM django_session s WHERE s.session_key = i.session_key)))
                         SELECT (SELECT count(*) FROM gone),
                                (SELECT count(*) FROM palisade_session_index i JOIN django_session s
                                 ON s.session_key = i.session_key WHERE i.user_id = $1 AND i.session_key <> $2)",
                        &[&user_id, &keep],
                    )
                    .await?;
                let (gone, seen) = (count(row.as_ref(), 0)?, count(row.as_ref(), 1)?);
                ended += gone;
                // One that moved to another key while this statement waited for it was seen and is not gone.
                if gone >= seen {
                    break;
                }
            }
            Ok(ended)
        }))
    }
}
