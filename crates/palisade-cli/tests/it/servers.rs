//! Tables of old hashes on servers are wrapped as those in files are.

use std::path::Path;

use palisade::mysql::{MySql, field};
use palisade::postgres::Postgres;

use crate::keys::{OLD, palisade, text};

const SLOW: &str = "pbkdf2_sha256$600000$seasalt1seasalt1seasalt$oFBnS0DdLmFh";

/// Wraps a table of one's own twice: the second time there is nothing to do.
fn wrap_twice(folder: &Path, address: &str) {
    let keys = folder.join("keys");
    assert!(palisade(&["keys", "make", text(&keys)]).status.success());
    let wrap = [
        "keys",
        "wrap",
        text(&keys),
        "--database",
        address,
        "--table",
        "people_person",
        "--id-column",
        "nr",
        "--username-column",
        "email",
        "--password-column",
        "Secret",
    ];
    for expected in [
        "wrapped 1 old hashes; 1 is slow or keyed already; 1 has",
        "wrapped 0 old hashes; 2 are slow or keyed already; 1 has",
    ] {
        let done = palisade(&wrap);
        let told = [done.stdout, done.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(done.status.success() && told.contains(expected), "{told}");
    }
    let nowhere = palisade(&["keys", "wrap", text(&keys), "--database", address]);
    let told = String::from_utf8_lossy(&nowhere.stderr);
    assert!(
        !nowhere.status.success() && told.contains("the table auth_user"),
        "{told}"
    );
}

fn assert_wrapped(stored: &[String]) {
    let (wrapped, others) = stored.split_first().unwrap();
    assert!(
        wrapped.starts_with("hh$sha256$7a49025f024ad3dcacad$bcrypt$2a$12$"),
        "{wrapped}"
    );
    assert_eq!(others, [SLOW, "!unusable"]);
}

#[tokio::test]
async fn old_hashes_in_postgres_are_wrapped_in_place() {
    let server = testkit::Postgres::start().unwrap();
    let database = Postgres::open(&server.url()).await.unwrap();
    let create =
        "CREATE TABLE people_person (nr bigint PRIMARY KEY, email text, \"Secret\" varchar(128) NOT NULL)";
    database.execute(create, &[]).await.unwrap();
    let insert =
        "INSERT INTO people_person SELECT n, 'e' || n, s FROM unnest($1::text[]) WITH ORDINALITY AS t (s, n)";
    database
        .execute(insert, &[&vec![OLD, SLOW, "!unusable"]])
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    wrap_twice(folder.path(), &server.url());

    let all = "SELECT \"Secret\" FROM people_person ORDER BY nr";
    let stored = database.all(all, &[], |row| row.try_get(0)).await.unwrap();
    assert_wrapped(&stored);

    // What is asked for of the way to the server is kept.
    let address = format!("{}?sslmode=require", server.url());
    let keys = folder.path().join("keys");
    let in_clear = palisade(&["keys", "wrap", text(&keys), "--database", &address]);
    let told = String::from_utf8_lossy(&in_clear.stderr);
    assert!(!in_clear.status.success() && told.contains("TLS"), "{told}");
    assert!(!told.contains(server.password()));
}

#[tokio::test]
async fn old_hashes_in_mariadb_are_wrapped_in_place() {
    let server = testkit::MariaDb::start().unwrap();
    let database = MySql::open(&server.url()).await.unwrap();
    let create = "CREATE TABLE people_person (nr bigint unsigned PRIMARY KEY, email text, Secret varchar(128) NOT NULL)";
    database.execute(create, Vec::new()).await.unwrap();
    let insert = "INSERT INTO people_person VALUES (1, 'a', ?), (2, 'b', ?), (3, 'c', ?)";
    database
        .execute(insert, vec![OLD.into(), SLOW.into(), "!unusable".into()])
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    wrap_twice(folder.path(), &server.url());

    let rows = database
        .all("SELECT Secret FROM people_person ORDER BY nr", Vec::new())
        .await
        .unwrap();
    let stored: Vec<String> = rows
        .into_iter()
        .map(|mut row| field(&mut row, 0).unwrap())
        .collect();
    assert_wrapped(&stored);
}
