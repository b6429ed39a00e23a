//! The development certificate: an authority and a server certificate of one's own, made at first start and kept.
//!
//! A browser is told once to trust the authority, so it is never replaced silently, and X.509 name constraints let it sign for
//! this machine's own names only: stolen from the data folder, it forges nobody else's site.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palisade_core::Sensitive;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};
use time::OffsetDateTime;

use super::error::ServeError;
use super::tls::provider;

const FOLDER: &str = "tls";
const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca-key.pem";
/// Certificate and key in one file, so that no start finds the halves of two.
const SERVER: &str = "server.pem";

const AUTHORITY_DAYS: i64 = 3650;
/// Browsers take no server certificate for longer than 398 days.
const SERVER_DAYS: i64 = 396;
const RENEW_BEFORE: Duration = Duration::from_hours(7 * 24);

/// Opens the folder's certificate, or makes folder and certificate if there is none.
pub(super) fn open(data: &Path, names: &[String], now: SystemTime) -> Result<CertifiedKey, ServeError> {
    let names = Names::new(names)?;
    let place = Place {
        folder: data.join(FOLDER),
    };
    if !place.folder.exists() {
        place.make(data, &names, now)?;
    }
    place.load(&names, now)
}

/// Issues a client certificate for `name`, which answers with its key as PEM; authority and all are made if they are not there.
pub(super) fn client_certificate(
    data: &Path,
    name: &str,
    now: SystemTime,
) -> Result<Sensitive<String>, ServeError> {
    open(data, &[], now)?;
    let place = Place {
        folder: data.join(FOLDER),
    };
    let authority = place.authority(now)?;
    let issuer = Issuer::from_ca_cert_der(&authority, place.authority_key(&authority)?)
        .map_err(|error| place.fault(error))?;
    let key = place.generate()?;
    let certificate = client_params(name, now)
        .signed_by(&key, &issuer)
        .map_err(|error| place.fault(error))?;
    Ok(Sensitive::new(format!(
        "{}{}",
        certificate.pem(),
        key.serialize_pem()
    )))
}

/// Where the authority's certificate lies.
pub(super) fn authority(data: &Path) -> PathBuf {
    data.join(FOLDER).join(AUTHORITY)
}

/// The names that the certificate is for; this machine's own are always among them.
struct Names(Vec<ServerName<'static>>);

impl Names {
    fn new(names: &[String]) -> Result<Self, ServeError> {
        let own = ["localhost", "127.0.0.1", "::1"];
        let mut all = Vec::new();
        for name in own.into_iter().chain(names.iter().map(String::as_str)) {
            let parsed =
                ServerName::try_from(name.to_ascii_lowercase()).map_err(|_| ServeError::InvalidName {
                    name: name.to_owned(),
                })?;
            if !all.contains(&parsed) {
                all.push(parsed);
            }
        }
        Ok(Self(all))
    }

    fn texts(&self) -> Vec<String> {
        self.0.iter().map(|name| name.to_str().into_owned()).collect()
    }

    fn subtrees(&self) -> Vec<GeneralSubtree> {
        let subtree = |name: &ServerName<'_>| match name {
            ServerName::IpAddress(address) => match IpAddr::from(*address) {
                IpAddr::V4(v4) if v4.is_loopback() => {
                    GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8))
                }
                IpAddr::V4(v4) => GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(v4.octets(), 32)),
                IpAddr::V6(v6) => GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(v6.octets(), 128)),
            },
            name => GeneralSubtree::DnsName(name.to_str().into_owned()),
        };
        self.0.iter().map(subtree).collect()
    }
}

struct Place {
    folder: PathBuf,
}

