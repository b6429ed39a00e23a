//! What a hostile reader tried against the stores of issue 3.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use palisade::password::Hashers;
use palisade::postgres::PostgresOptions;
use palisade::redis::Redis;
use palisade::session::store::{Merge, StoreError, Stored, Updated};
use palisade::session::{
    CachedDbSessions, Device, FileSessions, Listed, MemorySessions, PostgresSessions, RedisSessions, SessionKey,
    SessionStore,
};
use palisade_core::session::{SessionCodec, SessionData};

use crate::client::settings;
use crate::servers::{postgres, postgres_database};

const HOUR: Duration = Duration::from_hours(1);

fn codec() -> SessionCodec {
    SessionCodec::new(&settings().key_ring())
}

fn stored(json: &str, expires: SystemTime) -> Stored {
    Stored {
        data: codec().encode(&SessionData::from_json(json.to_owned()).unwrap(), expires),
        expires,
    }
}

fn device(user: &str) -> Device {
    Device {
        user_id: user.to_owned(),
        address: "2001:db8::7".to_owned(),
        user_agent: "Mozilla/5.0".to_owned(),
    }
}

/// A database that is so slow to end a session that a request of Django's comes in between: it finds `None` in the cache,
/// reads the row, and puts a copy into the cache (`cached_db.SessionStore.load`, `cache.set`).
#[derive(Debug)]
struct WithDjangoBesideIt {
    database: MemorySessions,
    port: u16,
    done: Mutex<bool>,
}

impl WithDjangoBesideIt {
    async fn django_reads(&self, key: &SessionKey, now: SystemTime) {
        if self.database.load(key, now).await.unwrap().is_none() {
            return;
        }
        let name = format!(":1:django.contrib.sessions.cached_db{}", key.expose());
        let got = testkit::redis::ask(self.port, &format!("STRLEN {name}")).unwrap();
        assert!(got == ":4" || got == ":0", "{got}: Django finds no copy, and reads the row");
        testkit::redis::ask(
            self.port,
            &format!(r#"SET {name} "\x80\x04}}(\x8c\x01nK\x01u." EX 1209600"#),
        )
        .unwrap();
        *self.done.lock().unwrap() = true;
    }
}

impl SessionStore for WithDjangoBesideIt {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.database.load(key, now)
    }
    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: Stored,
        device: Option<Device>,
        replaces: Option<&'a SessionKey>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            if let Some(replaces) = replaces {
                self.django_reads(replaces, now).await;
            }
            self.database.create(key, session, device, replaces, now).await
        }
        .boxed()
    }
    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        merge: Merge,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        self.database.update(key, merge, now)
    }
    fn cycle<'a>(
        &'a self,
        old: &'a SessionKey,
        new: &'a SessionKey,
        merge: Merge,
        device: Option<Device>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Updated, StoreError>> {
        async move {
            self.django_reads(old, now).await;
            self.database.cycle(old, new, merge, device, now).await
        }
        .boxed()
    }
    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.django_reads(key, SystemTime::now()).await;
            self.database.delete(key).await
        }
        .boxed()
    }
    fn clear_expired(&self, at_most: usize, now: SystemTime) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.database.clear_expired(at_most, now)
    }
    fn list<'a>(
        &'a self,
        user_id: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Vec<Listed>, StoreError>> {
        self.database.list(user_id, now)
    }
    fn delete_others<'a>(
        &'a self,
        user_id: &'a str,
        keep: Option<&'a SessionKey>,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        self.database.delete_others(user_id, keep)
    }
}

fn beside_django(server: &testkit::Redis) -> CachedDbSessions<WithDjangoBesideIt> {
    let database = WithDjangoBesideIt {
        database: MemorySessions::new(),
        port: server.port(),
        done: Mutex::default(),
    };
    CachedDbSessions::new(database, Redis::open(&server.url()).unwrap(), &settings())
}

