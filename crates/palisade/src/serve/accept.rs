//! The door: opens listening sockets, and accepts without ever stopping at an error.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::admission::Admission;
use super::connection::Connections;
use super::error::ServeError;
use super::exchange::Answers;

/// How many connections the kernel holds for us while we are busy.
const BACKLOG: u32 = 1024;
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Opens a listening socket.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let open = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Lets a restart take the port while old connections time out; two servers at once still cannot.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|source| ServeError::listening(address, source))
}

/// Accepts connections until dropped, and gives each its own task.
///
/// Handshakes happen in those tasks: a silent client holds up nobody else. An error (above all: no file descriptors left) is
/// logged and tried again after a pause, since the connections that end meanwhile free what was missing.
pub(super) async fn accept<S: Answers>(
    listener: TcpListener,
    admission: Arc<Admission>,
    connections: Connections<S>,
) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_the_clients(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections, trying again in {pause:?}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = SHORTEST_PAUSE;
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        if let Some(mut slot) = admission.admit(peer.ip()) {
            slot.wait_for_place().await;
            begin(stream, peer, slot, &admission, &connections);
        } else {
            tracing::info!(target: "palisade::rejection", %peer, threat = "resource-exhaustion", reason = "too many connections from one address", "connection refused");
        }
    }
}

fn begin<S: Answers>(
    stream: TcpStream,
    peer: SocketAddr,
    slot: super::admission::Slot,
    admission: &Admission,
    connections: &Connections<S>,
) {
    let id = slot.id;
    let task = tokio::spawn(connections.clone().serve(stream, peer, slot));
    admission.attach(id, task.abort_handle());
}

/// Whether a client went away before it was accepted, which says nothing about us.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
