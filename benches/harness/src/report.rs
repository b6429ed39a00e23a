//! Turns the rounds into tables: medians, the spread of the CPU figure, and the ratios that were promised.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::ground::Ground;
use crate::job::Job;
use crate::load::Load;
use crate::page::Block;
use crate::server::Kind;

/// The blocks of figures of served jobs: with a database in the server's own process, with a server for it, and where files are sent.
const OWN: &str = "measured";
const SHARED: &str = "measured: shared stores";
const FILES: &str = "measured: files";

/// The block that the figures of a job stand in.
pub fn block(job: Job) -> &'static str {
    match job {
        Job::SmallFile | Job::LargeFile => FILES,
        _ if job.ground() == Ground::Sqlite => OWN,
        _ => SHARED,
    }
}

/// The promises to hold: this job on Palisade costs at most so many times what that job costs there.
const PROMISES: [(Job, Job, Kind, f64); 8] = [
    (Job::Stack, Job::Bare, Kind::Bare, 1.6),
    (Job::LoggedIn, Job::LoggedIn, Kind::Before, 1.1),
    (Job::LoggedIn, Job::LoggedIn, Kind::Peers, 0.2),
    (Job::LoggedIn, Job::LoggedIn, Kind::Django, 0.02),
    (Job::SessionWrite, Job::SessionWrite, Kind::Peers, 0.4),
    (Job::OnPostgres, Job::OnPostgres, Kind::Peers, 0.6),
    (Job::OnRedis, Job::OnRedis, Kind::Peers, 0.6),
    (Job::LargeFile, Job::LargeFile, Kind::Nginx, 1.3),
];

/// What Palisade promises to need at most for a job, in microseconds of CPU time.
const AT_MOST: [(Job, f64); 1] = [(Job::SmallFile, 60.0)];

/// One job on one server in one round.
pub struct Sample {
    cpu_micros: f64,
    /// The part of the database server.
    store_micros: f64,
    requests_per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
    pub fn of(cpu: Duration, store: Duration, mut load: Load) -> Self {
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
            store_micros: store.as_secs_f64() * 1e6 / requests as f64,
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
        let how = format!("{connections} connections, medians of {rounds} interleaved rounds of {seconds} s");
        Self {
            conditions: conditions(&how),
            samples: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, job: Job, kind: Kind, sample: Sample) {
        self.samples.entry((job, kind)).or_default().push(sample);
    }

    /// The tables of what was measured.
    pub fn blocks(&self) -> Vec<Block> {
        let measured = |name: &&str| self.samples.keys().any(|(job, _)| block(*job) == *name);
        let made = |name: &'static str| Block {
            name,
            conditions: self.conditions.clone(),
            words: 2,
            rows: self.rows(name == SHARED, |job| block(job) == name),
            verdicts: self.promises(|job| block(job) == name),
        };
        [OWN, SHARED, FILES]
            .into_iter()
            .filter(measured)
            .map(made)
            .collect()
    }

    fn rows(&self, with_store: bool, wanted: impl Fn(Job) -> bool) -> Vec<Vec<String>> {
        let mut heads = vec!["job", "server", "CPU µs", "min–max"];
        if with_store {
            heads.extend(["database µs", "min–max"]);
        }
        heads.extend(["req/s", "p50 ms", "p99 ms"]);
        let measured = self.samples.iter().filter(|((job, _), _)| wanted(*job));
        let rows = measured.map(|((job, kind), samples)| {
            let mut row = vec![job.label().to_owned(), kind.to_string()];
            row.extend(middle_and_spread(samples, |sample| sample.cpu_micros));
            if with_store {
                row.extend(middle_and_spread(samples, |sample| sample.store_micros));
            }
            let column = |of: fn(&Sample) -> f64| median(&sorted(samples, of));
            row.push(format!("{:.0}", column(|sample| sample.requests_per_second)));
            row.push(format!("{:.2}", column(|sample| sample.p50_millis)));
            row.push(format!("{:.2}", column(|sample| sample.p99_millis)));
            row
        });
        let heads = heads.into_iter().map(str::to_owned).collect();
        std::iter::once(heads).chain(rows).collect()
    }

