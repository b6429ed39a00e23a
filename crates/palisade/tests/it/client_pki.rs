//! An authority of clients, what it issues and revokes, a server that goes by it, and clients that show what they have.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use palisade::serve::{self, ClientCa, ServeError, Tls};
use palisade::{Palisade, Router};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber,
};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::settings;
use crate::serve_site::within;

pub(crate) type Change = fn(&mut CertificateParams);

const DAY: time::Duration = time::Duration::DAY;

pub(crate) fn now() -> time::OffsetDateTime {
    SystemTime::now().into()
}

/// An authority that signs for clients.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as a client has it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |_| ())
    }

    pub(crate) fn with(name: &str, change: Change) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        change(&mut params);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> (Self, CertificateDer<'static>) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let below = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap();
        let certificate = below.der().clone();
        (Self(below), certificate)
    }

    pub(crate) fn issue(&self, name: &str, serial: u64) -> Held {
        self.issue_with(name, serial, |_| ())
    }

    pub(crate) fn issue_with(&self, name: &str, serial: u64, change: Change) -> Held {
        let key = KeyPair::generate().unwrap();
        let mut params = leaf(name, serial);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Held {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
        }
    }

    /// A list of the certificates with these numbers, as PEM, that counts so many days from now.
    pub(crate) fn revoke(&self, serials: &[u64], days: i32) -> String {
        let list = list(serials, now() - DAY * 10, now() + DAY * days);
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

/// A list that is not signed yet.
pub(crate) fn list(
    serials: &[u64],
    begins: time::OffsetDateTime,
    ends: time::OffsetDateTime,
) -> CertificateRevocationListParams {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: begins,
        reason_code: None,
        invalidity_date: None,
    };
    CertificateRevocationListParams {
        this_update: begins,
        next_update: ends,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

impl Held {
    /// Signed by nobody but itself.
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf(name, 1).self_signed(&key).unwrap();
        Self {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
        }
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn leaf(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = called(name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.not_before = now() - DAY;
    params.not_after = now() + DAY;
    params
}

/// A server that goes by an authority.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Tls,
    pub(crate) data: TempDir,
    running: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Site {
    pub(crate) async fn start(data: TempDir, tls: Tls, router: Router) -> Self {
        let mut settings = settings();
        settings.allowed_hosts =
            palisade::core::host::AllowedHosts::parse(["localhost", "staff.localhost", "127.0.0.1"]);
        let app = Palisade::new(settings).protect(router).unwrap();
        let bound = serve::serve(app, tls.clone())
            .listen("127.0.0.1:0")
            .graceful(std::future::pending())
            .bind()
            .await
            .unwrap();
        Self {
            address: bound.addresses()[0],
            running: tokio::spawn(bound.into_future()),
            tls,
            data,
        }
    }

    /// What a client trusts and shows, and the sessions that it may resume.
    pub(crate) fn config(
        &self,
        held: Option<&Held>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let ca = self.data.path().join("tls/ca.pem");
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match held {
            Some(Held { chain, key }) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.clone()));
                builder.with_client_auth_cert(chain.clone(), key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::in_memory_sessions(16);
        config
    }

    pub(crate) async fn shake_hands(
        &self,
        config: &ClientConfig,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config.clone()))
            .connect(name, stream)
            .await
    }
}

/// A connection that requests are sent on, one after another.
pub(crate) enum Talk {
    Http1(hyper::client::conn::http1::SendRequest<Empty<bytes::Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Empty<bytes::Bytes>>),
}

impl Talk {
    pub(crate) async fn open(stream: TlsStream<TcpStream>) -> hyper::Result<Self> {
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        if http2 {
            let (talk, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            return Ok(Self::Http2(talk));
        }
        let (talk, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        Ok(Self::Http1(talk))
    }

    /// Asks for a path at a host; an error is a connection that the server has ended.
    pub(crate) async fn ask(&mut self, host: &str, path: &str) -> hyper::Result<(StatusCode, String)> {
        let response = within(async {
            match self {
                Self::Http1(talk) => {
                    let request = Request::get(path).header("host", host);
                    talk.send_request(request.body(Empty::new()).unwrap()).await
                }
                Self::Http2(talk) => {
                    let request = Request::get(format!("https://{host}{path}"));
                    talk.send_request(request.body(Empty::new()).unwrap()).await
                }
            }
        })
        .await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The files that a server reads.
pub(crate) struct Paths {
    pub(crate) ca: PathBuf,
    pub(crate) crl: PathBuf,
}

/// Writes what the authority says into a folder.
pub(crate) fn write(folder: &TempDir, authorities: &[&Authority], crl: Option<&str>) -> Paths {
    let paths = Paths {
        ca: folder.path().join("clients.pem"),
        crl: folder.path().join("clients.crl"),
    };
    let pem: String = authorities.iter().map(|authority| authority.0.pem()).collect();
    fs::write(&paths.ca, pem).unwrap();
    if let Some(crl) = crl {
        fs::write(&paths.crl, crl).unwrap();
    }
    paths
}

impl Paths {
    pub(crate) fn open(&self) -> Result<ClientCa, ServeError> {
        let ca = ClientCa::from_file(&self.ca)?;
        if self.crl.exists() {
            ca.with_crl(&self.crl)
        } else {
            Ok(ca)
        }
    }
}

/// A server's TLS with a development certificate, which looks at its files only when it is told to.
pub(crate) fn tls(folder: &TempDir, ca: ClientCa) -> Tls {
    Tls::development(folder.path(), ["staff.localhost"])
        .unwrap()
        .with_client_ca(ca)
        .unwrap()
        .with_reload_interval(Duration::from_hours(1))
}
