//! The tables of the single parts and of the stores.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{STORE_NAMES, Task, Who};
use crate::page::Block;
use crate::report::{median, sorted};

/// The blocks of these figures.
pub const PARTS: &str = "measured: parts";
pub const STORES: &str = "measured: session stores";

/// What was measured of each task on each side: by the clock, and of the processor.
#[derive(Default)]
pub struct Parts(BTreeMap<(Task, Who), Vec<[Duration; 2]>>);

impl Parts {
    pub fn add(&mut self, task: Task, who: Who, taken: [Duration; 2]) {
        self.0.entry((task, who)).or_default().push(taken);
    }

    pub fn block(&self, conditions: String) -> Block {
        let heads = ["part", "side", "CPU", "min–max", "clock", "min–max"].map(str::to_owned);
        let rows = self.0.iter().map(|((task, who), taken)| {
            let mut row = vec![task.label().to_owned(), who.to_string()];
            row.extend(middle_and_spread(taken, |[_, cpu]| *cpu));
            row.extend(middle_and_spread(taken, |[wall, _]| *wall));
            row
        });
        Block {
            name: PARTS,
            conditions,
            words: 2,
            rows: std::iter::once(heads.to_vec()).chain(rows).collect(),
            verdicts: self.verdicts(),
        }
    }

    fn verdicts(&self) -> Vec<String> {
        let ours = self.0.keys().filter(|(_, who)| *who == Who::Palisade);
        let verdict = |(task, _): &(Task, Who)| {
            let ratio = |of: fn(&[Duration; 2]) -> Duration| {
                let cost = |who| Some(middle(self.0.get(&(*task, who))?, of));
                Some(cost(Who::Django)? / cost(Who::Palisade)?)
            };
            let (cpu, wall) = (ratio(|[_, cpu]| *cpu)?, ratio(|[wall, _]| *wall)?);
            let aim = task.aim().map_or_else(String::new, |aim| {
                format!(", aim ≥ {aim:.1}: {}", if cpu >= aim { "kept" } else { "missed" })
            });
            Some(format!(
                "{}: {cpu:.2} × as fast as Django by the CPU time, {wall:.2} × by the clock{aim}",
                task.label()
            ))
        };
        ours.filter_map(verdict).collect()
    }
}

/// The median and the 99th percentile of each action in each store, a pair a round.
#[derive(Default)]
pub struct Stores(BTreeMap<(String, String), Vec<[Duration; 2]>>);

impl Stores {
    pub fn add(&mut self, store: &str, action: &str, taken: [Duration; 2]) {
        let of = (store.to_owned(), action.to_owned());
        self.0.entry(of).or_default().push(taken);
    }

    pub fn block(&self, conditions: String) -> Block {
        let heads = [
            "store",
            "load p50",
            "min–max",
            "p99",
            "save p50",
            "min–max",
            "p99",
        ]
        .map(str::to_owned);
        let row = |store: &&str| {
            let mut row = vec![(*store).to_owned()];
            for action in super::ACTIONS {
                let taken = self.0.get(&((*store).to_owned(), action.to_owned()))?;
                row.extend(middle_and_spread(taken, |[p50, _]| *p50));
                row.push(shown(middle(taken, |[_, p99]| *p99)));
            }
            Some(row)
        };
        let rows = STORE_NAMES.iter().filter_map(row);
        Block {
            name: STORES,
            conditions,
            words: 1,
            rows: std::iter::once(heads.to_vec()).chain(rows).collect(),
            verdicts: Vec::new(),
        }
    }
}

fn middle(taken: &[[Duration; 2]], of: impl Fn(&[Duration; 2]) -> Duration) -> f64 {
    median(&sorted(taken, |taken| of(taken).as_secs_f64()))
}

fn middle_and_spread(taken: &[[Duration; 2]], of: fn(&[Duration; 2]) -> Duration) -> [String; 2] {
    let sorted = sorted(taken, |taken| of(taken).as_secs_f64());
    let end = |seconds: Option<&f64>| shown(seconds.copied().unwrap_or(f64::NAN));
    [
        shown(median(&sorted)),
        format!("{}–{}", end(sorted.first()), end(sorted.last())),
    ]
}

/// Three digits and the unit that needs no more.
fn shown(seconds: f64) -> String {
    let (figure, unit) = match seconds * 1e6 {
        micros if micros < 1000.0 => (micros, "µs"),
        micros => (micros / 1e3, "ms"),
    };
    match figure {
        small if small < 9.995 => format!("{small:.2} {unit}"),
        middle if middle < 99.95 => format!("{middle:.1} {unit}"),
        large => format!("{large:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(wall: u64, cpu: u64) -> [Duration; 2] {
        [Duration::from_millis(wall), Duration::from_millis(cpu)]
    }

    #[test]
    fn three_digits_are_shown_in_the_unit_that_fits() {
        assert_eq!(shown(0.000_000_123), "0.12 µs");
        assert_eq!(shown(0.000_023_3), "23.3 µs");
        assert_eq!(shown(0.0848), "84.8 ms");
        assert_eq!(shown(0.262), "262 ms");
    }

    #[test]
    fn an_aim_is_judged_by_the_processors_time() {
        let mut parts = Parts::default();
        parts.add(Task::Argon2, Who::Palisade, millis(300, 100));
        assert_eq!(parts.verdicts(), Vec::<String>::new());
        parts.add(Task::Argon2, Who::Django, millis(150, 200));
        let [verdict] = &parts.verdicts()[..] else {
            panic!("{:?}", parts.verdicts())
        };
        assert!(
            verdict
                .ends_with("2.00 × as fast as Django by the CPU time, 0.50 × by the clock, aim ≥ 1.0: kept"),
            "{verdict}"
        );
    }
}
