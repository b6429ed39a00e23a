//! Turns the rounds into the table: medians, the spread of the CPU figure, and the ratios that were promised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::job::Job;
use crate::load::Load;
use crate::server::Kind;

const OPEN: &str = "<!-- measured -->";
const CLOSE: &str = "<!-- /measured -->";

/// The promises to hold: this job on Palisade costs at most so many times what that job costs there.
const PROMISES: [(Job, Job, Kind, f64); 4] = [
    (Job::Stack, Job::Bare, Kind::Bare, 1.6),
    (Job::LoggedIn, Job::LoggedIn, Kind::Peers, 0.2),
    (Job::LoggedIn, Job::LoggedIn, Kind::Django, 0.02),
    (Job::SessionWrite, Job::SessionWrite, Kind::Peers, 0.4),
];

/// One job on one server in one round.
pub struct Sample {
    cpu_micros: f64,
    requests_per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
    pub fn of(cpu: Duration, mut load: Load) -> Self {
        load.latencies.sort_unstable();
        let requests = load.latencies.len();
        let percentile = |percent: usize| {
            let latency = load
                .latencies
                .get(requests * percent / 100)
                .copied()
                .unwrap_or_default();
            latency.as_secs_f64() * 1e3
        };
        Self {
            cpu_micros: cpu.as_secs_f64() * 1e6 / requests as f64,
            requests_per_second: requests as f64 / load.wall.as_secs_f64(),
            p50_millis: percentile(50),
            p99_millis: percentile(99),
        }
    }
}

pub struct Report {
    conditions: String,
    samples: BTreeMap<(Job, Kind), Vec<Sample>>,
}

impl Report {
    /// Notes the conditions, before the run itself makes the machine busy.
    pub fn begin(rounds: u32, seconds: f64, connections: u16) -> Self {
        let load = first_words("/proc/loadavg", 1);
        let mut conditions = format!(
            "{}. {connections} connections, medians of {rounds} interleaved rounds of {seconds} s. \
             Load average before the run: {load}.",
            machine(),
        );
        if load.parse().is_ok_and(|load: f64| load > 1.0) {
            conditions += " The machine was busy with other work, which raises every figure: \
                           compare the rows with one another, not with another run.";
        }
        Self {
            conditions,
            samples: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, job: Job, kind: Kind, sample: Sample) {
        self.samples.entry((job, kind)).or_default().push(sample);
    }

    /// Renders the report for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}\n\n", self.conditions);
        for row in self.rows() {
            let [job, server, cpu, spread, rate, p50, p99] = row;
            let _ = writeln!(
                text,
                "{job:<20} {server:<9} {cpu:>8} {spread:>13} {rate:>9} {p50:>8} {p99:>8}"
            );
        }
        text.push('\n');
        for promise in self.promises() {
            let _ = writeln!(text, "{promise}");
        }
        text
    }

    /// Puts the report between the marks of a Markdown file.
    pub fn write_into(&self, file: &Path) -> Result<()> {
        let (before, after) = check_marks(file)?;
        let mut page = format!("{before}{OPEN}\n{}\n\n", self.conditions);
        for (line, row) in self.rows().into_iter().enumerate() {
            let _ = writeln!(page, "| {} |", row.join(" | "));
            if line == 0 {
                page += "|---|---|--:|--:|--:|--:|--:|\n";
            }
        }
        page.push('\n');
        for promise in self.promises() {
            let _ = writeln!(page, "- {promise}");
        }
        fs::write(file, format!("{page}{CLOSE}{after}"))?;
        Ok(())
    }

    fn rows(&self) -> Vec<[String; 7]> {
        let heads = ["job", "server", "CPU µs", "min–max", "req/s", "p50 ms", "p99 ms"].map(str::to_owned);
        let rows = self.samples.iter().map(|((job, kind), samples)| {
            let cpu = sorted(samples, |sample| sample.cpu_micros);
            let spread = format!("{}–{}", micros(cpu.first()), micros(cpu.last()));
            let column = |of: fn(&Sample) -> f64| median(&sorted(samples, of));
            [
                job.label().to_owned(),
                kind.to_string(),
                micros(Some(&median(&cpu))),
                spread,
                format!("{:.0}", column(|sample| sample.requests_per_second)),
                format!("{:.2}", column(|sample| sample.p50_millis)),
                format!("{:.2}", column(|sample| sample.p99_millis)),
            ]
        });
        std::iter::once(heads).chain(rows).collect()
    }

    fn promises(&self) -> Vec<String> {
        let cost = |job, kind| {
            let samples = self.samples.get(&(job, kind))?;
            Some(median(&sorted(samples, |sample| sample.cpu_micros)))
        };
        let promise = |(job, than_job, than, limit): &(Job, Job, Kind, f64)| {
            let ratio = cost(*job, Kind::Palisade)? / cost(*than_job, *than)?;
            let verdict = if ratio <= *limit { "kept" } else { "missed" };
            Some(format!(
                "{}: palisade ÷ {than} = {ratio:.3} of the CPU time, aim ≤ {limit}: {verdict}",
                job.label()
            ))
        };
        PROMISES.iter().filter_map(promise).collect()
    }
}

/// Splits a Markdown file at its marks, or says that it has none.
pub fn check_marks(file: &Path) -> Result<(String, String)> {
    let page = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let split = page
        .split_once(OPEN)
        .and_then(|(before, rest)| Some((before, rest.split_once(CLOSE)?.1)));
    let (before, after) = split.with_context(|| format!("{} has no {OPEN} … {CLOSE}", file.display()))?;
    Ok((before.to_owned(), after.to_owned()))
}

fn sorted(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    let middle = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    f64::midpoint(
        middle((sorted.len().saturating_sub(1)) / 2),
        middle(sorted.len() / 2),
    )
}

fn micros(value: Option<&f64>) -> String {
    let value = value.copied().unwrap_or(f64::NAN);
    if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!(
        "{cores} cores of {model}, Linux {}",
        first_words("/proc/sys/kernel/osrelease", 1)
    )
}

fn first_words(file: &str, count: usize) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costing(cpu_micros: f64) -> Sample {
        Sample {
            cpu_micros,
            requests_per_second: 1.0,
            p50_millis: 1.0,
            p99_millis: 1.0,
        }
    }

    #[test]
    fn one_slow_round_does_not_move_the_figure() {
        let mut report = Report::begin(3, 1.0, 16);
        for cpu in [9.0, 500.0, 7.0] {
            report.add(Job::Bare, Kind::Bare, costing(cpu));
        }
        assert!(report.text().contains(" 9.0 "), "{}", report.text());
    }

    #[test]
    fn a_promise_is_judged_only_when_both_sides_were_measured() {
        let mut report = Report::begin(1, 1.0, 16);
        report.add(Job::Stack, Kind::Palisade, costing(16.0));
        assert_eq!(report.promises(), Vec::<String>::new());
        report.add(Job::Bare, Kind::Bare, costing(8.0));
        let [promise] = &report.promises()[..] else {
            panic!("{:?}", report.promises())
        };
        assert!(
            promise.ends_with("= 2.000 of the CPU time, aim ≤ 1.6: missed"),
            "{promise}"
        );
    }
}
