//! What `#[derive(Owned)]` says of a table: names and kinds, checked while compiling, and not one word of SQL.
//!
//! The texts of the queries are written in `statements.rs` and nowhere else. Whoever implements [`OwnedRow`](super::OwnedRow) by
//! hand can therefore give other names, but no question without an owner.

use super::value::Kind;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

impl Column {
    /// Names a column.
    ///
    /// # Panics
    ///
    /// While compiling, for what is no name: a letter or underscore, then letters, digits and underscores, 63 at most.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        assert!(
            is_identifier(name),
            "a column's name is a letter or underscore, then letters, digits and underscores, 63 at most"
        );
        Self { name, kind }
    }
}

/// A table whose rows belong to users.
#[derive(Clone, Copy, Debug)]
pub struct OwnedTable {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
    pub(super) owner: &'static str,
    pub(super) columns: &'static [Column],
}

impl OwnedTable {
    /// Names a table, the column of its primary key, the one that holds its owner's number, and those that are read.
    ///
    /// # Panics
    ///
    /// While compiling, for what is no name, or if the id is not among the columns that are read.
    pub const fn new(
        name: &'static str,
        id: &'static str,
        owner: &'static str,
        columns: &'static [Column],
    ) -> Self {
        assert!(
            is_identifier(name) && is_identifier(id) && is_identifier(owner),
            "the name of a table or column is a letter or underscore, then letters, digits and underscores, 63 at most"
        );
        assert!(!same(id, owner), "the owner of a row is not its id");
        assert!(has(columns, id), "a field holds the row's id");
        Self {
            name,
            id,
            owner,
            columns,
        }
    }

    /// The table's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// The columns that a new row or a change writes.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub(super) columns: &'static [Column],
}

impl Written {
    /// Names the columns that are written. The owner is never one of them: the library writes it.
    ///
    /// # Panics
    ///
    /// While compiling, if the owner or (unless it is given with a new row) the id is among them, or there are none.
    pub const fn new(table: &OwnedTable, columns: &'static [Column], gives_id: bool) -> Self {
        assert!(!columns.is_empty(), "at least one column is written");
        assert!(
            !has(columns, table.owner),
            "the owner of a row is written by the library, and by nobody else"
        );
        assert!(
            has(columns, table.id) == gives_id,
            "the id of a row never changes"
        );
        Self { columns }
    }
}

/// A name that means nothing else in any dialect, quoted or not.
const fn is_identifier(name: &str) -> bool {
    let mut rest = name.as_bytes();
    if rest.len() > 63 || matches!(rest, [] | [b'0'..=b'9', ..]) {
        return false;
    }
    while let [first, others @ ..] = rest {
        if !first.is_ascii_alphanumeric() && *first != b'_' {
            return false;
        }
        rest = others;
    }
    true
}

const fn has(columns: &[Column], name: &str) -> bool {
    let mut rest = columns;
    while let [first, others @ ..] = rest {
        if same(first.name, name) {
            return true;
        }
        rest = others;
    }
    false
}

/// Whether two names are one name; most databases do not tell the case of letters.
const fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_anything_but_letters_is_none() {
        for name in [
            "a b",
            "a\"",
            "a;--",
            "1a",
            "é",
            "a.b",
            "a'b",
            "a`b",
            "",
            &"a".repeat(64),
        ] {
            assert!(!is_identifier(name), "{name}");
        }
        assert!(is_identifier("vault_note") && is_identifier("_Note2"));
    }

    #[test]
    fn owner_is_found_among_columns_whatever_its_case() {
        const COLUMNS: &[Column] = &[
            Column::new("id", Kind::Number),
            Column::new("OWNER", Kind::Number),
        ];
        assert!(has(COLUMNS, "owner") && has(COLUMNS, "ID"));
        assert!(!has(COLUMNS, "own") && !has(&[], "owner"));
    }
}
