//! The transport guard: sensitive data crosses the network over TLS or not at all (threat `insecure-transport`).
//!
//! 1. Was the connection TLS? Its own, or, when the peer is a listed proxy, what the proxy's header says
//!    (`secure_proxy_ssl_header`; a present header that says otherwise means *not* secure: CVE-2019-12781).
//! 2. Forwarding headers from anybody else are taken off the request, so that nothing further in can believe them.
//! 3. A plain request with a session cookie has already sent it in clear: it is refused, not redirected, and the
//!    session is revoked.
//! 4. Any other plain request is redirected to HTTPS (301 for GET and HEAD; 308 otherwise is no help, the body has
//!    already crossed in clear, so it is refused).
//! 5. Answers over TLS carry `Strict-Transport-Security`, unless a handler set its own.
//!
//! Further in, [`Connection`] in the request's extensions says whether the request is secure and who sent it.
//!
//! # Security
//!
//! HSTS is not sent for `localhost`, `*.localhost` and IP addresses: browsers ignore it for addresses (RFC 6797 §8.1),
//! and pinning `localhost` would break every other development server on the machine.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use http::header::{COOKIE, HOST, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, request, response};
use ipnet::IpNet;
use palisade_core::Threat;
use palisade_core::header::Hsts;
use palisade_core::redirect::https_address;
use palisade_core::settings::{ExemptPaths, ProxyHeader, Settings};

use crate::cookies;
use crate::errors::RequestId;
use crate::guard::Guard;
use crate::headers::lasting;
use crate::peer::{Peer, PlainDoor};
use crate::rejection::Rejection;

/// What proxies say of a request, and what only listed proxies may say.
const FORWARDING_HEADERS: [HeaderName; 9] = [
    http::header::FORWARDED,
    X_FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-protocol"),
    HeaderName::from_static("x-forwarded-ssl"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How a request reached us: an extractor, put there by the [`TransportGuard`].
///
/// # Example
///
/// ```
/// async fn handler(connection: palisade::transport::Connection) -> String {
///     format!("{} over {}", connection.client, if connection.secure { "TLS" } else { "plain HTTP" })
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Whether the client's connection is TLS.
    pub secure: bool,
    /// The client's address: the peer's, or what a chain of listed proxies says.
    pub client: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        parts.extensions.get().copied().ok_or_else(|| {
            Rejection::internal("the transport guard is missing: serve what Palisade::protect returns")
        })
    }
}

/// Marks a request of which nobody can say who has sent it: an extension, for whoever goes by the address.
///
/// [`Connection::client`] is then the address of the proxy, which may be in a network that its clients are not in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientUnknown {
    /// A listed proxy names no client.
    Unnamed(IpAddr),
    /// Somebody who is not listed speaks as a proxy does: for itself, or for others.
    Unlisted(IpAddr),
}

impl fmt::Display for ClientUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed(proxy) => {
                write!(
                    f,
                    "the proxy {proxy} does not say who its client is: it has to set X-Forwarded-For"
                )
            }
            Self::Unlisted(peer) => write!(
                f,
                "{peer} speaks for others and is not believed: if it is a proxy of this site, list it in trusted_proxies"
            ),
        }
    }
}

/// The peers whose forwarding headers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether the address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether the request comes straight from one of them.
    pub fn trust(&self, request: &request::Parts) -> bool {
        !self.0.is_empty() && peer(request).is_some_and(|peer| self.contains(peer.addr.ip()))
    }

    /// The client behind a chain of trusted proxies: the right-most address that is not one of them. Says also whether the chain
    /// leads that far: where a proxy names nobody, or what is no address, the client is the proxy itself.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, bool) {
        let mut client = peer;
        let mut is_named = false;
        let lines: Vec<&HeaderValue> = headers.get_all(X_FORWARDED_FOR).iter().collect();
        for line in lines.into_iter().rev() {
            for entry in line.to_str().unwrap_or("").rsplit(',') {
                if !self.contains(client) {
                    return (client, true);
                }
                match forwarded_address(entry.trim()) {
                    Some(address) => (client, is_named) = (address, true),
                    None => return (client, false),
                }
            }
        }
        (client, is_named)
    }
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address| address.to_canonical())
}

fn peer(request: &request::Parts) -> Option<Peer> {
    request.extensions.get::<Peer>().copied()
}

