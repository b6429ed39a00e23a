//! `sensitive-data-exposure`, `session-hijacking`, `exposed-diagnostics`: what a thief makes of a stolen database, a cache, a browser
//! that was left, a log and a fault.

use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use http::{Method, header};
use testkit::Visitor;
use testkit::visitor::form;

use super::Outcome;
use crate::{Person, Target};

/// How long a letter may take on a busy machine, and how often is looked for it.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(20);

/// What stands in a page that knows its visitor.
const KNOWN: &str = "data-user";

/// What the victim writes down, of which not a word may be found anywhere.
const SECRET: &str = "the combination is 4711";

/// Somebody with an account, logged in.
async fn member(target: &Target, person: Person) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    let fields = [
        ("username", person.username),
        ("email", ""),
        ("password1", person.password),
        ("password2", person.password),
    ];
    visitor.submit("/signup/", &fields).await?;
    if visitor.cookie("sessionid").is_none() {
        let fields = [("username", person.username), ("password", person.password)];
        visitor.submit("/login/", &fields).await?;
    }
    ensure!(
        visitor.open("/").await?.text().contains(KNOWN),
        "nobody is logged in"
    );
    Ok(visitor)
}

/// `session-hijacking`: sends the keys out of a stolen table of sessions as cookies.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn live_session_of_a_stolen_table(target: &Target) -> Result<Outcome> {
    let victim = member(target, Person::VICTIM).await?;
    let stolen = target.stolen_sessions()?;
    ensure!(!stolen.is_empty(), "there is nothing to steal");
    for (key, _) in &stolen {
        let mut thief = victim.stranger().with_cookie("sessionid", key);
        if thief.open("/").await?.text().contains(KNOWN) {
            return Ok(Outcome::new(true, format!("{key} opens a session")));
        }
    }
    Ok(Outcome::new(
        false,
        format!("none of {} keys opens a session", stolen.len()),
    ))
}

/// `sensitive-data-exposure`: reads the data out of a stolen table of sessions, which needs no key where it is only signed.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn data_of_a_stolen_table(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    let stolen = target.stolen_sessions()?;
    ensure!(!stolen.is_empty(), "there is nothing to steal");
    let read: Vec<String> = stolen.iter().map(|(_, data)| opened(data)).collect();
    let tells = |data: &&String| data.contains("_auth_user_id") || data.contains(Person::VICTIM.username);
    let told = read.iter().find(tells);
    Ok(Outcome::new(
        told.is_some(),
        format!("read {:?}", told.or(read.first())),
    ))
}

/// What stands in signed data, which begins with a dot where it is compressed.
fn opened(data: &str) -> String {
    let payload = data.split(':').next().unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(payload.trim_start_matches('.'));
    let Ok(decoded) = decoded else {
        return data.to_owned();
    };
    if !payload.starts_with('.') {
        return String::from_utf8_lossy(&decoded).into_owned();
    }
    let mut text = String::new();
    match ZlibDecoder::new(decoded.as_slice()).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => data.to_owned(),
    }
}

/// `session-hijacking`: writes the data of the victim's session into the row of the attacker's own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_data_moved_to_ones_own(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    let known = target.stolen_sessions()?;
    let mut attacker = member(target, Person::ATTACKER).await?;
    let (_, data) = known.first().cloned().unwrap_or_default();
    target.overwrite_sessions(&data)?;
    let page = attacker.open("/").await?.text();
    Ok(Outcome::new(
        page.contains(Person::VICTIM.username),
        "the attacker's own page after the change",
    ))
}

/// `sensitive-data-exposure`: looks for the victim's page in a shared cache that keys by address, as many do.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn private_page_in_a_shared_cache(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    let page = victim.open("/").await?;
    ensure!(
        page.text().contains(Person::VICTIM.username),
        "it is not the victim's page"
    );
    let policy = page.header("cache-control").to_ascii_lowercase();
    let kept = !["no-store", "private", "no-cache"]
        .iter()
        .any(|word| policy.contains(word));
    Ok(Outcome::new(kept, format!("it says Cache-Control: {policy:?}")))
}