/// The attack: whoever has a copy of the cookie keeps asking Django, so that one of the requests reads the row after the
/// announcement and before the deletion.
#[tokio::test]
async fn a_logout_holds_though_django_reads_the_session_in_the_midst_of_it() {
    let server = testkit::Redis::start().unwrap();
    let store = beside_django(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    store.delete(&key).await.unwrap();
    assert_eq!(store.load(&key, now).await.unwrap(), None, "logged out, and there all the same");
}

#[tokio::test]
async fn the_key_before_a_login_is_worth_nothing_though_django_reads_it_in_the_midst_of_it() {
    let server = testkit::Redis::start().unwrap();
    let store = beside_django(&server);
    let (old, new, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    store
        .create(&old, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    store
        .cycle(&old, &new, Merge::new(Stored::clone), None, now)
        .await
        .unwrap();
    assert_eq!(store.load(&old, now).await.unwrap(), None, "the old key still opens a session");
}

#[tokio::test]
async fn a_logout_from_a_database_behind_a_cache_is_done_though_the_client_hung_up() {
    let server = testkit::Redis::start().unwrap();
    let database = crate::flaky::Flaky::default();
    let store = CachedDbSessions::new(database.clone(), Redis::open(&server.url()).unwrap(), &settings());
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    assert!(
        store.delete(&key).now_or_never().is_none(),
        "nobody waits for the answer"
    );
    let gone = async {
        while database.load(&key, now).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone)
        .await
        .expect("the row is there for as long as it lives");
}

#[tokio::test]
async fn a_logout_from_redis_is_done_though_the_client_hung_up_while_it_was_connected_to() {
    let server = testkit::Redis::start().unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    RedisSessions::new(Redis::open(&server.url()).unwrap())
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    // A process that has not spoken to Redis yet, or lost its connection.
    let store = RedisSessions::new(Redis::open(&server.url()).unwrap());
    assert!(store.delete(&key).now_or_never().is_none());
    let gone = async {
        while store.load(&key, now).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone)
        .await
        .expect("the session is there for as long as it lives");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_keeps_nobody_from_ending_their_other_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let now = SystemTime::now();
    let (mine, stolen, ended) = (SessionKey::generate(), SessionKey::generate(), SessionKey::generate());
    for key in [&mine, &stolen] {
        store
            .create(key, stored("{}", now + HOUR), Some(device("7")), None, now)
            .await
            .unwrap();
    }
    store
        .create(&ended, stored("{}", now - HOUR), None, None, now)
        .await
        .unwrap();
    // A disk that was full, a backup of another user's, a crash: one file of somebody is not text.
    let name = format!("{}{}", settings().session_cookie_name, SessionKey::generate().expose());
    fs::write(folder.path().join(name), b"\xff\xfe\x00").unwrap();
    let listed = store.list("7", now).await.map(|listed| listed.len());
    let others = store.delete_others("7", Some(&mine)).await;
    let cleared = store.clear_expired(100, now).await;
    let told = format!("{listed:?} {others:?} {cleared:?}");
    assert!(store.load(&stolen, now).await.unwrap().is_none(), "the stolen session lives on: {told}");
}

/// The attack, by somebody with an account on the machine, where the folder is Django's default, `/tmp`: a pipe that is called as
/// a session, and the cookie of that name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_folder_takes_no_thread_and_stops_no_cleaning() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let pipe = folder
        .path()
        .join(format!("{}{}", settings().session_cookie_name, key.expose()));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let load = tokio::time::timeout(Duration::from_secs(2), store.load(&key, now)).await;
    let clear = tokio::time::timeout(Duration::from_secs(2), store.clear_expired(1, now)).await;
    let other = SessionKey::generate();
    let write = tokio::time::timeout(
        Duration::from_secs(2),
        store.create(&other, stored("{}", now + HOUR), None, None, now),
    )
    .await;
    let verdict = (load.is_err(), clear.is_err(), write.is_err());
    // Let the threads go, or the test's runtime would wait for them for ever.
    for _ in 0..40 {
        let mut options = fs::OpenOptions::new();
        // O_NONBLOCK: an error, where nobody reads.
        std::os::unix::fs::OpenOptionsExt::custom_flags(options.write(true), 0o4000);
        drop(options.open(&pipe));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        verdict,
        (false, false, false),
        "hang: a look-up, the cleaning, and then every write of everybody"
    );
}

#[tokio::test]
async fn a_statement_that_a_clients_text_spoils_costs_others_no_connection() {
    let server = postgres();
    postgres_database(&server, "spoiled").await;
    let database = PostgresOptions::new()
        .readers(1)
        .open(&server.url_of("spoiled"))
        .await
        .unwrap();
    let pid = async || {
        let sql = "SELECT pg_backend_pid()";
        database.one(sql, &[], |row| row.try_get::<_, i32>(0)).await.unwrap().unwrap()
    };
    let before = pid().await;
    assert_eq!(before, pid().await);
    let text = "a\0b";
    let spoiled = database.one("SELECT $1::text", &[&text], |row| row.try_get::<_, String>(0)).await;
    let error = spoiled.unwrap_err();
    assert_eq!(before, pid().await, "everybody's connection was closed for one request's `{error}`");
}

/// Beside a Django, sessions mostly end there: a logout, `manage.py clearsessions`.
#[tokio::test]
async fn no_address_of_a_device_is_kept_after_its_session_has_ended_at_django() {
    let server = postgres();
    let database = postgres_database(&server, "orphans").await;
    let store = PostgresSessions::new(database.clone()).await.unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored("{}", now + HOUR), Some(device("7")), None, now)
        .await
        .unwrap();
    database.execute("DELETE FROM django_session", &[]).await.unwrap();
    store.clear_expired(100, now + 100 * HOUR).await.unwrap();
    let left = database
        .one("SELECT count(*) FROM palisade_session_index", &[], |row| row.try_get::<_, i64>(0))
        .await
        .unwrap();
    assert_eq!(left, Some(0), "address and browser of user 7 stay for ever");
}

/// Whoever has a session and can have Django hold its row for a moment (a view in a transaction that logs in, say) sends ten
/// requests that change it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_locked_session_keeps_nobody_else_from_writing_theirs() {
    let server = postgres();
    postgres_database(&server, "hot").await;
    let database = PostgresOptions::new().open(&server.url_of("hot")).await.unwrap();
    let store = PostgresSessions::new(database.clone()).await.unwrap();
    let (hot, other, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    for key in [&hot, &other] {
        store.create(key, stored("{}", now + HOUR), None, None, now).await.unwrap();
    }
    let django = PostgresOptions::new()
        .statement_deadline(Duration::from_mins(1))
        .open(&server.url_of("hot"))
        .await
        .unwrap();
    let mut holder = django.writer().await.unwrap();
    let key = hot.expose().to_owned();
    holder
        .first("SELECT 1 FROM django_session WHERE session_key = $1 FOR UPDATE", &[&key])
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, hot) = (store.clone(), hot.clone());
        tasks.spawn(async move { store.update(&hot, Merge::new(Stored::clone), now).await });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = std::time::Instant::now();
    let written = store.update(&other, Merge::new(Stored::clone), now).await;
    let took = began.elapsed();
    holder.undo().await.unwrap();
    assert!(written.is_ok() && took < Duration::from_secs(1), "after {took:?}: {written:?}");
}

