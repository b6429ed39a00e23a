//! A key is made, and a table of old hashes is wrapped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use palisade::Sensitive;
use palisade::clock::Clock;
use palisade::password::{Hashers, read_keys};
use rusqlite::Connection;

pub(crate) const OLD: &str =
    "sha256$7a49025f024ad3dcacad$aaff1abe5377ffeab6ccc68709d94c1950edf11f02d8acb83c75d8fcac1ebeb1";

pub(crate) fn palisade(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .env_remove("DATABASE_URL")
        .args(arguments)
        .output()
        .unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn whoever_asks_is_told_that_django_cannot_read_wrapped_hashes() {
    let help = palisade(&["keys", "wrap", "--help"]).stdout;
    let help = String::from_utf8_lossy(&help);
    let words: Vec<&str> = help.split_whitespace().collect();
    let told = "Django cannot read what this writes, and there is no way back: back up the table first.";
    assert!(words.join(" ").contains(told), "{help}");
}

#[tokio::test]
async fn old_hashes_are_wrapped_in_place_and_open_for_their_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, database) = (folder.path().join("keys"), folder.path().join("db.sqlite3"));
    let connection = Connection::open(&database).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, password TEXT NOT NULL)",
        )
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
        done.status.success()
            && said.contains("wrapped 1 old hashes; 1 is slow or keyed already; 1 has no usable password"),
        "{said}"
    );
    let again = palisade(&wrap);
    assert!(
        String::from_utf8_lossy(&again.stdout)
            .contains("wrapped 0 old hashes; 2 are slow or keyed already; 1 has")
    );

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

/// A database with a table of users, and a folder with a key beside it.
fn site(folder: &Path, sql: &str) -> (Connection, PathBuf, PathBuf) {
    let (keys, database) = (folder.join("keys"), folder.join("db.sqlite3"));
    let connection = Connection::open(&database).unwrap();
    connection.execute_batch(sql).unwrap();
    assert!(palisade(&["keys", "make", text(&keys)]).status.success());
    (connection, keys, database)
}

#[test]
fn what_an_interrupted_wrapping_left_is_wrapped_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, keys, database) = site(
        folder.path(),
        "CREATE TABLE person (nr INTEGER PRIMARY KEY, email TEXT, secret TEXT NOT NULL);
         CREATE TRIGGER trouble BEFORE UPDATE ON person WHEN NEW.nr = 3 BEGIN SELECT RAISE(ABORT, 'trouble'); END;",
    );
    for _ in 0..3 {
        let insert = "INSERT INTO person (secret) VALUES (?1)";
        connection.execute(insert, [OLD]).unwrap();
    }
    let wrap = [
        "keys",
        "wrap",
        text(&keys),
        "--database",
        text(&database),
        "--table",
        "person",
        "--id-column",
        "nr",
        "--username-column",
        "email",
        "--password-column",
        "secret",
    ];
    let stopped = palisade(&wrap);
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert!(
        !stopped.status.success() && said.contains("Run it again"),
        "{said}"
    );
    assert!(said.contains("trouble"), "the reason is told: {said}");

    connection.execute_batch("DROP TRIGGER trouble").unwrap();
    assert!(palisade(&wrap).status.success());
    let wrapped = "SELECT count(*) FROM person WHERE secret LIKE 'hh$sha256$7a49%$bcrypt$%'";
    let wrapped: i64 = connection.query_row(wrapped, [], |row| row.get(0)).unwrap();
    assert_eq!(wrapped, 3);
    let twice = "SELECT count(*) FROM person WHERE secret LIKE 'hh$hh$%'";
    let twice: i64 = connection.query_row(twice, [], |row| row.get(0)).unwrap();
    assert_eq!(twice, 0);
}

#[test]
fn whoever_waits_for_a_long_table_is_told_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (_connection, keys, database) = site(
        folder.path(),
        "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, password TEXT NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
         INSERT INTO auth_user SELECT i, i, '!' FROM n;",
    );
    let done = palisade(&["keys", "wrap", text(&keys), "--database", text(&database)]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    for line in ["10000 users so far: 0 old hashes wrapped", "20000 users so far"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(
        String::from_utf8_lossy(&done.stdout).contains("wrapped 0 old hashes; 25000 have no usable password")
    );
}

#[test]
fn what_a_table_lacks_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (_connection, keys, database) =
        site(folder.path(), "CREATE TABLE auth_user (id INTEGER PRIMARY KEY)");
    let done = palisade(&["keys", "wrap", text(&keys), "--database", text(&database)]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    for lack in [
        "the column username of auth_user",
        "the column password of auth_user",
    ] {
        assert!(told.contains(lack), "{told}");
    }
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    assert!(palisade(&["keys", "make", text(folder.path())]).status.success());
    for address in [
        "postgre://shop:hunter2@db/shop",
        "postgres://shop:hunter2@db:port/shop",
        "mysql://shop:hunter2@",
    ] {
        let done = palisade(&["keys", "wrap", text(folder.path()), "--database", address]);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && !told.contains("hunter2"), "{told}");
    }
}
