//! A MariaDB of a test's own: on a free port, in a temporary folder, gone when it is dropped.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::database::{Place, installed, on_a_free_port, password, run};
use crate::process::Process;

/// How long a server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running MariaDB server, with a user and a database called `palisade`.
#[derive(Debug)]
pub struct MariaDb {
    place: Place,
    port: u16,
    password: String,
    tls: bool,
    durable: bool,
    process: Option<Process>,
}

impl MariaDb {
    /// Makes a database and starts a server for it.
    ///
    /// # Errors
    /// When MariaDB is not installed, with the package to install, or when it does not start.
    pub fn start() -> Result<MariaDb> {
        MariaDb::with(None, false)
    }

    /// Starts a server that speaks TLS, with a certificate and its key in PEM.
    ///
    /// # Errors
    /// As [`MariaDb::start`].
    pub fn with_tls(certificate: &str, key: &str) -> Result<MariaDb> {
        MariaDb::with(Some((certificate, key)), false)
    }

    /// Starts a server as its makers set it, that waits for its disk: for who measures it.
    ///
    /// # Errors
    /// As [`MariaDb::start`].
    pub fn durable() -> Result<MariaDb> {
        MariaDb::with(None, true)
    }

    fn with(tls: Option<(&str, &str)>, durable: bool) -> Result<MariaDb> {
        let place = Place::new("mariadb-", &["mysql"])?;
        let password = password()?;
        let program = installed(&["mariadb-install-db", "mysql_install_db"], &[], "mariadb-server")?;
        let mut make = place.command(&program);
        make.arg("--no-defaults")
            .arg(format!("--datadir={}", place.path().join("data").display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(&mut make)?;
        if let Some((certificate, key)) = tls {
            place.write("server.crt", certificate)?;
            place.write("server.key", key)?;
        }
        // The password is ours, of hexadecimal digits.
        place.write(
            "first.sql",
            &format!(
                "CREATE DATABASE palisade CHARACTER SET utf8mb4;\n\
                 CREATE USER palisade@'127.0.0.1' IDENTIFIED BY '{password}';\n\
                 GRANT ALL ON *.* TO palisade@'127.0.0.1' WITH GRANT OPTION;\n\
                 DROP USER root@localhost;\n"
            ),
        )?;
        let mut server = MariaDb {
            place,
            port: 0,
            password,
            tls: tls.is_some(),
            durable,
            process: None,
        };
        on_a_free_port(|port| {
            server.port = port;
            server.serve(true)
        })?;
        Ok(server)
    }

    /// Where clients find it, with the user's name and password.
    pub fn url(&self) -> String {
        self.url_of("palisade")
    }

    /// Where clients find one of its databases.
    pub fn url_of(&self, database: &str) -> String {
        format!(
            "mysql://palisade:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Makes an empty database, or a copy of another.
    ///
    /// # Errors
    /// When there is one of that name, or none to copy.
    pub fn create(&self, database: &str, like: Option<&str>) -> Result<()> {
        let create = format!("--execute=CREATE DATABASE {database} CHARACTER SET utf8mb4");
        run(self.client(&["mariadb", "mysql"])?.arg(create))?;
        let Some(like) = like else {
            return Ok(());
        };
        let dump = self.place.path().join(format!("{database}.sql"));
        run(self
            .client(&["mariadb-dump", "mysqldump"])?
            .arg(format!("--result-file={}", dump.display()))
            .arg(like))?;
        run(self
            .client(&["mariadb", "mysql"])?
            .arg(database)
            .stdin(File::open(dump)?))
    }

    fn client(&self, names: &[&str]) -> Result<Command> {
        let mut command = self.place.command(&installed(names, &[], "mariadb-client")?);
        command
            .args([
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--user=palisade",
            ])
            .arg(format!("--port={}", self.port))
            .env("MYSQL_PWD", &self.password);
        Ok(command)
    }

    /// Its port of the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Kills the server without a warning, as a power cut would. What it had acknowledged is in its log.
    ///
    /// # Errors
    /// When the system cannot say how it ended.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Stops the server where it stands: connections stay open and nothing answers, as behind a broken network.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().context("the server is not running")?;
        process.signal(signal);
        Ok(())
    }

    /// Starts a killed server again, on the same port with the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> Result<()> {
        if self.process.is_none() {
            self.serve(false)?;
        }
        Ok(())
    }

    fn serve(&mut self, first: bool) -> Result<()> {
        let folder = self.place.path();
        let mut command = self
            .place
            .command(&installed(&["mariadbd", "mysqld"], &[], "mariadb-server")?);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--socket={}", folder.join("socket").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(format!("--port={}", self.port))
            .args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--skip-log-bin",
            ])
            // As Debian sets it, and as Django wants it.
            .arg("--character-set-server=utf8mb4");
        if !self.durable {
            // A test needs what was acknowledged to outlive the server, not the machine.
            command.args([
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=64M",
            ]);
        }
        if self.tls {
            let file = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
            command.args([file("ssl-cert", "server.crt"), file("ssl-key", "server.key")]);
        }
        if first {
            command.arg(format!("--init-file={}", folder.join("first.sql").display()));
        }
        let process = Process::start(command)?;
        process.wait_for(PATIENCE, |line| {
            line.contains("ready for connections").then_some(())
        })?;
        self.process = Some(process);
        Ok(())
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // Nobody needs its data any more, and a frozen server would hear of no other end.
        let _ended = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_server_is_there_until_it_is_killed_and_again_when_it_is_resumed() {
        let mut server = MariaDb::start().unwrap();
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
