//! A session whose row somebody holds locked: its own requests wait, and nobody else's.
//!
//! The attack: whoever has a session, and can have Django hold its row for a moment (a view in a transaction that logs in, say), sends
//! many requests that change it, or end it.

use std::time::{Duration, Instant, SystemTime};

use palisade::mysql::MySqlOptions;
use palisade::postgres::PostgresOptions;
use palisade::session::store::{Merge, Stored};
use palisade::session::{Device, MySqlSessions, PostgresSessions, SessionKey, SessionStore};
use tokio::task::JoinSet;

use crate::servers::{mariadb, mariadb_database, postgres, postgres_database};

/// So long may one wait for a connection and for a statement, and a third of it for a lock.
const LIMIT: Duration = Duration::from_mins(1);

fn session(now: SystemTime) -> Stored {
    Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    }
}

async fn begin(store: &impl SessionStore, user: &str, now: SystemTime) -> SessionKey {
    let (key, device) = (
        SessionKey::generate(),
        Device {
            user_id: user.to_owned(),
            address: "192.0.2.7".to_owned(),
            user_agent: "Firefox".to_owned(),
        },
    );
    store
        .create(&key, session(now), Some(device), None, now)
        .await
        .unwrap();
    key
}

/// Sends twenty requests of each kind that needs the lock of `hot`, which is user 7's.
fn crowd(store: &(impl SessionStore + Clone), hot: &SessionKey, now: SystemTime) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let (store, hot) = (store.clone(), hot.clone());
        tasks.spawn(async move {
            let (new, merge) = (SessionKey::generate(), Merge::new(Stored::clone));
            let _ = match number % 5 {
                0 => store.update(&hot, merge, now).await.map(drop),
                1 => store.cycle(&hot, &new, merge, None, now).await.map(drop),
                2 => store.delete(&hot).await,
                3 => store.create(&new, session(now), None, Some(&hot), now).await,
                _ => store.delete_others("7", None).await.map(drop),
            };
        });
    }
    tasks
}

async fn writes_at_once(store: &impl SessionStore, other: &SessionKey, now: SystemTime) {
    let began = Instant::now();
    let written = store.update(other, Merge::new(Stored::clone), now).await;
    let took = began.elapsed();
    assert!(written.is_ok() && took < LIMIT / 4, "after {took:?}: {written:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_locked_session_keeps_nobody_else_from_writing_theirs_to_postgres() {
    let server = postgres();
    let django = postgres_database(&server, "hot").await;
    let database = PostgresOptions::new()
        .connection_deadline(LIMIT)
        .statement_deadline(LIMIT)
        .open(&server.url_of("hot"))
        .await
        .unwrap();
    let store = PostgresSessions::new(database).await.unwrap();
    let now = SystemTime::now();
    let (hot, other) = (begin(&store, "7", now).await, begin(&store, "8", now).await);
    let mut holder = django.writer().await.unwrap();
    let key = hot.expose().to_owned();
    holder
        .first(
            "SELECT 1 FROM django_session WHERE session_key = $1 FOR UPDATE",
            &[&key],
        )
        .await
        .unwrap();
    let _crowd = crowd(&store, &hot, now);
    let waiting =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'hot'";
    while django
        .one(waiting, &[], |row| row.try_get::<_, bool>(0))
        .await
        .unwrap()
        != Some(true)
    {}
    writes_at_once(&store, &other, now).await;
    holder.undo().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_locked_session_keeps_nobody_else_from_writing_theirs_to_mariadb() {
    let server = mariadb();
    let django = mariadb_database(&server, "hot", None).await;
    let database = MySqlOptions::new()
        .connection_deadline(LIMIT)
        .statement_deadline(LIMIT)
        .open(&server.url_of("hot"))
        .await
        .unwrap();
    let store = MySqlSessions::new(database).await.unwrap();
    let now = SystemTime::now();
    let (hot, other) = (begin(&store, "7", now).await, begin(&store, "8", now).await);
    let mut holder = django.connection().await.unwrap();
    holder.begin().await.unwrap();
    let lock = "SELECT 1 FROM django_session WHERE session_key = ? FOR UPDATE";
    holder.one(lock, vec![hot.expose().into()]).await.unwrap();
    let _crowd = crowd(&store, &hot, now);
    let waiting = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    while django.one(waiting, Vec::new()).await.unwrap().is_none() {}
    writes_at_once(&store, &other, now).await;
    holder.undo().await.unwrap();
}

#[tokio::test]
async fn a_row_that_another_holds_is_given_up_on_before_the_deadline() {
    let server = postgres();
    let django = postgres_database(&server, "held").await;
    let database = PostgresOptions::new()
        .statement_deadline(Duration::from_secs(9))
        .open(&server.url_of("held"))
        .await
        .unwrap();
    let store = PostgresSessions::new(database).await.unwrap();
    let now = SystemTime::now();
    let key = begin(&store, "7", now).await;
    let mut holder = django.writer().await.unwrap();
    holder
        .first("SELECT 1 FROM django_session FOR UPDATE", &[])
        .await
        .unwrap();
    let error = store.delete(&key).await.unwrap_err();
    assert!(format!("{error:?}").contains("lock timeout"), "{error:?}");
    holder.undo().await.unwrap();
    store.delete(&key).await.unwrap();
}
