//! The folder of password keys as a setting: keyed hashes from the first user on, and no start or no password without the keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use axum::routing::get;
use palisade::auth::SqliteUsers;
use palisade::csrf::CsrfToken;
use palisade::password::make_key;
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Router, load_settings};

use crate::client::{Client, KEY};
use crate::log::Log;
use crate::login_site::{form, log_in, sign_up};

fn settings_file(folder: &Path, more: &str) -> std::path::PathBuf {
    let path = folder.join("palisade.toml");
    let toml = format!(
        "secret_key = \"{KEY}\"\nallowed_hosts = [\"example.com\"]\npassword_keys = \"keys\"\n{more}"
    );
    crate::kept::write_secret(&path, &toml);
    path
}

fn site(settings: palisade::Settings, database: &Sqlite) -> Client {
    let page = async |csrf: CsrfToken| csrf.masked();
    let router = Router::new()
        .route("/login/", get(page).post(log_in))
        .route("/sign-up/", get(page).post(sign_up));
    let protected = Palisade::new(settings)
        .with_sessions(MemorySessions::new())
        .with_users(SqliteUsers::new(database.clone()).unwrap())
        .protect(router.public())
        .unwrap();
    Client::new(&protected)
}

#[tokio::test]
async fn passwords_are_hashed_under_the_key_that_the_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    make_key(folder.path().join("keys"), SystemTime::now()).unwrap();
    // The folder is seen from the file, wherever the program was started.
    let settings = load_settings(settings_file(folder.path(), ""), []).unwrap();
    let database = Sqlite::in_memory().unwrap();
    let client = site(settings.clone(), &database);
    client.get("/sign-up/").await;
    let fields = form("ann", "a fine long passphrase");
    assert_eq!(client.post("/sign-up/", &fields).await.text, "made");
    let stored = database.read(|reader| {
        reader.one("SELECT password FROM auth_user", [], |row| {
            row.get::<_, String>(0)
        })
    });
    assert!(stored.unwrap().unwrap().starts_with("keyed$"));
    assert_eq!(client.post("/login/", &fields).await.text, "in");

    // The keys are gone when the service is started again by a program that has read its settings otherwise.
    fs::remove_dir_all(folder.path().join("keys")).unwrap();
    let (log, _guard) = Log::begin();
    let client = site(settings, &database);
    assert!(
        log.text().contains("password_keys cannot be used"),
        "{}",
        log.text()
    );
    client.get("/login/").await;
    assert_ne!(client.post("/login/", &fields).await.text, "in");
    assert!(client.cookie("sessionid").is_none());
    assert_eq!(
        client
            .post("/sign-up/", &form("bob", "a fine long passphrase"))
            .await
            .status,
        500
    );
}

#[test]
fn keys_that_cannot_be_used_stop_the_start_each_with_its_fault_beside_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let path = settings_file(folder.path(), "session_cookie_age = -1\n");
    let told = load_settings(&path, []).unwrap_err().to_string();
    assert!(told.contains("password_keys: cannot use the keys at"), "{told}");
    fs::create_dir(&keys).unwrap();
    let told = load_settings(&path, []).unwrap_err().to_string();
    assert!(told.contains("palisade keys make"), "{told}");
    for (name, text, mode) in [
        (
            "2026-01-01.key",
            "secret = \"0123456789abcdef0123456789abcdef\"",
            0o644,
        ),
        ("2026-02-01.key", "nonsense", 0o600),
    ] {
        fs::write(keys.join(name), text).unwrap();
        fs::set_permissions(keys.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let told = load_settings(&path, []).unwrap_err().to_string();
    let advice = format!("chmod 600 {}", keys.join("2026-01-01.key").display());
    for part in [
        "line 3: password_keys: ",
        &advice,
        "2026-02-01.key",
        "line 4: session_cookie_age: is negative",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(
        !told.contains("0123456789abcdef") && !told.contains("nonsense"),
        "{told}"
    );
}
