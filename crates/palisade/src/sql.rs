//! The two places where a bound value is not enough: the order of rows, and patterns (threat `sql-injection`).
//!
//! A value travels beside the query text and can change nothing in it. A column name cannot travel so; it is text of the query,
//! and `ORDER BY {sort}` is the injection that is left over in programs that bind everything else (CWE-89). And a bound value is
//! still a *pattern* where the query says `LIKE`: a search for `%` finds everything, `_` lets a secret be guessed letter by letter,
//! and many `%` keep the database busy for minutes.
//!
//! - [`OrderBy`] leads from a word of the request to one of the queries that were written down beforehand.
//! - [`contains`], [`starts_with`] and [`ends_with`] make a pattern that finds the text itself.
//!
//! # Example
//!
//! ```
//! use std::sync::LazyLock;
//! use palisade::sql::{OrderBy, contains};
//! use palisade::sqlite::{Migration, Sqlite, params};
//!
//! static NOTES: LazyLock<OrderBy> = LazyLock::new(|| OrderBy::new(
//!     r"SELECT title FROM note WHERE owner = ?1 AND title LIKE ?2 ESCAPE '\'",
//!     &[("newest", "id DESC"), ("title", "title COLLATE NOCASE, id")],
//! ));
//!
//! # let db = Sqlite::in_memory()?;
//! # db.migrate(&[Migration { version: 1, name: "note", sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, owner INTEGER, title TEXT) STRICT" }])?;
//! let sort = "title; DROP TABLE note";           // what the request says
//! let sorted = NOTES.pick(Some(sort));           // is none of the keys: the first one counts
//! assert_eq!(sorted.key, "newest");
//! let titles: Vec<String> = db.read(|reader| {
//!     reader.all(sorted.sql, params![1, contains("100 %")], |row| row.get(0))
//! })?;
//! # assert!(titles.is_empty());
//! # Ok::<(), palisade::sqlite::SqliteError>(())
//! ```

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use palisade_core::Threat;

use crate::rejection::Rejection;

/// A query in several orders, one of which a request may choose by its key.
///
/// All its text was written by the programmer: every part is a `&'static str`, put together once, at start. Keep it in a `static`.
#[derive(Clone, Debug)]
pub struct OrderBy {
    choices: Vec<Sorted>,
}

/// A query in the order that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sorted {
    /// The key of the order, as it stands in the allow-list: for the page, which shows what was chosen.
    pub key: &'static str,
    /// The whole query.
    pub sql: &'static str,
}

impl OrderBy {
    /// Writes a query down in each of its orders: `(key, what stands after ORDER BY)`. The first is the default.
    ///
    /// # Panics
    ///
    /// Without any order.
    ///
    /// # Example
    ///
    /// Neither the query nor an order can come from a request:
    ///
    /// ```compile_fail,E0716
    /// use palisade::sql::OrderBy;
    ///
    /// let asked = String::from("1; DROP TABLE note");
    /// let query = OrderBy::new("SELECT title FROM note", &[("asked", asked.as_str())]);
    /// query.pick(None);
    /// ```
    pub fn new(select: &'static str, orders: &'static [(&'static str, &'static str)]) -> Self {
        Self::limited(select, orders, "")
    }

    /// Does the same for a query that goes on behind its order: `LIMIT ?3 OFFSET ?4`.
    ///
    /// # Panics
    ///
    /// Without any order.
    pub fn limited(
        select: &'static str,
        orders: &'static [(&'static str, &'static str)],
        rest: &'static str,
    ) -> Self {
        assert!(!orders.is_empty(), "a query needs an order");
        let choices = orders.iter().map(|(key, order)| Sorted {
            key,
            sql: lasting(format!("{select} ORDER BY {order} {rest}").trim_end()),
        });
        Self {
            choices: choices.collect(),
        }
    }

    /// Picks the order of this key; the default where there is none of it.
    ///
    /// # Panics
    ///
    /// Never: there is always a default.
    #[expect(
        clippy::indexing_slicing,
        reason = "there is at least one: it is made with one"
    )]
    pub fn pick(&self, key: Option<&str>) -> Sorted {
        key.and_then(|key| self.find(key)).unwrap_or(self.choices[0])
    }

    /// Picks the order of this key, or refuses with 400 what is no key.
    ///
    /// # Errors
    ///
    /// For a key that is not in the list.
    pub fn pick_strictly(&self, key: Option<&str>) -> Result<Sorted, Rejection> {
        match key {
            None => Ok(self.pick(None)),
            Some(key) => self.find(key).ok_or_else(|| {
                Rejection::bad_request("a list is asked for in an order that it does not have")
                    .with_threat(Threat::SqlInjection)
                    .with_hint("This list cannot be sorted in that way.")
            }),
        }
    }

    /// Finds the order of this key, written exactly so.
    pub fn find(&self, key: &str) -> Option<Sorted> {
        self.choices.iter().copied().find(|choice| choice.key == key)
    }

    /// Lists the keys, the default first: for the page that offers them.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.choices.iter().map(|choice| choice.key)
    }
}

