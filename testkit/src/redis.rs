//! A Redis of a test's own: on a free port, in a temporary folder, gone when it is dropped.
//!
//! It writes each command to its log before it answers, so that a test may kill it as a power cut would and hold a store
//! to what had been acknowledged. A cluster and a Sentinel are the same program, started several times and
//! introduced to each other.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::process::Process;

/// How long a server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server's names, Redis and its free sibling, and the packages that bring them.
const SERVERS: [&str; 2] = ["redis-server", "valkey-server"];

/// A running Redis or Valkey server.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    tls_port: Option<u16>,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    /// When none is installed, with the package to install, or when it does not start.
    pub fn start() -> Result<Redis> {
        Redis::with(&[])
    }

    /// Starts a server with more arguments.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn with(more: &[&str]) -> Result<Redis> {
        Redis::on_free_ports(None, more)
    }

    /// Starts a server that speaks TLS on a second port, and asks clients for certificates of the same authority if told to.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn with_tls(identity: &Identity, asks_clients: bool, more: &[&str]) -> Result<Redis> {
        let tls = Tls {
            identity,
            asks_clients,
        };
        Redis::on_free_ports(Some(&tls), more)
    }

    fn on_free_ports(tls: Option<&Tls<'_>>, more: &[&str]) -> Result<Redis> {
        let mut last = None;
        // Between finding a port free and listening on it somebody else may take it.
        for _ in 0..5 {
            match Redis::try_start(tls, more) {
                Ok(redis) => return Ok(redis),
                Err(error) if error.to_string().contains("Address already in use") => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no port is free")))
    }

    fn try_start(tls: Option<&Tls<'_>>, more: &[&str]) -> Result<Redis> {
        let folder = TempDir::with_prefix("redis-")?;
        let port = free_port()?;
        let mut arguments: Vec<String> = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ]
        .map(str::to_owned)
        .to_vec();
        let tls_port = tls.map(|_| free_port()).transpose()?;
        if let Some((tls, port)) = tls.zip(tls_port) {
            arguments.extend(tls.arguments(folder.path(), port)?);
        }
        arguments.extend(more.iter().map(ToString::to_string));
        let mut redis = Redis {
            folder,
            port,
            tls_port,
            arguments,
            process: None,
        };
        redis.resume()?;
        Ok(redis)
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Where clients find it over TLS.
    ///
    /// # Errors
    /// When it was started without.
    pub fn tls_url(&self) -> Result<String> {
        let port = self.tls_port.context("it speaks no TLS")?;
        Ok(format!("rediss://localhost:{port}/0"))
    }

    /// Its port of the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Kills the server without a warning, as a power cut would. What it had acknowledged is on its disk.
    ///
    /// # Errors
    /// When the system cannot say how it ended.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Starts a killed server again, on the same port with the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> Result<()> {
        if self.process.is_none() {
            let process = serve(self.folder.path(), &self.arguments)?;
            process.wait_for(PATIENCE, |line| {
                line.contains("Ready to accept connections").then_some(())
            })?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Asks the server one thing in one line, and gives the first line of what it answers.
    ///
    /// # Errors
    /// When it cannot be reached, or answers with an error.
    pub fn ask(&self, line: &str) -> Result<String> {
        ask(self.port, line)
    }

    fn wait_for(&self, words: &str) -> Result<()> {
        let process = self.process.as_ref().context("the server was stopped")?;
        process.wait_for(PATIENCE, |line| line.contains(words).then_some(()))
    }
}

/// What a server shows to its clients, and whom it believes, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate of who signed.
    pub authority: String,
    /// The server's own certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// What a server that speaks TLS is started with.
struct Tls<'a> {
    identity: &'a Identity,
    asks_clients: bool,
}

impl Tls<'_> {
    fn arguments(&self, folder: &Path, port: u16) -> Result<Vec<String>> {
        let mut arguments = vec!["--tls-port".to_owned(), port.to_string()];
        for (option, name, text) in [
            (
                "--tls-cert-file",
                "server.crt",
                self.identity.certificate.as_str(),
            ),
            ("--tls-key-file", "server.key", self.identity.key.as_str()),
            ("--tls-ca-cert-file", "ca.crt", self.identity.authority.as_str()),
        ] {
            let file = folder.join(name);
            fs::write(&file, text)?;
            arguments.extend([option.to_owned(), file.display().to_string()]);
        }
        let asks = if self.asks_clients { "yes" } else { "no" };
        arguments.extend(["--tls-auth-clients".to_owned(), asks.to_owned()]);
        Ok(arguments)
    }
}

