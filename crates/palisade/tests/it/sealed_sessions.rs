//! Sessions sealed and under hashed keys: every store keeps the contract so, keys rotate, and a lost one is no empty session.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use palisade::Settings;
use palisade::core::dated_key::{DatedKey, DatedKeys};
use palisade::core::settings::Folder;
use palisade::seal::{SealKeys, make_key};
use palisade::session::contract::Contract;
use palisade::session::{
    FileSessions, HashedKeys, MemorySessions, SealedSessions, SessionKey, SessionStore, SqliteSessions,
};
use palisade::sqlite::Sqlite;
use palisade::{SecretKey, clock::Clock};

use crate::client::{Client, settings};
use crate::flaky::Flaky;
use crate::kept::codec;
use crate::session_site::{Site, site_on};

fn key(id: &str) -> DatedKey {
    DatedKey::parse(id, &format!("secret = \"a rather long secret, that of {id}\"")).unwrap()
}

fn keys() -> SealKeys {
    SealKeys::of(DatedKeys::new([key("2020-01-01")]), Clock::system())
}

/// Both, in the order in which the settings put them.
pub(crate) fn hidden<S: SessionStore>(store: S) -> HashedKeys<SealedSessions<S>> {
    HashedKeys::over(SealedSessions::over(store, keys(), &settings()))
}

/// A folder with a key of each of these days, and the settings that name it.
pub(crate) fn sealing(days: &[u64]) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    for day in days {
        make_key(&keys, SystemTime::UNIX_EPOCH + Duration::from_hours(24 * day)).unwrap();
    }
    let mut settings = settings();
    settings.session_seal_keys = Some(Folder::new(keys.to_string_lossy()));
    settings.session_hashed_keys = true;
    (folder, settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_sqlite_and_files_keep_the_contract_sealed_and_under_hashed_keys() {
    let sqlite = || SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap();
    let contract = Contract::of(hidden(MemorySessions::new()));
    contract.holds().await;
    contract.counts_exactly(2_000).await;
    let contract = Contract::of(hidden(sqlite()));
    contract.holds().await;
    contract.counts_exactly(2_000).await;
    // The other way round, each alone, and with the doors for what is older.
    Contract::of(SealedSessions::over(
        HashedKeys::over(sqlite()),
        keys(),
        &settings(),
    ))
    .holds()
    .await;
    Contract::of(HashedKeys::over(sqlite()).dangerous_accept_unhashed())
        .holds()
        .await;
    Contract::of(SealedSessions::over(sqlite(), keys(), &settings()).dangerous_accept_unsealed())
        .holds()
        .await;
    let folder = tempfile::tempdir().unwrap();
    let files = FileSessions::new(folder.path(), &settings()).unwrap();
    let contract = Contract::of(hidden(files)).with_codec(codec());
    contract.holds().await;
    contract.counts_exactly(500).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_djangos_cache_and_cached_db_keep_the_contract_sealed_and_under_hashed_keys() {
    use palisade::redis::Redis;
    use palisade::session::{CacheSessions, CachedDbSessions, RedisSessions};

    let server = testkit::Redis::start().unwrap();
    let redis = || Redis::open(&server.url()).unwrap();
    Contract::of(hidden(RedisSessions::new(redis())))
        .with_sessions_that_expire_by_themselves()
        .holds()
        .await;
    Contract::of(hidden(CacheSessions::in_cache(redis(), &settings())))
        .with_codec(codec())
        .with_sessions_that_expire_by_themselves()
        .holds()
        .await;
    let database = SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap();
    Contract::of(hidden(CachedDbSessions::new(database, redis(), &settings())))
        .with_codec(codec())
        .holds()
        .await;
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_and_mariadb_keep_the_contract_sealed_and_under_hashed_keys() {
    use crate::servers::{mariadb, mariadb_database, postgres, postgres_database};
    use palisade::session::{MySqlSessions, PostgresSessions};

    let server = postgres();
    let database = postgres_database(&server, "sealed_contract").await;
    let contract = Contract::of(hidden(PostgresSessions::new(database).await.unwrap()));
    contract.holds().await;
    contract.counts_exactly(500).await;
    let server = mariadb();
    let database = mariadb_database(&server, "sealed_contract", None).await;
    let contract = Contract::of(hidden(MySqlSessions::new(database).await.unwrap()));
    contract.holds().await;
    contract.counts_exactly(500).await;
}

/// A site over a store that both of two services share.
fn site(settings: &Settings, store: &Flaky) -> Site {
    site_on(settings.clone(), store.clone())
}

#[tokio::test]
async fn session_of_an_older_key_is_read_and_sealed_anew_at_its_next_change() {
    let (folder, settings) = sealing(&[18_000]);
    let store = Flaky::default();
    let before = site(&settings, &store);
    let client = Client::new(&before.app);
    client.get("/set/teapot").await;
    let cookie = client.cookie("sessionid").unwrap();

    make_key(
        folder.path().join("keys"),
        SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 18_001),
    )
    .unwrap();
    let after = site(&settings, &store);
    let client = Client::new(&after.app);
    client.plant("sessionid", &cookie);
    assert_eq!(client.get("/show").await.text, "teapot");
    client.get("/set/kettle").await;

    // Now the older key may go.
    std::fs::remove_file(folder.path().join("keys/2019-04-14.key")).unwrap();
    let last = site(&settings, &store);
    let client = Client::new(&last.app);
    client.plant("sessionid", &cookie);
    assert_eq!(client.get("/show").await.text, "kettle");
}

#[tokio::test]
async fn session_whose_key_is_lost_is_a_503_that_names_the_file_and_comes_back_with_it() {
    let (folder, settings) = sealing(&[18_000, 18_001]);
    let store = Flaky::default();
    let client = Client::new(&site(&settings, &store).app);
    client.get("/set/teapot").await;
    let cookie = client.cookie("sessionid").unwrap();

    let lost: PathBuf = folder.path().join("keys/2019-04-15.key");
    let kept = std::fs::read(&lost).unwrap();
    std::fs::remove_file(&lost).unwrap();
    let without = Client::new(&site(&settings, &store).app);
    without.plant("sessionid", &cookie);
    let (log, _guard) = crate::log::Log::begin();
    let answer = without.get("/show").await;
    let log = log.text();
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(
        log.contains("2019-04-15, which is not there: put its file back"),
        "{log}"
    );
    assert_eq!(
        without.get("/set/other").await.status,
        503,
        "it is not replaced either"
    );
    assert_eq!(without.cookie("sessionid").as_ref(), Some(&cookie));

    std::fs::write(&lost, kept).unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&lost, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let again = Client::new(&site(&settings, &store).app);
    again.plant("sessionid", &cookie);
    assert_eq!(again.get("/show").await.text, "teapot");
}

#[tokio::test]
async fn session_whose_key_has_expired_has_ended() {
    let (folder, settings) = sealing(&[18_000, 18_001]);
    let store = Flaky::default();
    let client = Client::new(&site(&settings, &store).app);
    client.get("/set/teapot").await;
    let path = folder.path().join("keys/2019-04-15.key");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}expires = \"2020-01-01\"\n")).unwrap();
    let after = Client::new(&site(&settings, &store).app);
    after.plant("sessionid", &client.cookie("sessionid").unwrap());
    let answer = after.get("/show").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
}

