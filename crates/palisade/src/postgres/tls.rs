//! Whom to believe that they are the PostgreSQL server: chain and name are always checked.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::PostgresError;

/// A client that trusts the authorities in a file, or those of the system.
pub(super) fn trusting(file: Option<&Path>) -> Result<ClientConfig, PostgresError> {
    let untrusting = |reason: String| PostgresError::Trust { reason };
    let mut roots = RootCertStore::empty();
    let from = if let Some(file) = file {
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| untrusting(format!("{}: {error}", file.display())))?;
        roots.add_parsable_certificates(certificates);
        file.display().to_string()
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        "the system's store (Debian: ca-certificates)".to_owned()
    };
    if roots.is_empty() {
        return Err(untrusting(format!("no certificate authority in {from}")));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| untrusting(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
