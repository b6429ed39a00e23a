//! MariaDB: the contracts, Django's tables, collations that hold different keys to be equal, and a server that goes away.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use palisade::auth::MySqlUsers;
use palisade::clock::Clock;
use palisade::mysql::{MySql, MySqlError, MySqlOptions, field};
use palisade::session::contract::{Contract, Server};
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{Device, MySqlSessions, SessionKey, SessionStore, Sessions};

use crate::client::{Client, settings};
use crate::servers::{mariadb, mariadb_database, patient_mysql};
use crate::session_site::site_on;

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
    let mut server = testkit::MariaDb::start().unwrap();
    let database = patient_mysql().open(&server.url()).await.unwrap();
    Contract::of(MySqlSessions::new(database).await.unwrap())
        .survives_outage(async |state| match state {
            Server::Down => server.kill().unwrap(),
            Server::Up => server.resume().unwrap(),
        })
        .await;
}

#[tokio::test]
async fn a_request_whose_mariadb_is_gone_is_a_503_and_the_session_is_there_afterwards() {
    let mut server = testkit::MariaDb::start().unwrap();
    let database = MySql::open(&server.url()).await.unwrap();
    let site = site_on(settings(), MySqlSessions::new(database).await.unwrap());
    let client = Client::new(&site.app);
    assert_eq!(client.get("/set/apple").await.status, StatusCode::OK);

    server.kill().unwrap();
    for path in ["/show", "/set/pear", "/show"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("set-cookie"), "", "the cookie stays");
    }
    server.resume().unwrap();
    assert_eq!(client.get("/show").await.text, "apple");
    assert_eq!(client.get("/set/pear").await.status, StatusCode::OK);
    assert_eq!(client.get("/show").await.text, "pear");
}

#[tokio::test]
async fn a_mariadb_that_hangs_is_an_error_within_the_deadline_and_heals() {
    let server = testkit::MariaDb::start().unwrap();
    // Long enough for a busy machine to answer in, when it answers.
    let deadline = Duration::from_secs(2);
    let options = MySqlOptions::new()
        .connection_deadline(deadline)
        .statement_deadline(deadline);
    let store = MySqlSessions::new(options.open(&server.url()).await.unwrap())
        .await
        .unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store.create(&key, session(now), None, None, now).await.unwrap();

    server.freeze().unwrap();
    let asked = std::time::Instant::now();
    assert!(store.load(&key, now).await.is_err());
    assert!(store.delete(&key).await.is_err());
    assert!(asked.elapsed() < deadline * 10, "{:?}", asked.elapsed());
    server.thaw().unwrap();
    let again = async {
        // The first tries may still meet what had hung.
        while store.delete(&key).await.is_err() {}
        loop {
            if let Ok(found) = store.load(&key, now).await {
                return found;
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_mins(1), again).await;
    assert_eq!(again.unwrap(), None);
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

/// What `manage.py migrate` of Django 5.2 makes.
#[tokio::test]
async fn the_tables_in_mariadb_are_those_that_django_makes() {
    let server = mariadb();
    let database = mariadb_database(&server, "tables", None).await;
    MySqlSessions::new(database.clone()).await.unwrap();
    MySqlUsers::new(database.clone()).await.unwrap();
    let rows = database
        .all(
            "SELECT CONCAT(table_name, '.', column_name, ' ', column_type,
                           IF(is_nullable = 'YES', ' null', ''), IF(extra = '', '', CONCAT(' ', extra)),
                           IF(column_key = '', '', CONCAT(' ', column_key)))
             FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name IN ('django_session', 'auth_user')
             ORDER BY table_name DESC, ordinal_position",
            Vec::new(),
        )
        .await
        .unwrap();
    let columns: Vec<String> = rows
        .into_iter()
        .map(|mut row| field(&mut row, 0).unwrap())
        .collect();
    assert_eq!(
        columns,
        [
            "django_session.session_key varchar(40) PRI",
            "django_session.session_data longtext",
            "django_session.expire_date datetime(6) MUL",
            "auth_user.id int(11) auto_increment PRI",
            "auth_user.password varchar(128)",
            "auth_user.last_login datetime(6) null",
            "auth_user.is_superuser tinyint(1)",
            "auth_user.username varchar(150) UNI",
            "auth_user.first_name varchar(150)",
            "auth_user.last_name varchar(150)",
            "auth_user.email varchar(254)",
            "auth_user.is_staff tinyint(1)",
            "auth_user.is_active tinyint(1)",
            "auth_user.date_joined datetime(6)",
        ]
    );
}

#[tokio::test]
async fn a_mysql_error_tells_neither_the_password_nor_a_session_key() {
    let server = mariadb();
    let wrong = server.url().replace(server.password(), "hunter2");
    let error = MySql::open(&wrong).await.unwrap_err();
    assert!(matches!(error, MySqlError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("Access denied"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));

    let database = mariadb_database(&server, "errors", None).await;
    assert!(!format!("{database:?}").contains(server.password()));
    let store = MySqlSessions::new(database).await.unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store.create(&key, session(now), None, None, now).await.unwrap();
    let error = store
        .create(&key, session(now), None, None, now)
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains("there already"), "{error:?}");
    assert!(!format!("{error:?}").contains(key.expose()), "{error:?}");
}

#[tokio::test]
async fn tls_is_spoken_with_the_mariadb_that_was_meant_and_no_other() {
    let (ours, theirs) = (
        testkit::Authority::new().unwrap(),
        testkit::Authority::new().unwrap(),
    );
    let (certificate, key) = ours.issue_pem(&["localhost"]).unwrap();
    let server = testkit::MariaDb::with_tls(&certificate, &key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trust = |name: &str, authority: &testkit::Authority| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        file.display().to_string()
    };
    let (ours, theirs) = (trust("ours.pem", &ours), trust("theirs.pem", &theirs));
    let named = server.url().replace("127.0.0.1", "localhost");

    let database = patient_mysql()
        .open(&format!("{named}?ssl-ca={ours}"))
        .await
        .unwrap();
    let mut row = database
        .one("SHOW SESSION STATUS LIKE 'Ssl_version'", Vec::new())
        .await
        .unwrap()
        .unwrap();
    assert!(field::<String>(&mut row, 1).unwrap().starts_with("TLSv1."));
    for (address, why) in [
        (format!("{named}?ssl-ca={theirs}"), "certificate"),
        (format!("{}?ssl-ca={ours}", server.url()), "certificate"),
        (format!("{named}?ssl-ca={ours}.gone"), "ours.pem.gone"),
    ] {
        let error = patient_mysql().open(&address).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains(server.password()), "{error}");
    }

    let in_clear = mariadb();
    let address = in_clear.url().replace("127.0.0.1", "localhost");
    let error = patient_mysql()
        .open(&format!("{address}?ssl-ca={ours}"))
        .await
        .unwrap_err();
    assert!(matches!(error, MySqlError::Unreachable { .. }), "{error}");
}