/// `sensitive-data-exposure`: presses the back button after the victim's logout, as far as headers decide what is there.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn page_behind_the_back_button(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    let page = victim.open("/").await?;
    let kept = !page.header("cache-control").contains("no-store");
    let token = page.field("csrfmiddlewaretoken").unwrap_or_default();
    let origin = victim.origin();
    let request = victim
        .request(Method::POST, "/logout/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, &origin)
        .header(header::REFERER, format!("{origin}/"));
    let goodbye = victim
        .send(request, form(&[("csrfmiddlewaretoken", &token)]).into())
        .await?;
    ensure!(
        goodbye.status.is_redirection(),
        "the logout was answered with {}",
        goodbye.status
    );
    let forgotten = goodbye.header("clear-site-data").contains("\"cache\"");
    Ok(Outcome::new(
        kept && !forgotten,
        format!(
            "the page said Cache-Control: {:?}, the logout Clear-Site-Data: {:?}",
            page.header("cache-control"),
            goodbye.header("clear-site-data")
        ),
    ))
}

/// Lets the site fail while the victim writes a note, and gives the page that answers.
async fn fault(target: &Target) -> Result<(u16, String)> {
    let mut victim = member(target, Person::VICTIM).await?;
    target.break_notes()?;
    let reply = victim
        .submit("/secret/", &[("title", "safe"), ("body", SECRET)])
        .await?;
    let status = reply.status.as_u16();
    ensure!(status >= 500, "the site did not fail, but answered {status}");
    Ok((status, reply.text()))
}

/// `sensitive-data-exposure`: looks for what a form held in the log and the reports after a fault.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn secret_in_log_or_report(target: &Target) -> Result<Outcome> {
    let (status, _) = fault(target).await?;
    let written = format!("{}\n{}", target.log(), target.fault_reports()?);
    ensure!(
        written.contains("/secret/"),
        "the fault was not noticed: {written}"
    );
    // As a form sends it there are no spaces between its words.
    let word = SECRET.split(' ').nth(1).unwrap_or(SECRET);
    let found = written.lines().find(|line| line.contains(word));
    Ok(Outcome::new(found.is_some(), format!("{status}, and {found:?}")))
}

/// `sensitive-data-exposure`: reads the letter that the site sends to the person who runs it, on its way or in a shared mailbox.
///
/// # Errors
/// When the attack could not be carried out, or no letter came.
pub async fn secret_in_a_letter_to_an_admin(target: &Target) -> Result<Outcome> {
    let (status, _) = fault(target).await?;
    let begun = Instant::now();
    let letter = loop {
        // A long line goes on behind an equals sign.
        let mails = target
            .mails()?
            .into_iter()
            .map(|mail| mail.replace("=\r\n", "").replace("=\n", ""));
        if let Some(letter) = mails
            .into_iter()
            .find(|mail| mail.contains("Internal Server Error"))
        {
            break letter;
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no letter came; the site says {}",
            target.log()
        );
        tokio::time::sleep(LOOK).await;
    };
    ensure!(
        letter.contains("/secret/"),
        "it is about something else: {letter}"
    );
    let secrets = [SECRET, Person::VICTIM.password];
    let found = letter
        .lines()
        .find(|line| secrets.iter().any(|secret| line.contains(secret)));
    Ok(Outcome::new(found.is_some(), format!("{status}, and {found:?}")))
}

/// `exposed-diagnostics`: reads the settings, the query or the place in the source off the page that answers a fault.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn settings_in_an_error_page(target: &Target) -> Result<Outcome> {
    let (status, page) = fault(target).await?;
    let lower = page.to_ascii_lowercase();
    let told = [
        "secret_key",
        "vault_note",
        "insert into",
        "sqlite",
        ".rs:",
        "backtrace",
        "panicked",
    ];
    let found = told.iter().find(|word| lower.contains(**word));
    Ok(Outcome::new(found.is_some(), format!("{status} with {found:?}")))
}
