//! A PostgreSQL of a test's own: on a free port, in a temporary folder, gone when it is dropped.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::database::{Place, installed, on_a_free_port, password, run};
use crate::process::Process;

/// How long a server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running PostgreSQL server, with a user and a database called `palisade`.
#[derive(Debug)]
pub struct Postgres {
    place: Place,
    port: u16,
    password: String,
    tls: bool,
    durable: bool,
    process: Option<Process>,
}

impl Postgres {
    /// Makes a database and starts a server for it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, with the package to install, or when it does not start.
    pub fn start() -> Result<Postgres> {
        Postgres::with(None, false)
    }

    /// Starts a server that speaks TLS, with a certificate and its key in PEM.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn with_tls(certificate: &str, key: &str) -> Result<Postgres> {
        Postgres::with(Some((certificate, key)), false)
    }

    /// Starts a server as its makers set it, that waits for its disk: for who measures it.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn durable() -> Result<Postgres> {
        Postgres::with(None, true)
    }

    fn with(tls: Option<(&str, &str)>, durable: bool) -> Result<Postgres> {
        let place = Place::new("postgres-", &["postgres"])?;
        let password = password()?;
        let secret = place.write("password", &password)?;
        if let Some((certificate, key)) = tls {
            place.write("server.crt", certificate)?;
            place.write("server.key", key)?;
        }
        let mut make = place.command(&program("initdb")?);
        make.arg("--pgdata=data")
            .args([
                "--username=palisade",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-sync",
            ])
            .arg(format!("--pwfile={}", secret.display()));
        run(&mut make)?;
        let mut server = Postgres {
            place,
            port: 0,
            password,
            tls: tls.is_some(),
            durable,
            process: None,
        };
        on_a_free_port(|port| {
            server.port = port;
            server.resume()
        })?;
        Ok(server)
    }

    /// Where clients find it, with the user's name and password.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Where clients find one of its databases.
    pub fn url_of(&self, database: &str) -> String {
        format!(
            "postgres://palisade:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Makes an empty database, or a copy of one that nobody uses meanwhile.
    ///
    /// # Errors
    /// When there is one of that name, or the other is in use.
    pub fn create(&self, database: &str, like: Option<&str>) -> Result<()> {
        let mut make = self.place.command(&program("createdb")?);
        make.args(["--host=127.0.0.1", "--username=palisade", "--no-password"])
            .arg(format!("--port={}", self.port))
            .env("PGPASSWORD", &self.password)
            .args(like.map(|like| format!("--template={like}")))
            .arg(database);
        run(&mut make)
    }

    /// The process that the server's others come from, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Its port of the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Ends the server and its connections without a goodbye. What it had acknowledged is in its log.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            // SIGKILL would leave its children to find out by themselves, and hold the data for a while.
            process.signal(Signal::QUIT);
            process.wait()?;
        }
        Ok(())
    }

    /// Stops the server's processes where they stand: connections stay open and nothing answers, as behind a broken network.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn freeze(&self) -> Result<()> {
        self.everybody(Signal::STOP)
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn thaw(&self) -> Result<()> {
        self.everybody(Signal::CONT)
    }

    /// Starts a server that was ended again, on the same port with the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut command = self.place.command(&program("postgres")?);
        command.arg("-D").arg(self.place.path().join("data"));
        let port = format!("port={}", self.port);
        let settings = [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
        ];
        // A test needs what was acknowledged to outlive the server, not the machine.
        let hasty = [
            "fsync=off",
            "full_page_writes=off",
            "shared_buffers=32MB",
            "max_connections=60",
        ];
        let tls = [
            "ssl=on",
            "ssl_cert_file=../server.crt",
            "ssl_key_file=../server.key",
        ];
        let hasty = hasty.iter().filter(|_| !self.durable);
        let tls = tls.iter().filter(|_| self.tls);
        for setting in settings.iter().chain(hasty).chain(tls) {
            command.args(["-c", setting]);
        }
        let process = Process::start(command)?;
        process.wait_for(PATIENCE, |line| {
            line.contains("database system is ready to accept connections")
                .then_some(())
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn everybody(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref();
        ensure!(process.is_some(), "the server is not running");
        if let Some(process) = process {
            process.signal(signal);
            for child in children(process.id())? {
                if let Some(child) = rustix::process::Pid::from_raw(child) {
                    // One that has ended meanwhile needs no signal.
                    let _gone = rustix::process::kill_process(child, signal);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Asked politely, it would wait for its clients to leave.
        let _thawed = self.thaw();
        let _ended = self.kill();
    }
}

fn children(parent: u32) -> Result<Vec<i32>> {
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    Ok(list.split_whitespace().filter_map(|id| id.parse().ok()).collect())
}

/// Debian keeps each version's programs in a folder of its own, outside of `PATH`: the newest is taken.
fn program(name: &str) -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let folders: Vec<PathBuf> = versions.into_iter().map(|(_, folder)| folder).collect();
    installed(&[name], &folders, "postgresql")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_server_is_there_until_it_is_ended_and_again_when_it_is_resumed() {
        let mut server = Postgres::start().unwrap();
        let port = server.port();
        let reachable = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        assert!(reachable());
        server.kill().unwrap();
        assert!(!reachable());
        server.resume().unwrap();
        assert!(reachable());
        let folder = server.place.path().to_owned();
        drop(server);
        assert!(!reachable(), "it ends with the test");
        assert!(!folder.exists(), "and leaves nothing behind");
    }
}
