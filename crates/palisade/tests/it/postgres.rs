//! PostgreSQL: the contracts, Django's tables, a million rows, and a server that goes away, hangs or is somebody else's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use palisade::auth::PostgresUsers;
use palisade::postgres::{Postgres, PostgresError, PostgresOptions};
use palisade::session::contract::{Contract, Server};
use palisade::session::store::Stored;
use palisade::session::{PostgresSessions, SessionKey, SessionStore};

use crate::client::{Client, settings};
use crate::servers::{patient, postgres, postgres_database};
use crate::session_site::site_on;

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
    let mut server = testkit::Postgres::start().unwrap();
    let database = patient().open(&server.url()).await.unwrap();
    Contract::of(PostgresSessions::new(database).await.unwrap())
        .survives_outage(async |state| match state {
            Server::Down => server.kill().unwrap(),
            Server::Up => server.resume().unwrap(),
        })
        .await;
}

#[tokio::test]
async fn a_request_whose_server_is_gone_is_a_503_and_the_session_is_there_afterwards() {
    let mut server = testkit::Postgres::start().unwrap();
    let database = Postgres::open(&server.url()).await.unwrap();
    let site = site_on(settings(), PostgresSessions::new(database).await.unwrap());
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
async fn a_server_that_hangs_is_an_error_within_the_deadline_and_heals() {
    let server = testkit::Postgres::start().unwrap();
    // Long enough for a busy machine to answer in, when it answers.
    let deadline = Duration::from_secs(2);
    let database = PostgresOptions::new()
        .connection_deadline(deadline)
        .statement_deadline(deadline)
        .open(&server.url())
        .await
        .unwrap();
    let store = PostgresSessions::new(database).await.unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let stored = Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    };
    store.create(&key, stored, None, None, now).await.unwrap();

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

#[tokio::test]
async fn a_logout_is_done_though_the_client_hung_up() {
    use futures_util::FutureExt;

    let server = postgres();
    let database = postgres_database(&server, "hung_up").await;
    let store = PostgresSessions::new(database.clone()).await.unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let stored = Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    };
    store.create(&key, stored, None, None, now).await.unwrap();
    assert!(
        store.delete(&key).now_or_never().is_none(),
        "nobody waits for the answer"
    );
    let gone = async { while store.load(&key, now).await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
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

/// What `manage.py migrate` of Django 5.2 makes.
#[tokio::test]
async fn the_tables_are_those_that_django_makes() {
    let server = postgres();
    let database = postgres_database(&server, "tables").await;
    PostgresSessions::new(database.clone()).await.unwrap();
    PostgresUsers::new(database.clone()).await.unwrap();
    let columns = database
        .all(
            "SELECT table_name || '.' || column_name || ' ' || data_type
                    || coalesce('(' || character_maximum_length || ')', '')
                    || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END
                    || CASE is_identity WHEN 'YES' THEN ' identity ' || identity_generation ELSE '' END
             FROM information_schema.columns WHERE table_name IN ('django_session', 'auth_user')
             ORDER BY table_name DESC, ordinal_position",
            &[],
            |row| row.try_get::<_, String>(0),
        )
        .await
        .unwrap();
    assert_eq!(
        columns,
        [
            "django_session.session_key character varying(40)",
            "django_session.session_data text",
            "django_session.expire_date timestamp with time zone",
            "auth_user.id integer identity BY DEFAULT",
            "auth_user.password character varying(128)",
            "auth_user.last_login timestamp with time zone null",
            "auth_user.is_superuser boolean",
            "auth_user.username character varying(150)",
            "auth_user.first_name character varying(150)",
            "auth_user.last_name character varying(150)",
            "auth_user.email character varying(254)",
            "auth_user.is_staff boolean",
            "auth_user.is_active boolean",
            "auth_user.date_joined timestamp with time zone",
        ]
    );
    let indexes = database
        .all(
            "SELECT indexdef FROM pg_indexes WHERE tablename IN ('django_session', 'auth_user') ORDER BY indexname",
            &[],
            |row| row.try_get::<_, String>(0),
        )
        .await
        .unwrap();
    assert_eq!(
        indexes,
        [
            "CREATE UNIQUE INDEX auth_user_pkey ON public.auth_user USING btree (id)",
            "CREATE INDEX auth_user_username_6821ab7c_like ON public.auth_user USING btree (username varchar_pattern_ops)",
            "CREATE UNIQUE INDEX auth_user_username_key ON public.auth_user USING btree (username)",
            "CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date)",
            "CREATE UNIQUE INDEX django_session_pkey ON public.django_session USING btree (session_key)",
            "CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops)",
        ]
    );
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
    let (ours, theirs) = (
        testkit::Authority::new().unwrap(),
        testkit::Authority::new().unwrap(),
    );
    let (certificate, key) = ours.issue_pem(&["localhost"]).unwrap();
    let server = testkit::Postgres::with_tls(&certificate, &key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trust = |name: &str, authority: &testkit::Authority| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        file.display().to_string()
    };
    let (ours, theirs) = (trust("ours.pem", &ours), trust("theirs.pem", &theirs));
    let named = server.url().replace("127.0.0.1", "localhost");

    for mode in ["require", "verify-full", "prefer"] {
        let address = format!("{named}?sslmode={mode}&sslrootcert={ours}");
        let database = patient().open(&address).await.unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let encrypted = database.one(sql, &[], |row| row.try_get::<_, bool>(0)).await;
        assert_eq!(encrypted.unwrap(), Some(true), "{mode}");
    }
    for (address, why) in [
        (
            format!("{named}?sslmode=require&sslrootcert={theirs}"),
            "certificate",
        ),
        (
            format!("{}?sslmode=require&sslrootcert={ours}", server.url()),
            "certificate",
        ),
        (
            format!("{named}?sslmode=require&sslrootcert={ours}.gone"),
            "ours.pem.gone",
        ),
    ] {
        let error = patient().open(&address).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains(server.password()), "{error}");
    }

    let in_clear = postgres();
    let address = format!("{}?sslmode=require&sslrootcert={ours}", in_clear.url());
    let error = patient().open(&address).await.unwrap_err().to_string();
    assert!(error.contains("TLS"), "{error}");
}

#[tokio::test]
async fn an_error_tells_neither_the_password_nor_a_session_key() {
    let server = postgres();
    let wrong = server.url().replace(server.password(), "hunter2");
    let error = Postgres::open(&wrong).await.unwrap_err();
    assert!(matches!(error, PostgresError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("hunter2"));

    let database = postgres_database(&server, "errors").await;
    assert!(!format!("{database:?}").contains(server.password()));
    let store = PostgresSessions::new(database).await.unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let stored = Stored {
        data: "data".to_owned(),
        expires: now + Duration::from_hours(1),
    };
    store.create(&key, stored.clone(), None, None, now).await.unwrap();
    let error = store.create(&key, stored, None, None, now).await.unwrap_err();
    assert!(format!("{error:?}").contains("duplicate key"), "{error:?}");
    assert!(!format!("{error:?}").contains(key.expose()), "{error:?}");
}
