//! `resource-exhaustion`: what others feel, and what the vault needs, while a hostile client takes all that it can get.
//!
//! That one connection is cut is tested where it is cut. Here is the question of the person who runs the site: does it still answer the
//! people who are logged in, in how much memory? So the real program runs with its real limits, the attackers and the others come from
//! different addresses, and quiet and besieged times are measured in turn, since a busy machine changes by the minute.

mod bulk;
mod crowd;
mod frames;
mod slow;

use std::fmt;
use std::fs;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testkit::raw::{self, Wire};

use crate::{Person, Target};

/// Where the people come from who are to be served.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// How many pages they open at least during a siege.
const PAGES: usize = 100;

/// How many they open before it, and again after it.
const QUIET_PAGES: usize = 30;

/// How long they wait between two pages.
const PACE: Duration = Duration::from_millis(5);

/// A p99 below this counts as this: beneath it, another program on the machine says more than the siege does.
const FLOOR: Duration = Duration::from_millis(20);

/// How much slower a page may come during a siege.
const SLOWER: u32 = 10;

const MIB: u64 = 1024 * 1024;

/// Memory of the vault that is at rest, with room for its caches and what the allocator keeps.
const AT_REST: u64 = 128 * MIB;

/// Memory of one hash with Argon2, as Django sets it; as many are made at a time as there are cores.
const HASH: u64 = 100 * MIB;

/// Memory of one connection: buffers of TLS and HTTP, and a request head of 32 KiB.
const CONNECTION: u64 = 64 * 1024;

/// How many connections [`Limits`](palisade::serve::Limits) allows to one address.
const PER_ADDRESS: u64 = 256;

/// From how many addresses a siege comes at most.
const ADDRESSES: u64 = 8;

/// Returns the memory that no siege may bring the vault to need.
pub fn memory_bound() -> u64 {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    AT_REST + cores * HASH + ADDRESSES * PER_ADDRESS * CONNECTION
}

/// A vault to besiege, and somebody logged in there.
#[derive(Debug)]
pub struct Ground {
    target: Target,
    process: u32,
    cookie: String,
}

/// What came of one round of a siege.
#[derive(Debug)]
pub struct Stand {
    /// How many connections or requests the attackers made: that the siege took place.
    pub made: usize,
    /// How many of them were cut off or refused.
    pub ended: usize,
    /// How the last one was.
    pub how: String,
}

type Round<'ground> = Pin<Box<dyn Future<Output = Result<Stand>> + Send + 'ground>>;

/// An attack upon what the vault has.
#[derive(Clone, Copy)]
pub struct Siege {
    /// What it is called in the table.
    pub name: &'static str,
    /// How many connections or requests one round consists of at least.
    pub least: usize,
    round: fn(&Ground) -> Round<'_>,
}

/// Every siege.
pub const SIEGES: &[Siege] = &[
    siege("heads that trickle", 400, |ground| Box::pin(slow::head(ground))),
    siege("bodies that trickle", 200, |ground| Box::pin(slow::body(ground))),
    siege("answers that nobody reads", 30, |ground| {
        Box::pin(slow::read(ground))
    }),
    siege("handshakes that stall", 400, |ground| {
        Box::pin(slow::handshake(ground))
    }),
    siege("10,000 connections from eight addresses", 10_000, |ground| {
        Box::pin(crowd::idle(ground))
    }),
    siege("HTTP/2 rapid reset", 20, |ground| {
        Box::pin(frames::rapid_reset(ground))
    }),
    siege("HTTP/2 CONTINUATION without end", 20, |ground| {
        Box::pin(frames::continuation(ground))
    }),
    siege("HTTP/2 pings", 20, |ground| Box::pin(frames::pings(ground))),
    siege("HTTP/2 settings", 20, |ground| Box::pin(frames::settings(ground))),
    siege("thousands of header fields", 20, |ground| {
        Box::pin(bulk::header_fields(ground))
    }),
    siege("one header field thousands of times", 20, |ground| {
        Box::pin(bulk::repeated_header(ground))
    }),
    siege("1,001 fields", 10, |ground| Box::pin(bulk::fields(ground))),
    siege("101 files", 10, |ground| Box::pin(bulk::files(ground))),
    siege("keys that collide", 10, |ground| {
        Box::pin(bulk::colliding_keys(ground))
    }),
    siege("texts that make patterns backtrack", 10, |ground| {
        Box::pin(bulk::patterns(ground))
    }),
    siege("passwords of a megabyte", 10, |ground| {
        Box::pin(bulk::password(ground))
    }),
    siege("session cookies that unpack to 16 MiB", 10, |ground| {
        Box::pin(bulk::packed_cookie(ground))
    }),
    siege("bodies that unpack to 256 MiB", 10, |ground| {
        Box::pin(bulk::packed_body(ground))
    }),
];

const fn siege(name: &'static str, least: usize, round: fn(&Ground) -> Round<'_>) -> Siege {
    Siege { name, least, round }
}

/// What was measured of one siege.
#[derive(Debug)]
pub struct Report {
    name: &'static str,
    least: usize,
    stand: Stand,
    quiet: Duration,
    besieged: Duration,
    pages: usize,
    memory: u64,
}