/// Nobody is told apart, whatever has become of the keys.
#[tokio::test]
async fn with_every_key_expired_a_name_that_exists_is_answered_as_one_that_does_not() {
    use palisade::Sensitive;
    use palisade::clock::Clock;
    use palisade::core::password::{PasswordKey, PasswordKeys};

    let key = PasswordKey::parse("2026-11-01", "secret = \"s\"\nexpires = \"2026-11-02\"").unwrap();
    let password = Sensitive::new("a boat in a blue bottle".to_owned());
    let plain = Hashers::dangerous_cheap().hash(&password).await.unwrap();
    let hashers = Hashers::dangerous_cheap().with_keys(PasswordKeys::new([key]), Clock::system());
    let wrong = Sensitive::new("wrong".to_owned());
    let (there, not_there) = (
        hashers.verify(&wrong, Some(&plain)).await,
        hashers.verify(&wrong, None).await,
    );
    assert_eq!(there.is_ok(), not_there.is_ok(), "{there:?} and {not_there:?}");
}

/// A person, or a robot, that logs in each minute and never out, has 20,000 sessions after Django's two weeks.
#[tokio::test]
async fn a_login_costs_the_same_however_many_sessions_the_user_has() {
    let server = testkit::Redis::start().unwrap();
    let store = RedisSessions::new(Redis::open(&server.url()).unwrap());
    let now = SystemTime::now();
    let commands = || -> u64 {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        std::io::Write::write_all(&mut stream, b"INFO stats\r\nQUIT\r\n").unwrap();
        let mut stats = String::new();
        std::io::Read::read_to_string(&mut stream, &mut stats).unwrap();
        let line = stats.lines().find(|line| line.contains("total_commands_processed")).unwrap();
        line.split(':').next_back().unwrap().trim().parse().unwrap()
    };
    let log_in = async || {
        let before = commands();
        let key = SessionKey::generate();
        store
            .create(&key, stored("{}", now + HOUR), Some(device("7")), None, now)
            .await
            .unwrap();
        commands() - before
    };
    let first = log_in().await;
    for _ in 0..400 {
        log_in().await;
    }
    let last = log_in().await;
    assert!(last < first + 50, "the first login took {first} commands, the 402nd {last}");
}