#[tokio::test]
async fn sessions_from_before_the_keys_are_taken_over_once_and_only_where_that_is_asked_for() {
    let (_folder, mut settings) = sealing(&[18_000]);
    let (store, other) = (Flaky::default(), Flaky::default());
    let mut cookies = Vec::new();
    for store in [&store, &other] {
        let client = Client::new(&site(&crate::client::settings(), store).app);
        client.get("/set/teapot").await;
        cookies.push(client.cookie("sessionid").unwrap());
    }
    let strict = Client::new(&site(&settings, &other).app);
    strict.plant("sessionid", &cookies[1]);
    assert_eq!(strict.get("/show").await.text, "", "nobody asked for it");

    settings.dangerous_accept_unsealed_sessions = true;
    let client = Client::new(&site(&settings, &store).app);
    client.plant("sessionid", &cookies[0]);
    assert_eq!(client.get("/show").await.text, "teapot");
    let old = SessionKey::parse(&cookies[0]).unwrap();
    let now = crate::session_site::then();
    assert!(
        store.load(&old, now).await.unwrap().is_none(),
        "it lies under its hash now"
    );
    client.get("/set/kettle").await;

    settings.dangerous_accept_unsealed_sessions = false;
    let client = Client::new(&site(&settings, &store).app);
    client.plant("sessionid", &cookies[0]);
    assert_eq!(client.get("/show").await.text, "kettle");
}

#[tokio::test]
async fn hash_out_of_the_table_opens_nothing_even_where_unhashed_keys_are_accepted() {
    let (_folder, mut settings) = sealing(&[18_000]);
    settings.dangerous_accept_unsealed_sessions = true;
    let store = Flaky::default();
    let site = site(&settings, &store);
    let client = Client::new(&site.app);
    client.get("/set/teapot").await;
    let cookie = client.cookie("sessionid").unwrap();
    let stolen = crate::stolen_sessions::hash_of(&cookie);
    let thief = Client::new(&site.app);
    thief.plant("sessionid", &stolen);
    assert_eq!(thief.get("/show").await.text, "");
    assert_eq!(client.get("/show").await.text, "teapot");
}

#[test]
fn keys_that_cannot_be_used_and_a_django_beside_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let load = |toml: &str| {
        let path = folder.path().join("palisade.toml");
        std::fs::write(&path, toml).unwrap();
        let defaults = Settings::new(SecretKey::new(crate::client::KEY), ["example.com"]);
        palisade::load::load_settings_over(defaults, path, [])
    };
    let told = load("session_seal_keys = \"keys\"").unwrap_err().to_string();
    assert!(
        told.contains("session_seal_keys: cannot use the keys at"),
        "{told}"
    );
    make_key(folder.path().join("keys"), SystemTime::now()).unwrap();
    let settings = load("session_seal_keys = \"keys\"\nsession_hashed_keys = true").unwrap();
    assert!(settings.session_hashed_keys);
    assert!(
        settings
            .session_seal_keys
            .unwrap()
            .path()
            .starts_with(folder.path().to_str().unwrap())
    );

    let dump = format!(
        r#"{{"SECRET_KEY": "{}", "ALLOWED_HOSTS": ["example.com"]}}"#,
        crate::client::KEY
    );
    std::fs::write(folder.path().join("settings.json"), dump).unwrap();
    let told =
        load("django_settings = \"settings.json\"\nsession_seal_keys = \"keys\"\nsession_hashed_keys = true")
            .unwrap_err()
            .to_string();
    for name in ["session_seal_keys", "session_hashed_keys"] {
        assert!(
            told.contains(&format!("{name}: cannot be used beside a Django")),
            "{told}"
        );
    }
    let told = load("dangerous_accept_unsealed_sessions = true")
        .unwrap_err()
        .to_string();
    assert!(told.contains("is on, but nothing is sealed"), "{told}");
}
