//! Dumps of a Django with which nothing may be shared, and dumps that are not kept as a key is.

use std::fs;

/// Such a Django writes local times into SQLite and MySQL, which are read as UTC: a session that ended in Tokyo lives here nine
/// hours longer.
#[test]
fn a_django_that_writes_local_times_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ", "ALLOWED_HOSTS": ["shop.example"],
                   "USE_TZ": false, "TIME_ZONE": "Asia/Tokyo"}"#;
    fs::write(folder.path().join("settings.json"), json).unwrap();
    let toml = "django_settings = \"settings.json\"\n";
    fs::write(folder.path().join("palisade.toml"), toml).unwrap();
    let loaded = palisade::load_settings(folder.path().join("palisade.toml"), []);
    let told = loaded.expect_err("taken as any other").to_string();
    assert!(told.contains("USE_TZ"), "{told}");
}
