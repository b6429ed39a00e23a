//! A MariaDB of a test's own: on a free port, in a temporary folder, gone when it is dropped.

use std::time::Duration;

use anyhow::Result;

use crate::database::{Place, installed, on_a_free_port, password};
use crate::process::Process;

/// How long a server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running MariaDB server, with a user and a database called `palisade`.
#[derive(Debug)]
pub struct MariaDb {
    place: Place,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl MariaDb {
    /// Makes a database and starts a server for it.
    ///
    /// # Errors
    /// When MariaDB is not installed, with the package to install, or when it does not start.
    pub fn start() -> Result<MariaDb> {
        let place = Place::new("mariadb-", &["mysql"])?;
        let password = password()?;
        let program = installed(&["mariadb-install-db", "mysql_install_db"], &[], "mariadb-server")?;
        let mut make = place.command(&program);
        make.arg("--no-defaults")
            .arg(format!("--datadir={}", place.path().join("data").display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        place.run(&mut make)?;
        // The password is ours, of hexadecimal digits.
        place.write(
            "first.sql",
            &format!(
                "CREATE DATABASE palisade CHARACTER SET utf8mb4;\n\
                 CREATE USER palisade@'127.0.0.1' IDENTIFIED BY '{password}';\n\
                 GRANT ALL ON *.* TO palisade@'127.0.0.1';\n\
                 DROP USER root@localhost;\n"
            ),
        )?;
        let mut server = MariaDb {
            place,
            port: 0,
            password,
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
            // A test needs what was acknowledged to outlive the server, not the machine.
            .args([
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=64M",
            ]);
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
