//! Dumps of a Django with which nothing can be shared, and dumps that are not kept as a key is.

use std::fs;
use std::path::Path;

use palisade::load::LoadError;
use palisade::{Settings, load_settings};
use serde_json::{Value, json};

use crate::log::Log;

/// Reads a dump that says this besides.
fn load(folder: &Path, more: &[(&str, Value)]) -> Result<Settings, LoadError> {
    let mut dump = json!({
        "SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ",
        "ALLOWED_HOSTS": ["shop.example"],
    });
    for (name, value) in more {
        dump[*name] = value.clone();
    }
    fs::write(folder.join("settings.json"), dump.to_string()).unwrap();
    let toml = "django_settings = \"settings.json\"\n";
    fs::write(folder.join("palisade.toml"), toml).unwrap();
    load_settings(folder.join("palisade.toml"), [])
}

fn refused(more: &[(&str, Value)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), more)
        .expect_err("taken as any other")
        .to_string()
}

/// Such a Django writes local times into SQLite and MySQL, which are read as UTC: a session that ended in Tokyo lives here nine
/// hours longer.
#[test]
fn a_django_that_writes_local_times_is_refused() {
    let told = refused(&[("USE_TZ", json!(false)), ("TIME_ZONE", json!("Asia/Tokyo"))]);
    assert!(
        told.contains("settings.json: USE_TZ: ") && told.contains("Asia/Tokyo"),
        "{told}"
    );
    let utc = [("USE_TZ", json!(false)), ("TIME_ZONE", json!("UTC"))];
    assert!(load(tempfile::tempdir().unwrap().path(), &utc).is_ok());
}

/// Whoever writes into the database of such a Django runs code there, and nothing here can read it.
#[test]
fn a_django_whose_sessions_are_pickled_is_refused() {
    let pickle = "django.contrib.sessions.serializers.PickleSerializer";
    let told = refused(&[("SESSION_SERIALIZER", json!(pickle))]);
    assert!(told.contains(pickle) && told.contains("JSONSerializer"), "{told}");
}

/// The key would be another one than Django's, and everybody who logs in there is nobody here, without a word.
#[test]
fn a_key_of_bytes_is_refused_without_being_shown() {
    let key = "b'Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ'";
    let told = refused(&[("SECRET_KEY", json!(key))]);
    assert!(
        told.contains("SECRET_KEY: is of bytes") && !told.contains("Zq3!"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn a_dump_that_others_may_read_is_told_in_the_log() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("settings.json");
    fs::write(&dump, "").unwrap();
    for (mode, told) in [(0o644, true), (0o600, false), (0o640, false)] {
        fs::set_permissions(&dump, fs::Permissions::from_mode(mode)).unwrap();
        let (log, _guard) = Log::begin();
        load(folder.path(), &[]).unwrap();
        assert_eq!(log.text().contains("chmod 600"), told, "{mode:o}: {}", log.text());
    }
}
