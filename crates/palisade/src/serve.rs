//! Serves a site: TLS, the listeners, the limits and the graceful stop.
//!
//! The accept loop is our own, since nothing ready-made bounds the handshake, the header, the upload, the idle time and the
//! number of connections together; hyper's own time-outs are inert without a timer. Threats met here:
//! [`insecure-transport`](crate::core::threat::Threat), `resource-exhaustion`, and the request-smuggling side of
//! `untrusted-host`.
//!
//! What it decides for each request, in this order, is documented at [`Limits`] and in `serve/admit.rs`; connections are not
//! upgraded (no WebSocket, no CONNECT).

use std::fmt;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

mod accept;
mod admission;
mod admit;
mod body;
mod change;
mod client_ca;
mod connection;
mod development;
mod error;
mod exchange;
mod frames;
mod framing;
mod kernel;
mod limits;
mod pace;
mod pulse;
mod redirect;
mod stop;
mod tls;
mod vigil;
mod wire;

pub use crate::peer::{Peer, PlainDoor};
pub use body::UploadError;
pub use client_ca::ClientCa;
pub use error::ServeError;
pub use limits::Limits;
pub use tls::{Reload, Tls};

use crate::report::NOBODY_IS_TOLD;
use crate::stack::Protected;
use admission::Admission;
use connection::Connections;
use redirect::Redirect;
use stop::Signals;

/// Serves a site over TLS, or plainly behind a proxy that ends TLS; await it to run until SIGTERM or SIGINT.
///
/// # Example
///
/// ```no_run
/// # use palisade::{Protected, serve::{ServeError, Tls}};
/// # async fn run(app: Protected) -> Result<(), ServeError> {
/// palisade::serve::serve(app, Tls::from_files("cert.pem", "key.pem")?)
///     .listen("0.0.0.0:443")
///     .http_redirect("0.0.0.0:80")
///     .await
/// # }
/// ```
///
/// # Errors
///
/// Awaiting gives a [`ServeError`] if the server cannot start; once it runs nothing stops it but being asked to.
pub fn serve(app: Protected, listen: impl Into<Listen>) -> Serve {
    let Listen(kind, addresses) = listen.into();
    Serve {
        app,
        kind,
        addresses,
        redirect: None,
        limits: Limits::default(),
        stop: None,
    }
}

/// Says how connections arrive: over TLS, or plainly from a proxy.
#[derive(Clone, Debug)]
pub struct Listen(Kind, Vec<String>);

#[derive(Clone, Debug)]
enum Kind {
    Tls(Tls),
    BehindProxy,
}

impl Listen {
    /// Listens for plain HTTP/1.1 from a proxy that ends TLS.
    ///
    /// # Security
    ///
    /// Nothing is encrypted here: the address must be one that only the proxy reaches, and the proxy must be listed in the
    /// settings for its word about the scheme to count. The limit per address is off, as all connections come from one.
    pub fn plain_behind_proxy(address: impl fmt::Display) -> Self {
        Self(Kind::BehindProxy, vec![address.to_string()])
    }
}

impl From<Tls> for Listen {
    fn from(tls: Tls) -> Self {
        Self(Kind::Tls(tls), Vec::new())
    }
}

