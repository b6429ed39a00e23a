//! What an attacker tries against sessions in a database behind Django's cache, with a Django that reads and fills the cache meanwhile.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use axum::routing::{get, post};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use palisade::auth::SqliteUsers;
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::redis::Redis;
use palisade::session::contract::{Contract, Server};
use palisade::session::store::{Merge, StoreError, Stored, Updated};
use palisade::session::{CachedDbSessions, Device, Listed, MemorySessions, SessionKey, SessionStore};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Router};

use crate::client::{Client, settings};
use crate::flaky::Flaky;
use crate::kept::{HOUR, codec, device, stored};
use crate::login_site::{PASSWORD, form, log_in, sign_up, who};

fn name(key: &SessionKey) -> String {
    format!(":1:django.contrib.sessions.cached_db{}", key.expose())
}

/// Whether Django finds a session in its cache.
fn has_copy(port: u16, key: &SessionKey) -> bool {
    let length = testkit::redis::ask(port, &format!("STRLEN {}", name(key))).unwrap();
    length != ":0"
}

/// Puts `{"n": 1}` into the cache, as Django does.
fn keep_copy(port: u16, key: &SessionKey) {
    let pickle = r#""\x80\x04}(\x8c\x01nK\x01u.""#;
    testkit::redis::ask(port, &format!("SET {} {pickle} EX 1209600", name(key))).unwrap();
}

/// A database that is so slow to end a session that a request of Django's comes in between: it finds nothing in the cache,
/// reads the row, and puts a copy into the cache (`cached_db.SessionStore.load`, `cache.set`).
#[derive(Debug)]
struct WithDjangoBesideIt {
    database: MemorySessions,
    port: u16,
}

impl WithDjangoBesideIt {
    async fn django_reads(&self, key: &SessionKey, now: SystemTime) {
        if self.database.load(key, now).await.unwrap().is_none() {
            return;
        }
        assert!(!has_copy(self.port, key), "Django finds the copy from before");
        keep_copy(self.port, key);
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
        async move {
            self.django_reads(key, now).await;
            self.database.update(key, merge, now).await
        }
        .boxed()
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
    let database = Flaky::default();
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
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone)
        .await
        .expect("the row is there for as long as it lives");
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

/// Two attacks on each change: a copy of Django's that is there from before, and one that Django makes of the row in the midst of it.
#[tokio::test]
async fn no_copy_of_djangos_from_before_or_from_the_midst_of_a_change_is_left_in_its_cache() {
    let server = testkit::Redis::start().unwrap();
    let store = beside_django(&server);
    let now = SystemTime::now();
    for change in ["delete", "cycle", "replace", "update", "delete others"] {
        let (key, new) = (SessionKey::generate(), SessionKey::generate());
        let session = || stored(r#"{"n":1}"#, now + HOUR);
        store
            .create(&key, session(), Some(device("7")), None, now)
            .await
            .unwrap();
        keep_copy(server.port(), &key);
        let merge = Merge::new(Stored::clone);
        match change {
            "delete" => store.delete(&key).await.unwrap(),
            "cycle" => drop(store.cycle(&key, &new, merge, None, now).await.unwrap()),
            "replace" => store
                .create(&new, session(), Some(device("8")), Some(&key), now)
                .await
                .unwrap(),
            "update" => drop(store.update(&key, merge, now).await.unwrap()),
            _ => assert_eq!(store.delete_others("7", None).await.unwrap(), 3),
        }
        assert!(
            !has_copy(server.port(), &key),
            "after {change} Django has the session from before"
        );
        let there = store.load(&key, now).await.unwrap().is_some();
        assert_eq!(there, change == "update", "{change}");
    }
}

/// Somebody logs in as another user in the same browser: what the first one's cookie opened is gone from both.
#[tokio::test]
async fn a_login_as_another_user_leaves_nothing_of_the_first_ones_session() {
    let server = testkit::Redis::start().unwrap();
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let router = Router::new()
        .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
        .route("/sign-up/", post(sign_up))
        .route("/who", get(who));
    let store = CachedDbSessions::new(
        MemorySessions::new(),
        Redis::open(&server.url()).unwrap(),
        &settings(),
    );
    let app = Palisade::new(settings())
        .with_sessions(store)
        .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
        .protect(router.public())
        .unwrap();
    let client = Client::new(&app);
    client.get("/login/").await;
    for name in ["ann", "bob"] {
        assert_eq!(client.post("/sign-up/", &form(name, PASSWORD)).await.text, "made");
    }
    assert_eq!(client.post("/login/", &form("ann", PASSWORD)).await.text, "in");
    let anns = SessionKey::parse(&client.cookie("sessionid").unwrap()).unwrap();
    keep_copy(server.port(), &anns);
    client.get("/login/").await;
    assert_eq!(client.post("/login/", &form("bob", PASSWORD)).await.text, "in");
    assert_eq!(client.get("/who").await.text, "bob");
    assert!(!has_copy(server.port(), &anns), "ann is logged in at Django");
    let thief = Client::new(&app);
    thief.plant("sessionid", anns.expose());
    assert_eq!(thief.get("/who").await.text, "nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_behind_djangos_cache_survives_an_outage_of_the_database_and_of_both() {
    for both in [false, true] {
        let server = RefCell::new(testkit::Redis::start().unwrap());
        let database = Flaky::default();
        let redis = Redis::open(&server.borrow().url()).unwrap();
        let store = CachedDbSessions::new(database.clone(), redis, &settings());
        Contract::of(store)
            .survives_outage(async |turn| {
                database.set_down(turn == Server::Down);
                match turn {
                    Server::Down if both => server.borrow_mut().kill().unwrap(),
                    Server::Up if both => server.borrow_mut().resume().unwrap(),
                    _ => {}
                }
            })
            .await;
    }
}