impl Report {
    /// Says what was wrong, if anything.
    ///
    /// # Errors
    /// When the siege did not take place, or was not broken, or was felt.
    pub fn judge(&self) -> Result<()> {
        let Stand { made, ended, how } = &self.stand;
        ensure!(
            *made >= self.least,
            "{}: only {made} were made ({how})",
            self.name
        );
        ensure!(
            ended == made,
            "{}: {ended} of {made} were ended ({how})",
            self.name
        );
        ensure!(
            self.pages >= PAGES,
            "{}: the others opened {} pages only",
            self.name,
            self.pages
        );
        let most = self.quiet.max(FLOOR) * SLOWER;
        ensure!(
            self.besieged < most,
            "{}: a page took {:?} where {most:?} is the most",
            self.name,
            self.besieged
        );
        ensure!(
            self.memory < memory_bound(),
            "{}: the vault needed {} MiB where {} are the most",
            self.name,
            self.memory / MIB,
            memory_bound() / MIB
        );
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "| {} | {} | {:.1} ms | {:.1} ms | {} MiB | {} |",
            self.name,
            self.stand.made,
            ms(self.quiet),
            ms(self.besieged),
            self.memory / MIB,
            self.stand.how
        )
    }
}

impl Ground {
    /// Starts a vault, and logs somebody in.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn prepare() -> Result<Arc<Ground>> {
        let target = Target::vault_with(&["--log", "error"]).await?;
        let process = target.process().context("the vault is no program of its own")?;
        let mut person = target.visitor()?;
        let Person { username, password } = Person::VICTIM;
        let fields = [
            ("username", username),
            ("email", ""),
            ("password1", password),
            ("password2", password),
        ];
        person.submit("/signup/", &fields).await?;
        let cookie = person
            .cookie("sessionid")
            .context("nobody is logged in")?
            .to_owned();
        Ok(Arc::new(Ground {
            target,
            process,
            cookie,
        }))
    }

    /// Measures a quiet time, a siege and another quiet time.
    ///
    /// # Errors
    /// When the siege could not be made, or the others were not served.
    pub async fn endure(self: &Arc<Self>, siege: &Siege) -> Result<Report> {
        let mut quiet = Vec::new();
        self.open_pages(QUIET_PAGES, &mut quiet).await?;
        // The peak of the memory counts from here (proc_pid_clear_refs(5)).
        fs::write(format!("/proc/{}/clear_refs", self.process), "5")?;
        let lifted = Arc::new(AtomicBool::new(false));
        let opened = Arc::new(AtomicUsize::new(0));
        let others = tokio::spawn({
            let (ground, lifted, opened) = (Arc::clone(self), Arc::clone(&lifted), Arc::clone(&opened));
            async move {
                let mut times = Vec::new();
                while !lifted.load(Ordering::Relaxed) {
                    ground.open_pages(1, &mut times).await?;
                    opened.store(times.len(), Ordering::Relaxed);
                }
                anyhow::Ok(times)
            }
        });
        let stand = loop {
            let stand = (siege.round)(self).await;
            if stand.is_err() || others.is_finished() || opened.load(Ordering::Relaxed) >= PAGES {
                break stand;
            }
        };
        lifted.store(true, Ordering::Relaxed);
        let besieged = others
            .await?
            .with_context(|| format!("{}: the others are not served", siege.name))?;
        let memory = memory(self.process, "VmHWM:")?;
        self.open_pages(QUIET_PAGES, &mut quiet).await?;
        Ok(Report {
            name: siege.name,
            least: siege.least,
            stand: stand.with_context(|| siege.name)?,
            quiet: p99(&mut quiet),
            pages: besieged.len(),
            besieged: p99(&mut besieged.clone()),
            memory,
        })
    }

    /// Opens a page as somebody new on the site does: a connection, a handshake, the page of one who is logged in.
    async fn open_pages(&self, count: usize, times: &mut Vec<Duration>) -> Result<()> {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nCookie: sessionid={}\r\nConnection: close\r\n\r\n",
            self.target.host(),
            self.cookie
        );
        for _ in 0..count {
            let begun = Instant::now();
            let wire = self.wire(OTHERS).await?;
            let said = raw::exchange(wire, &request).await?;
            times.push(begun.elapsed());
            ensure!(said.contains("data-user"), "somebody was not served: {said:.300}");
            tokio::time::sleep(PACE).await;
        }
        Ok(())
    }

    async fn wire(&self, from: IpAddr) -> Result<Wire> {
        self.target.wire_from(from, "http/1.1").await
    }

    async fn http2(&self, from: IpAddr) -> Result<Wire> {
        self.target.wire_from(from, "h2").await
    }
}

/// Returns the address of the `number`th attacker.
fn attacker(number: usize) -> IpAddr {
    let number = u8::try_from(number % 200).unwrap_or_default();
    IpAddr::V4(Ipv4Addr::new(127, 0, 1, number + 1))
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    let place = times.len() * 99 / 100;
    times
        .get(place.min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// Reads a line about the memory of a process from what the system says: `VmHWM:` is its peak since that was last reset.
pub(crate) fn memory(process: u32, line: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|said| said.strip_prefix(line));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("the system does not say")?.parse::<u64>()? * 1024)
}
