//! What is in the way of a start is named in one sentence that says what to do, and is left as it was.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::Result;
use testkit::Process;

use super::{PATIENCE, refused, refused_in_one_sentence, start, vault};

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
