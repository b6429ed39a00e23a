//! What a client's certificate is judged by, read from files: authorities and revocation lists.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::super::error::ServeError;
use super::super::tls::{provider, read};
use crate::rejection::in_one_line;

/// Where everything is read from.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) authorities: PathBuf,
    pub(super) lists: Vec<PathBuf>,
}

/// What the files hold.
pub(super) struct Bytes {
    authorities: Vec<u8>,
    lists: Vec<Vec<u8>>,
}

impl Bytes {
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for bytes in std::iter::once(&self.authorities).chain(&self.lists) {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
        digest.finalize().into()
    }
}

impl Files {
    /// Reads and parses all of them.
    pub(super) fn open(&self) -> Result<(Trust, [u8; 32]), ServeError> {
        let bytes = self.read()?;
        Ok((self.parse(&bytes)?, bytes.digest()))
    }

    pub(super) fn read(&self) -> Result<Bytes, ServeError> {
        Ok(Bytes {
            authorities: read(&self.authorities)?,
            lists: self
                .lists
                .iter()
                .map(|path| read(path))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn parse(&self, bytes: &Bytes) -> Result<Trust, ServeError> {
        let now = seconds(SystemTime::now());
        let authorities = authorities(&self.authorities, &bytes.authorities)?;
        verifier(&authorities, &[], now).map_err(|reason| unusable(&self.authorities, reason))?;
        let mut lists = Vec::new();
        for (path, bytes) in self.lists.iter().zip(&bytes.lists) {
            let more = lists_in(path, bytes, &authorities)?;
            verifier(&authorities, &more, now).map_err(|reason| unusable(path, reason))?;
            lists.extend(more);
        }
        // Of two lists of one issuer the first is asked: let it be the newer.
        lists.sort_by_key(|list| std::cmp::Reverse(list.begins));
        Trust::new(authorities, lists, now).map_err(|reason| unusable(&self.authorities, reason))
    }
}

#[derive(Debug)]
struct Authority {
    der: CertificateDer<'static>,
    /// The subject as it stands in the certificate, to be compared with the issuer of a list.
    subject: Vec<u8>,
    key: Vec<u8>,
    begins: i64,
    ends: i64,
}

impl Authority {
    fn is_valid(&self, at: i64) -> bool {
        self.begins <= at && at <= self.ends
    }
}

#[derive(Debug)]
struct List {
    der: CertificateRevocationListDer<'static>,
    path: PathBuf,
    begins: i64,
    ends: Option<i64>,
}

/// The authorities and lists of one moment.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Vec<Authority>,
    lists: Vec<List>,
    /// For as long as no authority expires.
    verifier: Arc<dyn ClientCertVerifier>,
    verifier_ends: i64,
}

impl Trust {
    fn new(authorities: Vec<Authority>, lists: Vec<List>, now: i64) -> Result<Self, String> {
        let verifier = verifier(&authorities, &lists, now)?;
        let valid = authorities.iter().filter(|authority| authority.is_valid(now));
        let verifier_ends = valid.map(|authority| authority.ends).min().unwrap_or(now);
        Ok(Self {
            authorities,
            lists,
            verifier,
            verifier_ends,
        })
    }

    /// A list that has expired, if there is one.
    pub(super) fn expired_list(&self, now: SystemTime) -> Option<&Path> {
        let now = seconds(now);
        let expired = self
            .lists
            .iter()
            .find(|list| list.ends.is_none_or(|ends| ends < now));
        expired.map(|list| list.path.as_path())
    }

    /// Verifies everything but that the client has the key, which the handshake proves.
    pub(super) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        is_for_clients(leaf)?;
        let at = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if at <= self.verifier_ends {
            return self.verifier.verify_client_cert(leaf, rest, now);
        }
        // An authority has expired since the files were read. Those that are left count on.
        let left = verifier(&self.authorities, &self.lists, at)
            .map_err(|_| Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        left.verify_client_cert(leaf, rest, now)
    }
}

impl Trust {
    /// The first moment at which something of the chain, or of what it is judged by, expires.
    pub(super) fn until(&self, chain: &[CertificateDer<'_>]) -> SystemTime {
        let shown = chain.iter().map(|der| {
            let parsed = x509_parser::parse_x509_certificate(der);
            parsed.map_or(0, |(_, parsed)| parsed.validity().not_after.timestamp())
        });
        let lists = self.lists.iter().map(|list| list.ends.unwrap_or(0));
        let authorities = self.authorities.iter().map(|authority| authority.ends);
        let first = shown.chain(lists).chain(authorities).min().unwrap_or(0);
        UNIX_EPOCH + Duration::from_secs(u64::try_from(first).unwrap_or(0))
    }
}

/// Asks each client for a certificate, and takes none for an answer.
#[derive(Debug)]
pub(super) struct Asks(Arc<Trust>);

impl Asks {
    pub(super) fn new(trust: Arc<Trust>) -> Self {
        Self(trust)
    }
}

impl ClientCertVerifier for Asks {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self.0.verify(leaf, rest, now);
        if let Err(error) = &verdict {
            let subject = x509_parser::parse_x509_certificate(leaf).map_or_else(
                |_| "?".to_owned(),
                |(_, leaf)| in_one_line(&leaf.subject().to_string()),
            );
            tracing::warn!(
                target: "palisade::rejection",
                threat = "insecure-transport",
                reason = in_words(error),
                subject,
                "handshake refused for its client certificate"
            );
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.verifier.supported_verify_schemes()
    }
}

fn verifier(
    authorities: &[Authority],
    lists: &[List],
    at: i64,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for authority in authorities.iter().filter(|authority| authority.is_valid(at)) {
        roots
            .add(authority.der.clone())
            .map_err(|error| format!("it holds an authority that cannot be used ({error})"))?;
    }
    if roots.is_empty() {
        return Err("every authority in it has expired, or does not count yet".to_owned());
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .with_crls(lists.iter().map(|list| list.der.clone()))
        // A list that is too old says nothing of today.
        .enforce_revocation_expiration()
        .allow_unauthenticated();
    builder.build().map_err(|error| error.to_string())
}

fn authorities(path: &Path, bytes: &[u8]) -> Result<Vec<Authority>, ServeError> {
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(bytes) {
        let der = der.map_err(|error| unusable(path, format!("it is not a PEM certificate ({error})")))?;
        let authority = authority(&der).map_err(|reason| unusable(path, reason))?;
        found.push(authority);
    }
    if found.is_empty() {
        return Err(unusable(path, "it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

fn authority(der: &CertificateDer<'static>) -> Result<Authority, String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der)
        .map_err(|_| "it holds a certificate that cannot be read".to_owned())?;
    // Whoever is trusted here may sign, whatever their certificate says; so a leaf that got into the file must not be.
    let is_authority = matches!(parsed.basic_constraints(), Ok(Some(constraints)) if constraints.value.ca);
    let may_sign = match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
        Err(_) => false,
    };
    if !is_authority || !may_sign {
        return Err(format!(
            "the certificate of {} in it is no authority's (basicConstraints CA:TRUE, keyUsage keyCertSign)",
            parsed.subject()
        ));
    }
    let (begins, ends) = (parsed.validity().not_before, parsed.validity().not_after);
    if !parsed.validity().is_valid() {
        tracing::error!(
            "the authority {} of clients counts only from {begins} to {ends}, and not now",
            parsed.subject()
        );
    }
    Ok(Authority {
        subject: parsed.subject().as_raw().to_vec(),
        key: parsed.public_key().subject_public_key.data.to_vec(),
        begins: begins.timestamp(),
        ends: ends.timestamp(),
        der: der.clone(),
    })
}

fn lists_in(path: &Path, bytes: &[u8], authorities: &[Authority]) -> Result<Vec<List>, ServeError> {
    let ders: Vec<CertificateRevocationListDer<'static>> = if bytes.starts_with(&[0x30]) {
        vec![bytes.to_vec().into()]
    } else {
        CertificateRevocationListDer::pem_slice_iter(bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(path, format!("it is no revocation list, PEM or DER ({error})")))?
    };
    if ders.is_empty() {
        return Err(unusable(path, "it holds no revocation list".to_owned()));
    }
    let list = |der| list(path, der, authorities).map_err(|reason| unusable(path, reason));
    ders.iter().map(list).collect()
}

fn list(
    path: &Path,
    der: &CertificateRevocationListDer<'static>,
    authorities: &[Authority],
) -> Result<List, String> {
    let Ok(([], parsed)) = CertificateRevocationList::from_der(der) else {
        return Err("it is no revocation list, PEM or DER".to_owned());
    };
    let mut issuers = authorities
        .iter()
        .filter(|authority| authority.subject == parsed.issuer().as_raw())
        .peekable();
    if issuers.peek().is_none() {
        // It may be that of an authority in between, whose certificate the clients show.
        tracing::warn!(
            "the revocation list {} is one of {}, who is none of the authorities of clients",
            path.display(),
            parsed.issuer()
        );
    } else if !issuers.any(|issuer| has_signed(issuer, &parsed)) {
        return Err(format!("{} has not signed it", parsed.issuer()));
    }
    let (begins, ends) = (parsed.last_update().timestamp(), parsed.next_update());
    let ends = ends.map(|ends| ends.timestamp());
    Ok(List {
        der: der.clone(),
        path: path.to_path_buf(),
        begins,
        ends,
    })
}

/// Looked at early, so that a list that was tampered with takes no other's place. It is verified again, and by its stated algorithm, whenever
/// it is asked.
fn has_signed(issuer: &Authority, list: &CertificateRevocationList<'_>) -> bool {
    let (message, signature) = (list.tbs_cert_list.as_ref(), &*list.signature_value.data);
    let provider = provider();
    let mut algorithms = provider.signature_verification_algorithms.all.iter();
    algorithms.any(|algorithm| {
        algorithm
            .verify_signature(&issuer.key, message, signature)
            .is_ok()
    })
}

/// Whether a certificate says that it is for clients. webpki lets one pass that says nothing of its purpose.
fn is_for_clients(leaf: &CertificateDer<'_>) -> Result<(), Error> {
    let (_, leaf) = X509Certificate::from_der(leaf)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let is_for_clients = matches!(leaf.extended_key_usage(), Ok(Some(usage)) if usage.value.client_auth);
    let may_sign = match leaf.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.digital_signature()),
        Err(_) => false,
    };
    if is_for_clients && may_sign {
        Ok(())
    } else {
        Err(Error::InvalidCertificate(CertificateError::InvalidPurpose))
    }
}

/// Says why a certificate does not count, for the log.
pub(super) fn in_words(error: &Error) -> String {
    use CertificateError as Of;
    let Error::InvalidCertificate(reason) = error else {
        return error.to_string();
    };
    let words = match reason {
        Of::Revoked => "it is revoked",
        Of::Expired | Of::ExpiredContext { .. } => "it has expired",
        Of::NotValidYet | Of::NotValidYetContext { .. } => "it does not count yet",
        Of::UnknownIssuer => "none of the authorities has issued it",
        Of::ExpiredRevocationList | Of::ExpiredRevocationListContext { .. } => {
            "the revocation list of its issuer has expired"
        }
        Of::UnknownRevocationStatus => "there is no revocation list of its issuer",
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => {
            "it is not for clients (extendedKeyUsage clientAuth)"
        }
        _ => return error.to_string(),
    };
    words.to_owned()
}

fn unusable(path: &Path, reason: String) -> ServeError {
    ServeError::Unusable {
        path: path.to_path_buf(),
        reason,
    }
}

fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
