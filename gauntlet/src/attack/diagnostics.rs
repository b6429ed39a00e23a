//! `exposed-diagnostics`: what a site tells of itself to whoever asks in the wrong way.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use testkit::raw::exchange;

use super::Outcome;
use super::member::join;
use crate::{Person, Target};

/// What only somebody says who is taken apart: the names of parts, places in the source, errors of parsers.
const INSIDES: [&str; 14] = [
    "deserialize",
    "cannot parse",
    "can't parse",
    "invalid digit",
    ".rs:",
    "panicked",
    "backtrace",
    "axum",
    "serde",
    "hyper",
    "rusqlite",
    "missing field",
    "extension of type",
    "traceback",
];

/// Sends TRACE with a cookie that script cannot read, and reads it in the answer.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn trace(target: &Target) -> Result<Outcome> {
    let victim = join(target, Person::VICTIM).await?;
    let session = victim.cookie("sessionid").unwrap_or_default().to_owned();
    let mut victim = victim;
    let mut seen = Vec::new();
    for method in ["TRACE", "TRACK", "DEBUG"] {
        let request = victim.request(Method::from_bytes(method.as_bytes())?, "/");
        let reply = victim.send(request, Bytes::new()).await?;
        let echoed = reply.text().contains(&session);
        if echoed {
            return Ok(Outcome::new(true, format!("{method} echoes the cookie")));
        }
        seen.push(format!("{method}: {}", reply.status));
    }
    Ok(Outcome::new(false, seen.join(", ")))
}

/// Asks for the files that are left in folders: settings, keys, a repository, a copy of the database.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn files_left_behind(target: &Target) -> Result<Outcome> {
    let mut found = Vec::new();
    for path in [
        "/.env",
        "/.git/config",
        "/.git/HEAD",
        "/settings.py",
        "/palisade.toml",
        "/Cargo.toml",
        "/Cargo.lock",
        "/vault.sqlite3",
        "/db.sqlite3",
        "/static/../palisade.toml",
        "/static/..%2f..%2f.env",
        "/static/%2e%2e/palisade.toml",
        "/tls/ca-key.pem",
        "/secret_key",
        "/backup.zip",
        "/main.js.map",
        "/server-status",
        "/metrics",
        "/debug/pprof/",
        "/actuator/env",
        "/__debug__/",
        "/graphql",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            target.host()
        );
        let said = exchange(target.wire().await?, request).await?;
        if said.starts_with("HTTP/1.1 200") {
            found.push(path);
        }
    }
    Ok(Outcome::new(!found.is_empty(), format!("served: {found:?}")))
}

/// Makes an address of words that a page which is not found shows as the site's own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn words_on_the_missing_page(target: &Target) -> Result<Outcome> {
    let mut shown = Vec::new();
    for path in [
        "/The%20shop%20has%20moved%20to%20evil.test/",
        "/secret/The%20shop%20has%20moved%20to%20evil.test/",
        "/x/?message=The+shop+has+moved+to+evil.test",
        "/x/%3Cb%3EThe%20shop%20has%20moved%20to%20evil.test/",
    ] {
        let text = target.visitor()?.open(path).await?.text();
        if text.contains("has moved to evil.test") {
            shown.push(path);
        }
    }
    Ok(Outcome::new(!shown.is_empty(), format!("shown at {shown:?}")))
}

/// Asks for what is missing, to be told what there is.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn routes_on_the_missing_page(target: &Target) -> Result<Outcome> {
    let mut told = Vec::new();
    for path in [
        "/missing/",
        "/staff/missing/",
        "/secret/missing/missing/",
        "/static/missing.css",
    ] {
        let text = target.visitor()?.open(path).await?.text();
        if ["{id}", "/staff/csp/", "urlpatterns", "fallback"]
            .iter()
            .any(|word| text.contains(word))
        {
            told.push(path);
        }
    }
    Ok(Outcome::new(
        !told.is_empty(),
        format!("routes are told at {told:?}"),
    ))
}

/// Sends what no form sends, wrong types, broken encodings, to be told what could not make anything of it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn insides_by_wrong_types(target: &Target) -> Result<Outcome> {
    let mut member = join(target, Person::VICTIM).await?;
    let mut answers = Vec::new();
    for path in [
        "/documents/x/",
        "/secret/x/edit/",
        "/secret/%ff/",
        "/?q=%ff&sort=%00",
        "/secret/99999999999999999999/",
    ] {
        let reply = member.open(path).await?;
        answers.push((path, reply.status, reply.text()));
    }
    let bodies: [(&str, &[u8]); 5] = [
        ("application/json", b"{\"username\": 1}"),
        ("text/plain", b"username"),
        ("application/x-www-form-urlencoded", b"username=%ff%fe&\xff"),
        ("multipart/form-data", b"--x"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: nonsense\r\n\r\n",
        ),
    ];
    for (kind, body) in bodies {
        for path in ["/login/", "/profile/"] {
            let request = member
                .request(Method::POST, path)
                .header(header::CONTENT_TYPE, kind)
                .header(header::ORIGIN, member.origin())
                // Without it nobody looks at what was sent.
                .header("x-csrftoken", member.cookie("csrftoken").unwrap_or_default());
            let reply = member.send(request, Bytes::copy_from_slice(body)).await?;
            ensure!(reply.status != StatusCode::FORBIDDEN, "{kind} was not looked at");
            answers.push((path, reply.status, reply.text()));
        }
    }
    ensure!(
        answers.iter().any(|(_, status, _)| status.is_client_error()),
        "nothing was refused"
    );
    let told: Vec<_> = answers
        .iter()
        .filter_map(|(path, status, text)| {
            let text = text.to_lowercase();
            let word = INSIDES.iter().find(|word| text.contains(**word))?;
            Some((path, status, word))
        })
        .collect();
    Ok(Outcome::new(!told.is_empty(), format!("{told:?}")))
}

/// Asks for addresses whose letters end a line of the log, colour it, and write the next.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn line_in_the_log_by_an_address(target: &Target) -> Result<Outcome> {
    for path in [
        "/x%0aFORGED%20admin%20logged%20in",
        "/x%0d%0aFORGED/",
        "/%1b[2K%1b[1AFORGED/",
        "/x?a=%0aFORGED",
    ] {
        target.visitor()?.open(path).await?;
    }
    let log = target.log();
    ensure!(!log.is_empty(), "nothing is logged");
    let lines: Vec<&str> = log.lines().filter(|line| line.starts_with("FORGED")).collect();
    // The library colours its own log only on a terminal, and here is none.
    let coloured = log
        .lines()
        .any(|line| line.contains("FORGED") && line.contains('\u{1b}'));
    Ok(Outcome::new(
        !lines.is_empty() || coloured,
        format!("the log has the lines {lines:?}"),
    ))
}
