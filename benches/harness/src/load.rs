//! The load client: closed-loop HTTP/1.1 connections on one thread, every answer checked.
//!
//! It writes each request with one system call and reads the answer with one, so that the client takes as
//! little as it can of the cores it shares with the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::job::Job;
use crate::server::Server;
use crate::visitor::Account;

/// What one burst of load saw.
pub struct Load {
    pub wall: Duration,
    /// One per request, in no order.
    pub latencies: Vec<Duration>,
}

/// Loads the server with one connection an account until the time is over.
pub async fn run(server: &Server, job: Job, accounts: &[Account], length: Duration) -> Result<Load> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for account in accounts {
        let request = job.request(server, account);
        tasks.spawn(repeat(server.address, job, request, begin + length));
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.append(&mut done?.with_context(|| format!("{} on {}", job.label(), server.kind))?);
    }
    Ok(Load {
        wall: begin.elapsed(),
        latencies,
    })
}

async fn repeat(address: SocketAddr, job: Job, request: Vec<u8>, end: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(1 << 14);
    let mut connection = Connection::open(address).await?;
    let mut counted = None;
    loop {
        let asked = Instant::now();
        if asked >= end {
            return Ok(latencies);
        }
        let answer = connection.exchange(&request).await?;
        latencies.push(asked.elapsed());
        if answer.status != 200 || !job.accepts(answer.body, &mut counted) {
            bail!(
                "wrong answer {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
        }
        if answer.closes {
            connection = Connection::open(address).await?;
        }
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Answer<'b> {
    status: u16,
    body: &'b [u8],
    closes: bool,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.size + head.body {
            self.read().await?;
        }
        let body = self.buffer.get(head.size..).unwrap_or_default();
        if body.len() > head.body {
            bail!("the server sent more than it announced");
        }
        Ok(Answer {
            status: head.status,
            body,
            closes: head.closes,
        })
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection instead of answering");
        }
        Ok(())
    }
}

struct Head {
    status: u16,
    size: usize,
    body: usize,
    closes: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(size) = response.parse(bytes)? else {
            return Ok(None);
        };
        let value = |name: &str| {
            let header = response
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(header.value).ok()
        };
        Ok(Some(Self {
            status: response.code.context("an answer without a status")?,
            size,
            body: value("content-length")
                .context("an answer without Content-Length")?
                .parse()?,
            closes: value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
        }))
    }
}
