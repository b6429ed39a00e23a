//! One connection, from the handshake to the last byte.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until, timeout};

use super::admission::Slot;
use super::exchange::{Answers, Exchange};
use super::kernel::{self, Lane, TakesFiles};
use super::limits::Limits;
use super::pulse::Pulse;
use super::tls::Tls;
use super::vigil::{Look, Vigil};
use super::wire::Wire;
use crate::certificate::Credentials;
use crate::peer::Peer;

/// What a connection may buffer, either way; less would cost throughput.
const SMALLEST_BUFFER: usize = 64 * 1024;

/// Everything that the connections of one listener share.
#[derive(Clone)]
pub(super) struct Connections<S> {
    pub(super) app: S,
    pub(super) limits: Arc<Limits>,
    /// `None` for plain HTTP.
    pub(super) tls: Option<Arc<Tls>>,
}

impl<S: Answers> Connections<S> {
    /// Serves one connection to its end.
    pub(super) async fn serve(self, stream: TcpStream, peer: std::net::SocketAddr, slot: Slot) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "TCP_NODELAY could not be set");
        }
        let Some(tls) = self.tls.clone() else {
            return self
                .speak(
                    stream,
                    Peer {
                        addr: peer,
                        tls: false,
                    },
                    Credentials::None,
                    false,
                    slot,
                )
                .await;
        };
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok((stream, credentials))) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.speak(
                    stream,
                    Peer {
                        addr: peer,
                        tls: true,
                    },
                    credentials,
                    http2,
                    slot,
                )
                .await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => {
                tracing::info!(target: "palisade::rejection", %peer, threat = "resource-exhaustion", reason = "the TLS handshake took too long", "connection closed");
            }
        }
    }

    async fn speak<T>(self, stream: T, peer: Peer, credentials: Credentials, http2: bool, slot: Slot)
    where
        T: AsyncRead + AsyncWrite + TakesFiles + Unpin + Send + 'static,
    {
        let pulse = Arc::clone(&slot.pulse);
        pulse.establish();
        let vigil = Vigil::new(&self.limits, http2, Instant::now());
        let has_lane = kernel::CAN && !http2 && stream.socket().is_some() && stream.is_write_vectored();
        let lane = has_lane.then(Arc::<Lane>::default);
        let wire = Wire::new(stream, Arc::clone(&pulse), http2).with_lane(lane.clone());
        let io = TokioIo::new(wire);
        let limits = Arc::clone(&self.limits);
        let exchange = Exchange {
            app: Mutex::new(self.app),
            pulse: Arc::clone(&pulse),
            limits: self.limits,
            peer,
            credentials,
            http2,
            lane,
        };
        let mut http1 = speak_http1(&limits);
        if has_lane {
            // What stands for a part of a file must reach the wire as it is, not copied.
            http1.writev(true);
        }
        let end = if http2 {
            Watch::new(speak_http2(&limits).serve_connection(io, exchange), pulse, vigil).await
        } else {
            Watch::new(http1.serve_connection(io, exchange), pulse, vigil).await
        };
        match end {
            End::Closed(Ok(())) => {}
            End::Closed(Err(error)) => tracing::debug!(peer = %peer.addr, %error, "connection failed"),
            End::Cut(reason) => {
                tracing::info!(target: "palisade::rejection", peer = %peer.addr, threat = "resource-exhaustion", reason, "connection closed");
            }
        }
    }
}

fn speak_http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let head = limits.header_bytes as usize;
    builder
        .half_close(false)
        // Timed by the vigil, which also knows idle from slow.
        .header_read_timeout(None)
        .max_header_size(head)
        .max_buf_size(head.max(SMALLEST_BUFFER));
    // No `pipeline_flush`: with it hyper buffers a streamed response without bound for a client that does not read, and
    // closes without flushing when pipelined bytes are left over.
    if limits.header_count > 100 {
        // Otherwise hyper's own limit of 100 stays: setting even that costs an allocation a request.
        builder.max_headers(limits.header_count);
    }
    builder
}

fn speak_http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(limits.resets as usize)
        .max_send_buf_size(128 * 1024);
    builder
}

/// How a connection ended.
enum End {
    Closed(hyper::Result<()>),
    Cut(&'static str),
}

/// What both of hyper's connections can do.
trait Speaks: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<S, T> Speaks for http1::Connection<TokioIo<T>, Exchange<S>>
where
    S: Answers,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, T> Speaks for http2::Connection<TokioIo<T>, Exchange<S>, TokioExecutor>
where
    S: Answers,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

pin_project_lite::pin_project! {
    /// Drives a connection and looks at its vigil after each turn.
    ///
    /// The one timer is only moved when something is due earlier than it stands; a busy connection never touches it.
    struct Watch<C> {
        #[pin]
        connection: C,
        #[pin]
        timer: Sleep,
        due: Instant,
        pulse: Arc<Pulse>,
        vigil: Vigil,
        waker: Option<Waker>,
        told: bool,
    }
}

impl<C> Watch<C> {
    fn new(connection: C, pulse: Arc<Pulse>, vigil: Vigil) -> Self {
        let due = Instant::now();
        Self {
            connection,
            timer: sleep_until(due.into()),
            due,
            pulse,
            vigil,
            waker: None,
            told: false,
        }
    }
}

impl<C: Speaks> Future for Watch<C> {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let mut this = self.project();
        if this
            .waker
            .as_ref()
            .is_none_or(|waker| !waker.will_wake(cx.waker()))
        {
            this.pulse.listen(cx.waker());
            *this.waker = Some(cx.waker().clone());
        }
        if !*this.told && this.pulse.is_finishing() {
            *this.told = true;
            this.vigil.closing(Instant::now());
            this.connection.as_mut().finish();
        }
        loop {
            if let Poll::Ready(end) = this.connection.as_mut().poll(cx) {
                return Poll::Ready(End::Closed(end));
            }
            let now = Instant::now();
            match this.vigil.look(this.pulse, now) {
                Look::Cut(reason) => return Poll::Ready(End::Cut(reason)),
                Look::Close(reason) => {
                    tracing::debug!(reason, "connection is closed");
                    *this.told = true;
                    this.vigil.closing(now);
                    this.connection.as_mut().finish();
                    continue;
                }
                Look::Until(until) => {
                    // A timer that already fired stands in the past and is moved on.
                    if until < *this.due || *this.due <= now {
                        *this.due = until;
                        this.timer.as_mut().reset(until.into());
                    }
                }
            }
            if this.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
