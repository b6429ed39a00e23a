//! The TLS side: which certificate is shown, which versions and suites are spoken.
//!
//! Only TLS 1.2 and 1.3 with forward-secret AEAD suites, as rustls offers no others; aws-lc-rs is named explicitly so that no
//! process-wide default decides ([`Threat::InsecureTransport`](crate::core::threat::Threat)). The certificate is swapped without
//! a restart, because a renewal that waits for somebody to restart a server is a renewal that expires.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use palisade_core::Sensitive;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};
use zeroize::Zeroizing;

use super::client_ca::{ClientCa, Clients};
use super::development;
use super::error::ServeError;
use crate::certificate::{Credentials, Judge, Presented};
use crate::check::readable;

/// How often certificate files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// Holds what a server shows of itself over TLS; clones share the certificate.
///
/// # Security
///
/// TLS 1.2 and 1.3 only, forward-secret AEAD suites only, hybrid post-quantum key exchange offered, no early data (it can be
/// replayed), ALPN `h2` and `http/1.1`.
#[derive(Clone, Debug)]
pub struct Tls {
    /// How to shake hands where no client certificate is asked for.
    config: Arc<ServerConfig>,
    certificate: Arc<Certificate>,
    clients: Option<Arc<Clients>>,
    reload_interval: Duration,
    /// The authority's certificate.
    development: Option<PathBuf>,
    exposed: bool,
    /// The file of the private key, where it is not ours.
    key: Option<PathBuf>,
}

/// Says what a look at the certificate files found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The files are as they were at the last look.
    Unchanged,
    /// A new certificate is shown from now on.
    Replaced,
}

impl Tls {
    /// Reads a certificate chain and its private key from PEM files, and reads them again when they change.
    ///
    /// A change that cannot be used (half written, key of another certificate) is logged and the old certificate stays.
    ///
    /// # Errors
    ///
    /// [`ServeError::Unreadable`] and [`ServeError::Unusable`] name the file and what is wrong with it.
    pub fn from_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, ServeError> {
        let files = Files {
            certificate: certificate.as_ref().to_path_buf(),
            key: key.as_ref().to_path_buf(),
        };
        let key = Some(files.key.clone());
        let (bytes, digest) = files.read()?;
        let certified = files.parse(&bytes)?;
        let watched = Watched {
            files,
            seen: Mutex::new(digest),
        };
        Ok(Self {
            key,
            ..Self::with_certificate(certified, Some(watched))?
        })
    }

    /// Opens the development certificate in a data folder, made there at first start: an authority for ten years that
    /// signs for these names and this machine only, and a server certificate for 396 days.
    ///
    /// Names beside `localhost`, `127.0.0.1` and `::1` are host names or addresses. The authority's certificate, to be
    /// imported into a browser once, is `tls/ca.pem`.
    ///
    /// # Errors
    ///
    /// [`ServeError::Development`] if the folder is there and its content cannot be used: it is never made anew silently,
    /// since a browser was told to trust it. [`ServeError::Unwritable`] if it cannot be made.
    ///
    /// # Security
    ///
    /// Keys are ECDSA P-256 in files of mode 0600. The server refuses such a certificate on an address that other machines
    /// reach.
    pub fn development(
        data: impl AsRef<Path>,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ServeError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let certified = development::open(data.as_ref(), &names, SystemTime::now())?;
        Ok(Self {
            development: Some(development::authority(data.as_ref())),
            ..Self::with_certificate(certified, None)?
        })
    }

    /// Issues a client certificate of a data folder's development authority, to try
    /// [`with_client_ca`](Self::with_client_ca) with: certificate and key as PEM. The authority's certificate is `tls/ca.pem`.
    ///
    /// # Errors
    ///
    /// As [`development`](Self::development).
    pub fn development_client_certificate(
        data: impl AsRef<Path>,
        name: &str,
    ) -> Result<Sensitive<String>, ServeError> {
        development::client_certificate(data.as_ref(), name, SystemTime::now())
    }

