//! How often is reported: a fault that somebody can provoke must neither fill the disk nor hide another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The same fault is told again after so long.
const AGAIN: Duration = Duration::from_hours(1);
/// So many faults are told …
const MOST: u32 = 10;
/// … in so long.
const WINDOW: Duration = Duration::from_mins(1);
/// So many faults are remembered.
const REMEMBERED: usize = 1000;

/// What becomes of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is told, with how often it was seen since it was told last.
    Report { seen_before: u64 },
    /// It was told a short time ago.
    Known,
    /// Many others were.
    TooMany,
}

#[derive(Debug, Default)]
pub(super) struct Limit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    faults: HashMap<String, Fault>,
    window: Option<(SystemTime, u32)>,
}

#[derive(Debug)]
struct Fault {
    told: SystemTime,
    since: u64,
}

impl Limit {
    /// Says whether a fault is to be told now.
    pub(super) fn ask(&self, fault: &str, now: SystemTime) -> Verdict {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_past = |told: SystemTime, span| now.duration_since(told).is_ok_and(|gone| gone >= span);
        if let Some(known) = state.faults.get_mut(fault)
            && !is_past(known.told, AGAIN)
        {
            known.since += 1;
            return Verdict::Known;
        }
        let (began, told) = match state.window {
            Some((began, told)) if !is_past(began, WINDOW) => (began, told),
            _ => (now, 0),
        };
        if told >= MOST {
            return Verdict::TooMany;
        }
        state.window = Some((began, told + 1));
        if state.faults.len() >= REMEMBERED {
            state.faults.retain(|_, fault| !is_past(fault.told, AGAIN));
        }
        let seen_before = state.faults.get(fault).map_or(0, |known| known.since);
        if state.faults.len() < REMEMBERED {
            state
                .faults
                .insert(fault.to_owned(), Fault { told: now, since: 0 });
        }
        Verdict::Report { seen_before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_is_told_once_an_hour_with_how_often_it_was_seen() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(limit.ask("a", now), Verdict::Report { seen_before: 0 });
        for _ in 0..100 {
            assert_eq!(limit.ask("a", now + Duration::from_mins(59)), Verdict::Known);
        }
        assert_eq!(limit.ask("a", now + AGAIN), Verdict::Report { seen_before: 100 });
    }

    #[test]
    fn many_different_faults_are_no_flood_and_what_comes_later_is_told() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        let told = (0..10_000)
            .filter(|number| limit.ask(&number.to_string(), now) != Verdict::TooMany)
            .count();
        assert_eq!(told, 10);
        let later = now + WINDOW;
        assert_eq!(limit.ask("a real one", later), Verdict::Report { seen_before: 0 });
    }
}
