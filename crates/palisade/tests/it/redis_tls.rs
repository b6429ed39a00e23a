//! Redis over TLS: a real server with a certificate of the test's own authority, and everybody who is not to be believed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use palisade::redis::{Redis, RedisOptions};
use palisade::session::contract::Contract;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{RedisSessions, SessionKey, SessionStore};
use testkit::redis::Identity;
use testkit::{Authority, RedisCluster, RedisSentinel};

use crate::log::Log;

const HOUR: Duration = Duration::from_hours(1);

/// An authority, and the files that others know it by.
struct Trust {
    authority: Authority,
    folder: tempfile::TempDir,
}

impl Trust {
    fn new() -> Self {
        let (authority, folder) = (Authority::new().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { authority, folder }
    }

    fn options(&self) -> RedisOptions {
        RedisOptions::new().root_certificates(self.folder.path().join("ca.pem"))
    }

    fn server(&self, names: &[&str], asks_clients: bool) -> testkit::Redis {
        let identity = self.authority.identity(names).unwrap();
        testkit::Redis::with_tls(&identity, asks_clients, &[]).unwrap()
    }

    fn machine(&self) -> Identity {
        self.authority.identity(&["localhost", "127.0.0.1"]).unwrap()
    }

    fn client(&self, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.authority.issue_pem(&[name]).unwrap();
        let file = |ending: &str, text: String| {
            let file = self.folder.path().join(Path::new(name).with_extension(ending));
            std::fs::write(&file, text).unwrap();
            file
        };
        (file("pem", certificate), file("key", key))
    }
}

async fn refused(redis: Result<Redis, palisade::redis::RedisError>) -> String {
    let redis = redis.unwrap().with_time_limit(Duration::from_secs(20));
    redis.check().await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_over_tls_keep_the_contract() {
    let trust = Trust::new();
    let server = trust.server(&["localhost"], false);
    let redis = trust.options().open(&server.tls_url().unwrap()).unwrap();
    redis.check().await.unwrap();
    Contract::of(RedisSessions::new(redis))
        .with_sessions_that_expire_by_themselves()
        .holds()
        .await;
}

#[tokio::test]
async fn a_server_of_another_name_or_of_another_authority_is_not_believed() {
    let (ours, theirs) = (Trust::new(), Trust::new());
    let server = ours.server(&["localhost"], false);
    let url = server.tls_url().unwrap();
    let by_address = url.replace("localhost", "127.0.0.1");
    for (redis, why) in [
        (theirs.options().open(&url), "UnknownIssuer"),
        (Redis::open(&url), "UnknownIssuer"),
        (ours.options().open(&by_address), "not valid for name"),
    ] {
        let error = refused(redis).await;
        assert!(error.contains(why), "{error}");
    }
    let other = ours.server(&["other.test"], false);
    let error = refused(ours.options().open(&other.tls_url().unwrap())).await;
    assert!(error.contains("not valid for name"), "{error}");
    ours.options().open(&url).unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_nothing() {
    let trust = Trust::new();
    let in_clear = testkit::Redis::start().unwrap();
    let url = format!("rediss://shop:hunter2@localhost:{}/0", in_clear.port());
    let redis = trust.options().open(&url).unwrap();
    // It waits for the end of a line that never comes.
    let error = redis.with_time_limit(Duration::from_millis(500)).check().await;
    let error = error.unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_takes_only_those_of_its_authority() {
    let (ours, theirs) = (Trust::new(), Trust::new());
    let server = ours.server(&["localhost"], true);
    let url = server.tls_url().unwrap();
    refused(ours.options().open(&url)).await;
    let (certificate, key) = theirs.client("mallory");
    refused(ours.options().client_certificate(certificate, key).open(&url)).await;
    let (certificate, key) = ours.client("shop");
    let redis = ours.options().client_certificate(certificate, key).open(&url);
    redis.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_user_with_a_password_is_let_in_and_a_wrong_password_is_in_no_error_and_no_line() {
    let trust = Trust::new();
    let server = trust.server(&["localhost"], false);
    server
        .ask("ACL SETUSER shop on \">p@ss:w/rd%\" ~shop:* +@read +@write +@scripting +@connection +time")
        .unwrap();
    server.ask("ACL SETUSER default off").unwrap();
    let address = |who: &str| {
        server
            .tls_url()
            .unwrap()
            .replace("localhost", &format!("{who}@localhost"))
    };
    let (log, _guard) = Log::begin();
    let now = SystemTime::now();
    for wrong in [":hunter2", "shop:hunter2", "hunter2:hunter2", "shop:p%40ss"] {
        let redis = trust.options().open(&address(wrong)).unwrap();
        let sessions = RedisSessions::new(redis).with_prefix("shop:");
        let error = sessions.load(&SessionKey::generate(), now).await.unwrap_err();
        let told = format!("{error} {error:?} {sessions:?}");
        assert!(told.contains("Password authentication failed"), "{told}");
        assert!(
            !told.contains("hunter2") && !told.contains("p@ss") && !told.contains("p%40ss"),
            "{told}"
        );
    }
    let error = RedisSessions::new(trust.options().open(&server.tls_url().unwrap()).unwrap())
        .load(&SessionKey::generate(), now)
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains("NOAUTH"), "{error:?}");
    let log = log.text();
    assert!(!log.contains("hunter2") && !log.contains("p@ss"), "{log}");

    let redis = trust.options().open(&address("shop:p%40ss%3Aw%2Frd%25")).unwrap();
    let sessions = RedisSessions::new(redis).with_prefix("shop:");
    Contract::of(sessions.clone())
        .with_sessions_that_expire_by_themselves()
        .holds()
        .await;
    let key = SessionKey::generate();
    let elsewhere = sessions.with_prefix("till:").load(&key, now).await.unwrap_err();
    assert!(format!("{elsewhere:?}").contains("NoPerm"), "{elsewhere:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_is_spoken_to_over_tls_on_every_server() {
    let (ours, theirs) = (Trust::new(), Trust::new());
    let cluster = RedisCluster::with_tls(&ours.machine()).unwrap();
    let urls = cluster.tls_urls().unwrap();
    let urls = || urls.iter().map(String::as_str);
    let error = refused(theirs.options().cluster(urls())).await;
    assert!(error.contains("UnknownIssuer"), "{error}");
    let redis = ours.options().cluster(urls()).unwrap();
    let sessions = RedisSessions::new(redis.with_time_limit(Duration::from_mins(1)));
    Contract::of(sessions)
        .with_sessions_that_expire_by_themselves()
        .holds()
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_sentinel_names_is_spoken_to_over_tls() {
    let (ours, theirs) = (Trust::new(), Trust::new());
    let mut servers = RedisSentinel::with_tls(&ours.machine()).unwrap();
    let service = format!("rediss://{}/0", RedisSentinel::SERVICE);
    let sentinel = servers.tls_url();
    refused(theirs.options().sentinel([sentinel.as_str()], &service)).await;
    let redis = ours.options().sentinel([sentinel.as_str()], &service).unwrap();
    let sessions = RedisSessions::new(redis);
    let (key, now) = (SessionKey::generate(), SystemTime::now());
    let stored = Stored {
        data: "data".to_owned(),
        expires: now + HOUR,
    };
    sessions.create(&key, stored, None, None, now).await.unwrap();
    servers.first.ask("WAIT 1 5000").unwrap();
    servers.fail_over().unwrap();
    let mut errors = 0;
    loop {
        match sessions.update(&key, Merge::new(Clone::clone), now).await {
            Ok(updated) => {
                assert_eq!(updated, Updated::Saved);
                break;
            }
            Err(_) => errors += 1,
        }
        assert!(errors < 10_000, "the copy was never found");
        tokio::task::yield_now().await;
    }
}
