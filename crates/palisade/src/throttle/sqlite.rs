//! Counts in SQLite in process, shared by the processes that open the file.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt, ready};
use palisade_core::throttle::Tally;
use rusqlite::{Row, params};

use super::bucket::Bucket;
use super::columns::{millis, network, number, time, unsigned};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use crate::sqlite::{Migration, Sqlite, SqliteError, Writer};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "palisade_throttle",
    sql: "CREATE TABLE IF NOT EXISTS palisade_throttle (
              bucket varchar(40) NOT NULL PRIMARY KEY,
              debt integer NOT NULL,
              counted_at integer NOT NULL,
              waits_until integer NOT NULL,
              expires integer NOT NULL,
              network varchar(43) NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX IF NOT EXISTS palisade_throttle_expires ON palisade_throttle (expires);",
}];

/// Keeps counts in SQLite, in a table of their own.
///
/// # Example
///
/// ```
/// use palisade::{sqlite::Sqlite, throttle::SqliteThrottle};
///
/// let throttle = SqliteThrottle::new(Sqlite::in_memory()?)?;
/// # Ok::<(), palisade::sqlite::SqliteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteThrottle(Sqlite);

impl SqliteThrottle {
    /// Keeps counts in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the table cannot be made.
    pub fn new(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        Ok(Self(database))
    }
}

fn swap(
    writer: &Writer<'_>,
    bucket: &str,
    old: Option<Tally>,
    new: Option<Counted>,
    now: SystemTime,
) -> Result<bool, SqliteError> {
    let changed = match (old, new) {
        (None, None) => {
            let sql = "SELECT 1 FROM palisade_throttle WHERE bucket = ?1";
            return Ok(!writer.exists(sql, params![bucket])?);
        }
        (None, Some(new)) => {
            // One is added and a few that are over go: there are never many of those.
            writer.execute(
                "DELETE FROM palisade_throttle WHERE bucket IN
                 (SELECT bucket FROM palisade_throttle WHERE expires <= ?1 ORDER BY expires LIMIT 4) AND bucket <> ?2",
                params![millis(now), bucket],
            )?;
            writer.execute(
                "INSERT INTO palisade_throttle (bucket, debt, counted_at, waits_until, expires, network)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (bucket) DO NOTHING",
                params![
                    bucket,
                    number(new.tally.debt),
                    number(new.tally.at),
                    millis(new.until),
                    millis(new.expires),
                    network(&new)
                ],
            )?
        }
        (Some(old), None) => writer.execute(
            "DELETE FROM palisade_throttle WHERE bucket = ?1 AND debt = ?2 AND counted_at = ?3",
            params![bucket, number(old.debt), number(old.at)],
        )?,
        (Some(old), Some(new)) => writer.execute(
            "UPDATE palisade_throttle SET debt = ?4, counted_at = ?5, waits_until = ?6, expires = ?7, network = ?8
             WHERE bucket = ?1 AND debt = ?2 AND counted_at = ?3",
            params![
                bucket,
                number(old.debt),
                number(old.at),
                number(new.tally.debt),
                number(new.tally.at),
                millis(new.until),
                millis(new.expires),
                network(&new)
            ],
        )?,
    };
    Ok(changed == 1)
}

impl ThrottleStore for SqliteThrottle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        let sql =
            "SELECT debt, counted_at, waits_until, expires, network FROM palisade_throttle WHERE bucket = ?1";
        let found = self
            .0
            .read(|reader| reader.one(sql, params![bucket.to_string()], |row| counted(row, 0)));
        ready(found.map_err(ThrottleStoreError::unavailable)).boxed()
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        let bucket = bucket.to_string();
        let swapped = self.0.write(move |writer| swap(writer, &bucket, old, new, now));
        swapped
            .map(|swapped| swapped.map_err(ThrottleStoreError::unavailable))
            .boxed()
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let listed = self.0.read(|reader| {
            reader.all(
                "SELECT bucket, debt, counted_at, waits_until, expires, network FROM palisade_throttle
                 WHERE waits_until > ?1 ORDER BY waits_until DESC, bucket LIMIT ?2",
                params![millis(now), at_most],
                |row| {
                    Ok(row
                        .get_ref(0)?
                        .as_str()?
                        .parse::<Bucket>()
                        .ok()
                        .zip(Some(counted(row, 1)?)))
                },
            )
        });
        let listed = listed.map(|listed| listed.into_iter().flatten().collect());
        ready(listed.map_err(ThrottleStoreError::unavailable)).boxed()
    }
}

fn counted(row: &Row<'_>, first: usize) -> rusqlite::Result<Counted> {
    let number = |column: usize| Ok::<_, rusqlite::Error>(unsigned(row.get(first + column)?));
    Ok(Counted {
        tally: Tally {
            debt: number(0)?,
            at: number(1)?,
        },
        until: time(number(2)?),
        expires: time(number(3)?),
        network: row.get_ref(first + 4)?.as_str()?.parse().ok(),
    })
}
