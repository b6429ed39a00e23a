//! What a thief finds of a vault's sessions, pages, faults and settings: in its folder, in a cache, in a report, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use palisade::axum::http::StatusCode;
use rusqlite::Connection;

use crate::program::{refused, start, start_with, vault};
use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn logout_lets_the_browser_forget_and_no_page_of_a_member_is_kept() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    for path in ["/", "/secret/", "/profile/", "/sessions/"] {
        assert_eq!(
            anna.open(path).await.header("cache-control"),
            "no-store",
            "{path}"
        );
    }
    let token = anna.open("/").await.token();
    let out = anna.post("/logout/", &[], &token).await;
    assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
}

#[tokio::test]
async fn page_for_everybody_and_files_with_a_fingerprint_may_be_kept() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let page = anna.open("/").await;
    let (_, after) = page.text.split_once("/static/vault.").unwrap();
    let (name, _) = after.split_once('"').unwrap();
    for mut visitor in [site.visitor(), anna.clone()] {
        let file = visitor.open(&format!("/static/vault.{name}")).await;
        assert!(file.header("cache-control").contains("immutable"));
    }
    assert_eq!(site.visitor().open("/").await.header("cache-control"), "");
}

#[tokio::test]
async fn password_is_in_no_answer() {
    let site = Site::open();
    let mut anna = site.visitor();
    let fields = [("username", "nobody"), ("password", PASSWORD)];
    let answer = anna.submit("/login/", &fields).await;
    assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.text.contains(PASSWORD));
}

#[tokio::test]
async fn folder_of_the_vault_holds_no_live_session_and_nothing_of_what_is_in_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (mut process, mut anna) = start(&data)?;
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    assert_eq!(anna.submit("/signup/", &fields).await?.status, 303);
    let key = anna.cookie("sessionid").context("she is logged in")?.to_owned();
    assert!(process.terminate()?.success());
    let mut stolen = Vec::new();
    for entry in fs::read_dir(&data)? {
        let path = entry?.path();
        if path.is_file()
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().contains("sqlite3"))
        {
            stolen.extend(fs::read(path)?);
        }
    }
    let text = String::from_utf8_lossy(&stolen);
    assert!(text.contains("sealed1."), "sessions are sealed");
    assert!(
        !text.contains(&key),
        "the key of her session lies in the database"
    );
    for (name, mode) in [("seal-keys", 0o700), ("reports", 0o700)] {
        let found = fs::metadata(data.join(name))?.permissions().mode() & 0o777;
        assert_eq!(found & !mode & 0o027, 0, "{name}: {found:o}");
    }
    // Her session outlives a new start.
    let (_process, again) = start(&data)?;
    let mut again = again.with_cookie("sessionid", &key);
    assert!(again.open("/").await?.text().contains("data-user"));
    Ok(())
}

#[test]
fn check_says_what_is_loose_and_fails_for_what_stops_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let check = |more: &[&str], variables: &[(&str, &str)]| -> Result<(bool, String)> {
        let mut command = vault(&folder.path().join("data"));
        command.current_dir(folder.path()).arg("check").args(more);
        for (name, value) in variables {
            command.env(name, value);
        }
        let output = command.output()?;
        Ok((output.status.success(), String::from_utf8(output.stdout)?))
    };
    let (fine, said) = check(&[], &[])?;
    assert!(fine && said == "Nothing was found.\n", "{said}");
    assert!(!folder.path().join("data").exists(), "nothing is made");
    let loose = [("PALISADE_SECURE_HSTS_SECONDS", "0")];
    let (fine, said) = check(&["--json"], &loose)?;
    assert!(fine && said.contains("\"django\": \"security.W004\""), "{said}");
    assert!(!check(&["--strict"], &loose)?.0);
    let unsent = [("PALISADE_EMAIL_HOST", "mail.example")];
    let (fine, said) = check(&[], &unsent)?;
    assert!(!fine && said.contains("(palisade.site_url)"), "{said}");
    let sent = [unsent[0], ("PALISADE_SITE_URL", "https://vault.example")];
    let (fine, said) = check(&[], &sent)?;
    assert!(fine, "{said}");

    let config = folder.path().join("palisade.toml");
    fs::write(
        &config,
        "secret_key = \"short and shy\"\nsession_cookie_secure = false\n",
    )?;
    let (fine, said) = check(&[], &[])?;
    assert!(!fine);
    for id in ["security.W009", "security.W012", "chmod 600"] {
        assert!(said.contains(id), "{id} is not in {said}");
    }
    assert!(!said.contains("short and shy"), "{said}");
    Ok(())
}