/// Called with the session cookie's value when it crossed the network in clear.
type Revoke = Arc<dyn Fn(&str) + Send + Sync>;

/// Redirects to HTTPS, stamps HSTS, and believes only listed proxies.
#[derive(Clone)]
pub struct TransportGuard {
    redirect: bool,
    redirect_host: Option<String>,
    exempt: ExemptPaths,
    hsts: Option<HeaderValue>,
    scheme_header: Option<(HeaderName, ProxyHeader)>,
    proxies: TrustedProxies,
    unbelieved: Unbelieved,
    session_cookie: Option<String>,
    revoke: Option<Revoke>,
}

/// The peers whose word for HTTPS was not believed, and who were named in the log.
#[derive(Clone, Default)]
struct Unbelieved(Arc<Mutex<Vec<IpAddr>>>);

impl Unbelieved {
    /// Anybody can be one, and the log is not theirs to fill.
    const MOST: usize = 8;

    /// Whether it is to be named: once each, and only the first few.
    fn is_new(&self, peer: IpAddr) -> bool {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = named.len() < Self::MOST && !named.contains(&peer);
        if is_new {
            named.push(peer);
        }
        is_new
    }
}

impl fmt::Debug for TransportGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportGuard")
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

impl Default for TransportGuard {
    fn default() -> Self {
        Self {
            redirect: true,
            redirect_host: None,
            exempt: ExemptPaths::default(),
            hsts: lasting(Hsts::default().to_string()),
            scheme_header: None,
            proxies: TrustedProxies::default(),
            unbelieved: Unbelieved::default(),
            session_cookie: None,
            revoke: None,
        }
    }
}

impl TransportGuard {
    /// Makes the guard that the settings ask for.
    pub fn from_settings(settings: &Settings) -> Self {
        Self {
            redirect: settings.secure_ssl_redirect,
            redirect_host: settings
                .secure_ssl_host
                .as_ref()
                .map(|host| host.as_str().to_owned()),
            exempt: settings.secure_redirect_exempt.clone(),
            hsts: settings.hsts().and_then(|hsts| lasting(hsts.to_string())),
            scheme_header: settings
                .secure_proxy_ssl_header
                .as_ref()
                .and_then(|header| Some((HeaderName::try_from(header.name.as_str()).ok()?, header.clone()))),
            proxies: TrustedProxies::new(settings.trusted_proxies.clone()),
            unbelieved: Unbelieved::default(),
            session_cookie: Some(settings.session_cookie_name.clone()),
            revoke: None,
        }
    }

    /// Tells what to do with a session cookie that crossed the network in clear.
    #[must_use]
    pub fn with_revocation(mut self, revoke: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.revoke = Some(Arc::new(revoke));
        self
    }

    /// Answers plain HTTP instead of redirecting it, except on the listener that only redirects.
    ///
    /// # Security
    ///
    /// Cookies, passwords and pages can then be read and changed by anybody on the way.
    #[must_use]
    pub fn dangerous_without_redirect(mut self) -> Self {
        self.redirect = false;
        self
    }

