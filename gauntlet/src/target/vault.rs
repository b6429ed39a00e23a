//! The vault as a target: the very program that the README starts, in a data folder of its own.
//!
//! It is built before the first test that needs it, because a test against yesterday's program says nothing. Where time has to pass,
//! the same start is made within the test, by a clock that the test moves.

use std::env;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use palisade::clock::Clock;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use testkit::raw::Wire;
use testkit::{Process, certificate, spki_fingerprint};
use tokio::task::JoinHandle;
use vault::cli::Options;

use super::{Site, Target};

const HOST: &str = "vault.test";

/// The name that the development certificate is for.
const CERTIFIED: &str = "localhost";

/// A port of this machine that the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// How long a start may take: making a key, a certificate and a database on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running vault.
#[derive(Debug)]
pub(super) struct Vault {
    running: Running,
    data: TempDir,
}

/// Where it runs.
#[derive(Debug)]
enum Running {
    Program(Process),
    Here(JoinHandle<Result<()>>),
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Running::Here(task) = self {
            task.abort();
        }
    }
}

impl Vault {
    /// What the program has printed; within a test nobody listens.
    pub(super) fn log(&self) -> String {
        match &self.running {
            Running::Program(process) => process.log(),
            Running::Here(_) => String::new(),
        }
    }

