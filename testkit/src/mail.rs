//! A mail server on this machine: real SMTP over real TLS, that keeps what it is given for tests to read.
//!
//! It can be the server that one wants, or one that an attacker stands in front of: without STARTTLS, or with a certificate for
//! another name.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::Authority;

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// With the command STARTTLS.
    StartTls,
    /// With the connection.
    Implicit,
    /// Never: as if somebody on the way had taken the offer out.
    Stripped,
}

/// What a server was given.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// The name and password of the login, as they were sent (base64 of `\0name\0password`).
    pub login: Option<String>,
    /// Who it is from.
    pub from: String,
    /// Whom it is for.
    pub to: Vec<String>,
    /// The mail with its headers.
    pub text: String,
}

/// A running mail server, gone when it is dropped.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    kept: Arc<Kept>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    received: Mutex<Vec<Received>>,
    /// Everything that was said in clear.
    in_clear: Mutex<String>,
    /// How many mails to refuse for now.
    busy: Mutex<u32>,
}

impl MailServer {
    /// Begins to listen, with a certificate for `names`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(authority: &Authority, names: &[&str], encryption: Encryption) -> Result<MailServer> {
        let (config, _) = authority.issue(names)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let kept = Arc::new(Kept::default());
        let mind = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, kept) = (acceptor.clone(), Arc::clone(&mind));
                tokio::spawn(async move {
                    // A client that goes away in the middle is what some tests are about.
                    let _ended = serve(stream, &acceptor, encryption, &kept).await;
                });
            }
        });
        Ok(MailServer { address, kept, task })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns what was received, in its order.
    pub fn received(&self) -> Vec<Received> {
        self.kept
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns what anybody on the way could have read.
    pub fn heard_in_clear(&self) -> String {
        self.kept
            .in_clear
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Refuses the next so many mails for now.
    pub fn be_busy(&self, times: u32) {
        *self.kept.busy.lock().unwrap_or_else(PoisonError::into_inner) = times;
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, acceptor: &TlsAcceptor, encryption: Encryption, kept: &Kept) -> Result<()> {
    if encryption == Encryption::Implicit {
        return talk(BufReader::new(acceptor.accept(stream).await?), true, false, kept)
            .await
            .map(drop);
    }
    let mut plain = BufReader::new(stream);
    greet(&mut plain).await?;
    let offers = encryption == Encryption::StartTls;
    if converse(&mut plain, false, offers, kept).await? {
        let encrypted = acceptor.accept(plain.into_inner()).await?;
        converse(&mut BufReader::new(encrypted), true, false, kept).await?;
    }
    Ok(())
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    encrypted: bool,
    offers: bool,
    kept: &Kept,
) -> Result<bool> {
    greet(&mut stream).await?;
    converse(&mut stream, encrypted, offers, kept).await
}

async fn greet<S: AsyncWrite + Unpin>(stream: &mut S) -> Result<()> {
    Ok(stream.write_all(b"220 testkit ESMTP\r\n").await?)
}

/// Answers commands until the client leaves, or asks for TLS: then it says so.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    encrypted: bool,
    offers: bool,
    kept: &Kept,
) -> Result<bool> {
    let mut mail = Received {
        encrypted,
        ..Received::default()
    };
    loop {
        let line = line(stream, encrypted, kept).await?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match command.to_ascii_uppercase().as_str() {
            "EHLO" if offers => "250-testkit\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
            "EHLO" => "250-testkit\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "STARTTLS" if offers => {
                stream.write_all(b"220 go ahead\r\n").await?;
                return Ok(true);
            }
            "AUTH" => {
                mail.login = rest.split_once(' ').map(|(_, login)| login.to_owned());
                "235 welcome\r\n"
            }
            "MAIL" => {
                rest.clone_into(&mut mail.from);
                "250 ok\r\n"
            }
            "RCPT" if rest.contains("nobody@") => "550 no such user here: nobody@example.com\r\n",
            "RCPT" => {
                mail.to.push(rest.to_owned());
                "250 ok\r\n"
            }
            "DATA" if is_busy(kept) => "451 later, please\r\n",
            "DATA" => {
                stream.write_all(b"354 go ahead\r\n").await?;
                mail.text = data(stream, encrypted, kept).await?;
                let mut received = kept.received.lock().unwrap_or_else(PoisonError::into_inner);
                received.push(mail.clone());
                "250 kept\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            "RSET" | "NOOP" => "250 ok\r\n",
            _ => "502 what?\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn is_busy(kept: &Kept) -> bool {
    let mut busy = kept.busy.lock().unwrap_or_else(PoisonError::into_inner);
    let is_busy = *busy > 0;
    *busy = busy.saturating_sub(1);
    is_busy
}

async fn data<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    encrypted: bool,
    kept: &Kept,
) -> Result<String> {
    let mut text = String::new();
    loop {
        let line = line(stream, encrypted, kept).await?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}

async fn line<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    encrypted: bool,
    kept: &Kept,
) -> Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.context("no line")? == 0 {
        bail!("the client has left");
    }
    if !encrypted {
        let mut heard = kept.in_clear.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push_str(&line);
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
