//! The gate of a route: from which networks, and with which certificate, it is reached at all (threats `insecure-transport`,
//! `exposed-diagnostics`).
//!
//! It is asked first of all that a route asks: before its body is read, before the CSRF decision, and before any session.
//!
//! 1. Is the client's address in each of the route's networks? If not, the answer is the one of an address where nothing is: the
//!    router's own fallback answers. Whoever comes from elsewhere does not learn that there is an administration.
//! 2. Has the connection a client certificate that counts now? If not, the answer is 403: whoever comes from the right network may
//!    know what is missing.
//!
//! The address is [`Connection::client`]: the connection's own, or what listed proxies say of it. Where it cannot be told (a
//! listed proxy names no client; somebody who is not listed speaks as a proxy does) nobody is let through: behind a proxy that is
//! not listed everybody has its address, which is often this machine's.
//!
//! # Security
//!
//! A gate is there beside the rule who may reach the route, not in its place; both must let a request through. An address can be
//! that of a hijacked machine, a certificate can be in the wrong hands.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::IntoResponse as _;
use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;
use http::header::ALLOW;
use http::{HeaderValue, Request, Response, StatusCode, response};
use palisade_core::Threat;
use palisade_core::link_token::masked;
use palisade_core::network::NetworkList;
use tower_service::Service as _;

use crate::certificate::ClientCertificate;
use crate::rejection::{Rejection, in_one_line};
use crate::transport::{ClientUnknown, Connection};

/// From where, and with what, a route is reached. The default is from everywhere, with nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gate {
    /// The lists that the client's address must be in, each of them.
    pub networks: Vec<NetworkList>,
    /// Whether the connection must have a client certificate.
    pub client_certificate: bool,
}

impl Gate {
    /// Whether everybody comes through.
    pub(crate) fn is_open(&self) -> bool {
        self.networks.is_empty() && !self.client_certificate
    }

    /// Lets the request through, or says what is in its way.
    fn admit(&self, extensions: &http::Extensions) -> Result<(), Turned> {
        if !self.networks.is_empty() {
            self.admit_address(extensions).map_err(Turned::Away)?;
        }
        if self.client_certificate {
            ClientCertificate::required(extensions).map_err(Turned::Back)?;
        }
        Ok(())
    }

    fn admit_address(&self, extensions: &http::Extensions) -> Result<(), String> {
        if let Some(unknown) = extensions.get::<ClientUnknown>() {
            return Err(unknown.to_string());
        }
        // Without the transport guard nobody knows who comes.
        let client = extensions.get::<Connection>().map(|connection| connection.client);
        match client {
            Some(client) if self.networks.iter().all(|list| list.contains(client)) => Ok(()),
            Some(client) => Err(format!("{client} is in no network that it is for")),
            None => Err("the client's address is not known".to_owned()),
        }
    }
}

/// What the route report prints.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_open() {
            return f.write_str("anywhere");
        }
        for (n, list) in self.networks.iter().enumerate() {
            let and = if n == 0 { "" } else { " and " };
            write!(f, "{and}{list}")?;
        }
        match (self.client_certificate, self.networks.is_empty()) {
            (true, true) => f.write_str("client certificate"),
            (true, false) => f.write_str(" + client certificate"),
            (false, _) => Ok(()),
        }
    }
}

/// How a request is not let through.
enum Turned {
    /// As if there were nothing; the log has the reason.
    Away(String),
    /// With a refusal.
    Back(Rejection),
}

/// A gate that is shut for somebody, and what answers those who are not to know of the route.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    gate: Arc<Gate>,
    elsewhere: Elsewhere,
}

impl Kept {
    /// `None` for an open gate, which costs nothing.
    pub(crate) fn new(gate: &Gate, elsewhere: &Elsewhere) -> Option<Self> {
        (!gate.is_open()).then(|| Self {
            gate: Arc::new(gate.clone()),
            elsewhere: elsewhere.clone(),
        })
    }

    /// Gives the request back if it may go on, or else the answer.
    pub(crate) fn admit(&self, request: Request<Body>) -> Result<Request<Body>, Stopped> {
        match self.gate.admit(request.extensions()) {
            Ok(()) => Ok(request),
            Err(Turned::Back(rejection)) => Err(Stopped::Refused(rejection)),
            Err(Turned::Away(reason)) => {
                tracing::warn!(
                    target: "palisade::rejection",
                    threat = Threat::ExposedDiagnostics.id(),
                    path = %in_one_line(&masked(request.uri().path())),
                    "hidden: {reason}"
                );
                Err(Stopped::Elsewhere(self.elsewhere.answer(request)))
            }
        }
    }
}

/// An answer in the place of the route's.
pub(crate) enum Stopped {
    Refused(Rejection),
    Elsewhere(BoxFuture<'static, Response<Body>>),
}

/// What answers an address where nothing is: a router's fallback, or nobody, which is axum's empty 404.
#[derive(Clone, Debug, Default)]
pub(crate) struct Elsewhere {
    fallback: Option<MethodRouter>,
    /// Whether the fallback is that of a router further out, which sees the whole address.
    is_outside: bool,
}

impl Elsewhere {
    /// The fallback of the router that a route stands in.
    pub(crate) fn at(fallback: MethodRouter) -> Self {
        Self {
            fallback: Some(fallback),
            is_outside: false,
        }
    }

    /// The same for the routes of a router that is nested and has none.
    pub(crate) fn further_in(&self) -> Self {
        Self {
            fallback: self.fallback.clone(),
            is_outside: true,
        }
    }

    fn answer(&self, mut request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let Some(mut fallback) = self.fallback.clone() else {
            let mut nothing = StatusCode::NOT_FOUND.into_response();
            nothing.extensions_mut().insert(Hidden { allow: None });
            return Box::pin(ready(nothing));
        };
        if self.is_outside
            && let Some(OriginalUri(whole)) = request.extensions().get().cloned()
        {
            *request.uri_mut() = whole;
        }
        Box::pin(async move {
            let Ok(mut response) = fallback.call(request).await;
            let allow = response.headers().get(ALLOW).cloned();
            response.extensions_mut().insert(Hidden { allow });
            response
        })
    }
}

/// Marks an answer that hides a route. axum adds which methods the route has (`Allow`) outside of its layers, where it would tell.
#[derive(Clone, Debug)]
pub(crate) struct Hidden {
    allow: Option<HeaderValue>,
}

impl Hidden {
    /// Makes the answer what it is where nothing is.
    pub(crate) fn keep(response: &mut response::Parts) {
        match response.extensions.remove::<Self>() {
            Some(Self { allow: Some(allow) }) => {
                response.headers.insert(ALLOW, allow);
            }
            Some(Self { allow: None }) => {
                response.headers.remove(ALLOW);
            }
            None => {}
        }
    }
}