    fn connection(&self, request: &mut request::Parts) -> Connection {
        let peer = peer(request);
        let address = peer
            .as_ref()
            .map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.addr.ip().to_canonical());
        let tls = peer.as_ref().is_some_and(|peer| peer.tls);
        if !self.proxies.0.is_empty() && peer.is_some() && self.proxies.contains(address) {
            let secure = match &self.scheme_header {
                Some((name, header)) => match request.headers.get(name) {
                    Some(said) => said.to_str().is_ok_and(|said| header.says_secure(said)),
                    None => tls,
                },
                None => tls,
            };
            let (client, is_named) = self.proxies.client(address, &request.headers);
            if !is_named {
                request.extensions.insert(ClientUnknown::Unnamed(address));
            }
            return Connection { secure, client };
        }
        if peer.is_some() && !tls {
            self.tell_unbelieved(&request.headers, address);
        }
        let mut claims = false;
        for name in FORWARDING_HEADERS {
            claims |= request.headers.remove(name).is_some();
        }
        if claims {
            request.extensions.insert(ClientUnknown::Unlisted(address));
        }
        if let Some((name, _)) = &self.scheme_header {
            request.headers.remove(name);
        }
        Connection {
            secure: tls,
            client: address,
        }
    }

    /// Names a proxy that is not listed. All else that is seen of it is a browser that is redirected for ever.
    fn tell_unbelieved(&self, headers: &HeaderMap, peer: IpAddr) {
        let Some((name, header)) = &self.scheme_header else {
            return;
        };
        let said = headers.get(name).and_then(|said| said.to_str().ok());
        if said.is_some_and(|said| header.says_secure(said)) && self.unbelieved.is_new(peer) {
            tracing::warn!(target: "palisade::transport", "{name} from {peer} is not believed: it is not in trusted_proxies");
        }
    }

    fn refuse_plain(&self, request: &request::Parts) -> Result<(), Rejection> {
        let door = request.extensions.get::<PlainDoor>();
        if door.is_none() && (!self.redirect || self.exempt.contains(request.uri.path())) {
            return Ok(());
        }
        if let Some(key) = self.session_sent_in_clear(request) {
            if let Some(revoke) = &self.revoke {
                revoke(&key);
            }
            return Err(plain("a session cookie crossed the network in clear; the session is revoked").with_hint(
                "Your session was sent over an unprotected connection and has been ended. Open the https address and log in again.",
            ));
        }
        if request.method != Method::GET && request.method != Method::HEAD {
            return Err(plain("an unsafe request over plain HTTP")
                .with_hint("Use the https address: what was sent has not been processed."));
        }
        let location = self.https_location(request)?;
        Err(Rejection::redirect(
            StatusCode::MOVED_PERMANENTLY,
            location,
            "redirected to HTTPS",
        ))
    }

    fn session_sent_in_clear(&self, request: &request::Parts) -> Option<String> {
        let name = self.session_cookie.as_deref()?;
        let cookies = request.headers.get_all(COOKIE);
        cookies
            .iter()
            .find_map(|line| cookies::value(line, name).map(Cow::into_owned))
    }

    fn https_location(&self, request: &request::Parts) -> Result<HeaderValue, Rejection> {
        let host = request
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("");
        let host = self.redirect_host.as_deref().unwrap_or(host);
        let path = request
            .uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let port = request
            .extensions
            .get::<PlainDoor>()
            .map(|door| door.https_port)
            .filter(|port| *port != 443);
        let host: Cow<'_, str> = match port {
            _ if self.redirect_host.is_some() => host.into(),
            Some(port) => format!("{}:{port}", without_port(host)).into(),
            // The plain port answers nobody over TLS.
            None => host.strip_suffix(":80").unwrap_or(host).into(),
        };
        let refused = |_| Rejection::bad_request("the address cannot be redirected to");
        let location = https_address(&host, path).map_err(refused)?;
        HeaderValue::try_from(location)
            .map_err(|_| Rejection::bad_request("the address cannot be redirected to"))
    }
}

impl Guard for TransportGuard {
    /// Whether the answer may carry HSTS.
    type Pass = bool;

    fn admit(&self, request: &mut request::Parts) -> Result<bool, Rejection> {
        let mut connection = self.connection(request);
        if request.extensions.get::<PlainDoor>().is_some() {
            connection.secure = false;
        }
        if let Some(id) = request.extensions.get::<RequestId>() {
            id.tell_client(connection.client);
        }
        if !connection.secure {
            self.refuse_plain(request)?;
        }
        let pinnable = connection.secure
            && self.hsts.is_some()
            && request
                .headers
                .get(HOST)
                .is_some_and(|host| is_public_name(host.as_bytes()));
        request.extensions.insert(connection);
        Ok(pinnable)
    }

    fn release(&self, pinnable: bool, response: &mut response::Parts) {
        if let Some(hsts) = self.hsts.as_ref().filter(|_| pinnable) {
            response
                .headers
                .entry(STRICT_TRANSPORT_SECURITY)
                .or_insert_with(|| hsts.clone());
        }
    }
}

fn plain(reason: &'static str) -> Rejection {
    Rejection::new(StatusCode::FORBIDDEN, reason).with_threat(Threat::InsecureTransport)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// Whether HSTS makes sense for the host: a name, and not one that means this machine.
fn is_public_name(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let name = without_port(host).trim_end_matches('.');
    !name.starts_with('[')
        && name != "localhost"
        && !name.ends_with(".localhost")
        && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests;
