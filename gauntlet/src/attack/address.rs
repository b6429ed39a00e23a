//! `untrusted-host`: where a link leads, a login goes on and a request comes from, as the request itself says.

use anyhow::{Context, Result, ensure};
use testkit::raw::exchange;
use url::Url;

use super::Outcome;
use super::member::{address, is_in, join, log_in, submit_with};
use super::recovery::next_link;
use crate::{Person, Target};

/// Who wants to be taken for the site.
const FOREIGN: &str = "evil.test";

/// An address that nobody comes from.
const MADE_UP: &str = "203.0.113.77";

/// Lets a login go on to another site, which begins with two slashes, a backslash, or a scheme with none.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn onward_by_slashes(target: &Target) -> Result<Outcome> {
    let places = [
        "//",
        "///",
        "/\\",
        "\\\\",
        "https:",
        "https:/",
        "https://",
        "//\\",
        "https:\\\\",
        "HtTpS:///",
    ];
    let places: Vec<String> = places.iter().map(|start| format!("{start}{FOREIGN}/")).collect();
    onward(target, &places).await
}

/// Lets a login go on to an address that has the site's name before an @, or at the front of a longer name.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn onward_by_a_user_part(target: &Target) -> Result<Outcome> {
    let host = target.host();
    let places = [
        format!("https://{host}@{FOREIGN}/"),
        format!("https://{host}:443@{FOREIGN}/"),
        format!("//{host}@{FOREIGN}/"),
        format!("https://{host}.{FOREIGN}/"),
        format!("https://{FOREIGN}/?{host}"),
        format!("https://{FOREIGN}/#https://{host}/"),
        format!("https://{FOREIGN}\\@{host}/"),
        format!("https://[::ffff:203.0.113.77]/{host}"),
    ];
    onward(target, &places).await
}

/// Lets a login go on to an address with tabs, line ends and spaces, which a browser takes out and a check may not.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn onward_by_unseen_letters(target: &Target) -> Result<Outcome> {
    let places = [
        format!("/\t/{FOREIGN}/"),
        format!("\t//{FOREIGN}/"),
        format!(" //{FOREIGN}/"),
        format!("/\n/{FOREIGN}/"),
        format!("ht\ttps://{FOREIGN}/"),
        format!("java\tscript:alert(1)//{FOREIGN}"),
        format!("\u{1}https://{FOREIGN}/"),
        format!("/\r\nLocation: https://{FOREIGN}/"),
        format!("\u{a0}//{FOREIGN}/"),
    ];
    onward(target, &places).await
}

/// Asks for `//evil.test` and its like, which an address that is set right leads to.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn foreign_address_set_right(target: &Target) -> Result<Outcome> {
    let mut led = Vec::new();
    for path in [
        format!("//{FOREIGN}"),
        format!("//{FOREIGN}/login"),
        format!("/\\{FOREIGN}"),
        format!("//{FOREIGN}/%2e%2e"),
        format!("/%2f{FOREIGN}"),
        format!("//{FOREIGN}//"),
    ] {
        for wire in [target.wire().await?, target.wire_in_clear().await?] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                target.host()
            );
            let said = exchange(wire, request).await?;
            let place = location(&said);
            if leads_away(target, place)? {
                led.push(format!("{path} to {place}"));
            }
        }
    }
    Ok(Outcome::new(!led.is_empty(), format!("{led:?}")))
}

/// Names one host in the target of the request and another in the header.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn target_against_host(target: &Target) -> Result<Outcome> {
    let host = target.host();
    let heads = [
        format!("GET https://{FOREIGN}/login/ HTTP/1.1\r\nHost: {host}"),
        format!("GET https://{host}/login/ HTTP/1.1\r\nHost: {FOREIGN}"),
        format!("GET http://{FOREIGN}/login/ HTTP/1.0\r\nHost: {host}"),
        format!("GET https://{host}@{FOREIGN}/login/ HTTP/1.1\r\nHost: {host}"),
    ];
    believed(target, &heads).await
}

/// Sends two Host headers, of which a proxy reads one and the site the other.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn two_hosts(target: &Target) -> Result<Outcome> {
    let host = target.host();
    let heads = [
        format!("GET /login/ HTTP/1.1\r\nHost: {FOREIGN}\r\nHost: {host}"),
        format!("GET /login/ HTTP/1.1\r\nHost: {host}\r\nHost: {FOREIGN}"),
        format!("GET /login/ HTTP/1.1\r\nHost: {host}\r\n Host: {FOREIGN}"),
    ];
    believed(target, &heads).await
}

/// Hides another name in the Host behind the site's own: before an @, behind a port, with a dot too many.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn host_within_a_host(target: &Target) -> Result<Outcome> {
    let host = target.host();
    let names = [
        format!("{host}@{FOREIGN}"),
        format!("{host}:443@{FOREIGN}"),
        format!("{host}:{FOREIGN}"),
        format!("{host}.{FOREIGN}"),
        format!("{FOREIGN}/{host}"),
        format!("{FOREIGN}#{host}"),
        format!("{FOREIGN}\\{host}"),
        format!("{FOREIGN}, {host}"),
        format!("{FOREIGN}?.{host}"),
    ];
    let heads: Vec<String> = names
        .iter()
        .map(|name| format!("GET /login/ HTTP/1.1\r\nHost: {name}"))
        .collect();
    believed(target, &heads).await
}

