//! A count as the columns of a database: whole milliseconds, and a network as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::store::Counted;

/// The network as text; none is empty.
pub(super) fn network(counted: &Counted) -> String {
    counted
        .network
        .map_or_else(String::new, |network| network.to_string())
}

/// A number as databases have it.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A time in milliseconds after 1970.
pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or(UNIX_EPOCH)
}
