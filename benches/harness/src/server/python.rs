//! Django's side: a virtual environment of its own, kept under the harness's target folder, and gunicorn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::run;

const LEAVE_OUT: &str = "Or leave Django out: --only bare,palisade,peers";

/// Makes the virtual environment, unless it already holds what `requirements.txt` asks for.
pub fn install(source: &Path) -> Result<()> {
    let requirements = source.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let installed = venv().join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    let has_venv = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .stderr(Stdio::null())
        .status();
    if !has_venv.is_ok_and(|status| status.success()) {
        bail!("Django needs python3 with venv and pip (Debian: apt-get install python3-venv). {LEAVE_OUT}");
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(venv()))?;
    let mut pip = Command::new(venv().join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ])
    .arg(&requirements);
    run(&mut pip).with_context(|| format!("pip could not install Django. {LEAVE_OUT}"))?;
    Ok(fs::write(installed, wanted)?)
}

/// Prepares the database, then describes gunicorn with two worker processes that keep connections alive.
pub(super) fn gunicorn(
    source: &Path,
    data: &Path,
    port: u16,
    tell: &dyn Fn(&mut Command),
) -> Result<Command> {
    let key = secret_key()?;
    let prepared = |arguments: &[&str]| {
        let mut command = python(source, arguments);
        command.env("BENCH_DATA", data).env("BENCH_SECRET_KEY", &key);
        tell(&mut command);
        command
    };
    run(&mut prepared(&["bench_site.py"]))?;
    let mut gunicorn = prepared(&[
        "-m",
        "gunicorn",
        "--workers=2",
        "--worker-class=gthread",
        "--threads=4",
    ]);
    gunicorn.args([
        "--keep-alive=75",
        "--timeout=300",
        "--no-control-socket",
        "--log-level=warning",
    ]);
    gunicorn
        .arg(format!("--bind=127.0.0.1:{port}"))
        .arg("bench_site:application");
    Ok(gunicorn)
}

/// Describes a call of the virtual environment's Python.
pub fn python(source: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(venv().join("bin/python"));
    command
        .args(arguments)
        .current_dir(source)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn venv() -> PathBuf {
    super::harness().join("target/django-venv")
}

/// Draws a key for this run, so that none stands in the source.
pub fn secret_key() -> Result<String> {
    use std::io::Read;
    let (mut low, mut high) = ([0; 16], [0; 16]);
    let mut source = fs::File::open("/dev/urandom")?;
    source.read_exact(&mut low)?;
    source.read_exact(&mut high)?;
    Ok(format!(
        "{:032x}{:032x}",
        u128::from_ne_bytes(low),
        u128::from_ne_bytes(high)
    ))
}