/// Three servers that share the keys among them.
#[derive(Debug)]
pub struct RedisCluster(Vec<Redis>);

impl RedisCluster {
    /// Starts the three, and waits until each knows of the others.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn start() -> Result<RedisCluster> {
        RedisCluster::of(None)
    }

    /// Starts three that speak TLS, also with each other.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn with_tls(identity: &Identity) -> Result<RedisCluster> {
        RedisCluster::of(Some(identity))
    }

    fn of(identity: Option<&Identity>) -> Result<RedisCluster> {
        let mut nodes = Vec::new();
        for slots in ["0 5460", "5461 10922", "10923 16383"] {
            let bus = free_port()?.to_string();
            let member = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "2000",
            ];
            let node = match identity {
                None => Redis::with(&member)?,
                Some(identity) => {
                    let member = [member.as_slice(), &["--tls-cluster", "yes"]].concat();
                    Redis::with_tls(identity, false, &member)?
                }
            };
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {slots}"))?;
            if let Some(first) = nodes.first() {
                node.ask(&meeting(first)?)?;
            }
            nodes.push(node);
        }
        for node in &nodes {
            node.wait_for("Cluster state changed: ok")?;
        }
        Ok(RedisCluster(nodes))
    }

    /// Where clients find the servers.
    pub fn urls(&self) -> Vec<String> {
        self.0.iter().map(Redis::url).collect()
    }

    /// Where clients find the servers over TLS.
    ///
    /// # Errors
    /// When they were started without.
    pub fn tls_urls(&self) -> Result<Vec<String>> {
        self.0.iter().map(Redis::tls_url).collect()
    }
}

/// The words with which a server is introduced to another one.
fn meeting(node: &Redis) -> Result<String> {
    let at = |words: &str| node.arguments.iter().position(|word| word == words);
    let bus = at("--cluster-port").and_then(|at| node.arguments.get(at + 1));
    let bus = bus.context("a node of a cluster has a second port")?;
    Ok(format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port))
}

/// A server, a copy of it, and a Sentinel that makes the copy the first when the first is gone.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The server that is the first at the beginning.
    pub first: Redis,
    /// Its copy.
    pub copy: Redis,
    sentinel: Process,
    port: u16,
    _folder: TempDir,
}

impl RedisSentinel {
    /// The name under which the Sentinel knows the servers.
    pub const SERVICE: &str = "sessions";

