//! The table at the end: each stage, how it went, how long it took.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::stage::Stage;

/// What a stage that passed has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    /// How many tests it ran, if it ran any.
    pub(crate) tests: Option<usize>,
}

/// What has become of each stage so far.
pub(crate) struct Summary {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    outcome: Outcome,
}

enum Outcome {
    NotRun,
    Failed(Duration),
    Passed(Duration, Passed),
}

impl Summary {
    /// Begins with no stage run.
    pub(crate) fn of(stages: &[Stage]) -> Summary {
        Summary {
            rows: stages
                .iter()
                .map(|stage| Row {
                    name: stage.name,
                    outcome: Outcome::NotRun,
                })
                .collect(),
        }
    }

    /// Runs the stage called `name` with a watch in hand, and says whether it passed.
    pub(crate) fn time(&mut self, name: &str, run: impl FnOnce() -> Result<Option<Passed>>) -> Result<bool> {
        let start = Instant::now();
        let result = run();
        let outcome = match &result {
            Ok(Some(passed)) => Outcome::Passed(start.elapsed(), *passed),
            Ok(None) | Err(_) => Outcome::Failed(start.elapsed()),
        };
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.name == name && matches!(row.outcome, Outcome::NotRun));
        if let Some(row) = row {
            row.outcome = outcome;
        }
        Ok(result?.is_some())
    }

    /// Says whether every stage was run and passed.
    pub(crate) fn all_passed(&self) -> bool {
        self.rows
            .iter()
            .all(|row| matches!(row.outcome, Outcome::Passed(..)))
    }

    /// Prints the table.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out)?;
        let mut total = Duration::ZERO;
        for Row { name, outcome } in &self.rows {
            match outcome {
                Outcome::NotRun => writeln!(out, "  {name:<9}not run")?,
                Outcome::Failed(time) => writeln!(out, "  {name:<9}FAILED {:>7.1} s", time.as_secs_f64())?,
                Outcome::Passed(time, passed) => {
                    write!(out, "  {name:<9}passed {:>7.1} s", time.as_secs_f64())?;
                    match passed.tests {
                        Some(tests) => writeln!(out, "  {tests} tests")?,
                        None => writeln!(out)?,
                    }
                }
            }
            if let Outcome::Failed(time) | Outcome::Passed(time, _) = outcome {
                total += *time;
            }
        }
        let verdict = if self.all_passed() { "passed" } else { "FAILED" };
        writeln!(out, "  {:<9}{verdict} {:>7.1} s", "all", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_stage_leaves_the_later_ones_not_run() {
        let mut summary = Summary::of(&[
            Stage::cargo("fmt", &[]),
            Stage::cargo("lint", &[]),
            Stage::cargo("test", &[]),
        ]);
        assert!(summary.time("fmt", || Ok(Some(Passed { tests: None }))).unwrap());
        assert!(!summary.time("lint", || Ok(None)).unwrap());
        assert!(!summary.all_passed());

        let mut table = Vec::new();
        summary.print(&mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let words: Vec<_> = table
            .lines()
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        assert_eq!(words, ["passed", "FAILED", "not", "FAILED"]);
    }

    #[test]
    fn a_stage_whose_tools_are_missing_has_failed() {
        let mut summary = Summary::of(&[Stage::cargo("browser", &[])]);
        assert!(summary.time("browser", || anyhow::bail!("no browser")).is_err());
        assert!(!summary.all_passed());
    }
}
