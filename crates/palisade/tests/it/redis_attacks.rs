//! What an attacker tries against sessions in Redis: hanging up, many logins, a move in the midst of the end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use palisade::redis::Redis;
use palisade::session::store::{Merge, Stored};
use palisade::session::{RedisSessions, SessionKey, SessionStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::kept::{HOUR, device, stored};

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
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone)
        .await
        .expect("the session is there for as long as it lives");
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

/// A way to Redis on which the deletion of a session is kept waiting until it is let go; tells when one waits.
async fn way_that_holds_deletions(port: u16, waits: Arc<Notify>, go: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/0", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let mut bytes = vec![0; 65_536];
        loop {
            let length = from_client.read(&mut bytes).await.unwrap_or_default();
            if length == 0 {
                return;
            }
            if String::from_utf8_lossy(&bytes[..length]).contains("return was") {
                waits.notify_one();
                go.notified().await;
            }
            to_server.write_all(&bytes[..length]).await.unwrap();
        }
    });
    url
}

/// The attack: a stolen session moves to a new key (a change of password, say) after the list of what is to end was read.
#[tokio::test]
async fn a_session_that_moves_after_the_list_was_read_ends_with_the_others() {
    let server = testkit::Redis::start().unwrap();
    let (waits, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = way_that_holds_deletions(server.port(), Arc::clone(&waits), Arc::clone(&go)).await;
    let ending = RedisSessions::new(Redis::open(&slow).unwrap());
    let moving = RedisSessions::new(Redis::open(&server.url()).unwrap());
    let (old, new, now) = (SessionKey::generate(), SessionKey::generate(), SystemTime::now());
    moving
        .create(&old, stored("{}", now + HOUR), Some(device("7")), None, now)
        .await
        .unwrap();
    let ended = tokio::spawn(async move { ending.delete_others("7", None).await });
    waits.notified().await;
    moving
        .cycle(&old, &new, Merge::new(Stored::clone), None, now)
        .await
        .unwrap();
    // The one of the second round, too.
    go.notify_one();
    let let_go = async {
        waits.notified().await;
        go.notify_one();
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), let_go).await;
    assert_eq!(ended.await.unwrap().unwrap(), 1);
    assert_eq!(moving.load(&new, now).await.unwrap(), None, "it slipped away");
}

/// Of a list of which most is stale, each login takes some away, wherever they stand in it.
#[tokio::test]
async fn a_long_list_is_swept_a_little_at_each_login() {
    let server = testkit::Redis::start().unwrap();
    let store = RedisSessions::new(Redis::open(&server.url()).unwrap());
    let now = SystemTime::now();
    for entry in 0..1000 {
        let key = SessionKey::generate();
        server
            .ask(&format!("ZADD palisade:sessions-of:7 {entry} {}", key.expose()))
            .unwrap();
    }
    for _ in 0..200 {
        let key = SessionKey::generate();
        store
            .create(&key, stored("{}", now + HOUR), Some(device("7")), None, now)
            .await
            .unwrap();
    }
    let left: u64 = server
        .ask("ZCARD palisade:sessions-of:7")
        .unwrap()
        .trim_start_matches(':')
        .parse()
        .unwrap();
    assert!(
        (200..400).contains(&left),
        "{left} are left, of which 200 are there"
    );
}