    /// Lets a development certificate be shown on an address that other machines reach.
    ///
    /// # Security
    ///
    /// Everybody who connects must then be told to trust a key that lies unguarded in a data folder.
    #[must_use]
    pub fn dangerous_allow_development_certificate(mut self) -> Self {
        self.exposed = true;
        self
    }

    /// Asks clients for a certificate of this authority, for the routes that need one
    /// ([`client_certificate_required`](crate::Policies::client_certificate_required)) and for handlers that take a
    /// [`ClientCertificate`](crate::certificate::ClientCertificate). Everybody else may come without.
    ///
    /// # Errors
    ///
    /// As [`ClientCa::from_file`], whose files are read again here.
    pub fn with_client_ca(mut self, authority: ClientCa) -> Result<Self, ServeError> {
        let shown = Arc::clone(&self.certificate) as Arc<dyn ResolvesServerCert>;
        self.clients = Some(Arc::new(authority.watched(shown)?));
        Ok(self)
    }

    /// Sets how often the files are looked at (every 5 s otherwise).
    #[must_use]
    pub fn with_reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Looks at the files of certificate, authorities and revocation lists now, as the server does by itself in time and on SIGHUP.
    ///
    /// # Errors
    ///
    /// Says why the files cannot be used; what was there before counts on.
    pub fn reload(&self) -> Result<Reload, ServeError> {
        let certificate = self.certificate.reload();
        let clients = self
            .clients
            .as_ref()
            .map_or(Ok(Reload::Unchanged), |clients| clients.reload());
        if let (Err(_), Err(error)) = (&certificate, &clients) {
            tracing::error!(%error, "the changed authority of clients is not used");
        }
        Ok(match (certificate?, clients?) {
            (Reload::Unchanged, Reload::Unchanged) => Reload::Unchanged,
            _ => Reload::Replaced,
        })
    }

    /// Whether clients are asked for certificates.
    pub(super) fn asks_clients(&self) -> bool {
        self.clients.is_some()
    }

    /// Shakes hands, and says what the client has shown of itself.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Credentials)> {
        let Some(clients) = &self.clients else {
            let stream = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await?;
            return Ok((stream, Credentials::None));
        };
        // In a box, so that no connection of other servers is larger for it.
        Box::pin(self.accept_asking(clients, stream)).await
    }

    async fn accept_asking(
        &self,
        clients: &Arc<Clients>,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Credentials)> {
        let (stream, is_asked) = if clients.depends_on_host() {
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let asking = clients.config(hello.client_hello().server_name());
            let is_asked = asking.is_some();
            let config = asking.unwrap_or_else(|| Arc::clone(&self.config));
            (hello.into_stream(config).await?, is_asked)
        } else {
            let config = clients.config(None).unwrap_or_else(|| Arc::clone(&self.config));
            (TlsAcceptor::from(config).accept(stream).await?, true)
        };
        if !is_asked {
            return Ok((stream, Credentials::Unasked));
        }
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|one| one.clone().into_owned()).collect();
        let judge = Arc::clone(clients) as Arc<dyn Judge>;
        let shown = Presented::new(chain, judge).map_or(Credentials::None, Credentials::Certificate);
        Ok((stream, shown))
    }

    /// The certificate that browsers are to import, if this is a development certificate.
    pub fn development_authority(&self) -> Option<&Path> {
        self.development.as_deref()
    }

    /// Whether the certificate may be shown there.
    pub(super) fn may_listen_on(&self, address: IpAddr) -> bool {
        self.development.is_none() || self.exposed || address.to_canonical().is_loopback()
    }

    /// Says so where others than the service may read or replace the private key.
    pub(super) fn readable_key(&self) -> Option<String> {
        Some(readable(self.key.as_ref()?)?.to_string())
    }

    /// Keeps looking at the files until dropped; ends at once if there are none.
    pub(super) async fn watch(self) {
        if self.certificate.watched.is_none() && self.clients.is_none() {
            return;
        }
        let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else {
            return;
        };
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.reload_interval) => {}
                signal = hangup.recv() => {
                    if signal.is_none() {
                        return;
                    }
                    tracing::info!("SIGHUP: looking at the files of certificates");
                }
            }
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(Reload::Replaced)) => tracing::info!("changed certificates count from now on"),
                Ok(Ok(Reload::Unchanged)) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "the changed files are not used, what was there before counts on");
                }
                Err(error) => tracing::error!(%error, "looking at the files of certificates failed"),
            }
        }
    }

    fn with_certificate(certified: CertifiedKey, watched: Option<Watched>) -> Result<Self, ServeError> {
        warn_if_expired(&certified);
        let certificate = Arc::new(Certificate {
            current: ArcSwap::from_pointee(certified),
            watched,
        });
        let shown = Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>;
        Ok(Self {
            config: Arc::new(config(shown, None)?),
            certificate,
            clients: None,
            reload_interval: RELOAD_INTERVAL,
            development: None,
            exposed: false,
            key: None,
        })
    }
}

