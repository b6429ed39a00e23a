//! Dumps of a Django with which nothing can be shared, and dumps that are not kept as a key is.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use palisade::load::LoadError;
use palisade::password::make_key;
use palisade::{Settings, load_settings};
use serde_json::{Value, json};

use crate::log::Log;

/// Reads a dump that says this besides.
fn load(folder: &Path, more: &[(&str, Value)]) -> Result<Settings, LoadError> {
    load_under(folder, "", more)
}

/// Reads such a dump under a TOML file that says this besides.
fn load_under(folder: &Path, more_toml: &str, more: &[(&str, Value)]) -> Result<Settings, LoadError> {
    let mut dump = json!({
        "SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ",
        "ALLOWED_HOSTS": ["shop.example"],
    });
    for (name, value) in more {
        dump[*name] = value.clone();
    }
    crate::kept::write_secret(&folder.join("settings.json"), &dump.to_string());
    let toml = format!("django_settings = \"settings.json\"\n{more_toml}\n");
    crate::kept::write_secret(&folder.join("palisade.toml"), &toml);
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
fn a_dump_that_others_may_read_stops_the_start() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &[]).unwrap();
    let dump = folder.path().join("settings.json");
    for (mode, stops) in [(0o644, true), (0o600, false), (0o640, false), (0o660, true)] {
        fs::set_permissions(&dump, fs::Permissions::from_mode(mode)).unwrap();
        let told = load_settings(folder.path().join("palisade.toml"), []).map_err(|error| error.to_string());
        assert_eq!(
            told.is_err_and(|told| told.contains("chmod 600")),
            stops,
            "{mode:o}"
        );
    }
}

fn hashers(settings: &Settings) -> Vec<&str> {
    let hashers = settings.password_hashers.iter();
    hashers.map(|hasher| hasher.name()).collect()
}

/// A Django without `argon2-cffi` answers 500 to everybody whose password was hashed here.
#[test]
fn a_dump_without_hashers_is_hashed_for_in_djangos_own_order_and_told_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let told = "PASSWORD_HASHERS is not in the dump";
    let (log, guard) = Log::begin();
    let settings = load(folder.path(), &[]).unwrap();
    let of_django = [
        "pbkdf2_sha256",
        "pbkdf2_sha1",
        "argon2",
        "bcrypt_sha256",
        "scrypt",
    ];
    assert_eq!(hashers(&settings), of_django);
    assert!(
        log.text().contains(told) && log.text().contains("argon2-cffi"),
        "{}",
        log.text()
    );
    drop(guard);

    let (log, _guard) = Log::begin();
    let argon2 = "django.contrib.auth.hashers.Argon2PasswordHasher";
    let said_there = load(folder.path(), &[("PASSWORD_HASHERS", json!([argon2]))]).unwrap();
    assert_eq!(hashers(&said_there), ["argon2"]);
    let said_here = load_under(folder.path(), "password_hashers = [\"scrypt\"]", &[]).unwrap();
    assert_eq!(hashers(&said_here), ["scrypt"]);
    let the_same_here = format!("password_hashers = {of_django:?}");
    load_under(folder.path(), &the_same_here, &[]).unwrap();
    assert!(!log.text().contains(told), "{}", log.text());
}

/// Both sides start, and whoever logs in at one is nobody at the other, without a word.
#[test]
fn a_key_that_django_does_not_know_is_refused() {
    let tail = "vT2p(9xq_5y^rB8s!Lc6+Nf3@hGz1*jEa0-uMi=tYoOwQeRkAbCd";
    let (old, other) = (format!("Kd7#{tail}"), format!("Wm4&{tail}"));
    let folder = tempfile::tempdir().unwrap();
    let fallbacks = [("SECRET_KEY_FALLBACKS", json!([old]))];
    let told = load_under(folder.path(), &format!("secret_key = \"{other}\""), &fallbacks)
        .expect_err("taken as Django's")
        .to_string();
    assert!(
        told.contains("line 2: secret_key: is not the SECRET_KEY of settings.json, nor one of its fallbacks")
            && !told.contains("Wm4&"),
        "{told}"
    );
    for known in [old.as_str(), "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ"] {
        load_under(folder.path(), &format!("secret_key = \"{known}\""), &fallbacks).unwrap();
    }
}

#[test]
fn a_key_of_startproject_is_changed_where_it_is() {
    let key = "django-insecure-Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ";
    let told = refused(&[("SECRET_KEY", json!(key))]);
    assert!(
        told.contains("(security.W009); change it at Django, with the old one in SECRET_KEY_FALLBACKS there, and dump anew"),
        "{told}"
    );
}

#[test]
fn a_dump_that_is_not_there_is_told_with_who_names_it_and_without_a_missing_key() {
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("palisade.toml");
    fs::write(&toml, "django_settings = \"setings.json\"\n").unwrap();
    let told = load_settings(&toml, []).unwrap_err().to_string();
    assert!(
        told.contains("setings.json, which django_settings of ") && told.contains("palisade.toml names"),
        "{told}"
    );
    assert!(!told.contains("secret_key"), "{told}");
}

/// Whoever logs in here gets a keyed hash, and is locked out at Django.
#[test]
fn keys_of_passwords_beside_a_django_are_told_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    make_key(&keys, SystemTime::now()).unwrap();
    let (log, _guard) = Log::begin();
    load_under(folder.path(), "", &[]).unwrap();
    assert!(!log.text().contains("password_keys"), "{}", log.text());
    load_under(folder.path(), "password_keys = \"keys\"", &[]).unwrap();
    assert!(
        log.text().contains("cannot log in there any more"),
        "{}",
        log.text()
    );
}
