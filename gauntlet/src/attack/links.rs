//! `exposed-media`: links to documents are altered, made up, read elsewhere, and used when they should be over.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, header};
use palisade::clock::Clock;
use palisade::core::link_token::LinkTokens;
use palisade::core::{KeyRing, SecretKey};
use rusqlite::Connection;
use testkit::Visitor;
use testkit::visitor::{Reply, form};

use super::media::{SECRET, Scene, holds, keep, place, tell};
use super::{Outcome, member};
use crate::{Side, Target};

/// Where links lead on the vault and on the weak twin.
const ROUTES: [&str; 2] = ["/d/", "/link/"];
/// What a token is written in.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Keys that sites are put up with, and that everybody knows.
const KNOWN_KEYS: [&str; 6] = ["", "secret", "changeme", "django-insecure", "palisade", "vault"];
/// Longer than any link here lives.
const LATER: Duration = Duration::from_hours(4 * 24);

/// A day on which a link is not over yet.
fn soon() -> Result<String> {
    let day = "SELECT date('now', '+2 days')";
    Ok(Connection::open_in_memory()?.query_row(day, [], |row| row.get(0))?)
}

/// The path of the link that a page shows.
fn shown(page: &str) -> Option<String> {
    let (route, rest) = ROUTES
        .iter()
        .find_map(|route| Some((route, page.split_once(route)?.1)))?;
    let token = rest.split(['/', '"']).next()?;
    Some(format!("{route}{token}/"))
}

/// The token of a link's path.
fn token(link: &str) -> &str {
    link.trim_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Makes a link to a document, with the token of a form that this visitor may see.
async fn linked(visitor: &mut Visitor, document: &str, only_for: &str) -> Result<Option<String>> {
    let links = format!("{document}links/");
    let until = soon()?;
    let fields = [
        ("label", "for the bank"),
        ("until", &until),
        ("username", only_for),
    ];
    let reply = post(visitor, "/documents/new/", &links, &fields).await?;
    // The vault leads to the page that shows it, once; the weak twin shows it at once.
    let page = if reply.status.is_redirection() {
        visitor.open(&links).await?
    } else {
        reply
    };
    Ok(shown(&page.text()))
}

/// Posts to one address with the token of the form at another.
async fn post(visitor: &mut Visitor, asked: &str, to: &str, fields: &[(&str, &str)]) -> Result<Reply> {
    let token = visitor.open(asked).await?.field("csrfmiddlewaretoken");
    let token = token.unwrap_or_default();
    let fields = [fields, &[("csrfmiddlewaretoken", token.as_str())]].concat();
    let request = visitor
        .request(Method::POST, to)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, visitor.origin());
    visitor.send(request, form(&fields).into()).await
}

/// A document with a link that somebody holds.
struct Held {
    scene: Scene,
    link: String,
}

impl Held {
    async fn on(target: &Target) -> Result<Held> {
        Held::only_for(target, "").await
    }

    async fn only_for(target: &Target, person: &str) -> Result<Held> {
        let mut scene = Scene::on(target).await?;
        let link = linked(&mut scene.owner, &scene.document, person).await?;
        let link = link.context("no link was shown to who made it")?;
        Ok(Held { scene, link })
    }

    fn file(&self) -> String {
        format!("{}file/", self.link)
    }

    /// As somebody who holds the link, opens what it leads to, to be sure that it does.
    async fn opened(&mut self) -> Result<Reply> {
        let file = self.file();
        let reply = self.scene.stranger.open(&file).await?;
        ensure!(
            holds(&reply.body, SECRET.as_bytes()),
            "a good link was answered with {}",
            reply.status
        );
        Ok(reply)
    }

    /// As the owner, does what ends the link.
    async fn end(&mut self, to: &str, fields: &[(&str, &str)]) -> Result<()> {
        let to = self.scene.at(to);
        let reply = post(&mut self.scene.owner, "/documents/new/", &to, fields).await?;
        ensure!(
            reply.status.is_redirection(),
            "{to} was answered with {}",
            reply.status
        );
        Ok(())
    }

    async fn take_back(&mut self) -> Result<()> {
        self.end("links/end", &[("link", "")]).await
    }

    /// Whether the link still tells the secret, by its page, as a file or as a picture.
    async fn told(&mut self) -> Result<Outcome> {
        let addresses = ["", "file/", "picture/"].map(|room| format!("{}{room}", self.link));
        tell(&mut self.scene.stranger, &addresses, SECRET.as_bytes()).await
    }
}

