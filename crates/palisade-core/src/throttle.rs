//! How many tries somebody has: the pure rule under the throttles of the library (threat `credential-guessing`).
//!
//! A try is counted as failed *before* the password is looked at, and given back if it was right: so a thousand tries at the
//! same moment are a thousand failures, and not a thousand looks at a count of zero. The first few are free, then each
//! failure doubles the wait for the next try, up to a cap. Failures are forgiven one after another, one for each time of
//! the cap, without jumps: whoever waits gains nothing that trying slowly would not have given.
//!
//! That makes a bound which no order of tries can pass, and which the tests try to: in a time `t` at most
//! [`Rule::at_most`]`(t)` tries are let through.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
mod tests;

/// How many tries are free, and how the wait for the next one grows.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use palisade_core::throttle::{Rule, Verdict};
///
/// let rule = Rule::new(2, Duration::from_secs(1), Duration::from_mins(15));
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let mut tally = None;
/// for _ in 0..2 {
///     match rule.reserve(tally, now) {
///         Verdict::Admitted(counted) => tally = Some(counted),
///         Verdict::Refused { .. } => unreachable!("two are free"),
///     }
/// }
/// let Verdict::Refused { until, .. } = rule.reserve(tally, now) else {
///     unreachable!("the third has to wait")
/// };
/// assert_eq!(until, now + Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    free: u32,
    base: u64,
    cap: u64,
}

/// What is remembered of the tries that were counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// What was still to be forgiven at the last try, in milliseconds: one failure is the cap's length.
    pub debt: u64,
    /// When the last try was let through, in milliseconds after 1970.
    pub at: u64,
}

/// What the rule says to a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made, and is counted as failed already: this is to be remembered.
    Admitted(Tally),
    /// It may not be made, and is not counted.
    Refused {
        /// When the next try is let through, if nobody else makes it.
        until: SystemTime,
        /// What is to be remembered from now on, where the clock was set back since the last try.
        anew: Option<Tally>,
    },
}

impl Rule {
    /// Lets `free` tries through at once; then the wait begins with `base`, doubles with each failure, and ends at `cap`.
    pub fn new(free: u32, base: Duration, cap: Duration) -> Self {
        let base = millis(base).max(1);
        Self {
            free,
            base,
            cap: millis(cap).max(base),
        }
    }

    /// How long the next try has to wait after so many failures.
    pub fn delay(&self, failures: u32) -> Duration {
        Duration::from_millis(self.wait(failures))
    }

    /// How many tries are let through in a time, whatever their order, when nothing was counted before.
    pub fn at_most(&self, time: Duration) -> u64 {
        let doublings = u64::from(u64::BITS - (self.cap.div_ceil(self.base) - 1).leading_zeros());
        u64::from(self.free) + doublings + millis(time) / self.cap + 2
    }

    /// How many failures are not forgiven yet.
    pub fn failures(&self, tally: &Tally, now: SystemTime) -> u32 {
        let debt = tally.left(since_1970(now));
        u32::try_from(debt.div_ceil(self.cap)).unwrap_or(u32::MAX)
    }

    /// When the next try is let through.
    pub fn until(&self, tally: &Tally) -> SystemTime {
        let failures = u32::try_from(tally.debt.div_ceil(self.cap)).unwrap_or(u32::MAX);
        at(tally.at.saturating_add(self.wait(failures)))
    }

    /// Counts a try, if it may be made.
    pub fn reserve(&self, tally: Option<Tally>, now: SystemTime) -> Verdict {
        let now = since_1970(now);
        let before = tally.unwrap_or_default();
        // A clock that was set back makes nobody wait for the time in which it had been wrong.
        let held = Tally {
            at: before.at.min(now),
            ..before
        };
        let until = self.until(&held);
        if since_1970(until) > now {
            return Verdict::Refused {
                until,
                anew: (held != before).then_some(held),
            };
        }
        Verdict::Admitted(Tally {
            debt: held.left(now).saturating_add(self.cap),
            at: now,
        })
    }

    /// Gives back a try that was counted: `before` and `after` are what was remembered before it and because of it.
    ///
    /// If nobody has tried since, all is as it was; otherwise there is one failure less, and nobody waits any shorter than for
    /// those who did try.
    pub fn refund(&self, current: Option<Tally>, before: Option<Tally>, after: &Tally) -> Option<Tally> {
        let current = current?;
        if current == *after {
            return before;
        }
        let debt = current.debt.saturating_sub(self.cap);
        (debt > 0).then_some(Tally { debt, ..current })
    }

    fn wait(&self, failures: u32) -> u64 {
        let Some(beyond) = failures.checked_sub(self.free) else {
            return 0;
        };
        let factor = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }
}

impl Tally {
    /// When all is forgiven, and nothing need be remembered.
    pub fn expires(&self) -> SystemTime {
        at(self.at.saturating_add(self.debt))
    }

    /// What is still to be forgiven.
    fn left(&self, now: u64) -> u64 {
        self.debt.saturating_sub(now.saturating_sub(self.at))
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds after 1970, rounded down.
fn since_1970(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn at(millis: u64) -> SystemTime {
    // Four thousand years from now is never.
    let never = u64::from(u32::MAX) * 32_000;
    UNIX_EPOCH + Duration::from_millis(millis.min(never))
}
