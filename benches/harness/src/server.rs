//! The servers under measurement: how each is built, started, spoken to and ended.
//!
//! Each has two worker threads or processes, listens on a free loopback port and starts with an empty
//! data folder or database. All are sent the same bytes: `X-Forwarded-Proto: https` stands for the TLS proxy in front,
//! which Palisade and Django insist on and the others ignore.

pub mod before;
mod nginx;
pub mod python;

use std::fmt::{self, Write as _};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use crate::files;
use crate::ground::{Databases, Ground};
use crate::job::Job;
use crate::process;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Bare,
    Palisade,
    /// Palisade as an earlier commit has it, which says what the commits since then cost.
    Before,
    Peers,
    Django,
    /// nginx, which sends files to anybody: what they cost where nothing is asked.
    Nginx,
}

impl Kind {
    /// Those that a run has without being asked for them.
    pub const ALL: [Self; 5] = [Self::Bare, Self::Palisade, Self::Peers, Self::Django, Self::Nginx];

    pub fn jobs(self) -> &'static [Job] {
        match self {
            Self::Bare => &[Job::Bare],
            Self::Nginx => &[Job::SmallFile, Job::LargeFile],
            Self::Palisade | Self::Django => &[
                Job::Stack,
                Job::LoggedIn,
                Job::Post,
                Job::SessionWrite,
                Job::OnPostgres,
                Job::OnRedis,
                Job::SmallFile,
                Job::LargeFile,
            ],
            _ => &[
                Job::Stack,
                Job::LoggedIn,
                Job::Post,
                Job::SessionWrite,
                Job::OnPostgres,
                Job::OnRedis,
            ],
        }
    }

    pub fn has_logins(self) -> bool {
        !matches!(self, Self::Bare | Self::Nginx)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Palisade => "palisade",
            Self::Before => "before",
            Self::Peers => "peers",
            Self::Django => "django",
            Self::Nginx => "nginx",
        }
    }

    /// The folder that holds this server's source: beside the harness, or in an earlier checkout.
    pub fn source(self) -> PathBuf {
        match self {
            Self::Before => before::folder().join("benches/palisade"),
            _ => harness().with_file_name(self.name()),
        }
    }

    /// Builds the release binary, or Django's virtual environment.
    pub fn build(self) -> Result<()> {
        match self {
            Self::Django => return python::install(&self.source()),
            Self::Nginx => return nginx::check(),
            _ => {}
        }
        process::build(&self.source())
    }

    fn command(self, data: &Path, port: u16, tell: &dyn Fn(&mut Command)) -> Result<Command> {
        match self {
            Self::Django => return python::gunicorn(&self.source(), data, port, tell),
            Self::Nginx => return nginx::command(data, port),
            _ => {}
        }
        let program = match self {
            Self::Before => "bench-palisade".to_owned(),
            _ => format!("bench-{}", self.name()),
        };
        let mut command = Command::new(self.source().join("target/release").join(program));
        command.arg(data).arg(port.to_string());
        tell(&mut command);
        Ok(command)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("no such server; the servers are {}", known.join(", ")))
    }
}

/// A running server; dropping it ends it.
pub struct Server {
    pub kind: Kind,
    pub ground: Ground,
    pub address: SocketAddr,
    process: Child,
}

impl Server {
    /// Starts the server on an empty data folder and waits until it accepts connections.
    pub fn start(kind: Kind, ground: Ground, databases: &Databases) -> Result<Self> {
        let data = empty_folder(&format!("{kind}-{}", ground.name()))?;
        files::lay(&data)?;
        let told = databases.tell(ground, kind)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = fs::File::create(data.join("log"))?;
        let process = kind
            .command(&data, port, &|command| told.tell(command))?
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {kind}"))?;
        let mut server = Self {
            kind,
            ground,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            process,
        };
        server.wait_until_ready(&data.join("log"))?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Result<()> {
        let begin = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || begin.elapsed() > Duration::from_secs(30) {
                let log = fs::read_to_string(log).unwrap_or_default();
                bail!("{} does not listen ({ended:?}); its log:\n{log}", self.kind);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Renders a request as the benchmark's client sends it to every server.
    pub fn request(&self, method: &str, path: &str, cookies: &str, form: Option<&str>) -> Vec<u8> {
        let host = self.address;
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: palisade-bench\r\nAccept: text/html\r\n\
             X-Forwarded-Proto: https\r\n"
        );
        if !cookies.is_empty() {
            let _ = write!(text, "Cookie: {cookies}\r\n");
        }
        if let Some(form) = form {
            let _ = write!(
                text,
                "Origin: https://{host}\r\nSec-Fetch-Site: same-origin\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            );
        }
        text += "\r\n";
        text += form.unwrap_or_default();
        text.into_bytes()
    }

    /// Reads the user and system time that the server and all its descendants have used so far.
    pub fn cpu_time(&self) -> Result<Duration> {
        process::cpu_time(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(Some(pid)) = i32::try_from(self.process.id()).map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// A folder for data, with nothing in it.
pub fn empty_folder(name: &str) -> Result<PathBuf> {
    let data = harness().join("target/data").join(name);
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(&data)?;
    Ok(data)
}

pub fn harness() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
