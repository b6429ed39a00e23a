//! In what the SQL of the databases differs, where rows of users are concerned.

use super::value::Kind;

/// How one database writes what all of them are asked.
#[derive(Debug)]
pub(super) struct Dialect {
    /// What it is called, so that texts are kept for each.
    pub(super) name: &'static str,
    /// The mark before and after a name.
    pub(super) quote: char,
    /// The mark of a value's place.
    pub(super) place: char,
    /// Whether places are numbered.
    pub(super) numbered: bool,
    /// What makes a column or a value one of this kind.
    pub(super) cast: fn(Kind) -> &'static str,
    /// What stands around a text that is compared to the letter, if the comparison itself would not be.
    pub(super) exact: Option<[&'static str; 2]>,
    /// Whether a statement that inserts can tell the new row's key.
    pub(super) returning: bool,
    /// What makes a question wait for whoever is changing the answer at this moment, and keeps it until the end.
    pub(super) hold: &'static str,
    /// What replaces a grant that is there already.
    pub(super) replace: &'static str,
}

/// As SQLite and PostgreSQL write it.
pub(super) const REPLACE: &str = " ON CONFLICT (table_name, row_id, row_key, grantee_name) DO UPDATE SET \
     grantee_id = excluded.grantee_id, granted_by = excluded.granted_by, role = excluded.role, ends = excluded.ends, \
     granted = excluded.granted";
