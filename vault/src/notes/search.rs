//! Finding among one's notes: by words of their titles, in an order from a list.
//!
//! Two things come from the address and go near a query, and neither becomes part of its text: the words are a bound value in which
//! `%` and `_` are letters, and the order is a key that leads to one of the queries written down here. Only titles are searched:
//! what is searched for stands in the address, where a secret must not.

use std::sync::LazyLock;

use minijinja::context;
use minijinja::value::Value;
use palisade::sql::{OrderBy, Sorted};

/// The longest search, in characters.
const LONGEST: usize = 100;

static NOTES: LazyLock<OrderBy> = LazyLock::new(|| {
    OrderBy::new(
        r"SELECT id, title, written FROM vault_note WHERE owner = ?1 AND title LIKE ?2 ESCAPE '\'",
        &[
            ("newest", "id DESC"),
            ("oldest", "id"),
            ("title", "title COLLATE NOCASE, id DESC"),
        ],
    )
});

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) words: String,
    pub(super) sorted: Sorted,
}

impl Search {
    /// Reads `?q=` and `?sort=`; an order that there is not is the first.
    pub(super) fn of(query: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let pair = query.iter().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.trim())
        };
        Self {
            words: value("q").unwrap_or_default().chars().take(LONGEST).collect(),
            sorted: NOTES.pick(value("sort")),
        }
    }

    /// What the page shows of it.
    pub(super) fn shown(&self) -> Value {
        context! {
            words => self.words.as_str(),
            sort => self.sorted.key,
            orders => NOTES.keys().map(order).collect::<Vec<_>>(),
        }
    }
}

fn order(key: &'static str) -> Value {
    let name = match key {
        "oldest" => "Oldest first",
        "title" => "By title",
        _ => "Newest first",
    };
    context! { key, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: &[(&str, &str)]) -> Search {
        let owned: Vec<_> = query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Search::of(&owned)
    }

    #[test]
    fn nothing_of_the_address_becomes_part_of_the_query() {
        for sort in [
            "title; DROP TABLE vault_note",
            "body",
            "(SELECT body FROM vault_note)",
            "",
            "TITLE",
        ] {
            let search = search(&[("sort", sort), ("q", "' OR '1'='1")]);
            assert_eq!(search.sorted, NOTES.pick(None), "{sort}");
            assert!(search.sorted.sql.contains("owner = ?1 AND title LIKE ?2"));
        }
        assert_eq!(search(&[("sort", "title")]).sorted.key, "title");
    }

    #[test]
    fn a_search_is_short() {
        assert_eq!(search(&[("q", &"é".repeat(500))]).words.chars().count(), LONGEST);
    }
}