    pub(super) fn process(&self) -> Option<u32> {
        match &self.running {
            Running::Program(process) => Some(process.id()),
            Running::Here(_) => None,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.data.path()
    }

    pub(super) async fn killed_and_started(self) -> Result<Target> {
        let Vault { mut running, data } = self;
        let Running::Program(process) = &mut running else {
            bail!("a vault within the test cannot be killed alone");
        };
        process.kill()?;
        start(data, &[]).await
    }

    pub(super) fn mails(&self) -> Result<Vec<String>> {
        let mut mails = Vec::new();
        for entry in fs::read_dir(self.data.path().join("mail"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "eml") {
                mails.push((fs::metadata(&path)?.modified()?, fs::read_to_string(&path)?));
            }
        }
        mails.sort();
        Ok(mails.into_iter().map(|(_, mail)| mail).collect())
    }

    pub(super) fn is_admin(&self, username: &str) -> Result<bool> {
        let database = database_in(self.data.path())?;
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        let question = "SELECT is_superuser OR is_staff FROM auth_user WHERE username = ?1";
        connection
            .query_row(question, [username], |row| row.get(0))
            .context("the user is not in the database")
    }

    pub(super) fn appoint(&self, username: &str) -> Result<()> {
        if let Running::Here(_) = &self.running {
            let connection = Connection::open(database_in(self.data.path())?)?;
            connection.busy_timeout(PATIENCE)?;
            let change = "UPDATE auth_user SET is_staff = 1 WHERE username = ?1";
            ensure!(
                connection.execute(change, [username])? == 1,
                "there is no {username}"
            );
            return Ok(());
        }
        let mut command = Command::new(program()?);
        let appointed = command
            .args(["staff", username, "--data"])
            .arg(self.data.path())
            .output()?;
        let said = String::from_utf8_lossy(&appointed.stderr);
        ensure!(appointed.status.success(), "{said}");
        Ok(())
    }

    pub(super) fn reports_kept(&self) -> Result<usize> {
        let database = database_in(self.data.path())?;
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        let kept: i64 =
            connection.query_row("SELECT count(*) FROM palisade_csp_report", [], |row| row.get(0))?;
        Ok(usize::try_from(kept)?)
    }
}

/// What a thief has and does.
impl Vault {
    pub(super) fn stolen_sessions(&self) -> Result<Vec<(String, String)>> {
        let connection =
            Connection::open_with_flags(database_in(self.data.path())?, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        let mut rows = connection.prepare("SELECT session_key, session_data FROM django_session")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn overwrite_sessions(&self, data: &str) -> Result<()> {
        let connection = Connection::open(database_in(self.data.path())?)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute("UPDATE django_session SET session_data = ?1", [data])?;
        Ok(())
    }

    pub(super) fn stolen_passwords(&self) -> Result<Vec<(String, String)>> {
        let connection =
            Connection::open_with_flags(database_in(self.data.path())?, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        let mut rows = connection.prepare("SELECT username, password FROM auth_user")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn overwrite_password(&self, username: &str, stored: &str) -> Result<()> {
        let connection = Connection::open(database_in(self.data.path())?)?;
        connection.busy_timeout(PATIENCE)?;
        let change = "UPDATE auth_user SET password = ?2 WHERE username = ?1";
        ensure!(
            connection.execute(change, [username, stored])? == 1,
            "there is no {username}"
        );
        Ok(())
    }

    /// Puts a file where the folder was, into which nothing can be written.
    pub(super) fn break_mail(&self) -> Result<()> {
        let folder = self.data.path().join("mail");
        if folder.exists() {
            fs::rename(&folder, self.data.path().join("mail-away"))?;
        }
        Ok(fs::write(folder, "")?)
    }

    pub(super) fn let_grants_end(&self) -> Result<()> {
        let connection = Connection::open(database_in(self.data.path())?)?;
        connection.busy_timeout(PATIENCE)?;
        let a_moment_ago = "UPDATE palisade_grant SET ends = unixepoch() - 1 WHERE ends > unixepoch()";
        ensure!(
            connection.execute(a_moment_ago, [])? > 0,
            "nothing is shared until a day"
        );
        Ok(())
    }

    pub(super) fn break_notes(&self) -> Result<()> {
        let connection = Connection::open(database_in(self.data.path())?)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch("ALTER TABLE vault_note RENAME TO vault_note_away")?;
        Ok(())
    }

    /// Waits for the first report, which is written beside the answer.
    pub(super) fn fault_reports(&self) -> Result<String> {
        let Running::Program(process) = &self.running else {
            bail!("nobody hears the log of a vault within a test");
        };
        process.wait_for(PATIENCE, |line| {
            line.contains("a fault was reported").then_some(())
        })?;
        let mut text = String::new();
        for entry in fs::read_dir(self.data.path().join("reports"))? {
            text.push_str(&fs::read_to_string(entry?.path())?);
        }
        Ok(text)
    }
}

pub(super) async fn open(options: &[&str]) -> Result<Target> {
    start(tempfile::Builder::new().prefix("vault-").tempdir()?, options).await
}

async fn start(data: TempDir, options: &[&str]) -> Result<Target> {
    let mut command = Command::new(program()?);
    command
        .arg("--data")
        .arg(data.path())
        .args(["--listen", ANY_PORT, "--http-listen", ANY_PORT])
        .args(options)
        .env("PALISADE_ALLOWED_HOSTS", format!("localhost,{HOST}"))
        .env("PALISADE_ADMINS", "Ann <ann@shop.example>");
    let process = Process::start(command)?;
    let secure = port_after(&process, "listening on https://localhost:")?;
    let in_clear = port_after(&process, "redirecting from http://localhost:")?;
    target(Running::Program(process), data, secure, in_clear).await
}

/// Starts it within the test, by this clock.
pub(super) async fn open_at(clock: &Clock, settings: &str) -> Result<Target> {
    let data = tempfile::Builder::new().prefix("vault-").tempdir()?;
    let config = data.path().join("palisade.toml");
    let hosts = format!("allowed_hosts = [\"localhost\", \"{HOST}\"]\nsite_url = \"https://{HOST}\"\n");
    fs::write(&config, hosts + settings)?;
    let options = Options {
        command: None,
        listen: ANY_PORT.to_owned(),
        http_listen: ANY_PORT.to_owned(),
        data: data.path().to_owned(),
        config: Some(config),
        certificate: None,
        key: None,
        widget_origins: Vec::new(),
        staff_networks: Vec::new(),
        client_ca: None,
        client_crls: Vec::new(),
        log: "off".to_owned(),
        new_key: false,
        print_config: false,
    };
    let opened = vault::start::open(&options, clock.clone()).await?;
    let secure = *opened.addresses().first().context("it listens nowhere")?;
    let in_clear = opened.redirect_address().context("nothing leads to it")?;
    let running = Running::Here(tokio::spawn(opened.serve()));
    target(running, data, secure, in_clear).await
}

async fn target(running: Running, data: TempDir, secure: SocketAddr, in_clear: SocketAddr) -> Result<Target> {
    let authority = fs::read_to_string(data.path().join("tls").join("ca.pem"))
        .context("the vault has left no certificate of its development authority")?;
    let wire = Wire::tls(secure, CERTIFIED, certificate::trusting(&authority)?).await?;
    let leaf = wire
        .peer_certificate()
        .context("the vault presented no certificate")?;
    Ok(Target {
        host: HOST,
        secure,
        in_clear,
        raw: secure,
        fingerprint: spki_fingerprint(leaf)?,
        certified: CERTIFIED,
        authority,
        site: Site::Vault(Box::new(Vault { running, data })),
    })
}

fn port_after(process: &Process, words: &str) -> Result<SocketAddr> {
    let port = process.wait_for(PATIENCE, |line| {
        let (_, rest) = line.split_once(words)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u16>().ok()
    });
    let port = port.with_context(|| format!("the vault did not print `{words}` and a port"))?;
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Builds the vault in the profile of the running test, once, and returns the program.
pub(super) fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    program.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn build() -> Result<PathBuf> {
    // A test runs from `deps` in the folder of its profile, and programs are left in that folder itself.
    let test = env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("the test does not run from a target folder")?;
    // The whole workspace is selected, with all features, as `cargo xtask` has just built it: another selection would have other
    // dependencies, and be compiled once more.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "build",
        "--quiet",
        "--workspace",
        "--all-features",
        "--bin",
        "vault",
    ]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()?;
    ensure!(
        output.status.success(),
        "the vault does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let program = folder.join(format!("vault{}", env::consts::EXE_SUFFIX));
    ensure!(
        program.is_file(),
        "`cargo build --bin vault` has left no program at {}",
        program.display()
    );
    Ok(program)
}

/// Finds the one SQLite database of the data folder, whatever it is called.
fn database_in(folder: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let mut start = [0; 16];
        let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut start));
        if read.is_ok() && &start == b"SQLite format 3\0" {
            return Ok(path);
        }
    }
    anyhow::bail!("no SQLite database in {}", folder.display())
}
