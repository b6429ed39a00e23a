//! The program as people start it: on a fresh machine, a second time, and with something in the way.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
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
fn port_in_use_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for option in ["--listen", "--http-listen"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
        let other = if option == "--listen" {
            "--http-listen"
        } else {
            "--listen"
        };
        command
            .arg("--data")
            .arg(folder.path())
            .args([option, &address, other, "127.0.0.1:0"]);
        let said = refused_in_one_sentence(&mut command)?;
        assert_eq!(
            said,
            format!(
                "vault: {option}: {address} is already in use by another program: stop it, or listen elsewhere"
            )
        );
    }
    Ok(())
}

#[test]
fn address_that_is_none_is_explained() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
    let said = refused_in_one_sentence(command.arg("--data").arg(&data).args(["--listen", "8443"]))?;
    assert_eq!(
        said,
        "vault: --listen \"8443\" is not an address with a port, such as 127.0.0.1:8443"
    );
    assert!(!data.exists(), "a slip left a folder behind");
    Ok(())
}

#[test]
fn one_address_for_both_is_no_other_programs_fault() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
    command.arg("--data").arg(folder.path().join("data"));
    let both = ["--listen", "127.0.0.1:9443", "--http-listen", "127.0.0.1:9443"];
    let said = refused_in_one_sentence(command.args(both))?;
    assert!(
        said.contains("are the same place: give one of them another port"),
        "{said}"
    );
    Ok(())
}

#[test]
fn lost_key_beside_a_database_is_not_replaced_silently() -> Result<()> {
    let folder = tempfile::tempdir()?;
    drop(start(folder.path())?);
    let key = folder.path().join("secret-key");
    let before = fs::read(&key)?;
    fs::remove_file(&key)?;
    let said = refused_in_one_sentence(&mut vault(folder.path()))?;
    assert!(
        said.contains("put back a copy of it, or start once with --new-key"),
        "{said}"
    );
    assert!(!key.exists());
    let mut command = vault(folder.path());
    command.arg("--new-key");
    Process::start(command)?.wait_for(PATIENCE, |line| line.starts_with("listening on ").then_some(()))?;
    assert!(fs::read(&key)? != before);
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
fn certificate_that_is_not_there_is_named_in_plain_words() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("chain.pem");
    let mut command = vault(&folder.path().join("data"));
    let said = refused_in_one_sentence(command.arg("--certificate").arg(&file).arg("--key").arg(&file))?;
    assert_eq!(
        said,
        format!("vault: cannot read {}: it is not there", file.display())
    );
    Ok(())
}

#[test]
fn folder_in_the_place_of_the_database_is_named_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    drop(start(&data)?);
    let database = data.join("vault.sqlite3");
    for file in ["vault.sqlite3", "vault.sqlite3-wal", "vault.sqlite3-shm"] {
        let _gone = fs::remove_file(data.join(file));
    }
    fs::create_dir(&database)?;
    let said = refused_in_one_sentence(&mut vault(&data))?;
    assert_eq!(
        said,
        format!(
            "vault: cannot open the database {}: a folder is in the way, move it away",
            database.display()
        )
    );
    Ok(())
}

#[test]
fn settings_that_are_no_text_are_explained() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("palisade.toml");
    fs::write(&config, [0xff, 0xfe, 0x00])?;
    let mut command = vault(&folder.path().join("data"));
    let said = refused_in_one_sentence(command.arg("--config").arg(&config))?;
    assert!(said.ends_with("palisade.toml: it is not UTF-8 text"), "{said}");
    let mut command = vault(&folder.path().join("data"));
    let said = refused_in_one_sentence(command.arg("--config").arg(folder.path()))?;
    assert!(said.ends_with(": it is a folder"), "{said}");
    Ok(())
}

#[test]
fn folder_that_cannot_be_made_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    fs::write(&file, "in the way")?;
    let data = file.join("data");
    let said = refused_in_one_sentence(&mut vault(&data))?;
    assert_eq!(
        said,
        format!(
            "vault: cannot make the data folder {}: a file is in the way",
            data.display()
        )
    );
    Ok(())
}

#[test]
fn folder_that_cannot_be_written_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500))?;
    if fs::write(data.join("probe"), "").is_ok() {
        // Nothing is unwritable to the superuser.
        return Ok(());
    }
    let said = refused_in_one_sentence(&mut vault(&data))?;
    let expected = format!(
        "vault: cannot write to the data folder {}: permission denied: start the vault as",
        data.display()
    );
    assert!(said.starts_with(&expected), "{said}");
    Ok(())
}

#[test]
fn damaged_database_is_named_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("secret-key"),
        "0123456789abcdefghijklmnopqrstuvwxyz".repeat(2),
    )?;
    let database = folder.path().join("vault.sqlite3");
    let rubbish = "this is no database at all. ".repeat(100);
    fs::set_permissions(
        folder.path().join("secret-key"),
        fs::Permissions::from_mode(0o600),
    )?;
    fs::write(&database, &rubbish)?;
    let said = refused_in_one_sentence(&mut vault(folder.path()))?;
    assert!(
        said.starts_with(&format!("vault: the database {} is damaged", database.display())),
        "{said}"
    );
    assert!(said.contains("put back a copy of it, or move it away"), "{said}");
    assert_eq!(fs::read_to_string(&database)?, rubbish);
    Ok(())
}

#[test]
fn damaged_key_is_named_and_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("secret-key"), "short")?;
    let said = refused_in_one_sentence(&mut vault(folder.path()))?;
    assert!(said.contains("secret-key is damaged or too short"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("secret-key"))?, "short");
    Ok(())
}

#[test]
fn bad_settings_are_listed_all_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("palisade.toml");
    fs::write(
        &config,
        "session_cookie_agee = 60\nsecure_hsts_seconds = \"long\"\nsecret_key = \"short and shy\"\n",
    )?;
    let mut command = vault(&folder.path().join("data"));
    let said = refused(
        command
            .arg("--config")
            .arg(&config)
            .env("PALISADE_SESSION_COOKIE_SECURE", "perhaps"),
    )?;
    assert!(
        said.starts_with(&format!("vault: {}: the settings have", config.display())),
        "{said}"
    );
    for problem in [
        "did you mean `session_cookie_age`?",
        "secure_hsts_seconds",
        "secret_key",
        "PALISADE_SESSION_COOKIE_SECURE",
    ] {
        assert!(said.contains(problem), "no {problem} in: {said}");
    }
    assert!(!said.contains("short and shy"), "{said}");
    Ok(())
}

#[test]
fn settings_that_are_asked_for_must_be_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("nowhere.toml");
    let mut command = vault(folder.path());
    let said = refused_in_one_sentence(command.arg("--config").arg(&config))?;
    assert_eq!(
        said,
        format!(
            "vault: cannot read the settings {}: it is not there",
            config.display()
        )
    );
    Ok(())
}

#[test]
fn log_filter_that_is_none_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for filter in ["loud", "", "palisade=loud", "palisade::acess=debug", "info,"] {
        let said = refused_in_one_sentence(vault(folder.path()).args(["--log", filter]))?;
        assert!(
            said.starts_with(&format!("vault: --log {filter:?} is no filter: ")),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn variables_set_what_the_vault_would_set_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = vault(folder.path());
    let said = refused(command.env("PALISADE_ALLOWED_HOSTS", "*"))?;
    assert!(said.contains("PALISADE_ALLOWED_HOSTS: has `*` in it"), "{said}");
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