/// Changes a link that was sent to them, each letter of it in turn and its last to every other, to open what was not.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_with_a_letter_changed(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let kept = keep(&mut scene.owner, "letter.txt", "text/plain", b"Dear bank,\n").await?;
    let letter = place(&kept).context("the second document was not kept")?;
    let link = linked(&mut scene.owner, &letter, "").await?;
    let link = link.context("no link was shown to who made it")?;
    let good = scene.stranger.open(&format!("{link}file/")).await?;
    ensure!(
        good.status.is_success(),
        "a good link was answered with {}",
        good.status
    );
    let token = token(&link).to_owned();
    let changed = |at: usize, letter: char| {
        let mut other = token.clone();
        other.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
        other
    };
    let mut tries: Vec<String> = token
        .char_indices()
        .map(|(at, letter)| changed(at, if letter == 'A' { 'B' } else { 'A' }))
        .collect();
    tries.extend(LETTERS.chars().map(|letter| changed(token.len() - 1, letter)));
    tries.retain(|other| *other != token);
    for other in &tries {
        let address = format!("{}file/", link.replace(&token, other));
        let reply = scene.stranger.open(&address).await?;
        if reply.status.is_success() {
            return Ok(Outcome::new(
                true,
                format!("{address} opens {:?} too", reply.text()),
            ));
        }
    }
    Ok(Outcome::new(
        false,
        format!("{} changed links open nothing", tries.len()),
    ))
}

/// Makes links up: the number in other letters, signed with keys that everybody knows, a good one whose end is put off.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_made_up(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    held.opened().await?;
    let mut tokens: Vec<String> = (1..=3)
        .flat_map(|number| {
            let words = [
                format!("document {number}"),
                format!("document:{number}"),
                number.to_string(),
            ];
            words.map(|word| URL_SAFE_NO_PAD.encode(word))
        })
        .collect();
    for key in KNOWN_KEYS {
        let signed = LinkTokens::new(&KeyRing::new(SecretKey::new(key)));
        for kind in ["document", "vault_document", "1"] {
            let made = signed.make(kind, SystemTime::now() + LATER);
            tokens.push(made.token.expose().clone());
        }
    }
    if let [secret, end, signature] = token(&held.link).split('.').collect::<Vec<_>>()[..] {
        tokens.extend([
            format!("{secret}.9{end}.{signature}"),
            format!("{secret}.{end}."),
            secret.to_owned(),
        ]);
    }
    let addresses: Vec<String> = ROUTES
        .iter()
        .flat_map(|route| tokens.iter().map(move |token| format!("{route}{token}/file/")))
        .collect();
    tell(&mut held.scene.stranger, &addresses, SECRET.as_bytes()).await
}

/// Keeps a link for days, until it is over, and opens it then.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_used_after_its_end(side: Side) -> Result<Outcome> {
    let clock = Clock::fixed(SystemTime::now());
    let target = side.open_at(&clock).await?;
    let mut held = Held::on(&target).await?;
    held.opened().await?;
    clock.advance(LATER);
    held.told().await
}

/// Opens a link after its maker has taken it back.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_used_after_it_was_taken_back(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    held.opened().await?;
    held.take_back().await?;
    held.told().await
}

/// Asks a link that was taken back in the ways in which one asks for what one has already: its head, a part, whether it has changed.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_taken_back_asked_otherwise(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    let before = held.opened().await?;
    held.take_back().await?;
    let tag = match before.header("etag") {
        "" => "*",
        tag => tag,
    };
    let ways = [
        (Method::HEAD, header::ACCEPT, "*/*"),
        (Method::GET, header::RANGE, "bytes=0-3"),
        (Method::GET, header::IF_NONE_MATCH, tag),
        (Method::GET, header::IF_NONE_MATCH, "*"),
        (
            Method::GET,
            header::IF_MODIFIED_SINCE,
            "Fri, 01 Jan 2100 00:00:00 GMT",
        ),
    ];
    let mut seen = Vec::new();
    let mut succeeded = false;
    for (method, name, value) in ways {
        for address in [held.link.clone(), held.file()] {
            let visitor = &mut held.scene.stranger;
            let request = visitor.request(method.clone(), &address).header(&name, value);
            let reply = visitor.send(request, bytes::Bytes::new()).await?;
            succeeded |= reply.status.is_success() || reply.status == StatusCode::NOT_MODIFIED;
            seen.push(format!("{method} with {name}: {value} → {}", reply.status));
        }
    }
    Ok(Outcome::new(succeeded, seen.join("; ")))
}

