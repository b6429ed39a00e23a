//! The program as people start it: on a fresh machine, a second time, and with something in the way.

mod in_the_way;

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context as _, Result};
use testkit::{Process, Visitor, certificate};

use crate::site::PASSWORD;

const PATIENCE: Duration = Duration::from_mins(1);

/// The program, away from any settings of the machine that the test runs on.
pub(crate) fn vault(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PALISADE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
        .current_dir(std::env::temp_dir())
        .arg("--data")
        .arg(data)
        .args(["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]);
    command
}

/// Starts the program and visits it, trusting the authority that it has left in its folder.
pub(crate) fn start(data: &Path) -> Result<(Process, Visitor)> {
    start_with(data, &[])
}

/// The same with more options.
pub(crate) fn start_with(data: &Path, options: &[&OsStr]) -> Result<(Process, Visitor)> {
    let mut command = vault(data);
    command.args(options);
    let process = Process::start(command)?;
    let port = |words: &'static str| {
        process.wait_for(PATIENCE, move |line| {
            line.strip_prefix(words)?.parse::<u16>().ok()
        })
    };
    let secure = port("listening on https://localhost:")?;
    port("redirecting from http://localhost:")?;
    let authority = fs::read_to_string(data.join("tls/ca.pem"))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, secure));
    let visitor = Visitor::tls(
        address,
        &format!("localhost:{secure}"),
        "localhost",
        certificate::trusting(&authority)?,
    );
    Ok((process, visitor))
}

/// Runs a program that is to fail, and gives what it says.
pub(crate) fn refused(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output()?;
    let said = String::from_utf8(stderr)?;
    assert!(!status.success(), "it started");
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    for inside in ["panicked", "backtrace", "Error {", "Some(", "os error"] {
        assert!(!said.contains(inside), "{said}");
    }
    let last = said
        .lines()
        .position(|line| line.starts_with("vault: "))
        .context(said.clone())?;
    Ok(said.lines().skip(last).collect::<Vec<_>>().join("\n"))
}

/// The same, for what is said in one sentence.
pub(crate) fn refused_in_one_sentence(command: &mut Command) -> Result<String> {
    let said = refused(command)?;
    assert_eq!(said.lines().count(), 1, "{said}");
    Ok(said)
}

#[tokio::test]
async fn second_start_keeps_key_authority_and_accounts() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let kept = || -> Result<_> {
        Ok((
            fs::read(data.join("secret-key"))?,
            fs::read(data.join("tls/ca.pem"))?,
        ))
    };

    let (mut process, mut anna) = start(&data)?;
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    let reply = anna.submit("/signup/", &fields).await?;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let session = anna.cookie("sessionid").context("no session")?.to_owned();
    let before = kept()?;
    for (file, mode) in [
        ("", 0o700),
        ("secret-key", 0o600),
        ("vault.sqlite3", 0o600),
        ("tls/ca-key.pem", 0o600),
    ] {
        let path = data.join(file);
        assert_eq!(
            fs::metadata(&path)?.permissions().mode() & 0o777,
            mode,
            "{}",
            path.display()
        );
    }
    assert!(process.terminate()?.success());

    let (mut process, mut anna) = start(&data)?;
    assert!(kept()? == before);
    let fields = [("username", "anna"), ("password", PASSWORD)];
    assert_eq!(anna.submit("/login/", &fields).await?.status, 303);
    let mut before_the_stop = anna.stranger().with_cookie("sessionid", &session);
    assert!(before_the_stop.open("/").await?.text().contains("data-user"));
    assert!(process.terminate()?.success());
    Ok(())
}

#[tokio::test]
async fn first_start_says_where_to_go_and_how_to_trust_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (process, _) = start(folder.path())?;
    process.wait_for(PATIENCE, |line| line.contains("curl --cacert").then_some(()))?;
    assert!(process.log().contains("Open https://localhost:"));
    assert!(
        process
            .log()
            .contains(&folder.path().join("tls/ca.pem").display().to_string())
    );
    Ok(())
}

#[test]
fn server_for_other_machines_without_a_name_warns_and_one_with_a_name_says_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    drop(start(folder.path())?);
    // The development certificate in the place of a real one.
    let pair = folder.path().join("tls/server.pem");
    let public = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
        command
            .current_dir(std::env::temp_dir())
            .env_remove("PALISADE_ALLOWED_HOSTS")
            .arg("--data")
            .arg(folder.path())
            .args(["--listen", "0.0.0.0:0", "--http-listen", "127.0.0.1:0"])
            .arg("--certificate")
            .arg(&pair)
            .arg("--key")
            .arg(&pair);
        command
    };
    let process = Process::start(public())?;
    process.wait_for(PATIENCE, |line| line.starts_with("listening on ").then_some(()))?;
    process.wait_for(PATIENCE, |line| {
        line.contains("set PALISADE_ALLOWED_HOSTS=").then_some(())
    })?;
    drop(process);
    let mut command = public();
    command.env("PALISADE_ALLOWED_HOSTS", "vault.example");
    let process = Process::start(command)?;
    process.wait_for(PATIENCE, |line| {
        line.starts_with("listening on https://vault.example:")
            .then_some(())
    })?;
    assert!(!process.log().contains("set PALISADE_ALLOWED_HOSTS="));
    Ok(())
}

#[test]
fn help_teaches_with_examples() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_vault")).arg("--help").output()?;
    let help = String::from_utf8(output.stdout)?;
    assert!(output.status.success());
    for taught in [
        "--listen",
        "--http-listen",
        "--data",
        "--config",
        "--log",
        "--widget-origin",
        "--staff-network",
        "--client-ca",
        "Examples:",
        "tls/ca.pem",
        "PALISADE_",
    ] {
        assert!(help.contains(taught), "no {taught} in: {help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
    Ok(())
}

#[test]
fn printed_settings_are_settings_to_start_with() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_vault"))
        .arg("--print-config")
        .output()?;
    let reference = String::from_utf8(output.stdout)?;
    assert!(reference.contains("# secure_hsts_seconds = "), "{reference}");
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("palisade.toml"), &reference)?;
    let mut command = vault(&folder.path().join("data"));
    let process = Process::start({
        command.current_dir(folder.path());
        command
    })?;
    process.wait_for(PATIENCE, |line| line.starts_with("listening on ").then_some(()))
}

#[test]
fn the_routes_are_printed_without_a_start_and_nothing_is_made() -> Result<()> {
    let home = tempfile::tempdir()?;
    let data = home.path().join("data");
    let print = |arguments: &[&str]| -> Result<String> {
        let Output { status, stdout, .. } = vault(&data).arg("routes").args(arguments).output()?;
        assert!(status.success());
        Ok(String::from_utf8(stdout)?)
    };
    let table = print(&[])?;
    let line = |path: &str| table.lines().find(|line| line.split(' ').next() == Some(path));
    assert!(
        line("/staff/").context(table.clone())?.contains(" staff "),
        "{table}"
    );
    assert!(
        line("/login/").context(table.clone())?.contains(" everybody "),
        "{table}"
    );
    let routes: serde_json::Value = serde_json::from_str(&print(&["--json"])?)?;
    let routes = routes.as_array().context("no array")?;
    assert_eq!(routes.len() + 1, table.lines().count());
    assert!(routes.iter().all(|route| route["access"].is_string()));
    assert!(!data.exists());
    Ok(())
}
