//! Sessions in a real Redis: the contract, outages, expiry, a cluster and a Sentinel.

use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime};

use palisade::redis::Redis;
use palisade::session::contract::{Contract, Server};
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{Device, RedisSessions, SessionKey, SessionStore};

fn sessions(server: &testkit::Redis) -> RedisSessions {
    RedisSessions::new(Redis::open(&server.url()).unwrap())
}

fn contract(store: RedisSessions) -> Contract {
    Contract::of(store).with_sessions_that_expire_by_themselves()
}

fn stored(data: &str, lives: Duration, now: SystemTime) -> Stored {
    Stored {
        data: data.to_owned(),
        expires: now + lives,
    }
}

fn device(user: &str) -> Device {
    Device {
        user_id: user.to_owned(),
        address: "192.0.2.7".to_owned(),
        user_agent: "Firefox".to_owned(),
    }
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_keeps_the_contract() {
    let server = testkit::Redis::start().unwrap();
    contract(sessions(&server)).holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_updates_at_once_are_all_counted() {
    let server = testkit::Redis::start().unwrap();
    let redis = Redis::open(&server.url())
        .unwrap()
        .with_time_limit(Duration::from_mins(1));
    contract(RedisSessions::new(redis)).counts_exactly(10_000).await;
}

/// Two machines know nothing of each other's queue: here the comparison alone keeps the count.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_of_several_machines_are_all_counted() {
    let server = testkit::Redis::start().unwrap();
    let machines: Vec<RedisSessions> = (0..4).map(|_| sessions(&server)).collect();
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    machines[0]
        .create(&key, stored("", HOUR, now), None, None, now)
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..400 {
        let (machine, key) = (machines[turn % 4].clone(), key.clone());
        let merge = Merge::new(|current| Stored {
            data: format!("{}+", current.data),
            expires: current.expires,
        });
        tasks.spawn(async move { machine.update(&key, merge, now).await.unwrap() });
    }
    while let Some(updated) = tasks.join_next().await {
        assert_eq!(updated.unwrap(), Updated::Saved);
    }
    let counted = machines[0].load(&key, now).await.unwrap().unwrap();
    assert_eq!(counted.data, "+".repeat(400));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_survives_an_outage() {
    let server = RefCell::new(testkit::Redis::start().unwrap());
    let store = sessions(&server.borrow());
    contract(store)
        .survives_outage(async |turn| match turn {
            Server::Down => server.borrow_mut().kill().unwrap(),
            Server::Up => server.borrow_mut().resume().unwrap(),
        })
        .await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_an_error_within_the_time_limit() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://{}/0", silent.local_addr().unwrap());
    let limit = Duration::from_millis(200);
    let store = RedisSessions::new(Redis::open(&address).unwrap().with_time_limit(limit));
    let (key, now, began) = (SessionKey::generate(), SystemTime::now(), Instant::now());
    let merge = Merge::new(Clone::clone);
    assert!(store.load(&key, now).await.is_err());
    assert!(store.update(&key, merge.clone(), now).await.is_err());
    assert!(
        store
            .cycle(&key, &SessionKey::generate(), merge, None, now)
            .await
            .is_err()
    );
    assert!(store.delete(&key).await.is_err());
    assert!(began.elapsed() < limit * 10, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_server_that_falls_silent_on_an_open_connection_is_an_error_within_the_time_limit() {
    let server = testkit::Redis::start().unwrap();
    let limit = Duration::from_millis(200);
    let redis = Redis::open(&server.url()).unwrap().with_time_limit(limit);
    redis.check().await.unwrap();
    let store = RedisSessions::new(redis);
    server.ask("CLIENT PAUSE 600000 ALL").unwrap();
    let (key, now, began) = (SessionKey::generate(), SystemTime::now(), Instant::now());
    assert!(store.load(&key, now).await.is_err());
    assert!(store.update(&key, Merge::new(Clone::clone), now).await.is_err());
    assert!(store.delete(&key).await.is_err());
    assert!(began.elapsed() < limit * 12, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_session_and_the_list_of_it_expire_in_redis_by_themselves() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server).with_prefix("shop:");
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored("data", HOUR, now), Some(device("7")), None, now)
        .await
        .unwrap();
    let lives = |key: &str| -> u64 {
        let answer = server.ask(&format!("PTTL {key}")).unwrap();
        answer.trim_start_matches(':').parse().unwrap()
    };
    let session = format!("shop:session:{}", key.expose());
    assert!((3_500_000..=3_600_000).contains(&lives(&session)));
    assert!(
        lives("shop:sessions-of:7") > 3_600_000,
        "the list outlives its sessions"
    );
    let merge = Merge::new(move |current| Stored {
        expires: now + HOUR * 48,
        ..current.clone()
    });
    store.update(&key, merge, now).await.unwrap();
    assert!(lives(&session) > 3_600_000 * 47);
    assert!(
        lives("shop:sessions-of:7") > lives(&session),
        "and goes on to, when they live on"
    );
    assert_eq!(server.ask("DBSIZE").unwrap(), ":2", "nothing else is kept");
}

#[tokio::test]
async fn entries_of_a_list_whose_sessions_are_gone_are_swept() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    let now = SystemTime::now();
    let mut keys = Vec::new();
    for _ in 0..3 {
        let key = SessionKey::generate();
        store
            .create(&key, stored("data", HOUR, now), Some(device("7")), None, now)
            .await
            .unwrap();
        keys.push(key);
    }
    // As if it had expired.
    server
        .ask(&format!("DEL palisade:session:{}", keys[0].expose()))
        .unwrap();
    assert_eq!(store.list("7", now).await.unwrap().len(), 2);
    assert_eq!(
        server.ask("ZCARD palisade:sessions-of:7").unwrap(),
        ":3",
        "it may be about to be written"
    );
    assert_eq!(store.list("7", now + HOUR / 2).await.unwrap().len(), 2);
    assert_eq!(server.ask("ZCARD palisade:sessions-of:7").unwrap(), ":2");
}

/// The attack: a session moves to a new key in the very moment in which its user ends all sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_cannot_slip_away_by_moving_while_its_user_ends_all() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    for round in 0..100 {
        let (user, now) = (format!("user{round}"), SystemTime::now());
        let (old, new) = (SessionKey::generate(), SessionKey::generate());
        store
            .create(&old, stored("data", HOUR, now), Some(device(&user)), None, now)
            .await
            .unwrap();
        let (mover, first, second) = (store.clone(), old.clone(), new.clone());
        let moving = tokio::spawn(async move {
            let merge = Merge::new(Clone::clone);
            mover.cycle(&first, &second, merge, None, now).await.unwrap()
        });
        store.delete_others(&user, None).await.unwrap();
        moving.await.unwrap();
        for key in [&old, &new] {
            assert_eq!(store.load(key, now).await.unwrap(), None, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_an_error_and_not_an_empty_session() {
    let server = testkit::Redis::start().unwrap();
    let store = sessions(&server);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    server
        .ask(&format!("SET palisade:session:{} 5", key.expose()))
        .unwrap();
    assert!(store.load(&key, now).await.is_err());
    assert!(store.update(&key, Merge::new(Clone::clone), now).await.is_err());
    store.delete(&key).await.unwrap();
    assert_eq!(store.load(&key, now).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_address_of_redis_says_what_one_looks_like() {
    let error = Redis::open("http://user:secret@example.com").unwrap_err();
    assert!(error.to_string().contains("redis://"), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
    let redis = Redis::open("redis://:secret@127.0.0.1:1/0").unwrap();
    assert!(!format!("{redis:?}").contains("secret"));
    assert!(redis.check().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_keeps_the_contract() {
    let cluster = testkit::RedisCluster::start().unwrap();
    let urls = cluster.urls();
    let redis = Redis::cluster(urls.iter().map(String::as_str))
        .unwrap()
        .with_time_limit(Duration::from_mins(1));
    redis.check().await.unwrap();
    let contract = contract(RedisSessions::new(redis));
    contract.holds().await;
    contract.counts_exactly(1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_go_on_when_sentinel_makes_the_copy_the_first() {
    let mut servers = testkit::RedisSentinel::start().unwrap();
    let address = format!("redis://{}/0", testkit::RedisSentinel::SERVICE);
    let redis = Redis::sentinel([servers.url().as_str()], &address).unwrap();
    let store = RedisSessions::new(redis);
    contract(store.clone()).holds().await;
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    store
        .create(&key, stored("data", HOUR, now), None, None, now)
        .await
        .unwrap();
    assert_eq!(
        servers.first.ask("WAIT 1 30000").unwrap(),
        ":1",
        "the copy has it"
    );
    servers.fail_over().unwrap();
    let merge = Merge::new(|current| Stored {
        data: format!("{}+", current.data),
        expires: current.expires,
    });
    let mut errors = 0;
    while store.update(&key, merge.clone(), now).await.is_err() {
        errors += 1;
        assert!(errors < 10_000, "the copy was never found");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        store.load(&key, now).await.unwrap(),
        Some(stored("data+", HOUR, now)).map(|expected| Stored {
            expires: store_time(expected.expires),
            ..expected
        })
    );
}

/// Redis is told microseconds.
fn store_time(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(since.as_micros()).unwrap())
}
