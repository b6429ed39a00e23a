//! Counts in `PostgreSQL`, shared by all processes of a site.

use std::time::SystemTime;

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::throttle::Tally;

use super::bucket::Bucket;
use super::columns::{millis, network, number, time, unsigned};
use super::store::{Counted, ThrottleStore, ThrottleStoreError};
use crate::postgres::{Postgres, PostgresError, Row, Table, to_the_end};

const TABLES: &[Table] = &[Table {
    name: "palisade_throttle",
    sql: "CREATE TABLE palisade_throttle (
              bucket varchar(40) NOT NULL PRIMARY KEY,
              debt bigint NOT NULL,
              counted_at bigint NOT NULL,
              waits_until bigint NOT NULL,
              expires bigint NOT NULL,
              network varchar(43) NOT NULL
          );
          CREATE INDEX palisade_throttle_expires ON palisade_throttle (expires);",
}];

/// Keeps counts in `PostgreSQL`, in a table of their own.
///
/// # Example
///
/// ```no_run
/// use palisade::{postgres::Postgres, throttle::PostgresThrottle};
///
/// # async fn open() -> Result<(), palisade::postgres::PostgresError> {
/// let database = Postgres::open("postgres://shop:password@db.example.com/shop").await?;
/// let throttle = PostgresThrottle::new(database).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresThrottle(Postgres);

impl PostgresThrottle {
    /// Keeps counts in this database, making the table if it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the table is missing and cannot be made.
    pub async fn new(database: Postgres) -> Result<Self, PostgresError> {
        database.provide(TABLES).await?;
        Ok(Self(database))
    }
}

async fn swap(
    database: &Postgres,
    bucket: &str,
    old: Option<Tally>,
    new: Option<Counted>,
    now: SystemTime,
) -> Result<bool, PostgresError> {
    let changed = match (old, new) {
        (None, None) => {
            let sql = "SELECT 1 FROM palisade_throttle WHERE bucket = $1";
            let found = database.one(sql, &[&bucket], |_| Ok(())).await?;
            return Ok(found.is_none());
        }
        (None, Some(new)) => {
            // One is added and a few that are over go, without waiting for whoever is at them.
            database
                .execute(
                    "WITH over AS (
                         SELECT bucket FROM palisade_throttle WHERE expires <= $7 AND bucket <> $1
                         ORDER BY expires LIMIT 4 FOR UPDATE SKIP LOCKED),
                     gone AS (DELETE FROM palisade_throttle WHERE bucket = ANY (ARRAY(SELECT bucket FROM over)))
                     INSERT INTO palisade_throttle (bucket, debt, counted_at, waits_until, expires, network)
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket) DO NOTHING",
                    &[
                        &bucket,
                        &number(new.tally.debt),
                        &number(new.tally.at),
                        &millis(new.until),
                        &millis(new.expires),
                        &network(&new),
                        &millis(now),
                    ],
                )
                .await?
        }
        (Some(old), None) => {
            database
                .execute(
                    "DELETE FROM palisade_throttle WHERE bucket = $1 AND debt = $2 AND counted_at = $3",
                    &[&bucket, &number(old.debt), &number(old.at)],
                )
                .await?
        }
        (Some(old), Some(new)) => {
            database
                .execute(
                    "UPDATE palisade_throttle
                     SET debt = $4, counted_at = $5, waits_until = $6, expires = $7, network = $8
                     WHERE bucket = $1 AND debt = $2 AND counted_at = $3",
                    &[
                        &bucket,
                        &number(old.debt),
                        &number(old.at),
                        &number(new.tally.debt),
                        &number(new.tally.at),
                        &millis(new.until),
                        &millis(new.expires),
                        &network(&new),
                    ],
                )
                .await?
        }
    };
    Ok(changed == 1)
}

impl ThrottleStore for PostgresThrottle {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        async move {
            let sql = "SELECT debt, counted_at, waits_until, expires, network FROM palisade_throttle WHERE bucket = $1";
            let found = self.0.one(sql, &[&bucket.to_string()], |row| counted(row, 0)).await;
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
        let (database, bucket) = (self.0.clone(), bucket.to_string());
        async move {
            // To the end: a connection on which a client that hangs up leaves something undone would have to be closed.
            let swapped = to_the_end(async move { swap(&database, &bucket, old, new, now).await });
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
            let listed = self
                .0
                .all(
                    "SELECT bucket, debt, counted_at, waits_until, expires, network FROM palisade_throttle
                     WHERE waits_until > $1 ORDER BY waits_until DESC, bucket LIMIT $2",
                    &[&millis(now), &at_most],
                    |row| {
                        let bucket: &str = row.try_get(0)?;
                        Ok(bucket.parse::<Bucket>().ok().zip(Some(counted(row, 1)?)))
                    },
                )
                .await;
            let listed = listed.map_err(ThrottleStoreError::unavailable)?;
            Ok(listed.into_iter().flatten().collect())
        }
        .boxed()
    }
}

fn counted(row: &Row, first: usize) -> Result<Counted, tokio_postgres::Error> {
    let number = |column: usize| Ok::<_, tokio_postgres::Error>(unsigned(row.try_get(first + column)?));
    Ok(Counted {
        tally: Tally {
            debt: number(0)?,
            at: number(1)?,
        },
        until: time(number(2)?),
        expires: time(number(3)?),
        network: row.try_get::<_, &str>(first + 4)?.parse().ok(),
    })
}
