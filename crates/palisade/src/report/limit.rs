//! How often is reported: a fault that somebody can provoke must neither fill the disk nor hide another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::SeenAgain;

/// The same fault is told again after so long, and what was not told is summed up.
pub(super) const AGAIN: Duration = Duration::from_hours(1);
/// So many faults are told …
const MOST: u32 = 10;
/// … and of one place so many, since whoever words the faults of one could leave no room for others …
const MOST_OF_PLACE: u32 = 4;
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

/// A fault, as far as it matters whether to tell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'f> {
    /// What makes two faults the same.
    pub(super) fault: &'f str,
    /// Where they can be provoked.
    pub(super) place: &'f str,
    /// What a digest calls it.
    pub(super) subject: &'f str,
    /// The id of the request.
    pub(super) id: &'f str,
}

#[derive(Debug, Default)]
pub(super) struct Limit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    faults: HashMap<String, Fault>,
    window: Option<Window>,
    /// How many were too many since the last digest.
    untold: u64,
}

#[derive(Debug)]
struct Fault {
    subject: String,
    told: SystemTime,
    since: u64,
    last: (SystemTime, String),
}

#[derive(Debug)]
struct Window {
    began: SystemTime,
    told: u32,
    of_place: HashMap<String, u32>,
}

/// Whether so much time is over. A clock that was set back by as much is no reason to be silent until it has caught up.
fn is_past(told: SystemTime, now: SystemTime, span: Duration) -> bool {
    match now.duration_since(told) {
        Ok(gone) => gone >= span,
        Err(ahead) => ahead.duration() >= span,
    }
}

impl Window {
    fn at(now: SystemTime) -> Self {
        Self {
            began: now,
            told: 0,
            of_place: HashMap::new(),
        }
    }

    /// Takes a place in the window, if there is one.
    fn has_room(&mut self, place: &str) -> bool {
        let of_place = self.of_place.get(place).copied().unwrap_or_default();
        let has_room = self.told < MOST && of_place < MOST_OF_PLACE;
        if has_room {
            self.told += 1;
            self.of_place.insert(place.to_owned(), of_place + 1);
        }
        has_room
    }
}

impl Limit {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a fault is to be told now.
    pub(super) fn ask(&self, asked: Asked<'_>, now: SystemTime) -> Verdict {
        let mut state = self.state();
        if let Some(known) = state.faults.get_mut(asked.fault)
            && !is_past(known.told, now, AGAIN)
        {
            known.since += 1;
            known.last = (now, asked.id.to_owned());
            return Verdict::Known;
        }
        let window = state
            .window
            .take()
            .filter(|window| !is_past(window.began, now, WINDOW));
        let has_room = state
            .window
            .insert(window.unwrap_or_else(|| Window::at(now)))
            .has_room(asked.place);
        if !has_room {
            state.untold += 1;
            return Verdict::TooMany;
        }
        if state.faults.len() >= REMEMBERED {
            state
                .faults
                .retain(|_, fault| fault.since > 0 || !is_past(fault.told, now, AGAIN));
        }
        let seen_before = state.faults.get(asked.fault).map_or(0, |known| known.since);
        if state.faults.len() < REMEMBERED || state.faults.contains_key(asked.fault) {
            let fault = Fault {
                subject: asked.subject.to_owned(),
                told: now,
                since: 0,
                last: (now, asked.id.to_owned()),
            };
            state.faults.insert(asked.fault.to_owned(), fault);
        }
        Verdict::Report { seen_before }
    }

    /// What was seen since it was told, the most frequent first, and how many were too many: each is counted once.
    pub(super) fn sum_up(&self) -> (Vec<SeenAgain>, u64) {
        let mut state = self.state();
        let seen = state.faults.values_mut().filter(|fault| fault.since > 0);
        let mut seen: Vec<SeenAgain> = seen
            .map(|fault| SeenAgain {
                subject: fault.subject.clone(),
                times: std::mem::take(&mut fault.since),
                last_time: fault.last.0,
                last_id: fault.last.1.clone(),
            })
            .collect();
        seen.sort_by(|one, other| (other.times, &one.subject).cmp(&(one.times, &other.subject)));
        (seen, std::mem::take(&mut state.untold))
    }

    /// Whether nothing will have to be summed up that has been told by now.
    pub(super) fn is_quiet(&self, now: SystemTime) -> bool {
        let state = self.state();
        let is_over = |fault: &Fault| fault.since == 0 && is_past(fault.told, now, AGAIN);
        state.untold == 0 && state.faults.values().all(is_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'f>(fault: &'f str, place: &'f str) -> Asked<'f> {
        Asked {
            fault,
            place,
            subject: fault,
            id: "1",
        }
    }

    #[test]
    fn fault_is_told_once_an_hour_with_how_often_it_was_seen() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        let ask = |now| limit.ask(of("a", "/"), now);
        assert_eq!(ask(now), Verdict::Report { seen_before: 0 });
        for _ in 0..100 {
            assert_eq!(ask(now + Duration::from_mins(59)), Verdict::Known);
        }
        assert_eq!(ask(now + AGAIN), Verdict::Report { seen_before: 100 });
        assert_eq!(limit.sum_up(), (Vec::new(), 0), "it has been told");
    }

    #[test]
    fn what_was_seen_and_not_told_is_summed_up_once() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        for (fault, times) in [("a", 3), ("b", 9), ("c", 1)] {
            for _ in 0..times {
                limit.ask(of(fault, fault), now);
            }
        }
        let (seen, untold) = limit.sum_up();
        let seen: Vec<_> = seen
            .iter()
            .map(|seen| (seen.subject.as_str(), seen.times))
            .collect();
        assert_eq!((seen, untold), (vec![("b", 8), ("a", 2)], 0));
        assert_eq!(limit.sum_up(), (Vec::new(), 0));
        assert!(!limit.is_quiet(now), "they may be seen again");
        assert!(limit.is_quiet(now + AGAIN));
    }

    #[test]
    fn many_different_faults_are_no_flood_are_counted_and_what_comes_later_is_told() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        let told = (0..10_000)
            .map(|number| number.to_string())
            .filter(|number| limit.ask(of(number, number), now) != Verdict::TooMany)
            .count();
        assert_eq!(told, 10);
        assert_eq!(limit.sum_up(), (Vec::new(), 9990));
        let later = now + WINDOW;
        assert_eq!(
            limit.ask(of("a real one", "/"), later),
            Verdict::Report { seen_before: 0 }
        );
    }

    #[test]
    fn whoever_words_the_faults_of_one_place_hides_none_of_another() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH);
        for number in 0..1000 {
            limit.ask(of(&format!("worded {number}"), "/search"), now);
        }
        assert_eq!(
            limit.ask(of("a real one", "/pay"), now),
            Verdict::Report { seen_before: 0 }
        );
    }

    #[test]
    fn clock_that_is_set_back_silences_nothing() {
        let (limit, now) = (Limit::default(), SystemTime::UNIX_EPOCH + AGAIN * 48);
        for fault in ["a", "b", "c", "d", "e"] {
            limit.ask(of(fault, "/"), now);
        }
        let before = now - AGAIN * 24;
        assert_eq!(
            limit.ask(of("a", "/"), before),
            Verdict::Report { seen_before: 0 }
        );
        assert_eq!(
            limit.ask(of("f", "/"), before),
            Verdict::Report { seen_before: 0 }
        );
    }
}
