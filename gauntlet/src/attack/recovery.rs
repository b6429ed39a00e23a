//! `credential-guessing`: the ways back into an account, reset, second factor and recovery codes, are abused.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use testkit::{Visitor, authenticator};

use super::Outcome;
use crate::{Person, Target};

/// How long a mail may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a mail is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(20);

const NEW: &str = "kettle marble violin 9";

fn address(person: Person) -> String {
    format!("{}@example.com", person.username)
}

/// Makes an account with an address, and leaves its owner logged in.
async fn member(target: &Target, person: Person) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    let email = address(person);
    let fields = [
        ("username", person.username),
        ("email", email.as_str()),
        ("password1", person.password),
        ("password2", person.password),
    ];
    visitor.submit("/signup/", &fields).await?;
    if !is_logged_in(&mut visitor).await? {
        log_in(&mut visitor, person.username, person.password).await?;
    }
    visitor.submit("/profile/", &[("email", email.as_str())]).await?;
    ensure!(
        is_logged_in(&mut visitor).await?,
        "there is no account for {}",
        person.username
    );
    Ok(visitor)
}

async fn is_logged_in(visitor: &mut Visitor) -> Result<bool> {
    Ok(visitor.open("/").await?.text().contains("data-user"))
}

async fn log_in(visitor: &mut Visitor, username: &str, password: &str) -> Result<()> {
    let fields = [("username", username), ("password", password)];
    visitor.submit("/login/", &fields).await?;
    Ok(())
}

async fn opens(target: &Target, person: Person, password: &str) -> Result<bool> {
    let mut visitor = target.visitor()?;
    log_in(&mut visitor, person.username, password).await?;
    is_logged_in(&mut visitor).await
}

/// The link of the mail that comes next after so many.
///
/// # Errors
/// When none comes.
pub async fn next_link(target: &Target, before: usize) -> Result<String> {
    let begun = Instant::now();
    loop {
        let resets = links(target)?;
        if let Some(link) = resets.get(before) {
            return Ok(link.clone());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no mail came; the site says {}",
            target.log()
        );
        tokio::time::sleep(LOOK).await;
    }
}

fn links(target: &Target) -> Result<Vec<String>> {
    let mails = target.mails()?;
    let lines = mails.iter().flat_map(|mail| mail.lines());
    let links = lines.filter(|line| line.contains("/reset/"));
    Ok(links.map(|line| line.trim().to_owned()).collect())
}

fn path(link: &str) -> Result<&str> {
    let at = link.find("/reset/").context("no link")?;
    link.get(at..).context("no link")
}

async fn ask_for_a_link(target: &Target, person: Person) -> Result<String> {
    let before = links(target)?.len();
    target
        .visitor()?
        .submit("/forgot/", &[("email", &address(person))])
        .await?;
    next_link(target, before).await
}

/// Opens a link as a browser does, and sets the password.
async fn set_password(target: &Target, link: &str, password: &str) -> Result<()> {
    let mut visitor = target.visitor()?;
    let reply = visitor.open(path(link)?).await?;
    let page = match reply.header("location") {
        "" => path(link)?.to_owned(),
        page => page.to_owned(),
    };
    let fields = [("new_password1", password), ("new_password2", password)];
    visitor.submit(&page, &fields).await?;
    Ok(())
}

/// Asks for a link to the victim's account, and calls the site by the attacker's name.
///
/// # Errors
/// When the site does not answer.
pub async fn poisoned_reset_link(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    let before = links(target)?.len();
    let mut mallory = target.visitor()?;
    let token = mallory
        .open("/forgot/")
        .await?
        .field("csrfmiddlewaretoken")
        .unwrap_or_default();
    let (origin, email) = (mallory.origin(), address(Person::VICTIM));
    let body = testkit::visitor::form(&[("email", &email), ("csrfmiddlewaretoken", &token)]);
    for header in ["x-forwarded-host", "x-host", "forwarded"] {
        let value = if header == "forwarded" {
            "host=evil.example"
        } else {
            "evil.example"
        };
        let request = mallory
            .request(Method::POST, "/forgot/")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &origin)
            .header("referer", format!("{origin}/forgot/"))
            .header(header, value);
        mallory.send(request, Bytes::from(body.clone())).await?;
    }
    next_link(target, before + 2).await?;
    let poisoned: Vec<_> = links(target)?
        .into_iter()
        .filter(|link| link.contains("evil.example"))
        .collect();
    Ok(Outcome::new(!poisoned.is_empty(), format!("{poisoned:?}")))
}

/// Uses a link that its owner has used before.
///
/// # Errors
/// When the site does not answer.
pub async fn reset_link_used_twice(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    let link = ask_for_a_link(target, Person::VICTIM).await?;
    set_password(target, &link, NEW).await?;
    ensure!(
        opens(target, Person::VICTIM, NEW).await?,
        "the link does not work once"
    );
    set_password(target, &link, Person::ATTACKER.password).await?;
    let opened = opens(target, Person::VICTIM, Person::ATTACKER.password).await?;
    Ok(Outcome::new(opened, link))
}

/// Uses a link that was sent before the victim changed the password.
///
/// # Errors
/// When the site does not answer.
pub async fn reset_link_after_a_new_password(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    let link = ask_for_a_link(target, Person::VICTIM).await?;
    let fields = [
        ("old_password", Person::VICTIM.password),
        ("new_password1", NEW),
        ("new_password2", NEW),
    ];
    victim.submit("/password/", &fields).await?;
    ensure!(
        opens(target, Person::VICTIM, NEW).await?,
        "the password was not changed"
    );
    set_password(target, &link, Person::ATTACKER.password).await?;
    let opened = opens(target, Person::VICTIM, Person::ATTACKER.password).await?;
    Ok(Outcome::new(opened, link))
}

