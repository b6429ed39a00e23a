//! The command as it is called: a key is made, and a table of old hashes is wrapped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::path::Path;
use std::process::{Command, Output};

use palisade::Sensitive;
use palisade::clock::Clock;
use palisade::password::{Hashers, read_keys};
use rusqlite::Connection;

const OLD: &str =
    "sha256$7a49025f024ad3dcacad$aaff1abe5377ffeab6ccc68709d94c1950edf11f02d8acb83c75d8fcac1ebeb1";

fn palisade(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn old_hashes_are_wrapped_in_place_and_open_for_their_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, database) = (folder.path().join("keys"), folder.path().join("db.sqlite3"));
    let connection = Connection::open(&database).unwrap();
    connection
        .execute_batch("CREATE TABLE auth_user (id INTEGER PRIMARY KEY, password TEXT NOT NULL)")
        .unwrap();
    let slow = "pbkdf2_sha256$600000$seasalt1seasalt1seasalt$oFBnS0DdLmFh";
    for stored in [OLD, slow, "!unusable"] {
        connection
            .execute("INSERT INTO auth_user (password) VALUES (?1)", [stored])
            .unwrap();
    }

    let wrap = ["keys", "wrap", text(&keys), "--database", text(&database)];
    let without = palisade(&wrap);
    assert!(!without.status.success(), "there is no key yet");
    assert!(palisade(&["keys", "make", text(&keys)]).status.success());
    assert!(
        !palisade(&["keys", "make", text(&keys)]).status.success(),
        "today's key is never replaced"
    );
    let done = palisade(&wrap);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success() && said.contains("wrapped 1 old hashes; 2 others"),
        "{said}"
    );
    let again = palisade(&wrap);
    assert!(String::from_utf8_lossy(&again.stdout).contains("wrapped 0 old hashes; 3 others"));

    let stored: Vec<String> = connection
        .prepare("SELECT password FROM auth_user ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(stored[0].starts_with("hh$sha256$7a49025f024ad3dcacad$bcrypt$2a$12$"));
    assert_eq!(stored[1..], [slow, "!unusable"]);

    let clock = Clock::system();
    let hashers = Hashers::default().with_keys(read_keys(&keys, clock.now()).unwrap(), clock);
    let password = Sensitive::new("123".to_owned());
    let verified = hashers.verify(&password, Some(&stored[0])).await.unwrap();
    assert!(verified.correct && verified.must_update);
    let other = Sensitive::new("124".to_owned());
    assert!(!hashers.verify(&other, Some(&stored[0])).await.unwrap().correct);
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(palisade(&["keys", "make", text(folder.path())]).status.success());
    let nowhere = folder.path().join("nowhere.db");
    let done = palisade(&["keys", "wrap", text(folder.path()), "--database", text(&nowhere)]);
    assert!(!done.status.success() && !nowhere.exists());
}