    /// Starts the three, and waits until the Sentinel knows both servers.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn start() -> Result<RedisSentinel> {
        RedisSentinel::of(None)
    }

    /// Starts three that speak nothing but TLS with each other; what is told to clients are the ports for TLS.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn with_tls(identity: &Identity) -> Result<RedisSentinel> {
        RedisSentinel::of(Some(identity))
    }

    fn of(identity: Option<&Identity>) -> Result<RedisSentinel> {
        let tls = identity.map(|identity| Tls {
            identity,
            asks_clients: false,
        });
        let server = |more: &[&str]| match &tls {
            None => Redis::with(more),
            Some(tls) => {
                let more = [&["--tls-replication", "yes"], more].concat();
                Redis::on_free_ports(Some(tls), &more)
            }
        };
        let first = server(&[])?;
        let of = first.tls_port.unwrap_or(first.port);
        let copy = server(&[
            "--replicaof",
            &format!("127.0.0.1 {of}"),
            "--repl-diskless-sync-delay",
            "0",
        ])?;
        copy.wait_for("Finished with success")?;
        let folder = TempDir::with_prefix("sentinel-")?;
        let port = free_port()?;
        let name = RedisSentinel::SERVICE;
        let settings = folder.path().join("sentinel.conf");
        let listen = match &tls {
            None => format!("port {port}"),
            Some(tls) => {
                let mut words = tls.arguments(folder.path(), port)?.into_iter();
                let mut lines = vec!["port 0".to_owned(), "tls-replication yes".to_owned()];
                while let (Some(option), Some(value)) = (words.next(), words.next()) {
                    lines.push(format!("{} {value}", option.trim_start_matches("--")));
                }
                lines.join("\n")
            }
        };
        fs::write(
            &settings,
            format!(
                "bind 127.0.0.1\n{listen}\nsentinel monitor {name} 127.0.0.1 {of} 1\n\
                 sentinel down-after-milliseconds {name} 300\nsentinel failover-timeout {name} 2000\n"
            ),
        )?;
        let arguments = [settings.display().to_string(), "--sentinel".to_owned()];
        let sentinel = serve(folder.path(), &arguments)?;
        sentinel.wait_for(PATIENCE, |line| line.contains("+slave ").then_some(()))?;
        Ok(RedisSentinel {
            first,
            copy,
            sentinel,
            port,
            _folder: folder,
        })
    }

    /// Where clients find the Sentinel.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where clients find it, where it speaks TLS.
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }

    /// Kills the first server and waits until the copy has taken its place.
    ///
    /// # Errors
    /// When the Sentinel does not do it in time.
    pub fn fail_over(&mut self) -> Result<()> {
        self.first.kill()?;
        self.sentinel
            .wait_for(PATIENCE, |line| line.contains("+switch-master").then_some(()))
    }
}

/// Asks the server on a port one thing in one line, and gives the first line of what it answers.
///
/// # Errors
/// When it cannot be reached, or answers with an error.
pub fn ask(port: u16, line: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    ensure!(
        !answer.starts_with('-'),
        "`{line}` was answered {}",
        answer.trim()
    );
    Ok(answer.trim().to_owned())
}

fn serve(folder: &Path, arguments: &[String]) -> Result<Process> {
    for name in SERVERS {
        let mut command = Command::new(name);
        command.args(arguments).current_dir(folder);
        match Process::start(command) {
            Err(error)
                if error
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|error| error.kind() == ErrorKind::NotFound) => {}
            started => return started,
        }
    }
    bail!("no Redis is installed; install it with: sudo apt-get install redis-server")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_survives_a_power_cut() {
        let mut redis = Redis::start().unwrap();
        assert_eq!(redis.ask("SET kept yes").unwrap(), "+OK");
        redis.kill().unwrap();
        assert!(redis.ask("PING").is_err());
        redis.resume().unwrap();
        assert_eq!(redis.ask("EXISTS kept").unwrap(), ":1");
    }

    #[test]
    fn a_cluster_answers_for_every_slot() {
        let cluster = RedisCluster::start().unwrap();
        assert_eq!(cluster.urls().len(), 3);
        let answers = |node: &Redis| ["a", "b", "c", "d"].map(|key| node.ask(&format!("SET {key} 1")));
        let mut own = 0;
        for node in &cluster.0 {
            own += answers(node).iter().filter(|answer| answer.is_ok()).count();
        }
        assert_eq!(own, 4, "each key has one home");
    }

    #[test]
    fn a_sentinel_makes_the_copy_the_first() {
        let mut sentinel = RedisSentinel::start().unwrap();
        assert!(sentinel.copy.ask("SET refused 1").is_err());
        sentinel.fail_over().unwrap();
        assert_eq!(sentinel.copy.ask("SET taken 1").unwrap(), "+OK");
    }
}
