//! How the bucket's server is spoken to: hyper and rustls, as everywhere, with a limit to every wait.
//!
//! Chain and name of its certificate are always checked, no redirect is followed, and without TLS only this machine is spoken to:
//! judged by the address that was connected to, not by a name.

use std::error::Error;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::Uri;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

/// How long a connection may take, its handshake included.
const TO_CONNECT: Duration = Duration::from_secs(5);
/// How long a part may take to be sent and answered.
const TO_ANSWER: Duration = Duration::from_mins(1);
/// How long the next bytes of an answer may take.
const TO_GO_ON: Duration = Duration::from_secs(30);
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_mins(1);

/// What makes clients for `object_store`.
#[derive(Clone, Debug)]
pub(super) struct Way(HttpClient);

impl Way {
    pub(super) fn new(tls: Arc<ClientConfig>, in_clear: bool) -> Self {
        let connector = Connector {
            tls: TlsConnector::from(tls),
            in_clear,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self(HttpClient::new(Requests(client)))
    }

    pub(super) fn client(&self) -> HttpClient {
        self.0.clone()
    }
}

impl HttpConnector for Way {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.client())
    }
}

/// An error with all that is behind it, short enough for a log.
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !reason.contains(&cause_text) {
            reason = format!("{reason}: {cause_text}");
        }
        source = cause.source();
    }
    if let Some((end, _)) = reason.char_indices().nth(super::MOST_OF_A_REASON) {
        reason.truncate(end);
    }
    reason
}

#[derive(Debug)]
struct Requests(Client<Connector, HttpRequestBody>);

impl HttpService for Requests {
    fn call<'s, 'f>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let answer = timeout(TO_ANSWER, self.0.request(request));
        async move {
            match answer.await {
                Ok(Ok(answer)) => Ok(answer.map(|body| HttpResponseBody::new(Answer::new(body)))),
                Ok(Err(error)) if error.is_connect() => Err(HttpError::new(HttpErrorKind::Connect, error)),
                Ok(Err(error)) => Err(HttpError::new(HttpErrorKind::Request, error)),
                Err(late) => Err(HttpError::new(HttpErrorKind::Timeout, late)),
            }
        }
        .boxed()
    }
}

/// The body of an answer, whose bytes must go on coming.
struct Answer {
    body: Incoming,
    late: Pin<Box<Sleep>>,
}

impl Answer {
    fn new(body: Incoming) -> Self {
        Self {
            body,
            late: Box::pin(sleep(TO_GO_ON)),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.late.as_mut().reset(Instant::now() + TO_GO_ON);
            let interrupted = |error| HttpError::new(HttpErrorKind::Interrupted, error);
            return Poll::Ready(frame.map(|frame| frame.map_err(interrupted)));
        }
        ready!(self.late.as_mut().poll(context));
        let late = io::Error::from(io::ErrorKind::TimedOut);
        Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Clone)]
struct Connector {
    tls: TlsConnector,
    in_clear: bool,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<Wire>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        async move {
            let connected = timeout(TO_CONNECT, connector.connect(&uri)).await;
            connected
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map(TokioIo::new)
        }
        .boxed()
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> io::Result<Wire> {
        let nowhere = || io::Error::other("an address without a host");
        let host = uri.host().ok_or_else(nowhere)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        if !is_tls {
            if !self.in_clear && !stream.peer_addr()?.ip().is_loopback() {
                return Err(io::Error::other("without TLS only this machine is spoken to"));
            }
            return Ok(Wire::Clear(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = self.tls.connect(name, stream).await?;
        Ok(Wire::Tls(Box::new(stream)))
    }
}

/// A connection.
enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
