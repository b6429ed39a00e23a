//! In what the SQL of the databases differs, where a table of users is concerned: names, places of values, and constants.

use super::table::Kind;

/// How one database writes what all of them are asked.
#[derive(Debug)]
pub(super) struct Dialect {
    /// The mark before and after a name.
    pub(super) quote: char,
    /// The mark of a value's place.
    pub(super) place: char,
    /// Whether places are numbered.
    pub(super) numbered: bool,
    /// What makes a number of any width one of 64 bits.
    pub(super) number: &'static str,
    /// What makes any text plain text.
    pub(super) text: &'static str,
    /// Yes, where there is no column to say it.
    pub(super) yes: &'static str,
    /// No, where there is no column to say it.
    pub(super) no: &'static str,
    /// A time, where there is no column to say it.
    pub(super) no_time: &'static str,
    /// What stands around a text that is compared without regard to case.
    pub(super) folded: [&'static str; 2],
    /// What stands around a text that is compared to the letter.
    pub(super) exact: [&'static str; 2],
    /// Whether a statement that inserts can tell the new row's key.
    pub(super) returning: bool,
    /// Whether two names are one name.
    pub(super) same_name: fn(&str, &str) -> bool,
    /// The types that a column may have; none where columns have no types.
    pub(super) types: fn(Kind) -> &'static [&'static str],
}
