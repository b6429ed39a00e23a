//! Measures Palisade beside bare axum, its Rust peers and Django: CPU time per request, requests per
//! second and latency, all in one run.
//!
//! Every server stays up for the whole run and rounds are interleaved (each round visits every job on
//! every server), so that whatever else the machine does falls on all of them alike; the figure
//! reported is the median of the rounds. The load comes from this process, whose CPU time is not counted:
//! a server's is read from `/proc` for its process and all its children. One wrong answer ends the run.

mod job;
mod load;
mod report;
mod server;
mod visitor;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

use job::Job;
use report::{Report, Sample};
use server::{Kind, Server};
use visitor::Account;

/// Measures Palisade beside bare axum, its Rust peers and Django under one load.
#[derive(Parser)]
struct Options {
    /// Measure only these servers
    #[arg(long, value_delimiter = ',', default_values_t = Kind::ALL)]
    only: Vec<Kind>,
    /// Give them only these jobs: i, ii, iii, iv, v
    #[arg(long, value_delimiter = ',', default_values_t = Job::ALL)]
    jobs: Vec<Job>,
    /// Rounds to take the median of
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of load for one job on one server in one round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Keep-alive connections, each with a session of its own
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Also write the table into this Markdown file, between its `<!-- measured -->` marks
    #[arg(long, value_name = "FILE")]
    markdown: Option<std::path::PathBuf>,
}

/// How long each job warms each server up before the first round.
const WARM_UP: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    if !(0.1..=60.0).contains(&options.seconds) {
        bail!("--seconds must be between 0.1 and 60");
    }
    if let Some(file) = &options.markdown {
        report::check_marks(file)?;
    }
    let mut report = Report::begin(options.rounds, options.seconds, options.connections);
    let length = Duration::from_secs_f64(options.seconds);

    for kind in &options.only {
        eprintln!("building {kind}");
        kind.build()?;
    }
    let mut stages = Vec::new();
    for kind in &options.only {
        eprintln!("starting {kind} and logging in {} times", options.connections);
        stages.push(Stage::open(*kind, options.connections)?);
    }

    for stage in &stages {
        for job in stage.jobs(&options.jobs) {
            stage.run(job, WARM_UP).await?;
        }
    }
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for job in options.jobs.iter().copied() {
            for stage in stages.iter().filter(|stage| stage.jobs(&[job]).count() == 1) {
                report.add(job, stage.server.kind, stage.run(job, length).await?);
            }
        }
    }

    print!("{}", report.text());
    if let Some(file) = &options.markdown {
        report.write_into(file)?;
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}

/// A running server and the sessions its load arrives with.
struct Stage {
    server: Server,
    accounts: Vec<Account>,
}

impl Stage {
    fn open(kind: Kind, connections: u16) -> Result<Self> {
        let server = Server::start(kind)?;
        let accounts = (0..connections)
            .map(|_| {
                if kind.has_logins() {
                    Account::log_in(&server)
                } else {
                    Ok(Account::default())
                }
            })
            .collect::<Result<_>>()?;
        Ok(Self { server, accounts })
    }

    fn jobs(&self, asked: &[Job]) -> impl Iterator<Item = Job> {
        let known = self.server.kind.jobs();
        asked.iter().copied().filter(|job| known.contains(job))
    }

    async fn run(&self, job: Job, length: Duration) -> Result<Sample> {
        let before = self.server.cpu_time()?;
        let load = load::run(&self.server, job, &self.accounts, length).await?;
        let cpu = self.server.cpu_time()?.saturating_sub(before);
        Ok(Sample::of(cpu, load))
    }
}
