//! The rule, against whoever chooses the moments of the tries.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn ours() -> Rule {
    Rule::new(5, SECOND, 15 * MINUTE)
}

/// Tries at these moments; what is remembered in the end, and how many were let through.
fn tried(rule: Rule, moments: impl IntoIterator<Item = SystemTime>) -> (Option<Tally>, u64) {
    let (mut tally, mut through) = (None, 0);
    for now in moments {
        match rule.reserve(tally, now) {
            Verdict::Admitted(counted) => {
                tally = Some(counted);
                through += 1;
            }
            Verdict::Refused { anew, .. } => tally = anew.or(tally),
        }
    }
    (tally, through)
}

fn rules() -> impl Strategy<Value = Rule> {
    (1..20_u32, 1..20_u64, 0..2000_u64).prop_map(|(free, base, more)| {
        Rule::new(free, Duration::from_secs(base), Duration::from_secs(base + more))
    })
}

#[test]
fn wait_begins_after_the_free_tries_doubles_and_ends_at_the_cap() {
    let waits: Vec<u64> = (0..20).map(|failures| ours().delay(failures).as_secs()).collect();
    assert_eq!(waits[..5], [0; 5]);
    assert_eq!(waits[5..16], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
    assert!(waits[16..].iter().all(|wait| *wait == 900));
    assert_eq!(ours().delay(u32::MAX), 15 * MINUTE);
}

#[test]
fn as_many_as_are_free_are_let_through_at_one_moment() {
    assert_eq!(tried(ours(), std::iter::repeat_n(start(), 10_000)).1, 5);
}

#[test]
fn day_of_guessing_is_worth_a_hundred_tries() {
    let day = (0..24 * 60 * 60).map(|second| start() + second * SECOND);
    let (tally, through) = tried(ours(), day);
    assert!((96..=112).contains(&through), "{through}");
    assert!(through <= ours().at_most(24 * 60 * MINUTE));
    let end = start() + 24 * 60 * MINUTE;
    assert!(ours().failures(&tally.unwrap(), end) >= 13);
    assert_eq!(
        ours().failures(&tally.unwrap(), end + 5 * 60 * MINUTE),
        0,
        "forgiven"
    );
}

#[test]
fn clock_that_is_set_back_keeps_nobody_out_for_longer_than_the_wait() {
    let (tally, _) = tried(ours(), std::iter::repeat_n(start(), 5));
    let yesterday = start() - 24 * 60 * MINUTE;
    let Verdict::Refused { until, anew } = ours().reserve(tally, yesterday) else {
        panic!("the failures are forgotten");
    };
    assert_eq!(until, yesterday + SECOND);
    assert!(matches!(ours().reserve(anew, until), Verdict::Admitted(_)));
    assert!(matches!(
        ours().reserve(anew, yesterday),
        Verdict::Refused { anew: None, .. }
    ));
}

#[test]
fn refund_takes_back_one_try_and_not_those_of_others() {
    let rule = ours();
    let (before, _) = tried(rule, std::iter::repeat_n(start(), 3));
    let Verdict::Admitted(after) = rule.reserve(before, start() + SECOND) else {
        panic!("four are free");
    };
    assert_eq!(rule.refund(Some(after), before, &after), before);
    assert_eq!(rule.refund(None, before, &after), None, "cleared meanwhile");
    let Verdict::Admitted(other) = rule.reserve(Some(after), start() + 2 * SECOND) else {
        panic!("five are free");
    };
    let left = rule.refund(Some(other), before, &after).unwrap();
    assert_eq!(left.at, other.at);
    assert_eq!(rule.failures(&left, start() + 2 * SECOND), 4);
}

proptest! {
    #[test]
    fn no_order_of_tries_passes_the_bound(rule in rules(), gaps in vec(0..400_000_u64, 1..400)) {
        let mut now = start();
        let moments: Vec<SystemTime> = gaps.iter().map(|gap| { now += Duration::from_millis(*gap); now }).collect();
        let lasted = now.duration_since(start()).unwrap();
        prop_assert!(tried(rule, moments).1 <= rule.at_most(lasted));
    }

    #[test]
    fn who_tries_whenever_it_is_allowed_does_not_pass_the_bound_either(rule in rules(), tries in 1..300_u64) {
        let (mut now, mut tally) = (start(), None);
        for _ in 0..tries {
            match rule.reserve(tally, now) {
                Verdict::Admitted(counted) => tally = Some(counted),
                Verdict::Refused { until, .. } => {
                    now = until;
                    let Verdict::Admitted(counted) = rule.reserve(tally, now) else {
                        panic!("refused at the moment that was told");
                    };
                    tally = Some(counted);
                }
            }
        }
        prop_assert!(tries <= rule.at_most(now.duration_since(start()).unwrap()));
    }

    #[test]
    fn more_failures_never_make_the_wait_shorter(rule in rules(), failures in 0..100_u32) {
        prop_assert!(rule.delay(failures) <= rule.delay(failures + 1));
        prop_assert!(rule.delay(failures) <= Duration::from_millis(rule.cap));
    }

    #[test]
    fn successes_between_the_failures_let_no_more_of_them_through(
        rule in rules(),
        events in vec((0..100_000_u64, any::<bool>()), 1..300),
    ) {
        // What fails with others succeeding between is let through no oftener than without them.
        let (mut now, mut tally, mut failed) = (start(), None, 0);
        for (gap, succeeds) in events {
            now += Duration::from_millis(gap);
            if let Verdict::Admitted(counted) = rule.reserve(tally, now) {
                tally = if succeeds { rule.refund(Some(counted), tally, &counted) } else { failed += 1; Some(counted) };
            }
        }
        prop_assert!(failed <= rule.at_most(now.duration_since(start()).unwrap()));
    }

    #[test]
    fn nothing_that_is_remembered_overflows(debt in any::<u64>(), at in any::<u64>(), now in any::<u32>()) {
        let (rule, tally) = (ours(), Tally { debt, at });
        let now = UNIX_EPOCH + Duration::from_secs(u64::from(now));
        let _ = (rule.reserve(Some(tally), now), rule.until(&tally), tally.expires(), rule.failures(&tally, now));
        let _ = rule.refund(Some(tally), None, &Tally::default());
    }
}
