//! Where reports are kept: in memory, and in a database if there is one, so that they outlive the process.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::budget::Budget;
use super::table::Table;
use super::{Disposition, MOST_KINDS, Seen, Violation};
use crate::sqlite::{Migration, Row, Sqlite, SqliteError, params};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "palisade_csp_report",
    sql: "CREATE TABLE palisade_csp_report (
              directive TEXT NOT NULL,
              blocked TEXT NOT NULL,
              document TEXT NOT NULL,
              source TEXT NOT NULL,
              disposition TEXT NOT NULL,
              count INTEGER NOT NULL,
              first_seen INTEGER NOT NULL,
              last_seen INTEGER NOT NULL,
              PRIMARY KEY (directive, blocked, document, source, disposition)
          ) STRICT, WITHOUT ROWID",
}];

/// The reports that have come, alike ones counted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CspReports(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    budget: Mutex<Budget>,
    table: Mutex<Table>,
    database: Option<Sqlite>,
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CspReports {
    /// Keeps reports in memory, as long as the process lives.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps reports in a database, too, in a table of their own.
    ///
    /// # Errors
    ///
    /// When the database cannot be brought up to date or read.
    pub fn in_sqlite(database: Sqlite) -> Result<Self, SqliteError> {
        database.migrate(MIGRATIONS)?;
        let mut table = Table::default();
        for seen in database.read(|reader| {
            reader.all(
                "SELECT directive, blocked, document, source, disposition, count, first_seen, last_seen
                 FROM palisade_csp_report ORDER BY count DESC LIMIT ?1",
                params![i64::try_from(MOST_KINDS).unwrap_or(i64::MAX)],
                row,
            )
        })? {
            table.restore(seen);
        }
        Ok(Self(Arc::new(Kept {
            budget: Mutex::default(),
            table: Mutex::new(table),
            database: Some(database),
        })))
    }

    /// Lists what was reported, the latest first.
    pub fn list(&self) -> Vec<Seen> {
        lock(&self.0.table).list()
    }

    /// Tells how many reports were dropped since the start or the last clearing, because there were too many.
    pub fn dropped(&self) -> u64 {
        lock(&self.0.table).dropped
    }

    /// Forgets all reports.
    ///
    /// # Errors
    ///
    /// When the database cannot be written to.
    pub async fn clear(&self) -> Result<(), SqliteError> {
        lock(&self.0.table).clear();
        if let Some(database) = &self.0.database {
            database
                .write(|writer| -> Result<(), SqliteError> {
                    writer.execute("DELETE FROM palisade_csp_report", params![])?;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    /// Whether a report of this client is read now.
    pub(super) fn has_room_for(&self, client: Option<IpAddr>, now: SystemTime) -> bool {
        let has_room = lock(&self.0.budget).take(client, now);
        if !has_room {
            let mut table = lock(&self.0.table);
            table.dropped = table.dropped.saturating_add(1);
        }
        has_room
    }

    /// Counts a report, and logs it when it is the first of its kind, the tenth, the hundredth and so on.
    pub(super) async fn add(&self, violation: Violation, now: SystemTime) {
        let added = lock(&self.0.table).add(violation, now);
        log(&added.seen);
        if let Some(database) = &self.0.database {
            let saved = save(database, added.seen, added.pushed_out).await;
            if let Err(error) = saved {
                tracing::warn!(target: "palisade::csp", "a report of a violated policy is kept in memory alone: {error}");
            }
        }
    }
}

fn log(seen: &Seen) {
    let Seen { violation, count, .. } = seen;
    if count
        .checked_ilog10()
        .is_some_and(|digits| 10_u64.checked_pow(digits) == Some(*count))
    {
        tracing::warn!(
            target: "palisade::csp",
            directive = violation.directive(),
            blocked = violation.blocked(),
            document = violation.document(),
            source = violation.source(),
            disposition = violation.disposition().as_str(),
            count,
            "a page's policy was violated"
        );
    }
}

async fn save(database: &Sqlite, seen: Seen, pushed_out: Option<Violation>) -> Result<(), SqliteError> {
    let work = database.write(move |writer| -> Result<(), SqliteError> {
        if let Some(old) = &pushed_out {
            writer.execute(
                "DELETE FROM palisade_csp_report
                 WHERE directive = ?1 AND blocked = ?2 AND document = ?3 AND source = ?4 AND disposition = ?5",
                params![old.directive, old.blocked, old.document, old.source, old.disposition.as_str()],
            )?;
        }
        let Seen { violation, count, first, last } = &seen;
        writer.execute(
            "INSERT INTO palisade_csp_report
                 (directive, blocked, document, source, disposition, count, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET count = max(count, excluded.count), last_seen = max(last_seen, excluded.last_seen)",
            params![
                violation.directive,
                violation.blocked,
                violation.document,
                violation.source,
                violation.disposition.as_str(),
                i64::try_from(*count).unwrap_or(i64::MAX),
                seconds(*first),
                seconds(*last),
            ],
        )?;
        Ok(())
    });
    work.await
}

fn row(row: &Row<'_>) -> rusqlite::Result<Seen> {
    let disposition: String = row.get(4)?;
    let moment = |column: usize| -> rusqlite::Result<SystemTime> {
        let seconds: i64 = row.get(column)?;
        Ok(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    Ok(Seen {
        violation: Violation {
            directive: row.get(0)?,
            blocked: row.get(1)?,
            document: row.get(2)?,
            source: row.get(3)?,
            disposition: match disposition.as_str() {
                "report" => Disposition::Reported,
                _ => Disposition::Enforced,
            },
        },
        count: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0),
        first: moment(6)?,
        last: moment(7)?,
    })
}

fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
