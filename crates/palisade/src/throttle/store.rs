//! What a store of counts must be able to do: to replace what it holds, if it still is what was read.
//!
//! The rule stands in `palisade_core::throttle`, once for all stores and nowhere in SQL. So that no two tries pass on one
//! count, a store compares before it writes; that is all.

use std::fmt;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use palisade_core::throttle::{Rule, Tally};

use super::bucket::Bucket;
use crate::rejection::Rejection;

/// A count as a store keeps it. Times are whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What the rule remembers: two counts are the same if this is.
    pub tally: Tally,
    /// Until when the next try has to wait, for the list.
    pub until: SystemTime,
    /// When there is nothing to remember any more, and the store may drop it.
    pub expires: SystemTime,
    /// The network, where that is what is counted for.
    pub network: Option<IpNet>,
}

impl Counted {
    pub(super) fn by(rule: &Rule, tally: Tally, network: Option<IpNet>) -> Self {
        Self {
            tally,
            until: rule.until(&tally),
            expires: tally.expires(),
            network,
        }
    }
}

/// A store that cannot answer.
#[derive(Debug, thiserror::Error)]
#[error("the store of throttles is unavailable")]
pub struct ThrottleStoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl ThrottleStoreError {
    /// Wraps a driver's error.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl From<ThrottleStoreError> for Rejection {
    fn from(error: ThrottleStoreError) -> Self {
        Rejection::unavailable(format!("{error}: {}", error.0), 5).with_hint("Please try again in a moment.")
    }
}

/// Keeps counts. [`contract::Contract`](super::contract::Contract) holds a store to what is said here.
///
/// A store that cannot answer says so, within a time limit of its own.
pub trait ThrottleStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a count. One that has expired may be there or not.
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>>;

    /// Replaces what stands there (`None`: nothing) by another count or by nothing, if it still is `old`, as one step that nobody
    /// comes between. Says whether it did. Where one is added, some that have expired go.
    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>>;

    /// Lists the counts whose next try has to wait, the longest wait first, `at_most` so many.
    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>>;
}