impl Place {
    /// Makes the whole folder beside its place and moves it there in one step: a start that is cut off leaves nothing half.
    fn make(&self, data: &Path, names: &Names, now: SystemTime) -> Result<(), ServeError> {
        let fresh = data.join(format!("{FOLDER}.{}.new", std::process::id()));
        let unwritable = |source| ServeError::Unwritable {
            path: data.to_path_buf(),
            source,
        };
        fs::create_dir_all(data).map_err(unwritable)?;
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(unwritable)?;
        }
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&fresh)
            .map_err(unwritable)?;

        let key = self.generate()?;
        let authority = authority_params(names, now)
            .self_signed(&key)
            .map_err(|error| self.fault(error))?;
        write(&fresh.join(AUTHORITY), authority.pem().as_bytes(), 0o644)?;
        write(&fresh.join(AUTHORITY_KEY), key.serialize_pem().as_bytes(), 0o600)?;
        let server = self.sign(authority.der(), key, names, now)?;
        write(&fresh.join(SERVER), server.as_bytes(), 0o600)?;

        match fs::rename(&fresh, &self.folder) {
            Ok(()) => {
                tracing::info!(
                    "made a development certificate; browsers accept it once {} is imported as an authority",
                    self.folder.join(AUTHORITY).display()
                );
                Ok(())
            }
            // Another start was quicker: its certificate is as good.
            Err(_) if self.folder.exists() => fs::remove_dir_all(&fresh).map_err(unwritable),
            Err(source) => Err(unwritable(source)),
        }
    }

    fn load(&self, names: &Names, now: SystemTime) -> Result<CertifiedKey, ServeError> {
        let authority = self.authority(now)?;
        let verifier = self.verifier(&authority)?;
        let server = self.server(&self.read(SERVER)?)?;
        match verify(&verifier, &server, names, now + RENEW_BEFORE) {
            Ok(()) => return Ok(server),
            Err((_, reason)) if is_renewable(&reason) => {
                tracing::info!("signing a new development certificate, since the old one is {reason}");
            }
            Err((name, reason)) => {
                return Err(self.unusable(format!("{SERVER} is not valid for {name} ({reason})")));
            }
        }
        let key = self.authority_key(&authority)?;
        let text = self.sign(&authority, key, names, now)?;
        let server = self.server(text.as_bytes())?;
        verify(&verifier, &server, names, now).map_err(|_| {
            let names = names.texts().join(", ");
            self.unusable(format!(
                "its authority was made for other names and may not sign for {names}"
            ))
        })?;
        let fresh = self.folder.join(format!("{SERVER}.{}.new", std::process::id()));
        let path = self.folder.join(SERVER);
        // Left over from a start that was cut off.
        let _ = fs::remove_file(&fresh);
        write(&fresh, text.as_bytes(), 0o600)?;
        fs::rename(&fresh, &path).map_err(|source| ServeError::Unwritable { path, source })?;
        Ok(server)
    }

    fn authority(&self, now: SystemTime) -> Result<CertificateDer<'static>, ServeError> {
        let damaged = || self.unusable(format!("{AUTHORITY} is damaged"));
        let authority = CertificateDer::from_pem_slice(&self.read(AUTHORITY)?).map_err(|_| damaged())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&authority).map_err(|_| damaged())?;
        if OffsetDateTime::from(now) > parsed.validity().not_after.to_datetime() {
            return Err(self.unusable(format!(
                "its authority expired on {}",
                parsed.validity().not_after
            )));
        }
        // Looked at in any case, so that a lost key is found today and not at the next renewal.
        self.authority_key(&authority)?;
        Ok(authority)
    }

    fn authority_key(&self, authority: &CertificateDer<'_>) -> Result<KeyPair, ServeError> {
        let damaged = || self.unusable(format!("{AUTHORITY_KEY} is damaged"));
        let text = String::from_utf8(self.read(AUTHORITY_KEY)?).map_err(|_| damaged())?;
        let key = KeyPair::from_pem(&text).map_err(|_| damaged())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(authority).map_err(|_| damaged())?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(self.unusable(format!("{AUTHORITY_KEY} is not the key of {AUTHORITY}")));
        }
        Ok(key)
    }

    fn server(&self, pem: &[u8]) -> Result<CertifiedKey, ServeError> {
        let damaged = |what: &str| self.unusable(format!("{SERVER} {what}"));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| damaged("is damaged"))?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| damaged("has no private key"))?;
        if chain.is_empty() {
            return Err(damaged("has no certificate"));
        }
        CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|_| damaged("has a key that is not its certificate's"))
    }

    fn verifier(&self, authority: &CertificateDer<'static>) -> Result<Arc<WebPkiServerVerifier>, ServeError> {
        let damaged = || self.unusable(format!("{AUTHORITY} is damaged"));
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).map_err(|_| damaged())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|_| damaged())
    }

    /// Signs a new server certificate; answers it and its key as PEM.
    fn sign(
        &self,
        authority: &CertificateDer<'_>,
        authority_key: KeyPair,
        names: &Names,
        now: SystemTime,
    ) -> Result<String, ServeError> {
        let issuer = Issuer::from_ca_cert_der(authority, authority_key).map_err(|error| self.fault(error))?;
        let key = self.generate()?;
        let params = server_params(names, now).map_err(|error| self.fault(error))?;
        let certificate = params
            .signed_by(&key, &issuer)
            .map_err(|error| self.fault(error))?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    fn generate(&self) -> Result<KeyPair, ServeError> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| self.fault(error))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, ServeError> {
        let path = self.folder.join(name);
        if name != AUTHORITY {
            tighten(&path);
        }
        fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => self.unusable(format!("{name} is missing")),
            _ => ServeError::Unreadable { path, source },
        })
    }

    fn unusable(&self, reason: String) -> ServeError {
        ServeError::Development {
            folder: self.folder.clone(),
            reason,
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
    fn fault(&self, error: rcgen::Error) -> ServeError {
        self.unusable(error.to_string())
    }
}

fn verify(
    verifier: &WebPkiServerVerifier,
    server: &CertifiedKey,
    names: &Names,
    at: SystemTime,
) -> Result<(), (String, CertificateError)> {
    let at = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    let Some((leaf, rest)) = server.cert.split_first() else {
        return Err((String::new(), CertificateError::BadEncoding));
    };
    for name in &names.0 {
        verifier
            .verify_server_cert(leaf, rest, name, &[], at)
            .map_err(|error| {
                let reason = match error {
                    rustls::Error::InvalidCertificate(reason) => reason,
                    _ => CertificateError::BadEncoding,
                };
                (name.to_str().into_owned(), reason)
            })?;
    }
    Ok(())
}

/// Whether a certificate is only old, or only for other names: then the same authority signs another.
fn is_renewable(reason: &CertificateError) -> bool {
    matches!(
        reason,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }
    )
}

