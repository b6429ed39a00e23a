//! MariaDB: the contracts, Django's tables, collations that hold different keys to be equal, and a server that goes away.

use std::time::{Duration, SystemTime};

use palisade::auth::MySqlUsers;
use palisade::clock::Clock;
use palisade::mysql::field;
use palisade::session::contract::Contract;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{Device, MySqlSessions, SessionKey, SessionStore, Sessions};

use crate::client::settings;
use crate::servers::{mariadb, mariadb_database};
use crate::sql_servers;

fn session(now: SystemTime) -> Stored {
    Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mariadb_keeps_the_contract() {
    let server = mariadb();
    let database = mariadb_database(&server, "contract", None).await;
    let contract = Contract::of(MySqlSessions::new(database).await.unwrap());
    contract.holds().await;
    contract.counts_exactly(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mariadb_keeps_the_contract_in_an_outage() {
    sql_servers::keeps_the_contract_in_an_outage::<testkit::MariaDb>().await;
}

#[tokio::test]
async fn a_request_whose_mariadb_is_gone_is_a_503_and_the_session_is_there_afterwards() {
    sql_servers::is_a_503_while_it_is_gone::<testkit::MariaDb>().await;
}

#[tokio::test]
async fn a_mariadb_that_hangs_is_an_error_within_the_deadline_and_heals() {
    sql_servers::heals_when_it_hung::<testkit::MariaDb>().await;
}

#[tokio::test]
async fn a_logout_is_done_in_mariadb_though_the_client_hung_up() {
    let server = mariadb();
    let database = mariadb_database(&server, "hung_up", None).await;
    sql_servers::ends_a_session_whose_client_hung_up(&MySqlSessions::new(database).await.unwrap()).await;
}

/// `utf8mb4_general_ci` holds `a` and `A` to be the same.
#[tokio::test]
async fn a_key_that_the_collation_holds_to_be_equal_is_another_key() {
    let server = mariadb();
    let database = mariadb_database(&server, "collated", Some("utf8mb4_general_ci")).await;
    let store = MySqlSessions::new(database.clone()).await.unwrap();
    let now = SystemTime::now();
    let key = SessionKey::parse("abcdefghijklmnopqrstuvwxyzabcdef").unwrap();
    let device = Device {
        user_id: "a".to_owned(),
        address: "192.0.2.7".to_owned(),
        user_agent: "Firefox".to_owned(),
    };
    store
        .create(&key, session(now), Some(device), None, now)
        .await
        .unwrap();
    let shout = "UPDATE django_session SET session_key = UPPER(session_key)";
    assert_eq!(database.execute(shout, Vec::new()).await.unwrap(), 1);
    let equal = "SELECT count(*) FROM django_session WHERE session_key = ?";
    let mut row = database
        .one(equal, vec![key.expose().into()])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        field::<i64>(&mut row, 0).unwrap(),
        1,
        "the server holds them to be equal"
    );

    assert_eq!(store.load(&key, now).await.unwrap(), None);
    let merge = || Merge::new(Stored::clone);
    assert_eq!(store.update(&key, merge(), now).await.unwrap(), Updated::Gone);
    let new = SessionKey::generate();
    assert_eq!(
        store.cycle(&key, &new, merge(), None, now).await.unwrap(),
        Updated::Gone
    );
    assert_eq!(
        store.list("A", now).await.unwrap().len(),
        0,
        "nor is the user A the user a"
    );
    store.delete(&key).await.unwrap();
    let count = "SELECT count(*) FROM django_session";
    let mut row = database.one(count, Vec::new()).await.unwrap().unwrap();
    assert_eq!(
        field::<i64>(&mut row, 0).unwrap(),
        1,
        "another's session is not deleted"
    );
}

#[tokio::test]
async fn ended_sessions_are_cleared_in_batches_from_mariadb() {
    let server = mariadb();
    let database = mariadb_database(&server, "cleared", None).await;
    let store = MySqlSessions::new(database.clone()).await.unwrap();
    let mut connection = database.connection().await.unwrap();
    let made = connection
        .execute(
            "INSERT INTO django_session
             SELECT lpad(seq, 32, '0'), 'data', IF(seq % 50 = 0, '2001-01-01', '2101-01-01') FROM seq_1_to_100000",
            Vec::new(),
        )
        .await
        .unwrap();
    assert_eq!(made, 100_000);
    let sessions = Sessions::new(store, &settings(), Clock::system());
    assert_eq!(sessions.clear_expired().await.unwrap(), 2_000);
    assert_eq!(sessions.clear_expired().await.unwrap(), 0);
    let plan =
        "EXPLAIN SELECT session_key FROM django_session WHERE expire_date < ? ORDER BY expire_date LIMIT 500";
    let mut row = connection
        .one(plan, vec!["2026-01-01".into()])
        .await
        .unwrap()
        .unwrap();
    let index = field::<String>(&mut row, 5).unwrap();
    assert_eq!(index, "django_session_expire_date_a5c62663");
}

/// The file holds what `manage.py migrate` of a real Django 5.2 made: columns, indexes and foreign keys.
#[tokio::test]
async fn the_tables_in_mariadb_are_those_that_django_makes() {
    let server = mariadb();
    let database = mariadb_database(&server, "tables", None).await;
    MySqlSessions::new(database.clone()).await.unwrap();
    MySqlUsers::new(database.clone()).await.unwrap();
    let rows = database
        .all(include_str!("schema/mysql.sql"), Vec::new())
        .await
        .unwrap();
    let mut made: Vec<String> = rows
        .into_iter()
        .map(|mut row| field(&mut row, 0).unwrap())
        .collect();
    made.sort();
    let djangos: Vec<&str> = include_str!("schema/mysql.txt").lines().collect();
    assert_eq!(made, djangos);
}

#[tokio::test]
async fn a_mysql_error_tells_neither_the_password_nor_a_session_key() {
    sql_servers::tells_no_secrets(&*mariadb()).await;
}

#[tokio::test]
async fn tls_is_spoken_with_the_mariadb_that_was_meant_and_no_other() {
    sql_servers::speaks_tls_with_whom_it_means(&*mariadb()).await;
}
