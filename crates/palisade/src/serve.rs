//! STUB
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs)]
pub struct Peer { pub addr: std::net::SocketAddr, pub tls: bool }
#[expect(missing_docs)]
pub fn serve() {}