#[tokio::test]
async fn check_says_which_key_keeps_the_vault_from_starting() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (mut process, _) = start(&data)?;
    assert!(process.terminate()?.success());
    let says = |words: &str| -> Result<()> {
        let output = vault(&data).current_dir(folder.path()).arg("check").output()?;
        let said = String::from_utf8(output.stdout)?;
        assert!(!output.status.success() && said.contains(words), "{said}");
        Ok(())
    };
    let key = fs::read(data.join("secret-key"))?;
    fs::remove_file(data.join("secret-key"))?;
    says("secret-key is gone")?;
    fs::write(data.join("secret-key"), "short")?;
    fs::set_permissions(data.join("secret-key"), fs::Permissions::from_mode(0o600))?;
    says("is damaged or too short")?;
    fs::write(data.join("secret-key"), key)?;
    for sealing in fs::read_dir(data.join("seal-keys"))? {
        fs::remove_file(sealing?.path())?;
    }
    says("palisade keys make")
}

#[tokio::test]
async fn key_in_the_data_folder_that_others_may_read_stops_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (mut process, _) = start(&data)?;
    assert!(process.terminate()?.success());
    fs::set_permissions(data.join("secret-key"), fs::Permissions::from_mode(0o644))?;
    let said = refused(&mut vault(&data))?;
    assert!(said.contains("chmod 600"), "{said}");
    Ok(())
}

#[tokio::test]
async fn admin_gets_a_letter_of_a_fault_before_the_vault_ends_and_what_was_written_is_not_in_it() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let config = folder.path().join("vault.toml");
    fs::write(
        &config,
        "admins = [\"Ann <ann@example.com>\"]\nemail_subject_prefix = \"[Vault] \"\n",
    )?;
    let (mut process, mut anna) = start_with(&data, &["--config".as_ref(), config.as_os_str()])?;
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    assert_eq!(anna.submit("/signup/", &fields).await?.status, 303);
    Connection::open(data.join("vault.sqlite3"))?
        .execute_batch("ALTER TABLE vault_note RENAME TO vault_note_away")?;
    for _ in 0..3 {
        let note = [("title", "safe"), ("body", "the combination is 4711")];
        assert_eq!(anna.submit("/secret/", &note).await?.status, 500);
    }
    assert!(process.terminate()?.success());
    let mut letters = Vec::new();
    for entry in fs::read_dir(data.join("mail"))? {
        letters.push(fs::read_to_string(entry?.path())?.replace("=\r\n", ""));
    }
    letters.sort_by_key(|letter| letter.contains("more faults"));
    assert_eq!(letters.len(), 2, "{letters:#?}");
    assert!(letters[0].contains("Subject: [Vault] ERROR (EXTERNAL IP): Internal Server Error: /secret/"));
    assert!(letters[0].contains("To: Ann <ann@example.com>"), "{}", letters[0]);
    assert!(
        letters[1].contains("2 times  Internal Server Error: /secret/"),
        "{}",
        letters[1]
    );
    for letter in letters {
        assert!(!letter.contains("4711") && !letter.contains(PASSWORD), "{letter}");
    }
    Ok(())
}

/// A note that could not be changed is as secret as one that could not be kept.
#[tokio::test]
async fn note_whose_change_fails_is_in_no_report_and_no_log() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (process, mut anna) = start(&data)?;
    let fields = [
        ("username", "anna"),
        ("email", ""),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    assert_eq!(anna.submit("/signup/", &fields).await?.status, 303);
    let fields = [("title", "the safe"), ("body", "nothing yet")];
    assert_eq!(anna.submit("/secret/", &fields).await?.status, 303);
    let database = Connection::open(data.join("vault.sqlite3"))?;
    database.busy_timeout(Duration::from_secs(30))?;
    database.execute_batch(
        "CREATE TRIGGER full BEFORE UPDATE ON vault_note BEGIN SELECT RAISE(FAIL, 'the disk is full'); END",
    )?;
    let fields = [("title", "behind the painting"), ("body", "combination-4711")];
    let failed = anna.submit("/secret/1/edit/", &fields).await?;
    assert_eq!(failed.status, 500, "{}", failed.text());
    process.wait_for(Duration::from_mins(1), |line| {
        line.contains("a fault was reported").then_some(())
    })?;
    let mut told = process.log();
    for entry in fs::read_dir(data.join("reports"))? {
        told.push_str(&fs::read_to_string(entry?.path())?);
    }
    assert!(told.contains("/secret/{id}/edit/"), "{told}");
    for secret in ["combination-4711", "behind the painting"] {
        assert!(!told.contains(secret), "{told}");
    }
    Ok(())
}
