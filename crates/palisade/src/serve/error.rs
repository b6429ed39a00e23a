//! What can keep a server from starting, each in one sentence that an operator can act on.
//!
//! Nothing of this happens once the server runs: a failed accept or a failed reload is logged, and the server goes on.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Says why the server did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Plain HTTP behind a proxy, while nothing says that the proxy's word about the scheme counts.
    #[error(
        "plain HTTP behind a proxy needs secure_proxy_ssl_header and trusted_proxies in the settings: without them \
         every request counts as insecure and is redirected for ever"
    )]
    ProxyUnknown,
    /// Routes ask for a client certificate, and no authority for them is known here.
    #[error(
        "these routes need a client certificate, and nobody could have one: {}. Give the server an authority with \
         Tls::with_client_ca; behind a proxy that ends TLS there are no client certificates",
        routes.join(", ")
    )]
    NoClientCa {
        /// The routes.
        routes: Vec<String>,
    },
    /// Another program listens there already.
    #[error("{address} is already in use by another program: stop it, or listen elsewhere")]
    AddressInUse {
        /// Where the server was to listen.
        address: SocketAddr,
    },
    /// The system does not let this user listen there (ports below 1024 need a privilege).
    #[error(
        "this user may not listen on {address}: take a port above 1023, or give the program CAP_NET_BIND_SERVICE"
    )]
    AddressForbidden {
        /// Where the server was to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// Where the server was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not an address with a port.
    #[error("{text:?} is not an address with a port, such as 127.0.0.1:8443")]
    InvalidAddress {
        /// What was given.
        text: String,
    },
    /// A certificate or key file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate or key file cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder for the development certificate cannot be written.
    #[error("cannot write to {}: {source}", path.display())]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The development certificate is damaged, incomplete or out of date, and is not replaced silently since browsers
    /// were told to trust it.
    #[error(
        "the development certificate in {} cannot be used, because {reason}: remove that folder to have a new one made \
         (browsers that trusted the old one must be told to trust the new one)",
        folder.display()
    )]
    Development {
        /// The folder that holds it.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate cannot be made for this name.
    #[error("{name:?} is not a host name or an address that a certificate can be made for")]
    InvalidName {
        /// What was given.
        name: String,
    },
    /// A development certificate would be shown to other machines.
    #[error(
        "{address} is reachable from other machines, and the development certificate is for this one only: listen on \
         127.0.0.1, or use a real certificate"
    )]
    DevelopmentExposed {
        /// Where the server was to listen.
        address: SocketAddr,
    },
    /// Others than the service may read the private key of the certificate.
    #[error("{0} (dangerous_readable_secrets = true, if they all may)")]
    ReadableKey(String),
    /// The settings are a developer's, and other machines can reach the address.
    #[error(
        "{address} is reachable from other machines, and debug is on, which shows them the site's inside: listen on 127.0.0.1, or \
         set debug = false (dangerous_expose_debug = true, if everybody there may see it)"
    )]
    DebugExposed {
        /// Where the server was to listen.
        address: SocketAddr,
    },
    /// TLS itself could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The signals that stop the server cannot be watched.
    #[error("cannot watch for the signals that stop the server: {0}")]
    Signals(#[source] io::Error),
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ServeError {
    pub(super) fn listening(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { address },
            io::ErrorKind::PermissionDenied => Self::AddressForbidden { address },
            _ => Self::Address { address, source },
        }
    }
}
