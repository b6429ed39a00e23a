//! A small site over a real socket, and clients that speak to it byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use palisade::core::host::AllowedHosts;
use palisade::serve::{self, Limits, Listen, Tls};
use palisade::{Palisade, Policies, Protected, SecretKey, Settings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsConnector, client};

/// Waits for an event that must come soon; a defence that is missing shows as a wait without end.
pub(crate) async fn within<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(5), event)
        .await
        .expect("it should have happened by now")
}

/// A bare router as a site: the stack stands aside where the server itself is tested.
pub(crate) fn site(router: Router) -> Protected {
    let mut settings = Settings::for_tests(SecretKey::new(crate::client::KEY));
    settings.secure_ssl_redirect = false;
    settings.allowed_hosts = AllowedHosts::parse(["localhost", "127.0.0.1", "[::1]", "example.com"]);
    settings.data_upload_max_memory_size = usize::MAX;
    let all = |router: Router| axum::routing::any_service(router).csrf_exempt("a test of the server");
    let router = palisade::Router::new()
        .route("/", all(router.clone()))
        .route("/{*path}", all(router));
    Palisade::new(settings).protect(router.public()).unwrap()
}

/// A server that runs until it is told to stop.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) redirect: Option<SocketAddr>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) done: JoinHandle<()>,
    pub(crate) data: TempDir,
}

impl Running {
    /// Starts a site over TLS with a development certificate.
    pub(crate) async fn tls(router: Router, limits: Limits) -> Self {
        let data = tempfile::tempdir().unwrap();
        let tls = Tls::development(data.path(), [] as [&str; 0]).unwrap();
        Self::start(router, limits, Listen::from(tls), data).await
    }

    /// Starts a site that speaks plain HTTP, as behind a proxy.
    pub(crate) async fn plain(router: Router, limits: Limits) -> Self {
        let listen = Listen::plain_behind_proxy("127.0.0.1:0");
        Self::start(router, limits, listen, tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn start(
        router: Router,
        limits: Limits,
        listen: impl Into<Listen>,
        data: TempDir,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let bound = serve::serve(site(router), listen)
            .listen("127.0.0.1:0")
            .http_redirect("127.0.0.1:0")
            .limits(limits)
            .graceful(async {
                let _ = stopped.await;
            })
            .bind()
            .await
            .unwrap();
        let (address, redirect) = (bound.addresses()[0], bound.redirect_address());
        let done = tokio::spawn(bound.into_future());
        Self {
            address,
            redirect,
            stop: Some(stop),
            done,
            data,
        }
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// What a client trusts that imported the development authority.
    pub(crate) fn roots(&self) -> RootCertStore {
        let path = self.data.path().join("tls/ca.pem");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
        roots
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn https(&self) -> TlsStream<TcpStream> {
        connect(
            self.address,
            self.roots(),
            &[b"http/1.1"],
            &[&rustls::version::TLS13],
        )
        .await
        .unwrap()
    }

    pub(crate) async fn http2(&self) -> Http2<TlsStream<TcpStream>> {
        let stream = connect(self.address, self.roots(), &[b"h2"], &[&rustls::version::TLS13])
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Http2::begin(stream).await
    }
}

/// Shakes hands for `localhost`.
pub(crate) async fn connect(
    address: SocketAddr,
    roots: RootCertStore,
    alpn: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<client::TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn to_the_end<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: &str) -> String {
    let _ = stream.write_all(request.as_bytes()).await;
    rest(stream).await
}

/// Reads until the server closes, however it does.
pub(crate) async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    let _ = within(stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends a request on a connection that stays open and reads a response with this text in it.
pub(crate) async fn until<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &str,
    text: &str,
) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within(async {
        while !String::from_utf8_lossy(&bytes).contains(text) {
            assert_ne!(
                stream.read_buf(&mut bytes).await.unwrap(),
                0,
                "closed after {bytes:?}"
            );
        }
    })
    .await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An HTTP/2 client with no more manners than a test asks for (RFC 9113).
pub(crate) struct Http2<S> {
    pub(crate) stream: S,
}

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame as it was read.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http2<S> {
    pub(crate) async fn begin(mut stream: S) -> Self {
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        let mut client = Self { stream };
        client.send(SETTINGS, 0, 0, &[]).await.unwrap();
        client
    }

    pub(crate) async fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> std::io::Result<()> {
        self.stream
            .write_all(&frame(kind, flags, stream, payload))
            .await?;
        self.stream.flush().await
    }

    /// Sends a request without a body.
    pub(crate) async fn request(&mut self, stream: u32, path: &str, more: &[(&str, &str)]) {
        let head = head("GET", path, more);
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &head)
            .await
            .unwrap();
    }

    /// Reads a frame; `None` once the server has closed.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        within(self.stream.read_exact(&mut head)).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        within(self.stream.read_exact(&mut payload)).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream,
            payload,
        })
    }

    /// Reads one response: whether its status is 200, and its body.
    pub(crate) async fn response(&mut self, stream: u32) -> (bool, String) {
        let (mut ok, mut body) = (false, Vec::new());
        loop {
            let frame = self.frame().await.expect("a response");
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                // 0x88 is ":status: 200" in HPACK's static table.
                HEADERS => ok = frame.payload.first() == Some(&0x88),
                DATA => body.extend(frame.payload),
                RST_STREAM => panic!("the stream was reset"),
                _ => {}
            }
            if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                return (ok, String::from_utf8(body).unwrap());
            }
        }
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A request head as HPACK literals.
pub(crate) fn head(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [
        (":method", method),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ];
    let mut bytes = Vec::new();
    for (name, value) in pseudo.iter().chain(more) {
        bytes.push(0);
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}
