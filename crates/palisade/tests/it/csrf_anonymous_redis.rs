//! The CSRF secrets of anonymous visitors in a real Redis: several machines, outages, and what stands there.

use std::time::{Duration, Instant, SystemTime};

use palisade::core::Sensitive;
use palisade::csrf::{AnonymousSecrets, RedisAnonymousSecrets};
use palisade::redis::Redis;

use crate::client::Client;
use crate::csrf_anonymous::{COOKIE, keeps_secrets_as_long_as_it_should, send, site_with};
use crate::log::Log;
use crate::login_site::form;

fn secrets(server: &testkit::Redis) -> RedisAnonymousSecrets {
    RedisAnonymousSecrets::new(Redis::open(&server.url()).unwrap())
}

#[tokio::test]
async fn redis_keeps_secrets_as_long_as_it_should() {
    let server = testkit::Redis::start().unwrap();
    keeps_secrets_as_long_as_it_should(secrets(&server)).await;
}

#[tokio::test]
async fn a_form_of_one_machine_is_accepted_by_another() {
    let server = testkit::Redis::start().unwrap();
    let (one, another) = (site_with(secrets(&server)), site_with(secrets(&server)));
    let here = Client::new(&one);
    let token = here.get("/form/").await.text;
    let there = Client::new(&another);
    there.plant(COOKIE, &here.cookie(COOKIE).unwrap());
    assert_eq!(send(&there, "/form/", &token, "a=1").await.text, "noted");
    let stranger = site_with(secrets(&server).with_prefix("other:"));
    let stranger = Client::new(&stranger);
    stranger.plant(COOKIE, &here.cookie(COOKIE).unwrap());
    assert_eq!(send(&stranger, "/form/", &token, "a=1").await.status, 403);
}

#[tokio::test]
async fn a_secret_expires_in_redis_by_itself_and_its_cookie_does_not_stand_there() {
    let server = testkit::Redis::start().unwrap();
    let client = Client::new(&site_with(secrets(&server).with_prefix("shop:")));
    client.get("/form/").await;
    assert_eq!(server.ask("DBSIZE").unwrap(), ":1");
    let digest = sha2_hex(&client.cookie(COOKIE).unwrap());
    let left = server.ask(&format!("PTTL shop:anoncsrf:{digest}")).unwrap();
    let left: u64 = left.trim_start_matches(':').parse().unwrap();
    assert!(
        (7_100_000..=7_200_000).contains(&left),
        "two hours, not {left} ms"
    );
}

fn sha2_hex(text: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tokio::test]
async fn without_redis_nobodys_form_passes_and_those_who_are_logged_in_go_on() {
    let mut server = testkit::Redis::start().unwrap();
    let app = site_with(secrets(&server));
    let (ann, visitor) = (Client::new(&app), Client::new(&app));
    let fields = form("ann", "a fine long passphrase");
    let token = ann.get("/login/").await.text;
    assert_eq!(send(&ann, "/sign-up/", &token, &fields).await.text, "made");
    assert_eq!(send(&ann, "/login/", &token, &fields).await.text, "in");
    let inside = ann.get("/form/").await.text;
    let outside = visitor.get("/form/").await.text;
    server.kill().unwrap();
    let (log, _guard) = Log::begin();
    let refused = send(&visitor, "/form/", &outside, "a=1").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(visitor.get("/form/").await.status, 503);
    let text = log.text();
    assert!(
        text.contains("the CSRF secrets of anonymous visitors cannot be reached: Redis at 127.0.0.1:"),
        "{text}"
    );
    assert!(!text.contains(&outside) && !text.contains(&visitor.cookie(COOKIE).unwrap()));
    assert_eq!(send(&ann, "/form/", &inside, "a=1").await.text, "noted");
    server.resume().unwrap();
    assert_eq!(send(&visitor, "/form/", &outside, "a=1").await.text, "noted");
}

#[tokio::test]
async fn a_redis_that_says_nothing_holds_nobody_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://{}/0", silent.local_addr().unwrap());
    let limit = Duration::from_millis(200);
    let secrets = RedisAnonymousSecrets::new(Redis::open(&address).unwrap().with_time_limit(limit));
    let (now, began) = (SystemTime::now(), Instant::now());
    assert!(secrets.load("anoncsrf:a", now).await.is_err());
    let secret = Sensitive::new("x".to_owned());
    assert!(
        secrets
            .keep("anoncsrf:a", secret, now + limit, now)
            .await
            .is_err()
    );
    assert!(began.elapsed() < limit * 10, "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_no_secret_in_redis_is_nobodys() {
    let server = testkit::Redis::start().unwrap();
    let now = SystemTime::now();
    for value in ["5", "x:y", "99999999999999999999999:y", "9999999999999", "-1:y"] {
        server.ask(&format!("SET palisade:anoncsrf:a {value}")).unwrap();
        let found = secrets(&server).load("anoncsrf:a", now).await.unwrap();
        assert!(found.is_none(), "{value}");
    }
    server.ask("DEL palisade:anoncsrf:a").unwrap();
    server.ask("SADD palisade:anoncsrf:a set").unwrap();
    assert!(
        secrets(&server).load("anoncsrf:a", now).await.is_err(),
        "a set is no text"
    );
}