/// A request that is given up in the midst of a transaction (the client hung up) leaves no transaction to the next.
#[tokio::test]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_the_next_ones() {
    let server = postgres();
    postgres_database(&server, "given_up").await;
    let database = PostgresOptions::new()
        .writers(1)
        .open(&server.url_of("given_up"))
        .await
        .unwrap();
    for slow in [true, false] {
        let mut writer = database.writer().await.unwrap();
        let sql = if slow {
            "SELECT pg_current_xact_id()::text, pg_sleep(0.2)"
        } else {
            "SELECT pg_current_xact_id()::text"
        };
        let first = writer.first(sql, &[]);
        if slow {
            assert!(tokio::time::timeout(Duration::from_millis(50), first).await.is_err());
        } else {
            first.await.unwrap();
        }
        drop(writer);
        let mut next = database.writer().await.unwrap();
        let sql = "SELECT pg_current_xact_id_if_assigned() IS NULL";
        let row = next.one(sql, &[]).await.unwrap().unwrap();
        assert!(row.try_get::<_, bool>(0).unwrap(), "in a transaction that another began (slow: {slow})");
    }
}

/// Such a Django writes local times into SQLite and MySQL, which are read as UTC: a session that ended in Tokyo lives here nine
/// hours longer.
#[test]
fn a_django_that_writes_local_times_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ", "ALLOWED_HOSTS": ["shop.example"],
                   "USE_TZ": false, "TIME_ZONE": "Asia/Tokyo"}"#;
    fs::write(folder.path().join("settings.json"), json).unwrap();
    let toml = "django_settings = \"settings.json\"\n";
    fs::write(folder.path().join("palisade.toml"), toml).unwrap();
    let loaded = palisade::load_settings(folder.path().join("palisade.toml"), []);
    let told = loaded.expect_err("taken as any other").to_string();
    assert!(told.contains("USE_TZ"), "{told}");
}