/// Keeps a text for the life of the process, each only once: what is made again by mistake costs no memory again.
fn lasting(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = kept.get(text) {
        return kept;
    }
    let text: &'static str = text.to_owned().leak();
    kept.insert(text);
    text
}

/// Makes a text mean itself within a `LIKE` pattern: `%`, `_` and `\` get a `\` before them.
///
/// - SQLite has no escape character of its own: write `LIKE ?1 ESCAPE '\'`.
/// - PostgreSQL: `LIKE $1` (or `ILIKE`); `\` is its default, and `ESCAPE '\'` says so.
/// - MySQL and MariaDB: `LIKE ?`; `\` is their default unless the server runs with `NO_BACKSLASH_ESCAPES`.
///
/// A NUL is left out: SQLite's pattern would end there, PostgreSQL's text has none.
///
/// # Example
///
/// ```
/// assert_eq!(palisade::sql::like("50%_\\"), r"50\%\_\\");
/// ```
///
/// # Security
///
/// Without `ESCAPE '\'`, SQLite takes the `\` for itself and the `%` behind it for anything.
pub fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Makes the pattern of what has this text in it: Django's `contains` and `icontains`, whichever the query's `LIKE` is.
///
/// # Example
///
/// ```
/// assert_eq!(palisade::sql::contains("100%"), r"%100\%%");
/// ```
pub fn contains(text: &str) -> String {
    format!("%{}%", like(text))
}

/// Makes the pattern of what begins with this text.
pub fn starts_with(text: &str) -> String {
    format!("{}%", like(text))
}

/// Makes the pattern of what ends with this text.
pub fn ends_with(text: &str) -> String {
    format!("%{}", like(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{Sqlite, params};
    use proptest::prelude::*;

    fn orders() -> OrderBy {
        OrderBy::limited("SELECT 1 AS a", &[("new", "a DESC"), ("old", "a")], "LIMIT 5")
    }

    #[test]
    fn a_request_chooses_among_what_was_written_down() {
        let orders = orders();
        assert_eq!(orders.pick(Some("old")).sql, "SELECT 1 AS a ORDER BY a LIMIT 5");
        assert_eq!(orders.pick(None).key, "new");
        assert_eq!(orders.keys().collect::<Vec<_>>(), ["new", "old"]);
        for asked in [
            "",
            "OLD",
            "old ",
            "a; DROP TABLE x",
            "(SELECT 1)",
            "a DESC",
            "-old",
            "old\0",
        ] {
            assert_eq!(orders.pick(Some(asked)).key, "new", "{asked:?}");
            let refused = orders.pick_strictly(Some(asked)).unwrap_err();
            assert_eq!(refused.status(), 400);
            // What a client wrote does not come back by way of the reason.
            assert!(asked.len() < 6 || !refused.reason().contains(asked));
        }
        assert_eq!(orders.pick_strictly(None).unwrap().key, "new");
    }

    #[test]
    fn making_it_again_and_again_keeps_one_text() {
        assert!(std::ptr::eq(orders().pick(None).sql, orders().pick(None).sql));
    }

    fn matches(pattern: &str, text: &str) -> bool {
        let found: Option<bool> = Sqlite::in_memory()
            .unwrap()
            .read(|reader| {
                reader.one(r"SELECT ?1 LIKE ?2 ESCAPE '\'", params![text, pattern], |row| {
                    row.get(0)
                })
            })
            .unwrap();
        found.unwrap()
    }

    #[test]
    fn a_wild_card_finds_itself_alone() {
        for (asked, found, missed) in [
            ("%", "a%b", "ab"),
            ("_", "a_b", "ab"),
            ("\\", "a\\b", "ab"),
            ("\\%", "\\%", "\\x"),
        ] {
            assert!(matches(&contains(asked), found), "{asked}");
            assert!(!matches(&contains(asked), missed), "{asked}");
            // The defence is the escaping: without it the same search finds what it must not.
            assert!(asked.starts_with('\\') || matches(&format!("%{asked}%"), missed));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_pattern_finds_its_text_and_only_where_it_is(asked in "[%_\\\\ab']{0,6}", text in "[%_\\\\ab']{0,8}") {
            prop_assert_eq!(matches(&contains(&asked), &text), text.contains(&asked));
            prop_assert_eq!(matches(&starts_with(&asked), &text), text.starts_with(&asked));
            prop_assert_eq!(matches(&ends_with(&asked), &text), text.ends_with(&asked));
            prop_assert_eq!(matches(&like(&asked), &text), text == asked);
        }
    }
}