/// A server to be: [`Serve::bind`] it, or await it.
#[must_use = "a server does nothing until it is awaited"]
pub struct Serve {
    app: Protected,
    kind: Kind,
    addresses: Vec<String>,
    redirect: Option<String>,
    limits: Limits,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Serve {
    /// Listens on this address too; without any it is 127.0.0.1:8443.
    pub fn listen(mut self, address: impl fmt::Display) -> Self {
        self.addresses.push(address.to_string());
        self
    }

    /// Also listens for plain HTTP there, only to send browsers to HTTPS.
    pub fn http_redirect(mut self, address: impl fmt::Display) -> Self {
        self.redirect = Some(address.to_string());
        self
    }

    /// Sets what a client may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Stops when this future ends, in place of SIGTERM and SIGINT.
    pub fn graceful(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }

    /// Opens the listening sockets; connections are accepted once the result is awaited.
    ///
    /// # Errors
    ///
    /// Says which address cannot be listened on, and why.
    #[expect(
        clippy::unused_async,
        reason = "sockets are tied to the runtime that the caller must be in"
    )]
    pub async fn bind(self) -> Result<Bound, ServeError> {
        let Self {
            app,
            kind,
            mut addresses,
            redirect,
            limits,
            stop,
        } = self;
        if matches!(kind, Kind::BehindProxy) && !app.knows_its_proxy() {
            return Err(ServeError::ProxyUnknown);
        }
        let asks_clients = matches!(&kind, Kind::Tls(tls) if tls.asks_clients());
        let needing: Vec<String> = app
            .routes_report()
            .lines()
            .iter()
            .filter(|line| line.policy.gate.client_certificate)
            .map(|line| line.path.clone())
            .collect();
        if !asks_clients && !needing.is_empty() {
            return Err(ServeError::NoClientCa { routes: needing });
        }
        if !app.reports_faults() {
            tracing::warn!(target: "palisade::report", "{NOBODY_IS_TOLD}");
        }
        if addresses.is_empty() {
            addresses.push("127.0.0.1:8443".to_owned());
        }
        if let Kind::Tls(tls) = &kind
            && app.refuses_readable_secrets()
            && let Some(fault) = tls.readable_key()
        {
            return Err(ServeError::ReadableKey(fault));
        }
        let mut listeners = Vec::new();
        for address in &addresses {
            let address = parse(address)?;
            if app.exposes_debug() && !address.ip().to_canonical().is_loopback() {
                return Err(ServeError::DebugExposed { address });
            }
            match &kind {
                Kind::Tls(tls) if !tls.may_listen_on(address.ip()) => {
                    return Err(ServeError::DevelopmentExposed { address });
                }
                Kind::BehindProxy if !address.ip().to_canonical().is_loopback() => {
                    tracing::warn!("{address} speaks plain HTTP: only the proxy may be able to reach it");
                }
                _ => {}
            }
            listeners.push(Door::open(address)?);
        }
        let redirect = redirect.map(|address| Door::open(parse(&address)?)).transpose()?;
        let signals = if stop.is_none() {
            Some(Signals::watch()?)
        } else {
            None
        };
        let stop = stop.unwrap_or_else(|| Box::pin(std::future::pending()));
        Ok(Bound {
            addresses: listeners.iter().map(|door| door.address).collect(),
            redirect_address: redirect.as_ref().map(|door| door.address),
            app,
            kind,
            listeners,
            redirect,
            limits: Arc::new(limits),
            stop,
            signals,
        })
    }
}

impl IntoFuture for Serve {
    type Output = Result<(), ServeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.bind().await?.await;
            Ok(())
        })
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// A server whose sockets are open; await it to run.
#[must_use = "a server does nothing until it is awaited"]
pub struct Bound {
    app: Protected,
    kind: Kind,
    listeners: Vec<Door>,
    redirect: Option<Door>,
    addresses: Vec<SocketAddr>,
    redirect_address: Option<SocketAddr>,
    limits: Arc<Limits>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    signals: Option<Signals>,
}

struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    fn open(address: SocketAddr) -> Result<Self, ServeError> {
        let listener = accept::listen(address)?;
        let address = listener
            .local_addr()
            .map_err(|source| ServeError::listening(address, source))?;
        Ok(Self { listener, address })
    }
}

impl Bound {
    /// Where the site is served, with the ports that the system chose for port 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where plain HTTP is redirected, if anywhere.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect_address
    }

    async fn run(self) {
        let admission = Admission::new(&self.limits, matches!(self.kind, Kind::BehindProxy));
        let _ends_with_us = EndsConnections(Arc::clone(&admission));
        let mut tasks = JoinSet::new();
        let tls = match &self.kind {
            Kind::Tls(tls) => {
                tasks.spawn(tls.clone().watch());
                Some(Arc::new(tls.clone()))
            }
            Kind::BehindProxy => None,
        };
        for address in &self.addresses {
            let scheme = if tls.is_some() { "https" } else { "http" };
            tracing::info!(%address, scheme, "listening");
        }
        let https_port = self.addresses.first().map_or(443, SocketAddr::port);
        if let Some(door) = self.redirect {
            let app = Redirect {
                app: self.app.clone(),
                door: PlainDoor { https_port },
            };
            let connections = Connections {
                app,
                limits: Arc::clone(&self.limits),
                tls: None,
            };
            tasks.spawn(accept::accept(door.listener, Arc::clone(&admission), connections));
        }
        let connections = Connections {
            app: self.app,
            limits: Arc::clone(&self.limits),
            tls,
        };
        for door in self.listeners {
            tasks.spawn(accept::accept(
                door.listener,
                Arc::clone(&admission),
                connections.clone(),
            ));
        }

        match self.signals {
            Some(signals) => signals.received().await,
            None => self.stop.await,
        }
        // The listeners close first: whoever comes now is refused by the system and tries the next server.
        tasks.shutdown().await;
        admission.finish();
        if timeout(self.limits.drain, admission.emptied()).await.is_err() {
            tracing::warn!(
                "{} connections did not finish within {:?} and are dropped",
                admission.open(),
                self.limits.drain
            );
        }
    }
}

impl IntoFuture for Bound {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Leaves no connection behind, also when the server's future is dropped.
struct EndsConnections(Arc<Admission>);

impl Drop for EndsConnections {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn parse(address: &str) -> Result<SocketAddr, ServeError> {
    address.parse().map_err(|_| ServeError::InvalidAddress {
        text: address.to_owned(),
    })
}
