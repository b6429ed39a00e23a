//! What a hostile reader tried against the stores of issue 3.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use palisade::password::Hashers;
use palisade::redis::Redis;
use palisade::session::store::{Merge, StoreError, Stored, Updated};
use palisade::session::{
    CachedDbSessions, Device, FileSessions, Listed, MemorySessions, RedisSessions, SessionKey, SessionStore,
};
use palisade_core::session::{SessionCodec, SessionData};

use crate::client::settings;

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
        assert!(
            got == ":4" || got == ":0",
            "{got}: Django finds no copy, and reads the row"
        );
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
    assert_eq!(
        store.load(&key, now).await.unwrap(),
        None,
        "logged out, and there all the same"
    );
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
    assert_eq!(
        store.load(&old, now).await.unwrap(),
        None,
        "the old key still opens a session"
    );
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
    let (mine, stolen, ended) = (
        SessionKey::generate(),
        SessionKey::generate(),
        SessionKey::generate(),
    );
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
    let name = format!(
        "{}{}",
        settings().session_cookie_name,
        SessionKey::generate().expose()
    );
    fs::write(folder.path().join(name), b"\xff\xfe\x00").unwrap();
    let listed = store.list("7", now).await.map(|listed| listed.len());
    let others = store.delete_others("7", Some(&mine)).await;
    let cleared = store.clear_expired(100, now).await;
    let told = format!("{listed:?} {others:?} {cleared:?}");
    assert!(
        store.load(&stolen, now).await.unwrap().is_none(),
        "the stolen session lives on: {told}"
    );
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
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
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
        let line = stats
            .lines()
            .find(|line| line.contains("total_commands_processed"))
            .unwrap();
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
    assert!(
        last < first + 50,
        "the first login took {first} commands, the 402nd {last}"
    );
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
    assert!(
        store.load(&key, now).await.unwrap().is_some(),
        "and now it is cached"
    );
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
    let store = CachedDbSessions::new(
        MemorySessions::new(),
        Redis::open(&server.url()).unwrap(),
        &settings(),
    );
    let (old, new, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    store
        .create(&old, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    assert!(
        store.load(&old, now).await.unwrap().is_some(),
        "and now it is cached"
    );
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
