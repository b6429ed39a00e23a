//! The weak twin behind a server of its own making: it speaks any TLS that is asked for, and reads HTTP as it comes.
//!
//! No library of today can be set up to agree to TLS 1.0, or to read a request in another way than everybody else does. So this is
//! written by hand, as such servers were.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Authority;

/// The suites that protect: TLS 1.3's, and those of 1.2 with a fresh key and authenticated encryption.
const SOUND: [[u8; 2]; 9] = [
    [0x13, 0x01],
    [0x13, 0x02],
    [0x13, 0x03],
    [0xc0, 0x2b],
    [0xc0, 0x2c],
    [0xc0, 0x2f],
    [0xc0, 0x30],
    [0xcc, 0xa8],
    [0xcc, 0xa9],
];

/// A server; its port closes when this is dropped.
#[derive(Debug)]
pub(super) struct ByHand {
    pub(super) address: SocketAddr,
    task: AbortHandle,
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ByHand {
    /// Serves `routes` on a free port of the loopback address.
    pub(super) async fn start(routes: Router, authority: &Authority, name: &str) -> Result<ByHand> {
        let (config, _) = authority.issue(&[name])?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(greet(stream, acceptor.clone(), routes.clone()));
            }
        });
        Ok(ByHand {
            address,
            task: task.abort_handle(),
        })
    }
}

/// Agrees to what is old by hand, and leaves what is sound to a library.
async fn greet(mut stream: TcpStream, acceptor: TlsAcceptor, routes: Router) {
    let mut hello = [0; 2048];
    let Ok(read) = stream.peek(&mut hello).await else {
        return;
    };
    if let Some(answer) = hello.get(..read).and_then(agreed) {
        let _told = stream.write_all(&answer).await;
        let _closed = stream.read(&mut hello).await;
        return;
    }
    if let Ok(stream) = acceptor.accept(stream).await {
        answer(stream, routes).await;
    }
}

/// Says yes to the version and the first suite of a client that offers nothing sound.
fn agreed(hello: &[u8]) -> Option<Vec<u8>> {
    let version = hello.get(9..11)?;
    let session = usize::from(*hello.get(43)?);
    let suites = hello.get(44 + session..)?;
    let length = usize::from(u16::from_be_bytes(suites.get(..2)?.try_into().ok()?));
    let suites = suites.get(2..2 + length)?;
    let sound = suites
        .chunks(2)
        .any(|suite| SOUND.iter().any(|sound| sound == suite));
    if sound && version == [3, 3] {
        return None;
    }
    let body = [version, &[7; 32], &[0], suites.get(..2)?, &[0]].concat();
    let handshake = [&[2, 0, 0, 38], body.as_slice()].concat();
    Some([&[22], version, &[0, 42], handshake.as_slice()].concat())
}

/// Answers one request after another.
async fn answer(stream: TlsStream<TcpStream>, routes: Router) {
    let routes = TowerToHyperService::new(routes);
    let mut client = Client {
        stream,
        read: Vec::new(),
    };
    while let Some(request) = client.request().await {
        let last = request
            .headers()
            .get("connection")
            .is_some_and(|said| said == "close");
        let Ok(response) = routes.call(request).await;
        if client.reply(response).await.is_none() || last {
            break;
        }
    }
    let _closed = client.stream.shutdown().await;
}

struct Client {
    stream: TlsStream<TcpStream>,
    /// What was read and not used.
    read: Vec<u8>,
}

impl Client {
    /// Reads up to and with the next line feed. What stands before it, a carriage return aside, is a line.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).into_owned();
                return Some(line.trim_end_matches(['\r', '\n']).to_owned());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
        self.read.extend_from_slice(bytes.get(..read)?);
        Some(())
    }

    async fn bytes(&mut self, many: usize) -> Option<Vec<u8>> {
        while self.read.len() < many {
            self.more().await?;
        }
        Some(self.read.drain(..many).collect())
    }

    /// Reads a head by its lines: a folded one belongs to the last, of two lengths the later counts, and whatever looks like `chunked`
    /// is.
    async fn request(&mut self) -> Option<Request<Body>> {
        let first = self.line().await?;
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.line().await?;
            match lines.last_mut() {
                _ if line.is_empty() => break,
                Some(last) if line.starts_with([' ', '\t']) => last.push_str(&line),
                _ => lines.push(line),
            }
        }
        let mut words = first.split_whitespace();
        let mut request = Request::builder().method(words.next()?).uri(words.next()?);
        let (mut length, mut chunked) = (0, false);
        for (name, value) in lines.iter().filter_map(|line| line.split_once(':')) {
            let (name, value) = (name.trim().to_lowercase(), value.trim());
            match name.as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "transfer-encoding" => chunked = value.to_lowercase().contains("chunked"),
                _ => request = request.header(name, value),
            }
        }
        let body = if chunked {
            self.chunks().await?
        } else {
            self.bytes(length).await?
        };
        request.body(Body::from(body)).ok()
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            match usize::from_str_radix(size, 16).unwrap_or(0) {
                0 => break,
                size => body.extend(self.bytes(size).await?),
            }
            self.line().await?;
        }
        while !self.line().await?.is_empty() {}
        Some(body)
    }

    async fn reply(&mut self, response: Response<Body>) -> Option<()> {
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.ok()?;
        let mut said = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
        for (name, value) in &head.headers {
            if name != "content-length" {
                said.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
            }
        }
        said.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        said.extend(body);
        self.stream.write_all(&said).await.ok()
    }
}
