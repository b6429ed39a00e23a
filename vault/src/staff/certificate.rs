//! A client certificate of the development authority: `vault client-certificate NAME`.
//!
//! It lets somebody try on one machine what a staff area behind certificates is like. Where other machines come, the certificates are
//! those of an authority that is kept elsewhere.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use anyhow::{Result, anyhow, ensure};
use palisade::serve::Tls;

use crate::cli::CertificateOptions;
use crate::data::{DataFolder, reason};

/// Writes certificate and key into one file of the data folder, and says how to use it.
pub(crate) fn run(data: &DataFolder, asked: &CertificateOptions) -> Result<()> {
    let name = &asked.name;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    ensure!(
        !name.starts_with('.') && name.chars().all(is_plain) && (1..=64).contains(&name.len()),
        "{name:?} cannot be the name in a certificate and of a file: take letters, digits and -_.@+"
    );
    let pem = Tls::development_client_certificate(data.path(), name)?;
    let folder = data.path().join("clients");
    let path = folder.join(format!("{name}.pem"));
    let written = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .and_then(|()| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
        })
        .and_then(|mut file| file.write_all(pem.expose().as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!(
            "{} is there already: move it away to have another one made",
            path.display()
        ),
        _ => anyhow!("cannot write {}: {}", path.display(), reason(&error)),
    })?;
    let authority = data.path().join("tls").join("ca.pem");
    let (path, authority) = (path.display(), authority.display());
    Ok(writeln!(
        io::stdout(),
        "made {path}\n\nStart the vault with --client-ca {authority} and try:\n  \
         curl --cacert {authority} --cert {path} https://localhost:8443/staff/"
    )?)
}