fn authority_params(names: &Names, now: SystemTime) -> CertificateParams {
    let now = OffsetDateTime::from(now);
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("Palisade development CA {}", now.date()));
    params.not_before = now - time::Duration::hours(1);
    params.not_after = now + time::Duration::days(AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.subtrees(),
        excluded_subtrees: Vec::new(),
    });
    params
}

fn server_params(names: &Names, now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let now = OffsetDateTime::from(now);
    let mut params = CertificateParams::new(names.texts())?;
    params.distinguished_name = common_name("Palisade development server");
    params.not_before = now - time::Duration::hours(1);
    params.not_after = now + time::Duration::days(SERVER_DAYS);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// It has no other name than the common one: the authority may sign for this machine's names only.
fn client_params(name: &str, now: SystemTime) -> CertificateParams {
    let now = OffsetDateTime::from(now);
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.not_before = now - time::Duration::hours(1);
    params.not_after = now + time::Duration::days(SERVER_DAYS);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ServeError> {
    let unwritable = |source| ServeError::Unwritable {
        path: path.to_path_buf(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(unwritable)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(unwritable)
}

/// Takes a private key away from other users, who may have got at it through a copy or a restore.
fn tighten(path: &Path) {
    let Ok(file) = fs::metadata(path) else { return };
    if file.permissions().mode() & 0o077 != 0 {
        tracing::warn!("other users could read {}: its mode is now 600", path.display());
        if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
            tracing::error!(%error, "its mode could not be set");
        }
    }
}

#[cfg(test)]
mod tests;
