//! A page of a list: how many, from where, in which order.

/// How many rows a page has unless it says otherwise.
const AT_MOST: u32 = 100;
/// No page has more.
const MOST: u32 = 1000;

/// Which part of a list is wanted. The default is the first hundred, the newest first: by id, downwards.
///
/// # Example
///
/// ```
/// use palisade::rows::List;
///
/// let third_page = List::page(3, 20).order_by("-written");
/// ```
#[derive(Clone, Debug)]
pub struct List {
    pub(super) at_most: u32,
    pub(super) from: u64,
    pub(super) order: Option<String>,
}

impl Default for List {
    fn default() -> Self {
        Self::first(AT_MOST)
    }
}

impl List {
    /// The first rows, a thousand at most.
    pub fn first(at_most: u32) -> Self {
        Self {
            at_most: at_most.min(MOST),
            from: 0,
            order: None,
        }
    }

    /// The page of this number, counted from one, if each has so many rows.
    pub fn page(number: u32, rows: u32) -> Self {
        let list = Self::first(rows);
        let from = u64::from(number.saturating_sub(1)) * u64::from(list.at_most);
        Self { from, ..list }
    }

    /// Orders by a column, downwards with a minus before it (Django's `order_by`).
    ///
    /// The name may come from a request: one that is no column of the row, or one of a secret, is refused with 400 and never gets into a
    /// query.
    #[must_use]
    pub fn order_by(self, column: impl Into<String>) -> Self {
        Self {
            order: Some(column.into()),
            ..self
        }
    }
}
