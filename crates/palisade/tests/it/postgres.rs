//! PostgreSQL: the contracts, Django's tables, a million rows, and a server that goes away, hangs or is somebody else's.

use std::time::{Duration, UNIX_EPOCH};

use palisade::auth::PostgresUsers;
use palisade::postgres::{PostgresError, PostgresOptions};
use palisade::session::contract::Contract;
use palisade::session::{PostgresSessions, SessionStore};

use crate::servers::{patient, postgres, postgres_database};
use crate::sql_servers;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract() {
    let server = postgres();
    let database = postgres_database(&server, "contract").await;
    let contract = Contract::of(PostgresSessions::new(database).await.unwrap());
    contract.holds().await;
    contract.counts_exactly(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract_in_an_outage() {
    sql_servers::keeps_the_contract_in_an_outage::<testkit::Postgres>().await;
}

#[tokio::test]
async fn a_request_whose_server_is_gone_is_a_503_and_the_session_is_there_afterwards() {
    sql_servers::is_a_503_while_it_is_gone::<testkit::Postgres>().await;
}

#[tokio::test]
async fn a_server_that_hangs_is_an_error_within_the_deadline_and_heals() {
    sql_servers::heals_when_it_hung::<testkit::Postgres>().await;
}

#[tokio::test]
async fn a_logout_is_done_though_the_client_hung_up() {
    let server = postgres();
    let database = postgres_database(&server, "hung_up").await;
    sql_servers::ends_a_session_whose_client_hung_up(&PostgresSessions::new(database).await.unwrap()).await;
}

/// A million sessions, of which five thousand have ended: a batch costs what it deletes, not what is there.
#[tokio::test]
async fn ended_sessions_are_cleared_in_batches_from_among_a_million() {
    let server = postgres();
    let database = postgres_database(&server, "million").await;
    let store = PostgresSessions::new(database.clone()).await.unwrap();
    let mut writer = database.writer().await.unwrap();
    let made = writer
        .execute(
            "INSERT INTO django_session
             SELECT lpad(i::text, 32, '0'), 'data',
                    timestamptz '2026-01-01' + CASE WHEN i % 200 = 0 THEN interval '-1 day' ELSE interval '1 year' END
             FROM generate_series(1, 1000000) i",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(made, 1_000_000);
    // As its own housekeeping would, later.
    writer.execute("ANALYZE django_session", &[]).await.unwrap();
    let read = async || -> i64 {
        let mut writer = database.writer().await.unwrap();
        writer
            .execute("SELECT pg_stat_force_next_flush()", &[])
            .await
            .unwrap();
        let sql = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'django_session'";
        let row = writer.one(sql, &[]).await.unwrap().unwrap();
        row.try_get(0).unwrap()
    };

    // 2026-01-01.
    let now = UNIX_EPOCH + Duration::from_hours(490_896);
    let before = read().await;
    let mut batches = Vec::new();
    while batches.last() != Some(&0) {
        batches.push(store.clear_expired(500, now).await.unwrap());
    }
    assert_eq!(batches, [500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 0]);
    assert_eq!(read().await, before, "no row was looked at but by an index");
    let count = "SELECT count(*) FROM django_session";
    let left = database.one(count, &[], |row| row.try_get::<_, i64>(0)).await;
    assert_eq!(left.unwrap(), Some(995_000));
}

/// The file holds what `manage.py migrate` of a real Django 5.2 made: columns, indexes and foreign keys.
#[tokio::test]
async fn the_tables_are_those_that_django_makes() {
    let server = postgres();
    let database = postgres_database(&server, "tables").await;
    PostgresSessions::new(database.clone()).await.unwrap();
    PostgresUsers::new(database.clone()).await.unwrap();
    let sql = include_str!("schema/postgres.sql");
    let mut made = database
        .all(sql, &[], |row| row.try_get::<_, String>(0))
        .await
        .unwrap();
    made.sort();
    let djangos: Vec<&str> = include_str!("schema/postgres.txt").lines().collect();
    assert_eq!(made, djangos);
}

#[tokio::test]
async fn a_user_who_may_not_make_tables_may_use_those_that_are_there() {
    let server = postgres();
    let database = postgres_database(&server, "guest").await;
    let address = server
        .url_of("guest")
        .replace(&format!("palisade:{}", server.password()), "guest:a-guest");
    let mut writer = database.writer().await.unwrap();
    let create = "CREATE ROLE guest LOGIN PASSWORD 'a-guest'";
    writer.execute(create, &[]).await.unwrap();
    let guest = patient().open(&address).await.unwrap();

    let error = PostgresSessions::new(guest.clone()).await.unwrap_err();
    assert!(
        matches!(
            error,
            PostgresError::Table {
                table: "django_session",
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("permission denied for schema public"),
        "{error}"
    );

    PostgresSessions::new(database.clone()).await.unwrap();
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON django_session, palisade_session_index TO guest";
    writer.execute(grant, &[]).await.unwrap();
    Contract::of(PostgresSessions::new(guest).await.unwrap())
        .holds()
        .await;
}

#[tokio::test]
async fn tls_is_spoken_with_the_server_that_was_meant_and_no_other() {
    sql_servers::speaks_tls_with_whom_it_means(&*postgres()).await;
}

#[tokio::test]
async fn an_error_tells_neither_the_password_nor_a_session_key() {
    sql_servers::tells_no_secrets(&*postgres()).await;
}

#[tokio::test]
async fn a_server_elsewhere_that_speaks_no_tls_is_told_with_what_to_do() {
    let server = postgres();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, testkit::Authority::new().unwrap().pem()).unwrap();
    // It leads to this machine, and does not say so.
    let elsewhere = server.url().replace("127.0.0.1", "0.0.0.0");
    let opened = PostgresOptions::new()
        .root_certificates(authority)
        .open(&elsewhere)
        .await;
    let told = opened.err().unwrap().to_string();
    let place = format!("PostgreSQL at 0.0.0.0:{} cannot be reached: ", server.port());
    assert!(told.starts_with(&place), "{told}");
    let advice = "; a server on another machine is spoken to over TLS: set ssl = on there, or write sslmode=disable if the network \
                  is yours";
    assert!(told.ends_with(advice), "{told}");
}
