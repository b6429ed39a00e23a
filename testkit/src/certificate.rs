//! Certificates of test sites, and what a client needs to trust them.
//!
//! A browser is told to trust one key by its fingerprint rather than to ignore every certificate error: with errors
//! merely ignored it treats the site as insecure, and then HSTS, caching and `Secure` cookies are no longer what a
//! visitor would have.

use std::sync::Arc;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoClientAuth, ParsedCertificate};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use sha2::{Digest, Sha256};

use crate::redis::Identity;

/// Signs the certificates of one test's sites.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new authority with a new key.
    ///
    /// # Errors
    /// When the system gives no key.
    pub fn new() -> Result<Authority> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        // OpenSSL goes by names: a certificate that is called like its issuer passes for one that signed itself.
        let name = STANDARD.encode(Sha256::digest(key.public_key_raw()));
        params
            .distinguished_name
            .push(DnType::CommonName, format!("testkit {name}"));
        Ok(Authority {
            issuer: CertifiedIssuer::self_signed(params, key)?,
        })
    }

    fn leaf(&self, names: &[&str], key: &KeyPair) -> Result<Certificate> {
        let mut leaf = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let name = names.first().copied().unwrap_or("nobody");
        leaf.distinguished_name.push(DnType::CommonName, name);
        Ok(leaf.signed_by(key, &self.issuer)?)
    }

    /// Returns the authority's own certificate as PEM, for [`trusting`].
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues what a server on this machine shows to its clients.
    ///
    /// # Errors
    /// As [`Authority::issue_pem`].
    pub fn identity(&self, names: &[&str]) -> Result<Identity> {
        let (certificate, key) = self.issue_pem(names)?;
        Ok(Identity {
            authority: self.pem(),
            certificate,
            key,
        })
    }

    /// Issues a certificate for `names` and returns it and its key as PEM, for a server that reads files.
    ///
    /// # Errors
    /// When a name is not a host name.
    pub fn issue_pem(&self, names: &[&str]) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let leaf = self.leaf(names, &key)?;
        Ok((leaf.pem(), key.serialize_pem()))
    }

    /// Issues a certificate that clients show, for whoever is called `name`, and returns it and its key as one PEM text.
    ///
    /// # Errors
    /// When the system gives no key.
    pub fn issue_client(&self, name: &str) -> Result<String> {
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(Vec::new())?;
        leaf.distinguished_name.push(DnType::CommonName, name);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}", leaf.pem(), key.serialize_pem()))
    }

    /// Issues a certificate for `names` and returns the server's configuration that presents it.
    ///
    /// # Errors
    /// When a name is not a host name.
    pub fn issue(&self, names: &[&str]) -> Result<(ServerConfig, CertificateDer<'static>)> {
        self.issue_with(names, Arc::new(NoClientAuth))
    }

    /// The same for a server that asks its clients for a certificate, and takes any.
    ///
    /// # Errors
    /// When a name is not a host name.
    pub fn issue_asking(&self, names: &[&str]) -> Result<(ServerConfig, CertificateDer<'static>)> {
        self.issue_with(names, Arc::new(TakesAny))
    }

    fn issue_with(
        &self,
        names: &[&str],
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<(ServerConfig, CertificateDer<'static>)> {
        let key = KeyPair::generate()?;
        let leaf = self.leaf(names, &key)?;
        let der = leaf.der().clone();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![der.clone()], private)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, der))
    }
}

/// Asks for a certificate, and looks only at whether the client has its key.
#[derive(Debug)]
struct TakesAny;

impl ClientCertVerifier for TakesAny {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Returns the same as [`trusting`], for a client that shows the certificate in `held`, whose key stands there, too (PEM).
///
/// # Errors
/// When `pem` holds no certificate, or `held` no certificate with its key.
pub fn showing(pem: &str, held: &str) -> Result<ClientConfig> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(held.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(held.as_bytes())?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(pem)?)
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Returns a client configuration that trusts the certificates in `pem` and no others, offering HTTP/1.1 only.
///
/// # Errors
/// When `pem` holds no certificate.
pub fn trusting(pem: &str) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(pem)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(pem: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.context("not a PEM certificate")?)?;
    }
    anyhow::ensure!(!roots.is_empty(), "no certificate in the PEM text");
    Ok(roots)
}

/// Fingerprints a certificate's public key as a browser expects it: base64 of the SHA-256 of its DER form.
///
/// # Errors
/// When `certificate` cannot be parsed.
pub fn spki_fingerprint(certificate: &CertificateDer<'_>) -> Result<String> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(STANDARD.encode(Sha256::digest(parsed.subject_public_key_info().as_ref())))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_certificates_of_one_authority_have_different_keys() {
        let authority = Authority::new().unwrap();
        let (_, first) = authority.issue(&["one.test"]).unwrap();
        let (_, second) = authority.issue(&["one.test"]).unwrap();
        assert_ne!(
            spki_fingerprint(&first).unwrap(),
            spki_fingerprint(&second).unwrap()
        );
    }

    #[test]
    fn text_without_a_certificate_is_not_trust() {
        assert!(trusting("").is_err());
        assert!(trusting(&Authority::new().unwrap().pem()).is_ok());
    }
}