/// How to shake hands. Each has its own keys for tickets: a session of one is resumed by no other.
pub(super) fn config(
    shown: Arc<dyn ResolvesServerCert>,
    asks: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let mut config = match asks {
        Some(asks) => builder.with_client_cert_verifier(asks),
        None => builder.with_no_client_auth(),
    }
    .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.max_early_data_size = 0;
    Ok(config)
}

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[derive(Debug)]
struct Certificate {
    current: ArcSwap<CertifiedKey>,
    watched: Option<Watched>,
}

impl Certificate {
    fn reload(&self) -> Result<Reload, ServeError> {
        let Some(watched) = &self.watched else {
            return Ok(Reload::Unchanged);
        };
        let mut seen = watched.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, digest) = watched.files.read()?;
        if digest == *seen {
            return Ok(Reload::Unchanged);
        }
        // Also remembered when it cannot be used: once said is enough.
        *seen = digest;
        let certified = watched.files.parse(&bytes)?;
        warn_if_expired(&certified);
        self.current.store(Arc::new(certified));
        Ok(Reload::Replaced)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

#[derive(Debug)]
struct Watched {
    files: Files,
    /// The digest of both files at the last look.
    seen: Mutex<[u8; 32]>,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Bytes {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Files {
    fn read(&self) -> Result<(Bytes, [u8; 32]), ServeError> {
        let certificate = read(&self.certificate)?;
        let key = Zeroizing::new(read(&self.key)?);
        let mut digest = Sha256::new();
        digest.update((certificate.len() as u64).to_be_bytes());
        digest.update(&certificate);
        digest.update(key.as_slice());
        Ok((Bytes { certificate, key }, digest.finalize().into()))
    }

    fn parse(&self, bytes: &Bytes) -> Result<CertifiedKey, ServeError> {
        let unusable = |path: &Path, reason: String| ServeError::Unusable {
            path: path.to_path_buf(),
            reason,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| {
                unusable(
                    &self.certificate,
                    format!("it is not a PEM certificate ({error})"),
                )
            })?;
        if chain.is_empty() {
            return Err(unusable(&self.certificate, "it holds no PEM certificate".into()));
        }
        let key = PrivateKeyDer::from_pem_slice(&bytes.key)
            .map_err(|error| unusable(&self.key, format!("it is not a PEM private key ({error})")))?;
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => unusable(
                &self.key,
                format!("it is not the key of {}", self.certificate.display()),
            ),
            error => unusable(&self.key, error.to_string()),
        })
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    fs::read(path).map_err(|source| ServeError::Unreadable {
        path: path.to_path_buf(),
        source,
    })
}

fn warn_if_expired(certified: &CertifiedKey) {
    let Some(leaf) = certified.cert.first() else {
        return;
    };
    if let Ok((_, leaf)) = x509_parser::parse_x509_certificate(leaf)
        && !leaf.validity().is_valid()
    {
        tracing::error!(
            "the certificate is not valid today, only until {}",
            leaf.validity().not_after
        );
    }
}