/// The same site with a letter in another case: person 7 has what user 7 was granted.
#[tokio::test]
async fn auth_users_own_tables_are_no_other_tables_however_their_names_are_written() {
    use palisade::auth::{SqliteUsers, UserStore, UserTable};
    use palisade::core::permission::PermissionName;
    use palisade::sqlite::{Sqlite, params};

    let database = Sqlite::in_memory().unwrap();
    SqliteUsers::new(database.clone()).unwrap();
    database
        .write(|writer| {
            let run = |sql: &'static str| writer.execute(sql, params![]);
            run("CREATE TABLE person AS SELECT * FROM auth_user")?;
            run("INSERT INTO person (id, username, password, is_superuser, is_staff, is_active, email, first_name, last_name, date_joined)
                 VALUES (7, 'eve', '!', 0, 0, 1, '', '', '', '2026-01-01 00:00:00')")?;
            run("INSERT INTO auth_user (id, username, password, is_superuser, is_staff, is_active, email, first_name, last_name, date_joined)
                 VALUES (7, 'root', '!', 0, 0, 1, '', '', '', '2026-01-01 00:00:00')")?;
            run("INSERT INTO django_content_type (id, app_label, model) VALUES (901, 'notes', 'note')")?;
            run("INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (901, 901, 'change_note', 'x')")?;
            run("INSERT INTO auth_user_user_permissions (user_id, permission_id) VALUES (7, 901)")
        })
        .await
        .unwrap();
    let people = UserTable {
        table: "person".to_owned(),
        groups: "Auth_User_Groups".to_owned(),
        user_permissions: "Auth_User_User_Permissions".to_owned(),
        ..UserTable::default()
    };
    let users = SqliteUsers::of_table(database, &people).unwrap();
    let eve = users.by_id(7).await.unwrap().unwrap();
    let may = users.permissions(&eve).await.unwrap();
    assert!(
        !may.has_perm(&PermissionName::new("notes", "change_note")),
        "eve of `person` has what root of `auth_user` was granted"
    );
}

/// What an administrator keeps beside the keys: `old.key`, `backup.key`.
#[test]
fn a_key_that_is_no_date_is_never_the_newest() {
    use palisade::core::password::{PasswordKey, PasswordKeys};

    let key = |id: &str| PasswordKey::parse(id, &format!("secret = \"secret of {id}\""));
    let keys = ["2025-11-01", "2026-11-01", "old"].map(key).into_iter().filter_map(Result::ok);
    let keys = PasswordKeys::new(keys);
    assert_eq!(keys.newest(SystemTime::now()).unwrap().id(), "2026-11-01", "`o` comes after `2`");
}

/// The attack: while the cache is away somebody gives up what they were allowed (`sudo`, an account being impersonated); then it is
/// back, with the copy from before.
#[tokio::test]
async fn a_change_that_was_acknowledged_while_the_cache_was_away_holds_when_it_is_back() {
    let mut server = testkit::Redis::start().unwrap();
    let database = MemorySessions::new();
    let store = CachedDbSessions::new(database, Redis::open(&server.url()).unwrap(), &settings());
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"sudo":true}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    assert!(store.load(&key, now).await.unwrap().is_some(), "and now it is cached");
    server.kill().unwrap();
    let gives_up = Merge::new(move |current| Stored {
        data: stored("{}", now).data,
        expires: current.expires,
    });
    let updated = store.update(&key, gives_up, now).await;
    server.resume().unwrap();
    if updated.is_err() {
        return;
    }
    let found = store.load(&key, now).await.unwrap().unwrap();
    let says = codec().decode(&found.data).unwrap().to_json().to_string();
    assert_eq!(says, "{}", "given up, acknowledged, and allowed again");
}

#[tokio::test]
async fn a_session_that_a_login_replaces_is_gone_from_the_cache_too() {
    let server = testkit::Redis::start().unwrap();
    let store = CachedDbSessions::new(MemorySessions::new(), Redis::open(&server.url()).unwrap(), &settings());
    let (old, new, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    store
        .create(&old, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    assert!(store.load(&old, now).await.unwrap().is_some(), "and now it is cached");
    store
        .create(&new, stored("{}", now + HOUR), None, Some(&old), now)
        .await
        .unwrap();
    assert_eq!(store.load(&old, now).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_from_before_the_login_is_worth_nothing_where_the_secret_is_in_the_session() {
    use palisade::auth::SqliteUsers;
    use palisade::csrf::CsrfToken;
    use palisade::password::PasswordPolicy;
    use palisade::sqlite::Sqlite;
    use palisade::{Palisade, Router};

    use crate::csrf_site::{FORM, OURS, request};
    use crate::login_site::{form, log_in, sign_up};

    let mut settings = settings();
    settings.csrf_use_sessions = true;
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let page = async |csrf: CsrfToken| csrf.masked();
    let router = Router::new()
        .route("/form/", axum::routing::get(page).post(async || "noted"))
        .route("/login/", axum::routing::get(page).post(log_in))
        .route("/sign-up/", axum::routing::get(page).post(sign_up));
    let app = Palisade::new(settings)
        .with_sessions(MemorySessions::new())
        .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
        .protect(router);
    let client = crate::client::Client::new(&app);
    let send = async |path: &str, token: &str, fields: &str| {
        let body = format!("csrfmiddlewaretoken={token}&{fields}");
        client.send(request("POST", path, &[OURS, FORM], body)).await
    };
    let before = client.get("/login/").await.text;
    let fields = form("ann", "a fine long passphrase");
    assert_eq!(send("/sign-up/", &before, &fields).await.text, "made");
    assert_eq!(send("/form/", &before, "a=1").await.text, "noted");
    assert_eq!(send("/login/", &before, &fields).await.text, "in");
    assert_eq!(send("/form/", &before, "a=1").await.status, 403);
}
