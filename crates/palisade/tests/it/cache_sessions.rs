//! Sessions in Django's cache: the contract, and a real Django on the same Redis where there is one.

use std::time::{Duration, SystemTime};

use palisade::redis::Redis;
use palisade::session::contract::{Contract, Server};
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{CacheSessions, CachedDbSessions, SessionKey, SessionStore, SqliteSessions};
use palisade::sqlite::Sqlite;
use palisade_core::settings::{DjangoCache, DjangoSettings};

use crate::client::settings;
use crate::kept::{HOUR, codec, stored};
use crate::log::Log;

fn sessions(server: &testkit::Redis) -> CacheSessions {
    CacheSessions::in_cache(Redis::open(&server.url()).unwrap(), &settings())
        .with_key_prefix("shop")
        .with_version(3)
}

fn contract(store: CacheSessions) -> Contract {
    Contract::of(store)
        .with_codec(codec())
        .with_sessions_that_expire_by_themselves()
}

fn says(stored: &Stored) -> String {
    codec().decode(&stored.data).unwrap().to_json().to_string()
}

fn setting(key: &'static str, json: &'static str) -> Merge {
    Merge::new(move |current| {
        let mut data = codec().decode(&current.data).unwrap();
        data.insert_raw(key, json.to_owned()).unwrap();
        Stored {
            data: codec().encode(&data, current.expires),
            expires: current.expires,
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn djangos_cache_keeps_the_contract() {
    let server = testkit::Redis::start().unwrap();
    let redis = Redis::open(&server.url())
        .unwrap()
        .with_time_limit(Duration::from_mins(1));
    let contract = contract(CacheSessions::in_cache(redis, &settings()));
    contract.holds().await;
    contract.counts_exactly(10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn djangos_cache_survives_an_outage() {
    let server = std::cell::RefCell::new(testkit::Redis::start().unwrap());
    let store = sessions(&server.borrow());
    contract(store)
        .survives_outage(async |turn| match turn {
            Server::Down => server.borrow_mut().kill().unwrap(),
            Server::Up => server.borrow_mut().resume().unwrap(),
        })
        .await;
}

#[tokio::test]
async fn a_session_stands_under_djangos_key_until_it_ends() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    let name = format!("shop:3:django.contrib.sessions.cache{}", key.expose());
    let left: u64 = server
        .ask(&format!("PTTL {name}"))
        .unwrap()
        .trim_start_matches(':')
        .parse()
        .unwrap();
    assert!((3_500_000..=3_600_000).contains(&left), "{left}");
    let found = store.load(&key, now).await.unwrap().unwrap();
    let apart = found.expires.duration_since(now + HOUR - HOUR / 100).unwrap();
    assert!(apart < HOUR / 50);
}

#[tokio::test]
async fn a_pickle_of_more_than_plain_data_is_an_error_and_stays_as_it_is() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let name = format!("shop:3:django.contrib.sessions.cache{}", key.expose());
    for foreign in [
        r#""\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.""#,
        r#""5""#,
        r#""\x80\x04]." "#,
        r#""\x80\x04N.""#,
    ] {
        server.ask(&format!("SET {name} {foreign}")).unwrap();
        assert!(store.load(&key, now).await.is_err(), "{foreign}");
        let update = store.update(&key, setting("a", "1"), now).await;
        assert!(update.is_err(), "{foreign}");
        assert_eq!(server.ask(&format!("EXISTS {name}")).unwrap(), ":1");
        store.delete(&key).await.unwrap();
        assert_eq!(
            store.load(&key, now).await.unwrap(),
            None,
            "a logout is always possible"
        );
    }
}

/// What Django put there between our reading and our writing is merged into.
#[tokio::test]
async fn a_change_of_djangos_between_read_and_write_is_kept() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    let name = format!("shop:3:django.contrib.sessions.cache{}", key.expose());
    let (port, first) = (server.port(), std::sync::Mutex::new(true));
    let merge = Merge::new(move |current| {
        if std::mem::take(&mut *first.lock().unwrap()) {
            // {"django": 1, "n": 1}, as Django would write it.
            testkit::redis::ask(
                port,
                &format!(r#"SET {name} "\x80\x04}}(\x8c\x06djangoK\x01\x8c\x01nK\x01u." EX 60"#),
            )
            .unwrap();
        }
        setting("ours", "2").apply(current)
    });
    assert_eq!(store.update(&key, merge, now).await.unwrap(), Updated::Saved);
    let found = store.load(&key, now).await.unwrap().unwrap();
    assert_eq!(says(&found), r#"{"django":1,"n":1,"ours":2}"#);
}

fn cached_db(server: &testkit::Redis) -> CachedDbSessions<SqliteSessions> {
    let database = SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap();
    CachedDbSessions::new(database, Redis::open(&server.url()).unwrap(), &settings())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_behind_djangos_cache_keeps_the_contract() {
    let server = testkit::Redis::start().unwrap();
    let contract = Contract::of(cached_db(&server)).with_codec(codec());
    contract.holds().await;
    contract.counts_exactly(2_000).await;
}

/// The attack: the cache is away during a logout, and comes back with the session that it held, in which Django believes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_logged_out_while_djangos_cache_is_away() {
    let mut server = testkit::Redis::start().unwrap();
    let store = cached_db(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored(r#"{"n":1}"#, now + HOUR), None, None, now)
        .await
        .unwrap();
    server.kill().unwrap();
    assert!(
        store.load(&key, now).await.unwrap().is_some(),
        "the database has it"
    );
    assert_eq!(
        store.update(&key, setting("n", "2"), now).await.unwrap(),
        Updated::Saved
    );
    assert!(
        store.delete(&key).await.is_err(),
        "nobody is told to be logged out who is not"
    );
    let new = SessionKey::generate();
    assert!(
        store
            .cycle(&key, &new, setting("n", "3"), None, now)
            .await
            .is_err()
    );
    server.resume().unwrap();
    store.delete(&key).await.unwrap();
    assert_eq!(store.load(&key, now).await.unwrap(), None);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_at_the_start_is_named_in_the_log() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let cache = djangos_cache(&format!("redis://:hunter2@127.0.0.1:{port}/1"));
    let (log, _guard) = Log::begin();
    let database = SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap();
    CachedDbSessions::of_django(database, &cache, &settings()).unwrap();
    let told = format!("Redis at 127.0.0.1:{port} cannot be reached");
    let named = async {
        while !log.text().contains(&told) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), named).await.unwrap();
    assert!(!log.text().contains("hunter2"), "{}", log.text());
}

fn djangos_cache(location: &str) -> DjangoCache {
    let json = format!(
        r#"{{"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db", "CACHES": {{"default": {{
            "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "{location}",
            "KEY_PREFIX": "shop", "VERSION": 3}}}}}}"#
    );
    let file = "settings.json";
    DjangoSettings { file, json: &json }.site().session_cache.unwrap()
}

#[tokio::test]
async fn a_database_behind_the_cache_of_djangos_settings_takes_out_what_django_has_there() {
    let server = testkit::Redis::start().unwrap();
    let database = SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap();
    let store = CachedDbSessions::of_django(database, &djangos_cache(&server.url()), &settings()).unwrap();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let session = stored(r#"{"n":1}"#, now + HOUR);
    store.create(&key, session, None, None, now).await.unwrap();
    let name = format!("shop:3:django.contrib.sessions.cached_db{}", key.expose());
    server.ask(&format!("SET {name} copy")).unwrap();
    store.delete(&key).await.unwrap();
    assert_eq!(server.ask(&format!("EXISTS {name}")).unwrap(), ":0");
}
