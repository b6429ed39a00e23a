//! What a client may still do: time it may still take, events it may still cause, both given back as it behaves.

use std::time::Duration;

/// Patience that waiting uses up and bytes earn back, never beyond its cap: an average rate with a bounded silence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    left: Duration,
    cap: Duration,
    bytes_per_second: u32,
}

impl Pace {
    pub(super) fn new(left: Duration, cap: Duration, bytes_per_second: u32) -> Self {
        Self {
            left,
            cap: cap.max(left),
            bytes_per_second: bytes_per_second.max(1),
        }
    }

    pub(super) fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    /// Bytes that come when patience is over come too late.
    pub(super) fn earn(&mut self, bytes: u64) {
        if bytes > 0 && !self.is_over() {
            let nanos = bytes.saturating_mul(1_000_000_000) / u64::from(self.bytes_per_second);
            self.left = self
                .left
                .saturating_add(Duration::from_nanos(nanos))
                .min(self.cap);
        }
    }

    pub(super) fn left(&self) -> Duration {
        self.left
    }

    pub(super) fn is_over(&self) -> bool {
        self.left.is_zero()
    }
}

/// Events that may still happen, given back with time and for good behaviour, never beyond its cap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// In millionths, so that no refill is lost to rounding.
    left: u64,
    cap: u64,
    per_second: u64,
}

const EVENT: u64 = 1_000_000;

impl Allowance {
    pub(super) fn new(events: u32, per_second: u32) -> Self {
        let cap = u64::from(events) * EVENT;
        Self {
            left: cap,
            cap,
            per_second: u64::from(per_second),
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        // A millionth of an event per microsecond is an event per second.
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.left = self
            .left
            .saturating_add(micros.saturating_mul(self.per_second))
            .min(self.cap);
    }

    /// Gives back one event for each `each` of `units`.
    pub(super) fn earn(&mut self, units: u64, each: u64) {
        self.left = self
            .left
            .saturating_add(units.saturating_mul(EVENT) / each.max(1))
            .min(self.cap);
    }

    /// Takes events away; `false` if there were not as many left.
    pub(super) fn take(&mut self, events: u32) -> bool {
        let left = self.left.checked_sub(u64::from(events) * EVENT);
        self.left = left.unwrap_or_default();
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_refills_are_as_good_as_one() {
        let mut allowance = Allowance::new(1000, 100);
        assert!(allowance.take(1000) && !allowance.take(1));
        (0..10_000).for_each(|_| allowance.pass(Duration::from_micros(100)));
        (0..1024).for_each(|_| allowance.earn(1, 1024));
        assert!(allowance.take(100));
        assert!(!allowance.take(2));
    }

    #[test]
    fn a_steady_trickle_above_the_rate_is_never_cut() {
        let mut pace = Pace::new(Duration::from_secs(5), Duration::from_secs(30), 500);
        for _ in 0..1000 {
            pace.spend(Duration::from_secs(4));
            assert!(!pace.is_over());
            pace.earn(2000);
        }
    }

    #[test]
    fn a_trickle_below_the_rate_runs_out() {
        let mut pace = Pace::new(Duration::from_secs(5), Duration::from_secs(30), 500);
        let mut rounds = 0;
        while !pace.is_over() {
            pace.spend(Duration::from_secs(1));
            pace.earn(100);
            rounds += 1;
        }
        assert!(rounds < 10, "{rounds}");
    }

    #[test]
    fn a_fast_start_does_not_buy_a_long_silence() {
        let mut pace = Pace::new(Duration::from_secs(5), Duration::from_secs(30), 500);
        pace.earn(u64::MAX);
        pace.spend(Duration::from_secs(30));
        assert!(pace.is_over());
    }
}