    fn promises(&self, wanted: impl Fn(Job) -> bool) -> Vec<String> {
        let cost = |job, kind, of: fn(&Sample) -> f64| {
            let samples = self.samples.get(&(job, kind))?;
            Some(median(&sorted(samples, of)))
        };
        let promise = |(job, than_job, than, limit): &(Job, Job, Kind, f64)| {
            let ratio = |of| Some(cost(*job, Kind::Palisade, of)? / cost(*than_job, *than, of)?);
            let own = ratio(|sample| sample.cpu_micros)?;
            let verdict = if own <= *limit { "kept" } else { "missed" };
            let whole = if job.ground() == Ground::Sqlite {
                String::new()
            } else {
                let whole = ratio(|sample| sample.cpu_micros + sample.store_micros)?;
                format!(" ({whole:.3} with the database server's)")
            };
            Some(format!(
                "{}: palisade ÷ {than} = {own:.3} of the CPU time{whole}, aim ≤ {limit}: {verdict}",
                job.label()
            ))
        };
        let at_most = |(job, limit): &(Job, f64)| {
            let own = cost(*job, Kind::Palisade, |sample| sample.cpu_micros)?;
            let verdict = if own <= *limit { "kept" } else { "missed" };
            Some(format!(
                "{}: palisade takes {} µs of CPU time, aim ≤ {limit} µs: {verdict}",
                job.label(),
                micros(Some(&own))
            ))
        };
        let ratios = PROMISES
            .iter()
            .filter(|(job, ..)| wanted(*job))
            .filter_map(promise);
        let amounts = AT_MOST.iter().filter(|(job, _)| wanted(*job)).filter_map(at_most);
        ratios.chain(amounts).collect()
    }
}

/// The median of the rounds, and their smallest and largest figure.
fn middle_and_spread(samples: &[Sample], of: fn(&Sample) -> f64) -> [String; 2] {
    let sorted = sorted(samples, of);
    [
        micros(Some(&median(&sorted))),
        format!("{}–{}", micros(sorted.first()), micros(sorted.last())),
    ]
}

pub fn sorted<T>(samples: &[T], of: impl Fn(&T) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

pub fn median(sorted: &[f64]) -> f64 {
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

/// Says on what machine and how something is measured, and what else the machine does.
pub fn conditions(how: &str) -> String {
    let load = first_words("/proc/loadavg", 1);
    let mut conditions = format!("{}. {how}. Load average before the run: {load}.", machine());
    if load.parse().is_ok_and(|load: f64| load > 1.0) {
        conditions += " The machine was busy with other work, which raises every figure: \
                       compare the rows with one another, not with another run.";
    }
    conditions
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
            store_micros: 0.0,
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
        let text = report.blocks().iter().map(Block::text).collect::<String>();
        assert!(text.contains(" 9.0 "), "{text}");
    }

    #[test]
    fn a_promise_is_judged_only_when_both_sides_were_measured() {
        let mut report = Report::begin(1, 1.0, 16);
        report.add(Job::Stack, Kind::Palisade, costing(16.0));
        assert_eq!(report.promises(|_| true), Vec::<String>::new());
        report.add(Job::Bare, Kind::Bare, costing(8.0));
        let [promise] = &report.promises(|_| true)[..] else {
            panic!("{:?}", report.promises(|_| true))
        };
        assert!(
            promise.ends_with("= 2.000 of the CPU time, aim ≤ 1.6: missed"),
            "{promise}"
        );
    }

    #[test]
    fn figures_with_a_database_server_stand_in_a_block_of_their_own() {
        let mut report = Report::begin(1, 1.0, 16);
        report.add(Job::OnPostgres, Kind::Palisade, costing(10.0));
        let blocks = report.blocks();
        let [block] = &blocks[..] else {
            panic!("{} blocks", blocks.len())
        };
        assert_eq!(block.name, SHARED);
        assert!(block.text().contains("database µs"), "{}", block.text());
    }
}
