//! What a column may hold, as all three databases have it.
//!
//! A value travels beside the text of a query and never in it. [`Cell`] says how a field's type is kept; an application's own
//! type, such as a state or an amount of money, implements it over one of these.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::Sensitive;

/// How a column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number of up to 64 bits.
    Number,
    /// Text.
    Text,
    /// Text that nobody may print.
    Secret,
    /// A boolean.
    Flag,
    /// A date with a time, as Django keeps it, in UTC.
    Time,
    /// Bytes.
    Bytes,
}

/// What stands in one column of one row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// Nothing (`NULL`).
    Null,
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// Text that nobody may print.
    Secret(Sensitive<String>),
    /// A boolean.
    Flag(bool),
    /// A date with a time.
    Time(SystemTime),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The type of a field that is kept in a column.
///
/// # Example
///
/// ```
/// use palisade::rows::{Cell, Kind, Value};
///
/// enum Priority { Low, High }
///
/// impl Cell for Priority {
///     const KIND: Kind = Kind::Number;
///
///     fn into_value(self) -> Value {
///         Value::Number(match self { Self::Low => 0, Self::High => 1 })
///     }
///
///     fn from_value(value: Value) -> Option<Self> {
///         match value {
///             Value::Number(0) => Some(Self::Low),
///             Value::Number(1) => Some(Self::High),
///             _ => None,
///         }
///     }
/// }
/// ```
pub trait Cell: Sized {
    /// How it is kept.
    const KIND: Kind;

    /// Takes it to the database.
    fn into_value(self) -> Value;

    /// Takes it from the database; nothing, if it is something else.
    fn from_value(value: Value) -> Option<Self>;
}

impl Cell for i64 {
    const KIND: Kind = Kind::Number;

    fn into_value(self) -> Value {
        Value::Number(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl Cell for String {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Cell for Sensitive<String> {
    const KIND: Kind = Kind::Secret;

    fn into_value(self) -> Value {
        Value::Secret(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Secret(text) => Some(text),
            _ => None,
        }
    }
}

impl Cell for bool {
    const KIND: Kind = Kind::Flag;

    fn into_value(self) -> Value {
        Value::Flag(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }
}

impl Cell for SystemTime {
    const KIND: Kind = Kind::Time;

    fn into_value(self) -> Value {
        Value::Time(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Time(at) => Some(at),
            _ => None,
        }
    }
}

impl Cell for Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;

    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A time that is kept as a number: the whole seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub SystemTime);

impl Seconds {
    pub(super) fn number(at: SystemTime) -> i64 {
        let since = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        i64::try_from(since).unwrap_or(i64::MAX)
    }

    pub(super) fn of_number(seconds: i64) -> SystemTime {
        let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }
}

impl Cell for Seconds {
    const KIND: Kind = Kind::Number;

    fn into_value(self) -> Value {
        Value::Number(Self::number(self.0))
    }

    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(|seconds| Self(Self::of_number(seconds)))
    }
}

/// The type of a row's id: a number that the database gives, or a text (such as a UUID) that the application gives.
pub trait RowId: Cell + Clone + Eq + Send + Sync + std::fmt::Debug + 'static {
    /// Reads the id from an address. One row has one address: `7` and not `07` or `+7`.
    fn of_address(text: &str) -> Option<Self>;
}

impl RowId for i64 {
    fn of_address(text: &str) -> Option<Self> {
        let id: i64 = text.parse().ok()?;
        (id.to_string() == text).then_some(id)
    }
}

/// Text ids are this long at most, as keys of an index are in all databases.
const LONGEST_ID: usize = 190;

impl RowId for String {
    fn of_address(text: &str) -> Option<Self> {
        let is_one = (1..=LONGEST_ID).contains(&text.chars().count()) && !text.contains('\0');
        is_one.then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_has_one_address() {
        assert_eq!(i64::of_address("7"), Some(7));
        assert_eq!(i64::of_address("9223372036854775807"), Some(i64::MAX));
        for none in [
            "",
            "07",
            "+7",
            "-0",
            " 7",
            "7 ",
            "7.0",
            "7e0",
            "0x7",
            "1 OR 1=1",
            "9223372036854775808",
            "\u{0667}",
            "7\0",
        ] {
            assert_eq!(i64::of_address(none), None, "{none:?}");
        }
        for none in ["", "a\0b", &"a".repeat(191)] {
            assert_eq!(String::of_address(none), None, "{none:?}");
        }
        assert_eq!(
            String::of_address("' OR ''='").as_deref(),
            Some("' OR ''='"),
            "a text is a text"
        );
    }
}
