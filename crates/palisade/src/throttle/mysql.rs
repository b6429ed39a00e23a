//! Counts in MySQL or MariaDB, shared by all processes of a site.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::throttle::Tally;

use super::bucket::Bucket;
use super::columns::{millis, network, number, time, unsigned};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use crate::mysql::{MySql, MySqlError, Row, Table, field, to_the_end};

const TABLES: &[Table] = &[Table {
    name: "palisade_throttle",
    sql: "CREATE TABLE IF NOT EXISTS palisade_throttle (
              bucket varchar(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
              debt bigint NOT NULL,
              counted_at bigint NOT NULL,
              waits_until bigint NOT NULL,
              expires bigint NOT NULL,
              network varchar(43) CHARACTER SET ascii NOT NULL,
              INDEX palisade_throttle_expires (expires)
          )",
}];

/// Keeps counts in MySQL or MariaDB, in a table of their own.
///
/// # Example
///
/// ```no_run
/// use palisade::{mysql::MySql, throttle::MySqlThrottle};
///
/// # async fn open() -> Result<(), palisade::mysql::MySqlError> {
/// let database = MySql::open("mysql://shop:password@db.example.com/shop").await?;
/// let throttle = MySqlThrottle::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MySqlThrottle(MySql);

impl MySqlThrottle {
    /// Keeps counts in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the table is missing and cannot be made.
    pub async fn new(database: MySql) -> Result<Self, MySqlError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

async fn swap(
    database: &MySql,
    bucket: &str,
    old: Option<Tally>,
    new: Option<Counted>,
    now: SystemTime,
) -> Result<bool, MySqlError> {
    let changed = match (old, new) {
        (None, None) => {
            let sql = "SELECT 1 FROM palisade_throttle WHERE bucket = ?";
            return Ok(database.one(sql, vec![bucket.into()]).await?.is_none());
        }
        (None, Some(new)) => {
            let added = database
                .execute(
                    "INSERT INTO palisade_throttle (bucket, debt, counted_at, waits_until, expires, network)
                     VALUES (?, ?, ?, ?, ?, ?)",
                    vec![
                        bucket.into(),
                        number(new.tally.debt).into(),
                        number(new.tally.at).into(),
                        millis(new.until).into(),
                        millis(new.expires).into(),
                        network(&new).into(),
                    ],
                )
                .await;
            match added {
                Err(error) if error.is_unique_violation() => return Ok(false),
                added => drop(added?),
            }
            sweep(database, now).await?;
            return Ok(true);
        }
        (Some(old), None) => {
            database
                .execute(
                    "DELETE FROM palisade_throttle WHERE bucket = ? AND debt = ? AND counted_at = ?",
                    vec![bucket.into(), number(old.debt).into(), number(old.at).into()],
                )
                .await?
        }
        (Some(old), Some(new)) => {
            database
                .execute(
                    "UPDATE palisade_throttle
                     SET debt = ?, counted_at = ?, waits_until = ?, expires = ?, network = ?
                     WHERE bucket = ? AND debt = ? AND counted_at = ?",
                    vec![
                        number(new.tally.debt).into(),
                        number(new.tally.at).into(),
                        millis(new.until).into(),
                        millis(new.expires).into(),
                        network(&new).into(),
                        bucket.into(),
                        number(old.debt).into(),
                        number(old.at).into(),
                    ],
                )
                .await?
        }
    };
    Ok(changed == 1)
}

/// One is added and a few that are over go. Looked for without locks; whoever is at one of them has the other's way.
async fn sweep(database: &MySql, now: SystemTime) -> Result<(), MySqlError> {
    let over = database
        .all(
            "SELECT bucket FROM palisade_throttle WHERE expires <= ? ORDER BY expires LIMIT 4",
            vec![millis(now).into()],
        )
        .await?;
    for mut row in over {
        let bucket: String = field(&mut row, 0)?;
        let gone = database
            .execute(
                "DELETE FROM palisade_throttle WHERE bucket = ? AND expires <= ?",
                vec![bucket.into(), millis(now).into()],
            )
            .await;
        match gone {
            Err(error) if !error.is_deadlock() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl ThrottleStore for MySqlThrottle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        async move {
            let sql = "SELECT debt, counted_at, waits_until, expires, network FROM palisade_throttle WHERE bucket = ?";
            let found = self.0.one(sql, vec![bucket.to_string().into()]).await;
            let found = found.and_then(|row| row.map(|mut row| counted(&mut row, 0)).transpose());
            found.map_err(ThrottleStoreError::unavailable)
        }
        .boxed()
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        let work = (self.0.clone(), bucket.to_string());
        async move {
            let swapped = to_the_end(move || {
                let (database, bucket) = work.clone();
                async move { swap(&database, &bucket, old, new, now).await }
            });
            swapped.await.map_err(ThrottleStoreError::unavailable)
        }
        .boxed()
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        async move {
            let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
            let rows = self
                .0
                .all(
                    "SELECT bucket, debt, counted_at, waits_until, expires, network FROM palisade_throttle
                     WHERE waits_until > ? ORDER BY waits_until DESC, bucket LIMIT ?",
                    vec![millis(now).into(), at_most.into()],
                )
                .await
                .map_err(ThrottleStoreError::unavailable)?;
            let mut listed = Vec::with_capacity(rows.len());
            for mut row in rows {
                let bucket: String = field(&mut row, 0).map_err(ThrottleStoreError::unavailable)?;
                let counted = counted(&mut row, 1).map_err(ThrottleStoreError::unavailable)?;
                listed.extend(bucket.parse().ok().map(|bucket| (bucket, counted)));
            }
            Ok(listed)
        }
        .boxed()
    }
}

fn counted(row: &mut Row, first: usize) -> Result<Counted, MySqlError> {
    let mut number = |column: usize| Ok::<_, MySqlError>(unsigned(field(row, first + column)?));
    let tally = Tally {
        debt: number(0)?,
        at: number(1)?,
    };
    let (until, expires) = (time(number(2)?), time(number(3)?));
    Ok(Counted {
        tally,
        until,
        expires,
        network: field::<String>(row, first + 4)?.parse().ok(),
    })
}
