//! The socket as hyper sees it: the same bytes, counted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::framing::{Ambiguous, Framing};
use super::kernel::{self, Lane, Next, TakesFiles};
use super::pulse::Pulse;

/// After how many HTTP/2 frames without a request or data the vigil looks before more are read: however much a client has sent
/// ahead, no turn of its connection keeps a core for longer.
const CHATTER_A_TURN: u32 = 250;

/// A connection's stream, plain or TLS, that tells its [`Pulse`] what moves.
#[derive(Debug)]
pub(super) struct Wire<T> {
    stream: T,
    pulse: Arc<Pulse>,
    /// What the kernel is to send by itself, if it does.
    lane: Option<Arc<Lane>>,
    reader: Reader,
    /// The chatter at which reading last made way for the vigil.
    looked_at: u32,
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
            lane: None,
            reader,
            looked_at: 0,
        }
    }

    /// Has the kernel send what is left in this lane.
    pub(super) fn with_lane(mut self, lane: Option<Arc<Lane>>) -> Self {
        self.lane = lane;
        self
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
        let chatter = wire.pulse.chatter();
        if chatter.wrapping_sub(wire.looked_at) > CHATTER_A_TURN {
            wire.looked_at = chatter;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
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

impl<T: AsyncWrite + TakesFiles + Unpin> Wire<T> {
    fn poll_slices(&mut self, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Some(lane) = &self.lane else {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        };
        match kernel::next(slices) {
            Next::File(length) => lane.poll_send(cx, self.stream.socket(), length),
            Next::Bytes([only], true) if let Some(socket) = self.stream.socket() => {
                kernel::poll_send_before(cx, socket, only)
            }
            Next::Bytes(slices, _) => Pin::new(&mut self.stream).poll_write_vectored(cx, slices),
        }
    }
}

impl<T: AsyncWrite + TakesFiles + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = if self.lane.is_some() && kernel::is_blank(bytes) {
            self.poll_slices(cx, &[io::IoSlice::new(bytes)])
        } else {
            Pin::new(&mut self.stream).poll_write(cx, bytes)
        };
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.poll_slices(cx, slices);
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

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker_ref;

    use super::*;

    /// How often reading makes way until everything is read.
    fn pauses(bytes: &[u8]) -> usize {
        let mut wire = Wire::new(bytes, Arc::default(), true);
        let mut cx = Context::from_waker(noop_waker_ref());
        let mut pauses = 0;
        loop {
            let mut room = [0; 1024];
            let mut buf = ReadBuf::new(&mut room);
            match Pin::new(&mut wire).poll_read(&mut cx, &mut buf) {
                Poll::Pending => pauses += 1,
                Poll::Ready(read) => {
                    read.unwrap();
                    if buf.filled().is_empty() {
                        return pauses;
                    }
                }
            }
        }
    }

    #[test]
    fn pings_sent_ahead_are_not_all_read_in_one_turn() {
        let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0], &[0; 8][..]].concat();
        assert!(pauses(&[&[0; 24][..], &ping.repeat(10_000)].concat()) > 20);
    }

    #[test]
    fn upload_is_read_without_a_pause() {
        let data = [&[0, 64, 0, 0, 0, 0, 0, 0, 1], &[0; 16_384][..]].concat();
        assert_eq!(pauses(&[&[0; 24][..], &data.repeat(100)].concat()), 0);
    }
}
