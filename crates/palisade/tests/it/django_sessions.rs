//! A real Django on the same cache, database and files: each reads what the other wrote.
//!
//! The Python that has Django and redis is named by `PALISADE_DJANGO_PYTHON`; where it is not, what Django wrote
//! once (`session/cache/pickle/tests.rs`) has to do.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use palisade::redis::Redis;
use palisade::session::store::{Merge, Stored, Updated};
use palisade::session::{
    CacheSessions, CachedDbSessions, FileSessions, SessionKey, SessionStore, SqliteSessions,
};
use palisade::sqlite::Sqlite;
use palisade::{SecretKey, Settings};
use palisade_core::session::{SessionCodec, SessionData};
use serde_json::{Value, json};

fn settings() -> Settings {
    let mut settings = Settings::for_development(SecretKey::new(
        "a key that both sides know, of fifty characters or more",
    ));
    "sessionid".clone_into(&mut settings.session_cookie_name);
    settings
}

struct Django {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Django {
    fn start(python: &Path, arguments: [&str; 4]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/django_sessions.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            commands: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Django {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn codec() -> SessionCodec {
    SessionCodec::new(&settings().key_ring())
}

async fn says(store: &dyn SessionStore, key: &SessionKey) -> Option<String> {
    let found = store.load(key, SystemTime::now()).await.unwrap()?;
    Some(codec().decode(&found.data).unwrap().to_json().to_string())
}

fn setting(key: &'static str, json: &'static str) -> Merge {
    Merge::new(move |current| {
        let mut data = codec().decode(&current.data).unwrap();
        data.insert_raw(key, json.to_owned()).unwrap();
        Stored {
            data: codec().encode(&data, SystemTime::now()),
            ..current.clone()
        }
    })
}

const HOUR: Duration = Duration::from_hours(1);

async fn each_reads_what_the_other_wrote(django: &mut Django, store: &dyn SessionStore) {
    let now = SystemTime::now();
    // Django begins, we change, Django reads and changes, we read.
    let data = json!({
        "_auth_user_id": "7", "text": "é😀\u{0}\"\\", "list": [1, [2.5, null, true]], "dict": {"": {}}, "big": {"python": "big"},
        "half": {"python": "half"}, "long": "x".repeat(70_000), "many": (0..3000).collect::<Vec<u32>>(),
    });
    let begun = django.ask(&json!({"do": "begin", "data": data}));
    let key = SessionKey::parse(begun["key"].as_str().unwrap()).unwrap();
    let read = says(store, &key).await.unwrap();
    for part in [
        r#""_auth_user_id":"7""#,
        r#""text":"\u00e9\ud83d\ude00\u0000\"\\""#,
        r#""list":[1,[2.5,null,true]]"#,
        r#""dict":{"":{}}"#,
        r#""big":-1606938044258990275541962092341162602522202993782792835301376"#,
        r#""half":"\ud800""#,
        "2998,2999]",
    ] {
        assert!(read.contains(part), "Palisade misses {part}");
    }
    assert_eq!(
        store
            .update(&key, setting("ours", r#"[1.0,1e16,-0.5,"\ud800"]"#), now)
            .await
            .unwrap(),
        Updated::Saved
    );
    let seen = django.ask(&json!({"do": "read", "key": key.expose()}));
    let plain = seen["plain"].as_str().unwrap();
    for part in [
        "'_auth_user_id': '7'",
        "'text': 'é😀\\x00\"\\\\'",
        "'list': [1, [2.5, None, True]]",
        "'dict': {'': {}}",
        "'big': -1606938044258990275541962092341162602522202993782792835301376",
        "'half': '\\ud800'",
        "'ours': [1.0, 1e+16, -0.5, '\\ud800']",
        "2998, 2999]",
    ] {
        assert!(plain.contains(part), "Django misses {part}");
    }
    django.ask(&json!({"do": "set", "key": key.expose(), "data": {"theirs": 1}}));
    let read = says(store, &key).await.unwrap();
    assert!(read.contains(r#""theirs":1"#) && read.contains(r#""ours":"#));

    // We begin, Django reads, we move it, Django ends it.
    let (old, new) = (SessionKey::generate(), SessionKey::generate());
    let ours = SessionData::from_json(r#"{"n":1}"#.to_owned()).unwrap();
    let stored = Stored {
        data: codec().encode(&ours, now),
        expires: now + HOUR,
    };
    store.create(&old, stored, None, None, now).await.unwrap();
    let seen = django.ask(&json!({"do": "read", "key": old.expose()}));
    assert_eq!(seen["plain"], "{'n': 1}");
    assert_eq!(says(store, &old).await.unwrap(), r#"{"n":1}"#);
    store
        .cycle(&old, &new, setting("n", "2"), None, now)
        .await
        .unwrap();
    let seen = django.ask(&json!({"do": "read", "key": old.expose()}));
    assert_eq!(seen["plain"], "{}", "the old key is nobody's at Django, too");
    let seen = django.ask(&json!({"do": "read", "key": new.expose()}));
    assert_eq!(seen["plain"], "{'n': 2}");
    django.ask(&json!({"do": "end", "key": new.expose()}));
    assert_eq!(says(store, &new).await, None);
    assert_eq!(
        store.update(&new, setting("n", "3"), now).await.unwrap(),
        Updated::Gone,
        "who logged out at Django is logged out here"
    );
    // And the other way.
    store.delete(&key).await.unwrap();
    let seen = django.ask(&json!({"do": "read", "key": key.expose()}));
    assert_eq!(seen["plain"], "{}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn django_and_palisade_share_the_sessions_of_a_cache() {
    let Some(python) = env::var_os("PALISADE_DJANGO_PYTHON") else {
        return;
    };
    let server = testkit::Redis::start().unwrap();
    let redis = Redis::open(&server.url()).unwrap();
    let store = CacheSessions::in_cache(redis, &settings())
        .with_key_prefix("shop")
        .with_version(3);
    let mut django = Django::start(python.as_ref(), [&server.url(), "cache", "", ""]);
    each_reads_what_the_other_wrote(&mut django, &store).await;

    let begun = django.ask(&json!({"do": "begin", "data": {"when": {"python": "datetime"}}}));
    let key = SessionKey::parse(begun["key"].as_str().unwrap()).unwrap();
    let refused = store.load(&key, SystemTime::now()).await.unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("datetime.datetime"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn django_and_palisade_share_the_sessions_of_a_cached_database() {
    let Some(python) = env::var_os("PALISADE_DJANGO_PYTHON") else {
        return;
    };
    let (server, folder) = (testkit::Redis::start().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("db.sqlite3");
    let database = SqliteSessions::new(Sqlite::open(&file).unwrap()).unwrap();
    let redis = Redis::open(&server.url()).unwrap();
    let store = CachedDbSessions::new(database, redis, &settings())
        .with_key_prefix("shop")
        .with_version(3);
    let arguments = [&server.url(), "cached_db", file.to_str().unwrap(), ""];
    let mut django = Django::start(python.as_ref(), arguments);
    each_reads_what_the_other_wrote(&mut django, &store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn django_and_palisade_share_the_sessions_of_a_folder() {
    let Some(python) = env::var_os("PALISADE_DJANGO_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let store = FileSessions::new(folder.path(), &settings()).unwrap();
    let arguments = [
        "redis://127.0.0.1:1/0",
        "file",
        "",
        folder.path().to_str().unwrap(),
    ];
    let mut django = Django::start(python.as_ref(), arguments);
    each_reads_what_the_other_wrote(&mut django, &store).await;
}

/// Django makes a cookie that a site of ours reads, and reads the one that the site makes of it.
#[tokio::test]
async fn django_and_palisade_share_the_session_in_a_cookie() {
    let Some(python) = env::var_os("PALISADE_DJANGO_PYTHON") else {
        return;
    };
    let mut django = Django::start(
        python.as_ref(),
        ["redis://127.0.0.1:1/0", "signed_cookies", "", ""],
    );
    let mut settings = settings();
    settings.allowed_hosts = crate::client::settings().allowed_hosts;
    let palisade = palisade::Palisade::new(settings)
        .with_sessions(palisade::session::SignedCookies::without_server_side_logout());
    let app = palisade.protect(crate::session_site::routes());
    let long = "a long one, which is compressed, ".repeat(20);
    let begun = django.ask(&json!({"do": "begin", "data": {"n": 41, "text": long}}));
    let client = crate::client::Client::new(&app);
    client.plant("sessionid", begun["key"].as_str().unwrap());
    assert_eq!(client.get("/count").await.text, "42");
    let ours = client.cookie("sessionid").unwrap();
    assert_ne!(ours, begun["key"]);
    let seen = django.ask(&json!({"do": "read", "key": ours}));
    let plain = seen["plain"].as_str().unwrap();
    assert!(plain.contains("'n': 42") && plain.contains(&long), "{plain}");
}
