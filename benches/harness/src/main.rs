//! Measures Palisade beside bare axum, its Rust peers, Django and, where files are sent, nginx: CPU time per request, requests per
//! second and latency, all in one run.
//!
//! Every server stays up for the whole run and rounds are interleaved (each round visits every job on
//! every server), so that whatever else the machine does falls on all of them alike; the figure
//! reported is the median of the rounds. The load comes from this process, whose CPU time is not counted:
//! a server's is read from `/proc` for its process and all its children. One wrong answer ends the run.
//! Single parts (`parts.rs`) are measured afterwards, when no server is left to disturb them.

mod chosen;
mod files;
mod ground;
mod job;
mod load;
mod page;
mod parts;
mod process;
mod report;
mod server;
mod visitor;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use chosen::Chosen;
use ground::{Databases, Ground};
use job::Job;
use page::Block;
use parts::Part;
use report::{Report, Sample};
use server::{Kind, Server, before};
use visitor::Account;

/// Measures Palisade beside bare axum, its Rust peers and Django under one load.
#[derive(Parser)]
struct Options {
    /// Give the jobs only to these servers; single parts are always measured beside Django
    #[arg(long, value_delimiter = ',', default_values_t = Kind::ALL)]
    only: Vec<Kind>,
    #[arg(long, value_delimiter = ',', default_values_t = Chosen::all(), hide_default_value = true)]
    #[arg(help = chosen::HELP, verbatim_doc_comment)]
    jobs: Vec<Chosen>,
    /// Also give the jobs to Palisade as this commit has it, to see what was added since then costs
    #[arg(long, value_name = "COMMIT")]
    before: Option<String>,
    /// Rounds to take the median of
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds of load for one job on one server in one round; a part takes half of it
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Keep-alive connections, each with a session of its own
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Also write the tables into this Markdown file, each between its marks, such as `<!-- measured -->`
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
        for chosen in &options.jobs {
            page::check_marks(file, chosen.block())?;
        }
    }
    // Everything that was started ends with the value that holds it, also when somebody wants no more of it.
    let blocks = tokio::select! {
        blocks = measure(&options) => blocks?,
        () = interrupted()? => bail!("interrupted"),
    };
    for block in &blocks {
        print!("{}", block.text());
    }
    if let Some(file) = &options.markdown {
        for block in &blocks {
            block.write_into(file)?;
        }
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}

/// Waits for whoever wants the run to end.
fn interrupted() -> Result<impl Future<Output = ()>> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = int.recv() => (),
            _ = term.recv() => (),
        }
    })
}

async fn measure(options: &Options) -> Result<Vec<Block>> {
    let jobs: Vec<Job> = options.jobs.iter().filter_map(|chosen| chosen.job()).collect();
    let parts: Vec<Part> = options.jobs.iter().filter_map(|chosen| chosen.part()).collect();
    let mut databases = Databases::default();
    let mut blocks = Vec::new();
    if !jobs.is_empty() {
        blocks = serve(options, &jobs, &mut databases).await?;
    }
    if !parts.is_empty() {
        parts::build(&parts)?;
        if parts.contains(&Part::Stores) {
            databases.provide_all()?;
        }
        let length = Duration::from_secs_f64(options.seconds / 2.0);
        blocks.extend(parts::measure(&parts, options.rounds, length, &databases).await?);
    }
    Ok(blocks)
}

/// Gives the jobs to the servers.
async fn serve(options: &Options, jobs: &[Job], databases: &mut Databases) -> Result<Vec<Block>> {
    let mut report = Report::begin(options.rounds, options.seconds, options.connections);
    let length = Duration::from_secs_f64(options.seconds);

    let mut kinds = options.only.clone();
    if let Some(commit) = &options.before {
        before::check_out(commit)?;
        kinds.push(Kind::Before);
    }
    for kind in &kinds {
        if kind.jobs().iter().any(|job| jobs.contains(job)) {
            eprintln!("building {kind}");
            kind.build()?;
        }
    }
    let mut stages = Vec::new();
    for ground in [Ground::Sqlite, Ground::Postgres, Ground::Redis] {
        for kind in &kinds {
            let asked = |job: &&Job| job.ground() == ground && kind.jobs().contains(job);
            if jobs.iter().any(|job| asked(&job)) {
                databases.provide(ground)?;
                let place = ground.name();
                eprintln!(
                    "starting {kind} ({place}) and logging in {} times",
                    options.connections
                );
                stages.push(Stage::open(*kind, ground, options.connections, databases)?);
                tokio::task::yield_now().await;
            }
        }
    }

    for stage in &stages {
        for job in stage.jobs(jobs) {
            stage.run(job, WARM_UP, databases).await?;
        }
    }
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for job in jobs.iter().copied() {
            for stage in stages.iter().filter(|stage| stage.jobs(&[job]).count() == 1) {
                report.add(job, stage.server.kind, stage.run(job, length, databases).await?);
            }
        }
    }
    Ok(report.blocks())
}

/// A running server and the sessions its load arrives with.
struct Stage {
    server: Server,
    accounts: Vec<Account>,
}

impl Stage {
    fn open(kind: Kind, ground: Ground, connections: u16, databases: &Databases) -> Result<Self> {
        let server = Server::start(kind, ground, databases)?;
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
        let here = |job: &Job| known.contains(job) && job.ground() == self.server.ground;
        asked.iter().copied().filter(here)
    }

    async fn run(&self, job: Job, length: Duration, databases: &Databases) -> Result<Sample> {
        let used = || -> Result<_> { Ok((self.server.cpu_time()?, databases.cpu_time(job.ground())?)) };
        let (cpu, store) = used()?;
        let load = load::run(&self.server, job, &self.accounts, length).await?;
        let (cpu_after, store_after) = used()?;
        let (cpu, store) = (cpu_after.saturating_sub(cpu), store_after.saturating_sub(store));
        Ok(Sample::of(cpu, store, load))
    }
}