/// Opens a link that was made for somebody else alone, as a stranger and with an account of their own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_for_somebody_else(target: &Target) -> Result<Outcome> {
    let mut bob = member(target, "bob").await?;
    let mut held = Held::only_for(target, "bob").await?;
    let file = held.file();
    let own = bob.open(&file).await?;
    ensure!(
        holds(&own.body, SECRET.as_bytes()),
        "bob's link was answered with {}",
        own.status
    );
    let addresses = [held.link.clone(), file];
    let known = tell(&mut held.scene.thief, &addresses, SECRET.as_bytes()).await?;
    if known.succeeded {
        return Ok(known);
    }
    tell(&mut held.scene.stranger, &addresses, SECRET.as_bytes()).await
}

/// Uses a link to one document as a key to another: beside the number of that, in front of its path, as a parameter.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_turned_to_another_document(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let kept = keep(&mut scene.owner, "letter.txt", "text/plain", b"Dear bank,\n").await?;
    let letter = place(&kept).context("the second document was not kept")?;
    let link = linked(&mut scene.owner, &letter, "").await?;
    let link = link.context("no link was shown to who made it")?;
    let (token, document) = (token(&link), scene.document.clone());
    let number = document.trim_matches('/').rsplit('/').next().unwrap_or_default();
    let addresses = [
        format!("{link}file/?id={number}"),
        format!("{link}file/?document={number}"),
        format!("{link}{number}/"),
        format!("{link}..{document}file/"),
        format!("{link}../..{document}file/"),
        format!("{link}%2e%2e/%2e%2e{document}file/"),
        format!("{document}file/?token={token}"),
        format!("{document}?token={token}"),
    ];
    tell(&mut scene.stranger, &addresses, SECRET.as_bytes()).await
}

/// Makes a link to somebody else's document, with an account of their own.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_to_somebody_elses_document(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let document = scene.document.clone();
    match linked(&mut scene.thief, &document, "").await? {
        Some(link) => {
            let file = [format!("{link}file/")];
            tell(&mut scene.stranger, &file, SECRET.as_bytes()).await
        }
        None => Ok(Outcome::new(false, "no link is made")),
    }
}

/// Opens a link after the document was deleted that it leads to.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_that_outlives_its_document(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    held.opened().await?;
    held.end("delete", &[]).await?;
    held.told().await
}

/// Reads links out of the site's log: of who opened them, and of who had one that was over.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_found_in_the_log(target: &Target) -> Result<Outcome> {
    /// How often it is asked before the log has to have it.
    const TRIES: usize = 100;
    let mut held = Held::on(target).await?;
    held.opened().await?;
    let (link, file) = (held.link.clone(), held.file());
    // An address that leads nowhere is logged in any case.
    let stale = format!("{link}nowhere/");
    let mut log = String::new();
    for _ in 0..TRIES {
        for address in [&link, &file, &stale] {
            held.scene.stranger.open(address).await?;
        }
        log = target.log();
        if ROUTES.iter().any(|route| log.contains(route)) {
            break;
        }
    }
    ensure!(
        ROUTES.iter().any(|route| log.contains(route)),
        "nothing is logged of links"
    );
    let found = log.lines().find(|line| line.contains(token(&link)));
    Ok(Outcome::new(found.is_some(), format!("the log says {found:?}")))
}

/// Reads a link in the `Referer` of whoever goes on from what it opens.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_told_to_the_next_site(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    let (page, file) = (held.scene.stranger.open(&held.link).await?, held.opened().await?);
    let told = [&page, &file].map(|reply| reply.header("referrer-policy").to_owned());
    // What a browser does of itself has changed once, and whole addresses go out in older ones.
    let goes_out =
        |policy: &String| matches!(policy.as_str(), "" | "unsafe-url" | "no-referrer-when-downgrade");
    Ok(Outcome::new(
        told.iter().any(goes_out),
        format!("Referrer-Policy: {}", told.join(", ")),
    ))
}

/// Finds what links open where somebody has kept a copy: in a cache, in a browser's history, in a search engine.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn link_kept_alive_by_a_copy(target: &Target) -> Result<Outcome> {
    let mut held = Held::on(target).await?;
    let (page, file) = (held.scene.stranger.open(&held.link).await?, held.opened().await?);
    held.take_back().await?;
    let after = held.scene.stranger.open(&held.link).await?;
    let mut succeeded = false;
    let mut seen = Vec::new();
    for (what, reply) in [("page", page), ("file", file), ("after", after)] {
        let (cache, robots) = (reply.header("cache-control"), reply.header("x-robots-tag"));
        succeeded |= !cache.contains("no-store") || !robots.contains("noindex");
        seen.push(format!("{what}: Cache-Control: {cache}, X-Robots-Tag: {robots}"));
    }
    Ok(Outcome::new(succeeded, seen.join("; ")))
}
