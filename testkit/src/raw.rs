//! A connection on which anything can be said, for clients that do not follow the protocol.
//!
//! HTTP libraries refuse to send what attacks consist of: two lengths, half a head, a head that never ends.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long an answer may take before the connection counts as silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// The least room for bytes that are not read yet, as the kernel takes it.
const LITTLE: u32 = 4096;

/// A connection to a server, in clear or inside TLS.
pub struct Wire {
    stream: Box<dyn Stream>,
    peer_certificate: Option<CertificateDer<'static>>,
}

impl Wire {
    /// Connects in clear.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn plain(address: SocketAddr) -> Result<Wire> {
        Ok(Wire {
            stream: Box::new(TcpStream::connect(address).await?),
            peer_certificate: None,
        })
    }

    /// Connects inside TLS, asking for the site called `name`.
    ///
    /// # Errors
    /// When nobody listens there, or the server's certificate is not one that `config` trusts for `name`.
    pub async fn tls(address: SocketAddr, name: &str, config: ClientConfig) -> Result<Wire> {
        Wire::inside(TcpStream::connect(address).await?, name, config).await
    }

    /// Connects in clear from this address of the machine, for a crowd that is not one client.
    ///
    /// # Errors
    /// When nobody listens there, or the address is not the machine's.
    pub async fn plain_from(from: IpAddr, address: SocketAddr) -> Result<Wire> {
        Ok(Wire {
            stream: Box::new(connect_from(from, address, None).await?),
            peer_certificate: None,
        })
    }

    /// Connects inside TLS from this address of the machine.
    ///
    /// # Errors
    /// As [`tls`](Wire::tls).
    pub async fn tls_from(
        from: IpAddr,
        address: SocketAddr,
        name: &str,
        config: ClientConfig,
    ) -> Result<Wire> {
        Wire::inside(connect_from(from, address, None).await?, name, config).await
    }

    /// Connects inside TLS from this address, with room for few bytes that are not read: the server soon has to wait.
    ///
    /// # Errors
    /// As [`tls`](Wire::tls).
    pub async fn tls_with_little_room(
        from: IpAddr,
        address: SocketAddr,
        name: &str,
        config: ClientConfig,
    ) -> Result<Wire> {
        Wire::inside(connect_from(from, address, Some(LITTLE)).await?, name, config).await
    }

    async fn inside(stream: TcpStream, name: &str, config: ClientConfig) -> Result<Wire> {
        let name = ServerName::try_from(name.to_owned())?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = timeout(PATIENCE, handshake)
            .await
            .context("the handshake does not end")??;
        let chain = stream.get_ref().1.peer_certificates();
        let peer_certificate = chain
            .and_then(|chain| chain.first())
            .map(|leaf| leaf.clone().into_owned());
        Ok(Wire {
            stream: Box::new(stream),
            peer_certificate,
        })
    }

    /// Returns the certificate that the server presented.
    pub fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.peer_certificate.as_ref()
    }

    /// Sends these bytes, whatever they are.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads until the server closes the connection, and returns all that it said.
    ///
    /// # Errors
    /// When it neither speaks nor closes in time.
    pub async fn read_to_end(&mut self) -> Result<Vec<u8>> {
        let mut said = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut said)).await;
        // A connection that is reset, or closed without TLS's goodbye, is closed all the same.
        let _closed = read.context("the server keeps the connection open and is silent")?;
        Ok(said)
    }

    /// Reads what the server says next, or nothing when it closes.
    ///
    /// # Errors
    /// When it is silent.
    pub async fn read_some(&mut self) -> Result<Vec<u8>> {
        let mut said = vec![0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut said))
            .await
            .context("the server is silent")?;
        // A connection that is reset has nothing more to say.
        said.truncate(read.unwrap_or(0));
        Ok(said)
    }

    /// Waits until the server closes the connection, and reads nothing of what it has sent before.
    ///
    /// # Errors
    /// When it is still open after `patience`.
    pub async fn closed(&mut self, patience: Duration) -> Result<()> {
        let mut nothing = Vec::new();
        let read = timeout(patience, self.stream.read_to_end(&mut nothing)).await;
        let _closed = read.context("the server keeps the connection open")?;
        Ok(())
    }

    /// Reads the head of one response, up to and with its empty line.
    ///
    /// # Errors
    /// When the server closes or is silent before that.
    pub async fn read_head(&mut self) -> Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.stream.read_u8())
                .await
                .context("the server is silent")?;
            head.push(byte.with_context(|| format!("closed after {:?}", String::from_utf8_lossy(&head)))?);
        }
        Ok(String::from_utf8(head)?)
    }

    /// Gives the connection to a client that speaks HTTP on it.
    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("tls", &self.peer_certificate.is_some())
            .finish_non_exhaustive()
    }
}

/// Sends `request` on a fresh connection and returns all that comes back until the server closes it.
///
/// # Errors
/// When the server cannot be reached or does not close the connection.
pub async fn exchange(mut wire: Wire, request: impl AsRef<[u8]>) -> Result<String> {
    wire.send(request).await?;
    Ok(String::from_utf8_lossy(&wire.read_to_end().await?).into_owned())
}

async fn connect_from(from: IpAddr, address: SocketAddr, room: Option<u32>) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(room) = room {
        socket.set_recv_buffer_size(room)?;
    }
    socket.bind(SocketAddr::new(from, 0))?;
    Ok(socket.connect(address).await?)
}

/// Both directions of a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
