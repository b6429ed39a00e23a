//! What is known of a connection before anything of the request is believed: who is at the other end, and by which door it came.
//!
//! Whoever serves says it, the guards read it; so it stands below both.

use std::net::{IpAddr, Ipv6Addr};

/// Says who sent a request and whether TLS carried it; every request has it among its extensions.
///
/// The address is the connection's own: behind a proxy it is the proxy's. An IPv4 client of an IPv6 socket has its IPv4
/// address here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the connection.
    pub addr: std::net::SocketAddr,
    /// Whether this server ended the TLS connection.
    pub tls: bool,
}

/// Marks a request that came through the plain-HTTP door, behind which there is only a way to HTTPS.
#[derive(Clone, Copy, Debug)]
pub struct PlainDoor {
    /// The port that HTTPS is served on.
    pub https_port: u16,
}

/// What is counted as one client: an IPv4 address, or the /64 that one IPv6 subscriber has.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}
