//! The socket as hyper sees it: the same bytes, counted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::framing::{Ambiguous, Framing};
use super::pulse::Pulse;

/// A connection's stream, plain or TLS, that tells its [`Pulse`] what moves.
#[derive(Debug)]
pub(super) struct Wire<T> {
    stream: T,
    pulse: Arc<Pulse>,
    reader: Reader,
}

/// Each protocol has its own dangers on the wire.
#[derive(Debug)]
enum Reader {
    Http1(Framing),
    Http2(Frames),
}

impl<T> Wire<T> {
    pub(super) fn new(stream: T, pulse: Arc<Pulse>, http2: bool) -> Self {
        let reader = if http2 {
            Reader::Http2(Frames::default())
        } else {
            Reader::Http1(Framing::default())
        };
        Self {
            stream,
            pulse,
            reader,
        }
    }

    fn note(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Ready(Ok(bytes)) => self.pulse.count_written(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.pulse.block(true),
        }
        result
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        let before = buf.filled().len();
        let result = Pin::new(&mut wire.stream).poll_read(cx, buf);
        if result.is_ready() {
            let fresh = buf.filled().get(before..).unwrap_or_default();
            wire.pulse.count_read(fresh.len());
            match &mut wire.reader {
                Reader::Http1(framing) => {
                    if let Err(Ambiguous { request }) = framing.follow(fresh) {
                        wire.pulse.refuse(request);
                    }
                }
                Reader::Http2(frames) => frames.follow(fresh, &wire.pulse),
            }
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.pulse.block(result.is_pending());
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
