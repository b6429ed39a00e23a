//! Django's side: a virtual environment under the target folder, its migrations, and gunicorn.
//!
//! The environment is made once and kept until `requirements.txt` changes; that is the only time a test needs a
//! package registry.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::Process;

use super::Agreement;
use super::ground::Ground;

/// How long gunicorn may take to listen on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A command of Python in the site's folder, told what both sides stand on and agreed on.
pub(super) fn python(ground: &Ground, agreement: &Agreement) -> Result<Command> {
    let mut command = bare_python()?;
    command
        .envs(ground.environment())
        .env("SHOP_SECRET_KEY", &agreement.key)
        .env(
            "SHOP_SECRET_KEY_FALLBACKS",
            serde_json::to_string(&agreement.fallbacks)?,
        )
        .env("SHOP_HASHER", agreement.hasher);
    Ok(command)
}

fn bare_python() -> Result<Command> {
    let mut command = Command::new(environment()?.join("bin/python"));
    command.current_dir(site()).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Starts gunicorn on a free port, and says which.
pub(super) fn serve(ground: &Ground, agreement: &Agreement) -> Result<(Process, SocketAddr)> {
    let mut command = python(ground, agreement)?;
    command.args([
        "-m",
        "gunicorn",
        "--bind=127.0.0.1:0",
        "--worker-class=gthread",
        "--threads=2",
        "--no-control-socket",
        "shop.wsgi:application",
    ]);
    let process = Process::start(command)?;
    let address = process.wait_for(PATIENCE, |line| {
        let (_, rest) = line.split_once("Listening at: http://")?;
        rest.split_whitespace().next()?.parse().ok()
    })?;
    Ok((process, address))
}

/// The Python of the command that the README gives to dump a site's settings.
pub(super) fn dump_script() -> Result<&'static str> {
    const README: &str = include_str!("../../../README.md");
    let command = README.lines().find_map(|line| {
        line.strip_prefix("(umask 077; python manage.py shell -v 0 -c \"")?
            .split_once('"')
    });
    let (script, _) = command.context("the README has no command to dump Django's settings")?;
    Ok(script)
}

/// Dumps the site's settings, by that command.
pub(super) fn dump(ground: &Ground, agreement: &Agreement) -> Result<String> {
    let output = python(ground, agreement)?
        .args(["manage.py", "shell", "-v", "0", "-c", dump_script()?])
        .stdin(Stdio::null())
        .output()?;
    ensure!(
        output.status.success(),
        "the settings cannot be dumped:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Makes Django's tables in the database at an address.
pub(super) fn migrate(address: &str) -> Result<()> {
    run(bare_python()?
        .env("SHOP_DATABASE", address)
        .env("SHOP_SECRET_KEY", Agreement::new().key)
        .args(["manage.py", "migrate", "--verbosity=0"]))
}

fn site() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("django_site")
}

/// Makes the virtual environment, unless it already holds what `requirements.txt` asks for.
fn environment() -> Result<&'static Path> {
    static ENVIRONMENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = ENVIRONMENT.get_or_init(|| install().map_err(|error| format!("{error:#}")));
    made.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn install() -> Result<PathBuf> {
    // A test runs from `deps` in the folder of its profile, below the target folder.
    let test = std::env::current_exe()?;
    let target = test
        .ancestors()
        .nth(3)
        .context("the test does not run from a target folder")?;
    let environment = target.join("django-venv");
    let requirements = site().join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let installed = environment.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(environment);
    }
    let able = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .stderr(Stdio::null())
        .status();
    ensure!(
        able.is_ok_and(|status| status.success()),
        "these tests ask a real Django and need python3 with venv and pip; on Debian: sudo apt-get install python3-venv"
    );
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    run(Command::new(environment.join("bin/python"))
        .args(pip)
        .arg(&requirements))
    .context("pip could not install Django")?;
    fs::write(installed, wanted)?;
    Ok(environment)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(
        output.status.success(),
        "{} failed:\n{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The Python of an environment that has Django, for a site of a test's own.
///
/// # Errors
/// When Django cannot be installed.
pub fn python_with_django() -> Result<PathBuf> {
    Ok(environment()?.join("bin/python"))
}