/// Asks for a link to the victim's account under a host with another behind its port.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn mail_by_a_port(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let email = address(Person::VICTIM);
    let host = target.host();
    for claimed in [
        format!("{host}:@{FOREIGN}"),
        format!("{host}:443@{FOREIGN}"),
        FOREIGN.to_owned(),
    ] {
        let mut mallory = target.visitor()?;
        mallory.open("/forgot/").await?;
        let mut mallory = mallory.claiming_host(&claimed);
        // What is refused sends no mail, and that is the answer.
        submit_with(&mut mallory, "/forgot/", &[("email", &email)], &[]).await?;
    }
    // The victim asks, too: a mail that comes shows that mails come.
    let before = links(target)?;
    target.visitor()?.submit("/forgot/", &[("email", &email)]).await?;
    next_link(target, before).await?;
    let poisoned = target
        .mails()?
        .iter()
        .filter(|mail| mail.contains(FOREIGN))
        .count();
    Ok(Outcome::new(
        poisoned > 0,
        format!("{poisoned} mails lead to {FOREIGN}"),
    ))
}

/// Says in every header there is that the request comes from elsewhere, to be written down so.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn made_up_address_in_the_log(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let mut mallory = target.visitor()?;
    let forwarded = format!("for={MADE_UP}");
    let headers = [
        ("x-forwarded-for", MADE_UP),
        ("x-real-ip", MADE_UP),
        ("forwarded", forwarded.as_str()),
        ("x_forwarded_for", MADE_UP),
    ];
    let Person { username, password } = Person::VICTIM;
    for tried in ["wrong", password] {
        let fields = [("username", username), ("password", tried)];
        submit_with(&mut mallory, "/login/", &fields, &headers).await?;
    }
    ensure!(is_in(&mut mallory).await?, "the login did not work");
    let sessions = mallory.open("/sessions/").await?.text();
    let log = target.log();
    ensure!(!log.is_empty(), "nothing is logged");
    let found = log.lines().find(|line| line.contains(MADE_UP));
    Ok(Outcome::new(
        found.is_some() || sessions.contains(MADE_UP),
        format!("the log says {found:?}"),
    ))
}

fn links(target: &Target) -> Result<usize> {
    let mails = target.mails()?;
    let lines = mails.iter().flat_map(|mail| mail.lines());
    Ok(lines.filter(|line| line.contains("/reset/")).count())
}

/// Logs in once with each of these as the place to go on to.
async fn onward(target: &Target, places: &[String]) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let mut away = Vec::new();
    for place in places {
        let next = testkit::visitor::form(&[("next", place)]);
        let mut victim = target.visitor()?;
        let Person { username, password } = Person::VICTIM;
        let fields = [("username", username), ("password", password)];
        let reply = victim.submit(&format!("/login/?{next}"), &fields).await?;
        if reply.status.is_client_error() {
            // Refused as a whole: then the login itself must still work.
            log_in(&mut victim, Person::VICTIM).await?;
            ensure!(is_in(&mut victim).await?, "nobody can log in");
        }
        let led = reply.header("location");
        if leads_away(target, led)? {
            away.push(format!("{place:?} leads to {led:?}"));
        }
    }
    Ok(Outcome::new(!away.is_empty(), format!("{away:?}")))
}

/// Whether a browser would go to another host from here.
fn leads_away(target: &Target, place: &str) -> Result<bool> {
    if place.is_empty() {
        return Ok(false);
    }
    let here = Url::parse(&target.url("/login/"))?;
    Ok(match here.join(place) {
        Ok(there) => there.host_str() != here.host_str() && there.host_str() != Some("localhost"),
        Err(_) => place.contains(FOREIGN),
    })
}

/// Sends each head, and looks whether the page leads to the foreign host.
async fn believed(target: &Target, heads: &[String]) -> Result<Outcome> {
    let mut found = Vec::new();
    let mut answers = Vec::new();
    for head in heads {
        let said = exchange(
            target.wire().await?,
            format!("{head}\r\nConnection: close\r\n\r\n"),
        )
        .await?;
        let status = said.lines().next().context("no answer")?.to_owned();
        let success = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
        if (success && said.contains(FOREIGN)) || location(&said).contains(FOREIGN) {
            found.push(head.replace("\r\n", " | "));
        }
        answers.push(status);
    }
    Ok(Outcome::new(
        !found.is_empty(),
        format!("believed: {found:?}; answered {answers:?}"),
    ))
}

fn location(said: &str) -> &str {
    let head = said.split("\r\n\r\n").next().unwrap_or_default();
    let line = head.lines().find_map(|line| {
        line.split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
    });
    line.map_or("", |(_, place)| place.trim())
}
