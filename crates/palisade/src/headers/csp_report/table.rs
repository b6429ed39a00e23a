//! The reports that are kept: each kind once, with a count, and never more kinds than there is room for.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{MOST_KINDS, Seen, Violation};

#[derive(Clone, Copy, Debug)]
struct Kept {
    count: u64,
    first: SystemTime,
    last: SystemTime,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Table {
    kinds: BTreeMap<Violation, Kept>,
    /// How many reports were dropped: over the rate, or pushed out.
    pub(super) dropped: u64,
}

/// What came of a report.
pub(super) struct Added {
    pub(super) seen: Seen,
    /// The kind that made room for it.
    pub(super) pushed_out: Option<Violation>,
}

impl Table {
    pub(super) fn add(&mut self, violation: Violation, now: SystemTime) -> Added {
        let mut pushed_out = None;
        if self.kinds.len() >= MOST_KINDS && !self.kinds.contains_key(&violation) {
            let rarest = self.kinds.iter().min_by_key(|(_, kept)| (kept.count, kept.last));
            pushed_out = rarest.map(|(violation, _)| violation.clone());
            if let Some(rarest) = &pushed_out
                && let Some(kept) = self.kinds.remove(rarest)
            {
                self.dropped = self.dropped.saturating_add(kept.count);
            }
        }
        let kept = self.kinds.entry(violation.clone()).or_insert(Kept {
            count: 0,
            first: now,
            last: now,
        });
        kept.count = kept.count.saturating_add(1);
        kept.last = kept.last.max(now);
        Added {
            seen: seen(violation, *kept),
            pushed_out,
        }
    }

    /// Takes in what was kept before.
    pub(super) fn restore(&mut self, seen: Seen) {
        if self.kinds.len() < MOST_KINDS {
            let Seen {
                violation,
                count,
                first,
                last,
            } = seen;
            self.kinds.insert(violation, Kept { count, first, last });
        }
    }

    /// Lists what was seen, the latest first.
    pub(super) fn list(&self) -> Vec<Seen> {
        let mut all: Vec<Seen> = self
            .kinds
            .iter()
            .map(|(violation, kept)| seen(violation.clone(), *kept))
            .collect();
        all.sort_by(|one, other| other.last.cmp(&one.last).then(other.count.cmp(&one.count)));
        all
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn seen(violation: Violation, kept: Kept) -> Seen {
    Seen {
        violation,
        count: kept.count,
        first: kept.first,
        last: kept.last,
    }
}
