//! Sessions that ended at Django, which knows nothing of the index: what it holds of them, addresses and browsers, goes with the
//! next cleaning.

use std::time::{Duration, SystemTime};

use palisade::session::store::Stored;
use palisade::session::{Device, SessionKey, SessionStore, SqliteSessions};
use palisade::sqlite::{Sqlite, params};

const HOUR: Duration = Duration::from_hours(1);

/// Begins `count` sessions of user 7.
async fn begin(store: &impl SessionStore, count: usize, now: SystemTime) -> Vec<SessionKey> {
    let mut keys = Vec::new();
    for _ in 0..count {
        let (key, session) = (
            SessionKey::generate(),
            Stored {
                data: "data".to_owned(),
                expires: now + HOUR,
            },
        );
        let device = Device {
            user_id: "7".to_owned(),
            address: "2001:db8::7".to_owned(),
            user_agent: "Mozilla/5.0".to_owned(),
        };
        store
            .create(&key, session, Some(device), None, now)
            .await
            .unwrap();
        keys.push(key);
    }
    keys
}

/// Beside a Django sessions mostly end there: a logout, `manage.py clearsessions`. More of them than are looked at together, and
/// one that lives on.
async fn goes_with_the_next_cleaning(
    store: &impl SessionStore,
    end_all_but: impl AsyncFnOnce(String),
    indexed: impl AsyncFn() -> i64,
) {
    let now = SystemTime::now();
    let keys = begin(store, 1_050, now).await;
    let kept = keys.last().unwrap();
    end_all_but(kept.expose().to_owned()).await;
    assert_eq!(
        store.clear_expired(100, now).await.unwrap(),
        0,
        "none has expired"
    );
    assert_eq!(indexed().await, 1, "address and browser of user 7 stay for ever");
    let listed = store.list("7", now).await.unwrap();
    assert!(listed.len() == 1 && listed[0].key == *kept);
}

#[tokio::test]
async fn no_address_of_a_device_is_kept_in_sqlite_after_its_session_has_ended_at_django() {
    let database = Sqlite::in_memory().unwrap();
    let store = SqliteSessions::new(database.clone()).unwrap();
    goes_with_the_next_cleaning(
        &store,
        async |kept| {
            let delete = "DELETE FROM django_session WHERE session_key <> ?1";
            database
                .write(move |writer| writer.execute(delete, params![kept]))
                .await
                .unwrap();
        },
        async || {
            let count = "SELECT count(*) FROM palisade_session_index";
            let counted = database.read(|reader| reader.one(count, params![], |row| row.get(0)));
            counted.unwrap().unwrap()
        },
    )
    .await;
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
mod on_servers {
    use palisade::mysql::field;
    use palisade::session::{MySqlSessions, PostgresSessions};

    use super::goes_with_the_next_cleaning;
    use crate::servers::{mariadb, mariadb_database, postgres, postgres_database};

    #[tokio::test]
    async fn no_address_of_a_device_is_kept_in_postgres_after_its_session_has_ended_at_django() {
        let server = postgres();
        let database = postgres_database(&server, "ended_elsewhere").await;
        let store = PostgresSessions::new(database.clone()).await.unwrap();
        goes_with_the_next_cleaning(
            &store,
            async |kept| {
                let delete = "DELETE FROM django_session WHERE session_key <> $1";
                database.execute(delete, &[&kept]).await.unwrap();
            },
            async || {
                let count = "SELECT count(*) FROM palisade_session_index";
                let counted = database.one(count, &[], |row| row.try_get(0)).await;
                counted.unwrap().unwrap()
            },
        )
        .await;
    }

    #[tokio::test]
    async fn no_address_of_a_device_is_kept_in_mariadb_after_its_session_has_ended_at_django() {
        let server = mariadb();
        let database = mariadb_database(&server, "ended_elsewhere", None).await;
        let store = MySqlSessions::new(database.clone()).await.unwrap();
        goes_with_the_next_cleaning(
            &store,
            async |kept| {
                let delete = "DELETE FROM django_session WHERE session_key <> ?";
                database.execute(delete, vec![kept.into()]).await.unwrap();
            },
            async || {
                let count = "SELECT count(*) FROM palisade_session_index";
                let row = database.one(count, Vec::new()).await.unwrap();
                field(&mut row.unwrap(), 0).unwrap()
            },
        )
        .await;
    }
}
