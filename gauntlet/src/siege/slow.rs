//! Clients who hold a place by being slow: with the handshake, the head, the body, or with reading the answer.

use std::time::Duration;

use anyhow::{Context, Result};
use testkit::raw::Wire;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Ground, Stand, attacker};

/// How often a slow client sends another byte.
const BEAT: Duration = Duration::from_millis(500);

/// The longest of the limits is 30 s for an answer that is not read; a connection still open after this was not cut.
const PATIENCE: Duration = Duration::from_secs(45);

/// What one slow client does first, and which byte it then sends again and again.
struct Trickle {
    first: Vec<u8>,
    then: Option<u8>,
}

pub(super) async fn head(ground: &Ground) -> Result<Stand> {
    let first = format!("GET / HTTP/1.1\r\nHost: {}\r\nX-Slow: ", ground.target.host());
    hold(ground, 400, &first, Some(b'a')).await
}

pub(super) async fn body(ground: &Ground) -> Result<Stand> {
    let mut visitor = ground.target.visitor()?;
    visitor.open("/login/").await?;
    // Without the form's token it would be refused for that, before a byte of the body is waited for.
    let token = visitor.cookie("csrftoken").context("the form has no token")?;
    let first = format!(
        "POST /login/ HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nCookie: csrftoken={token}\r\nX-CSRFToken: {token}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n",
        ground.target.host(),
        visitor.origin()
    );
    hold(ground, 200, &first, Some(b'a')).await
}

/// Asks for the style sheet, which costs the vault least, more and more often, and reads none: what fills is the room for answers.
pub(super) async fn read(ground: &Ground) -> Result<Stand> {
    let page = ground.target.visitor()?.open("/login/").await?.text();
    let (_, style) = page
        .split_once("/static/")
        .context("the page has no style sheet")?;
    let style = style.split('"').next().unwrap_or_default();
    let one = format!(
        "GET /static/{style} HTTP/1.1\r\nHost: {}\r\n\r\n",
        ground.target.host()
    );
    let mut clients = JoinSet::new();
    for number in 0..30 {
        let wire = ground.target.wire_with_little_room(attacker(number % 4)).await?;
        let first = one.repeat(50).into_bytes();
        clients.spawn(trickle(wire, Trickle { first, then: None }));
    }
    ended(clients).await
}

pub(super) async fn handshake(ground: &Ground) -> Result<Stand> {
    let mut clients = JoinSet::new();
    for number in 0..400 {
        let mut wire = ground.target.silent_from(attacker(number % 4)).await?;
        clients.spawn(async move {
            let begun = Instant::now();
            // The head of a record of 512 bytes that never come.
            wire.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await?;
            wire.closed(PATIENCE).await?;
            Ok(begun.elapsed())
        });
    }
    ended(clients).await
}

async fn hold(ground: &Ground, count: usize, first: &str, then: Option<u8>) -> Result<Stand> {
    let mut clients = JoinSet::new();
    for number in 0..count {
        let wire = ground.wire(attacker(number % 4)).await?;
        let first = first.as_bytes().to_vec();
        clients.spawn(trickle(wire, Trickle { first, then }));
    }
    ended(clients).await
}

async fn ended(mut clients: JoinSet<Result<Duration>>) -> Result<Stand> {
    let (made, mut ended, mut longest, mut shortest) = (clients.len(), 0, Duration::ZERO, Duration::MAX);
    while let Some(client) = clients.join_next().await {
        if let Ok(time) = client? {
            ended += 1;
            longest = longest.max(time);
            shortest = shortest.min(time);
        }
    }
    let how = format!(
        "cut after {:.0} to {:.0} s",
        shortest.as_secs_f64(),
        longest.as_secs_f64()
    );
    Ok(Stand { made, ended, how })
}

/// Returns how long the server let the client have the place.
async fn trickle(mut wire: Wire, trickle: Trickle) -> Result<Duration> {
    let begun = Instant::now();
    let Some(byte) = trickle.then else {
        // Once the server waits for its answers to be read it takes no more, and this stands still until it cuts.
        let asking = async { while wire.send(&trickle.first).await.is_ok() {} };
        timeout(PATIENCE, asking)
            .await
            .context("the server neither reads nor cuts")?;
        return Ok(begun.elapsed());
    };
    wire.send(&trickle.first).await?;
    while begun.elapsed() < PATIENCE {
        if wire.send([byte]).await.is_err() {
            return Ok(begun.elapsed());
        }
        sleep(BEAT).await;
    }
    anyhow::bail!("the server has waited for {PATIENCE:?}")
}