/// Uses one's own link for somebody else's account.
///
/// # Errors
/// When the site does not answer.
pub async fn reset_link_of_another(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    member(target, Person::ATTACKER).await?;
    let victims = ask_for_a_link(target, Person::VICTIM).await?;
    let own = ask_for_a_link(target, Person::ATTACKER).await?;
    let uid =
        |link: &str| Ok::<_, anyhow::Error>(path(link)?.split('/').nth(2).context("no user")?.to_owned());
    // Who a link is for is no secret.
    let forged = own.replacen(&format!("/{}/", uid(&own)?), &format!("/{}/", uid(&victims)?), 1);
    // The victim's own link dies first, so that only the attacker's can have opened the account.
    ensure!(
        opens(target, Person::VICTIM, Person::VICTIM.password).await?,
        "no login"
    );
    set_password(target, &forged, Person::ATTACKER.password).await?;
    let opened = opens(target, Person::VICTIM, Person::ATTACKER.password).await?;
    Ok(Outcome::new(opened, forged))
}

/// Asks for links to many addresses, to learn which are known.
///
/// # Errors
/// When the site does not answer.
pub async fn account_told_apart_by_its_reset(target: &Target) -> Result<Outcome> {
    member(target, Person::VICTIM).await?;
    let mut answers = Vec::new();
    for email in [address(Person::VICTIM), "nobody@example.com".to_owned()] {
        let mut mallory = target.visitor()?;
        let reply = mallory.submit("/forgot/", &[("email", &email)]).await?;
        let page = reply.header("location").to_owned();
        answers.push((reply.status.as_u16(), page, reply.text().replace(&email, "")));
    }
    let differ = answers.first() != answers.last();
    Ok(Outcome::new(differ, format!("{answers:?}")))
}

/// Adds a second factor: its secret and the recovery codes.
async fn second_factor(victim: &mut Visitor) -> Result<(String, Vec<String>)> {
    victim.submit("/second-factor/", &[]).await?;
    let page = victim.open("/second-factor/").await?;
    let secret = after(&page.text(), "data-totp>")
        .context("no secret")?
        .replace(' ', "");
    let token = page.field("csrfmiddlewaretoken").unwrap_or_default();
    let origin = victim.origin();
    let request = victim
        .request(Method::POST, "/second-factor/confirm/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &origin)
        .header("referer", format!("{origin}/second-factor/"));
    let body = testkit::visitor::form(&[("code", &code(&secret, 0)?), ("csrfmiddlewaretoken", &token)]);
    let shown = victim.send(request, Bytes::from(body)).await?;
    let codes: Vec<String> = shown
        .text()
        .split("data-code>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next().map(str::to_owned))
        .collect();
    ensure!(codes.len() == 10, "there are no recovery codes: {}", shown.text());
    Ok((secret, codes))
}

fn after(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    Some(rest.split('<').next()?.to_owned())
}

fn code(secret: &str, ahead: u64) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    authenticator::code(secret, now + ahead).context("the secret is none")
}

/// Somebody who knows the password.
async fn half_logged_in(target: &Target) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    log_in(&mut visitor, Person::VICTIM.username, Person::VICTIM.password).await?;
    Ok(visitor)
}

/// Knows the password, and gives a code: whether that opens the account.
async fn second_step(target: &Target, given: &str) -> Result<bool> {
    let mut visitor = half_logged_in(target).await?;
    let reply = visitor.submit("/login/second/", &[("code", given)]).await?;
    Ok(reply.header("location") == "/" && is_logged_in(&mut visitor).await?)
}

/// Logs in with a stolen password alone.
///
/// # Errors
/// When the site does not answer.
pub async fn half_login(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    second_factor(&mut victim).await?;
    let opened = opens(target, Person::VICTIM, Person::VICTIM.password).await?;
    Ok(Outcome::new(opened, "logged in with the password alone"))
}

/// Gives a code that was read over the victim's shoulder.
///
/// # Errors
/// When the site does not answer.
pub async fn code_replayed(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    let (secret, _) = second_factor(&mut victim).await?;
    let seen = code(&secret, 30)?;
    ensure!(second_step(target, &seen).await?, "the code does not work once");
    let opened = second_step(target, &seen).await?;
    Ok(Outcome::new(opened, "the same code again"))
}

/// Gives a recovery code that was used.
///
/// # Errors
/// When the site does not answer.
pub async fn recovery_code_twice(target: &Target) -> Result<Outcome> {
    let mut victim = member(target, Person::VICTIM).await?;
    let (_, codes) = second_factor(&mut victim).await?;
    let used = codes.first().context("no code")?;
    ensure!(second_step(target, used).await?, "the code does not work once");
    let opened = second_step(target, used).await?;
    Ok(Outcome::new(opened, "the same recovery code again"))
}

/// Guesses codes in a row, with the right one among them at last: whether each of them was looked at, and that one opened the account.
///
/// # Errors
/// When the site does not answer.
pub async fn codes_guessed_in_a_row(target: &Target) -> Result<Outcome> {
    const GUESSES: usize = 20;
    let mut victim = member(target, Person::VICTIM).await?;
    let (secret, _) = second_factor(&mut victim).await?;
    let mut refused = 0;
    for guess in 0..GUESSES {
        let mut stranger = half_logged_in(target).await?;
        let reply = stranger
            .submit("/login/second/", &[("code", &format!("{guess:06}"))])
            .await?;
        refused += usize::from(reply.status == StatusCode::TOO_MANY_REQUESTS);
    }
    let opened = second_step(target, &code(&secret, 30)?).await?;
    Ok(Outcome::new(
        opened && refused == 0,
        format!(
            "{refused} of {GUESSES} guesses were refused; the one after them opened the account: {opened}"
        ),
    ))
}
