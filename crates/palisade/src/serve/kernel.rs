//! Files that the kernel sends by itself: no byte of them passes through this process. On Linux, over HTTP/1 in the clear, as behind a proxy.
//!
//! hyper writes what lies in memory, and knows no files. So a file's body gives it blanks of the same length and leaves in the connection's
//! [`Lane`] which part of the file each stands for; they come out again at the wire, in the same order, where the kernel is told to send the
//! part in the blank's place. A blank that no part belongs to ends the connection: it is never written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::{Response, header};
use http_body::Body as _;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::sent_file::{FileSent, SentFile};

/// The longest part that is sent at once.
const LONGEST: usize = 256 * 1024;

/// Stands for bytes of files. Nobody reads it or writes into it, so that it takes no memory.
static BLANK: [u8; LONGEST] = [0; LONGEST];

/// A stream into which the kernel may put files.
pub(super) trait TakesFiles {
    /// The socket, if what is written goes out as it is.
    fn socket(&self) -> Option<&TcpStream> {
        None
    }
}

impl TakesFiles for TcpStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl<T> TakesFiles for tokio_rustls::server::TlsStream<T> {}

/// The parts of files that a connection has still to send, the next one first.
#[derive(Debug, Default)]
pub(super) struct Lane(Mutex<VecDeque<SentFile>>);

/// What is to be written next.
pub(super) enum Next<'s, 'b> {
    /// These, before anything else; whether a part of a file follows at once.
    Bytes(&'s [IoSlice<'b>], bool),
    /// A part of a file of this length.
    File(usize),
}

impl Lane {
    /// Leaves the next bytes of a file, and gives what stands for them; nothing where one would have to wait for a disk.
    pub(super) fn stand_in(&self, file: &mut SentFile) -> Option<Bytes> {
        let part = file.take_at_hand(LONGEST as u64)?;
        let length = usize::try_from(part.bytes()).ok()?;
        let blank = BLANK.get(..length)?;
        self.parts().push_back(part);
        Some(Bytes::from_static(blank))
    }

    fn parts(&self) -> MutexGuard<'_, VecDeque<SentFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the kernel send the part that a blank of this length stands for, and says how much of it went.
    pub(super) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        socket: Option<&TcpStream>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let socket = socket.ok_or_else(|| io::Error::other("no file goes into this stream"))?;
        loop {
            ready!(socket.poll_write_ready(cx))?;
            let mut parts = self.parts();
            let part = parts.front_mut().filter(|part| part.bytes() == length as u64);
            let part = part.ok_or_else(|| io::Error::other("a blank stands for no part of a file"))?;
            match socket.try_io(Interest::WRITABLE, || system::send_file(socket, part, length)) {
                // The file has become shorter.
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(sent) => {
                    part.left.start = part.left.start.saturating_add(sent as u64);
                    if part.bytes() == 0 {
                        parts.pop_front();
                    }
                    return Poll::Ready(Ok(sent));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Sends bytes which a file follows at once, so that they need not travel alone.
pub(super) fn poll_send_before(
    cx: &mut Context<'_>,
    socket: &TcpStream,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(cx))?;
        match socket.try_io(Interest::WRITABLE, || system::send_more(socket, bytes)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

/// Looks what comes first of what is to be written.
pub(super) fn next<'s, 'b>(slices: &'s [IoSlice<'b>]) -> Next<'s, 'b> {
    let empty = slices.iter().take_while(|slice| slice.is_empty()).count();
    let slices = slices.get(empty..).unwrap_or_default();
    match slices.iter().position(|slice| is_blank(slice)) {
        Some(0) => Next::File(slices.first().map_or(0, |slice| slice.len())),
        Some(bytes) => Next::Bytes(slices.get(..bytes).unwrap_or_default(), true),
        None => Next::Bytes(slices, false),
    }
}

/// Whether these bytes stand for a part of a file.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    BLANK.as_ptr_range().contains(&bytes.as_ptr()) && !bytes.is_empty()
}

/// The file that a response says its body is, unless something has made another body of it since.
pub(super) fn sent_file(response: &mut Response<Body>) -> Option<SentFile> {
    let sent = response.extensions_mut().remove::<FileSent>()?.file()?;
    let is_whole = response.body().size_hint().exact() == Some(sent.bytes());
    let is_coded = response.headers().contains_key(header::CONTENT_ENCODING);
    (is_whole && !is_coded && sent.bytes() > 0).then_some(sent)
}

#[cfg(target_os = "linux")]
mod system {
    //! What Linux is asked to do.

    use std::io;

    use rustix::fs::sendfile;
    use rustix::net::{SendFlags, send};
    use tokio::net::TcpStream;

    use crate::sent_file::SentFile;

    pub(super) const CAN: bool = true;

    pub(super) fn send_file(socket: &TcpStream, part: &SentFile, length: usize) -> io::Result<usize> {
        let mut place = part.left.start;
        Ok(sendfile(socket, &part.file, Some(&mut place), length)?)
    }

    pub(super) fn send_more(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    //! No kernel is asked.

    use std::io;

    use tokio::net::TcpStream;

    use crate::sent_file::SentFile;

    pub(super) const CAN: bool = false;

    pub(super) fn send_file(_: &TcpStream, _: &SentFile, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send_more(_: &TcpStream, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Whether the kernel sends files here.
pub(super) const CAN: bool = system::CAN;

/// A file's body on its way to the wire.
pub(super) fn poll_stand_in(
    lane: &Lane,
    body: &mut crate::sent_file::FileBody,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
    if let Some(file) = body.idle().filter(|file| file.bytes() > 0)
        && let Some(blank) = lane.stand_in(file)
    {
        return Poll::Ready(Some(Ok(http_body::Frame::data(blank))));
    }
    Pin::new(body).poll_frame(cx)
}
