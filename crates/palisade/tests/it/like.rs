//! Patterns of `palisade::sql` in PostgreSQL and MariaDB: a text finds itself, and its wild cards are letters. SQLite's are beside it.

use palisade::mysql::field;
use palisade::sql::{contains, ends_with, like, starts_with};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::servers::{mariadb, mariadb_database, postgres, postgres_database};

/// Texts and what is looked for in them, in the letters that mean something to `LIKE`.
fn pairs() -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let pair = ("[%_\\\\ab'\"]{0,5}", "[%_\\\\ab'\"]{0,8}");
    let drawn = (0..200).map(|_| pair.new_tree(&mut runner).unwrap().current());
    let named = [
        ("%", "secret"),
        ("_", "s"),
        ("\\", "\\"),
        ("\\%", "\\x"),
        ("100%", "100 %"),
        ("é", "é"),
    ];
    drawn
        .chain(named.map(|(asked, text)| (asked.to_owned(), text.to_owned())))
        .collect()
}

/// Each pattern, and what it has to say of a text.
fn expected(asked: &str, text: &str) -> [(String, bool); 4] {
    [
        (contains(asked), text.contains(asked)),
        (starts_with(asked), text.starts_with(asked)),
        (ends_with(asked), text.ends_with(asked)),
        (like(asked), text == asked),
    ]
}

#[tokio::test]
async fn a_pattern_finds_its_text_alone_in_postgresql() {
    let server = postgres();
    let database = postgres_database(&server, "patterns").await;
    for (asked, text) in pairs() {
        for (pattern, found) in expected(&asked, &text) {
            let answer = database
                .one(
                    r"SELECT $1::text LIKE $2::text, $1::text LIKE $2::text ESCAPE '\'",
                    &[&text, &pattern],
                    |row| Ok((row.try_get::<_, bool>(0)?, row.try_get::<_, bool>(1)?)),
                )
                .await
                .unwrap();
            assert_eq!(answer, Some((found, found)), "{text:?} LIKE {pattern:?}");
        }
    }
}

#[tokio::test]
async fn a_pattern_finds_its_text_alone_in_mariadb() {
    let server = mariadb();
    let database = mariadb_database(&server, "patterns", None).await;
    for (asked, text) in pairs() {
        for (pattern, found) in expected(&asked, &text) {
            let row = database
                .one(
                    "SELECT ? LIKE ?",
                    vec![text.clone().into(), pattern.clone().into()],
                )
                .await
                .unwrap();
            let answer = field::<i64>(&mut row.unwrap(), 0).unwrap();
            assert_eq!(answer == 1, found, "{text:?} LIKE {pattern:?}");
        }
    }
}
