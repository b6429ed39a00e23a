//! The two tables, and each statement that is asked of them.
//!
//! The collation of Django's table may hold different keys to be equal; so each statement compares bytes besides, after the index
//! has found the few rows that it may be.

use std::time::SystemTime;

use crate::mysql::{MySqlConnection, MySqlError, Row, Table, Value, field, from_value, to_value};
use crate::session::key::SessionKey;
use crate::session::store::{Device, Stored};

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "django_session",
        sql: "CREATE TABLE IF NOT EXISTS django_session (
                  session_key varchar(40) NOT NULL PRIMARY KEY,
                  session_data longtext NOT NULL,
                  expire_date datetime(6) NOT NULL,
                  INDEX django_session_expire_date_a5c62663 (expire_date)
              )",
    },
    Table {
        name: "palisade_session_index",
        sql: "CREATE TABLE IF NOT EXISTS palisade_session_index (
                  session_key varchar(40) NOT NULL PRIMARY KEY,
                  user_id varchar(64) NOT NULL,
                  address varchar(45) NOT NULL,
                  user_agent varchar(200) CHARACTER SET utf8mb4 NOT NULL,
                  created datetime(6) NOT NULL,
                  INDEX palisade_session_index_user (user_id)
              )",
    },
];

/// How many sessions one statement of the cleaning takes: as many as it has question marks.
pub(super) const CHUNK: usize = 50;

pub(super) fn at(row: &mut Row, column: usize) -> Result<SystemTime, MySqlError> {
    from_value(&field::<Value>(row, column)?).ok_or(MySqlError::Row {
        reason: "a time is no time",
    })
}

pub(super) fn stored(mut row: Row) -> Result<Stored, MySqlError> {
    Ok(Stored {
        data: field(&mut row, 0)?,
        expires: at(&mut row, 1)?,
    })
}

pub(super) fn text(key: &SessionKey) -> Value {
    key.expose().into()
}

/// Begins a transaction, locks a session that has not ended, and gives what it holds.
pub(super) async fn lock(
    connection: &mut MySqlConnection,
    key: &SessionKey,
    now: SystemTime,
) -> Result<Option<Stored>, MySqlError> {
    connection.begin().await?;
    let row = connection
        .one(
            "SELECT session_data, expire_date FROM django_session
             WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY) FOR UPDATE",
            vec![text(key), text(key)],
        )
        .await?;
    let current = row.map(stored).transpose()?;
    Ok(current.filter(|current| current.expires > now))
}

pub(super) async fn insert(
    connection: &mut MySqlConnection,
    key: &SessionKey,
    session: &Stored,
) -> Result<(), MySqlError> {
    connection
        .execute(
            "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
            vec![text(key), session.data.as_str().into(), to_value(session.expires)],
        )
        .await?;
    Ok(())
}

pub(super) async fn list_as(
    connection: &mut MySqlConnection,
    key: &SessionKey,
    device: &Device,
    now: SystemTime,
) -> Result<(), MySqlError> {
    connection
        .execute(
            "INSERT INTO palisade_session_index (session_key, user_id, address, user_agent, created)
             VALUES (?, ?, ?, ?, ?)",
            vec![
                text(key),
                device.user_id.as_str().into(),
                device.address.as_str().into(),
                device.user_agent.as_str().into(),
                to_value(now),
            ],
        )
        .await?;
    Ok(())
}

/// Deletes a session, and says whether it was there.
pub(super) async fn remove(connection: &mut MySqlConnection, key: &SessionKey) -> Result<bool, MySqlError> {
    let deleted = connection
        .execute(
            "DELETE FROM django_session
             WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
            vec![text(key), text(key)],
        )
        .await?;
    unlist(connection, key).await?;
    Ok(deleted == 1)
}

async fn unlist(connection: &mut MySqlConnection, key: &SessionKey) -> Result<(), MySqlError> {
    connection
        .execute(
            "DELETE FROM palisade_session_index
             WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
            vec![text(key), text(key)],
        )
        .await?;
    Ok(())
}

pub(super) async fn move_to(
    connection: &mut MySqlConnection,
    old: &SessionKey,
    new: &SessionKey,
    merged: &Stored,
    device: Option<&Device>,
    now: SystemTime,
) -> Result<(), MySqlError> {
    connection
        .execute(
            "UPDATE django_session SET session_key = ?, session_data = ?, expire_date = ?
             WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
            vec![
                text(new),
                merged.data.as_str().into(),
                to_value(merged.expires),
                text(old),
                text(old),
            ],
        )
        .await?;
    if let Some(device) = device {
        unlist(connection, old).await?;
        return list_as(connection, new, device, now).await;
    }
    connection
        .execute(
            "UPDATE palisade_session_index SET session_key = ?
             WHERE session_key = ? AND CAST(session_key AS BINARY) = CAST(? AS BINARY)",
            vec![text(new), text(old), text(old)],
        )
        .await?;
    Ok(())
}

/// Clears the ended ones of some keys, and says how many there were.
pub(super) async fn clear(
    connection: &mut MySqlConnection,
    keys: &[Value],
    now: SystemTime,
) -> Result<usize, MySqlError> {
    let mut values = vec![to_value(now)];
    values.extend(keys.iter().cloned());
    values.resize(1 + CHUNK, Value::NULL);
    let cleared = connection
        .execute(
            "DELETE FROM django_session WHERE expire_date < ? AND session_key IN
             (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
              ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        .await?;
    unlist_ended(connection, keys).await?;
    Ok(usize::try_from(cleared).unwrap_or(usize::MAX))
}

/// Strikes out of the index those of some keys whose session is not there.
async fn unlist_ended(connection: &mut MySqlConnection, keys: &[Value]) -> Result<(), MySqlError> {
    let mut keys = keys.to_vec();
    keys.resize(CHUNK, Value::NULL);
    connection
        .execute(
            "DELETE FROM palisade_session_index WHERE session_key IN
             (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
              ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             AND NOT EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = palisade_session_index.session_key)",
            keys,
        )
        .await?;
    Ok(())
}

/// Strikes out of the index what ended elsewhere: at Django, which knows of no index. A page at a time, so that no statement takes
/// long; looked for without locks, so that no busy session is waited for.
pub(super) async fn strike_ended_elsewhere(connection: &mut MySqlConnection) -> Result<(), MySqlError> {
    let mut last_seen = String::new();
    loop {
        let page = connection
            .all(
                "SELECT i.session_key, s.session_key IS NULL
                 FROM (SELECT session_key FROM palisade_session_index WHERE session_key > ?
                       ORDER BY session_key LIMIT 1000) i
                 LEFT JOIN django_session s ON s.session_key = i.session_key ORDER BY i.session_key",
                vec![last_seen.into()],
            )
            .await?;
        let (mut last, mut orphans) = (None, Vec::new());
        for mut row in page {
            let key: String = field(&mut row, 0)?;
            if field::<bool>(&mut row, 1)? {
                orphans.push(Value::from(&key));
            }
            last = Some(key);
        }
        for chunk in orphans.chunks(CHUNK) {
            unlist_ended(connection, chunk).await?;
        }
        match last {
            Some(last) => last_seen = last,
            None => return Ok(()),
        }
    }
}
