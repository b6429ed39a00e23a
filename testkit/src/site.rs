//! A site of a test: an axum router behind its own port, over TLS or in clear, gone when it is dropped.
//!
//! It is served by hyper directly rather than by the library, so that a fault of the library's listener cannot hide
//! in both the thing tested and the thing it is compared with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::certificate::{Authority, spki_fingerprint};

/// Whether the client of a request's connection has shown a certificate.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub bool);

/// A served site; its port closes when this is dropped.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    certificate: Option<CertificateDer<'static>>,
    task: AbortHandle,
}

impl Site {
    /// Serves `router` in clear on a free port of the loopback address.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn plain(router: Router) -> Result<Site> {
        Site::start(router, None, None).await
    }

    /// Serves `router` over TLS, with a certificate of `authority` for `names`.
    ///
    /// # Errors
    /// When no port or no certificate can be had.
    pub async fn tls(router: Router, authority: &Authority, names: &[&str]) -> Result<Site> {
        let (config, certificate) = authority.issue(names)?;
        Site::start(
            router,
            Some(TlsAcceptor::from(Arc::new(config))),
            Some(certificate),
        )
        .await
    }

    /// Serves `router` over TLS and asks every client for a certificate. Any is taken, whoever has issued it; [`Shown`] in a request's
    /// extensions says whether there was one.
    ///
    /// # Errors
    /// When no port or no certificate can be had.
    pub async fn tls_taking_any_certificate(
        router: Router,
        authority: &Authority,
        names: &[&str],
    ) -> Result<Site> {
        let (config, certificate) = authority.issue_asking(names)?;
        Site::start(
            router,
            Some(TlsAcceptor::from(Arc::new(config))),
            Some(certificate),
        )
        .await
    }

    /// Returns where the site listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the fingerprint of the site's key, or nothing for a site in clear.
    pub fn fingerprint(&self) -> Option<String> {
        self.certificate
            .as_ref()
            .and_then(|certificate| spki_fingerprint(certificate).ok())
    }

    async fn start(
        router: Router,
        acceptor: Option<TlsAcceptor>,
        certificate: Option<CertificateDer<'static>>,
    ) -> Result<Site> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, acceptor, router)).abort_handle();
        Ok(Site {
            address,
            certificate,
            task,
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (acceptor, router) = (acceptor.clone(), router.clone());
        connections.spawn(async move {
            match acceptor {
                None => answer(stream, router, Shown(false)).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let shown = Shown(stream.get_ref().1.peer_certificates().is_some());
                        answer(stream, router, shown).await;
                    }
                }
            }
        });
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, shown: Shown) {
    let router = router.layer(Extension(shown));
    // A browser that closes a connection early is none of the site's business.
    let _closed = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
}
