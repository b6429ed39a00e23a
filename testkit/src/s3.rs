//! A server of a test's own that speaks S3: moto, in a virtual environment that is made once under the target folder.
//!
//! It checks signatures and rights as AWS does, so that a wrong key and a stranger are refused.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::database::on_a_free_port;
use crate::process::Process;

/// What is installed.
const REQUIREMENTS: &str = "moto[server]==5.2.5";
/// How long the server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server with one bucket.
#[derive(Debug)]
pub struct S3Server {
    url: String,
    key: String,
    secret: String,
    _process: Process,
}

impl S3Server {
    /// The name of its bucket.
    pub const BUCKET: &'static str = "media";

    /// Starts a server whose bucket is private.
    ///
    /// # Errors
    /// When Python is missing, with the package to install, when its environment cannot be made, or when it does not start.
    pub fn start() -> Result<S3Server> {
        install()?;
        on_a_free_port(|port| S3Server::on_port(port, true))
    }

    /// Starts a server whose bucket gives its files to everybody.
    ///
    /// # Errors
    /// As [`S3Server::start`].
    pub fn start_public() -> Result<S3Server> {
        install()?;
        let server = on_a_free_port(|port| S3Server::on_port(port, false))?;
        let arguments = [&server.url, S3Server::BUCKET, &server.key, &server.secret];
        python(include_str!("s3/publish.py"), &arguments)?;
        Ok(server)
    }

    fn on_port(port: u16, asks_for_keys: bool) -> Result<S3Server> {
        let mut command = Command::new(venv().join("bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        if asks_for_keys {
            // Not for the first four things, which are those of `prepare.py`.
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
        }
        let process = Process::start(command)?;
        let ready = |line: &str| line.contains("Running on http").then_some(());
        process.wait_for(PATIENCE, ready)?;
        let url = format!("http://127.0.0.1:{port}");
        let prepared = python(include_str!("s3/prepare.py"), &[&url, S3Server::BUCKET])?;
        let mut lines = prepared.lines().map(str::to_owned);
        let key = lines.next().context("no key was made")?;
        let secret = lines.next().context("no key was made")?;
        Ok(S3Server {
            url,
            key,
            secret,
            _process: process,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the key that may use the bucket, and the key.
    pub fn key(&self) -> (&str, &str) {
        (&self.key, &self.secret)
    }

    /// What is in the bucket, a line each: `file` with its key and size, `upload` with the key of one that has not ended.
    ///
    /// # Errors
    /// When the server does not say.
    pub fn look(&self) -> Result<Vec<String>> {
        let found = python(
            include_str!("s3/look.py"),
            &[&self.url, S3Server::BUCKET, &self.key, &self.secret],
        )?;
        Ok(found.lines().map(str::to_owned).collect())
    }
}

/// Makes the environment, unless it already holds what is wanted; one program at a time.
fn install() -> Result<()> {
    let venv = venv();
    fs::create_dir_all(venv.parent().unwrap_or(&venv))?;
    let turn = File::create(venv.with_extension("lock"))?;
    turn.lock()?;
    let installed = venv.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(());
    }
    let has_venv = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .stderr(Stdio::null())
        .status();
    let has_venv = has_venv.is_ok_and(|status| status.success());
    ensure!(
        has_venv,
        "a server for S3 needs python3 with venv and pip (Debian: apt-get install python3-venv)"
    );
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        REQUIREMENTS,
    ];
    run(Command::new(venv.join("bin/python")).args(pip)).context("pip could not install a server for S3")?;
    Ok(fs::write(installed, REQUIREMENTS)?)
}

fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/moto-venv")
}

/// Runs a program of Python in the environment, and gives what it prints.
fn python(program: &str, arguments: &[&str]) -> Result<String> {
    run(Command::new(venv().join("bin/python"))
        .args(["-c", program])
        .args(arguments))
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed:\n{told}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
