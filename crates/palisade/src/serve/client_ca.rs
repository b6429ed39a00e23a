//! Who signs clients' certificates, and which of those are revoked (threat `insecure-transport`).
//!
//! A certificate is asked for in each handshake and not insisted on: the routes decide who needs one. One that is shown and does not
//! count ends the handshake. What counts:
//!
//! 1. a chain to one of the authorities, each of which is an authority (`CA:TRUE`) and has not expired itself;
//! 2. a leaf for clients (`extendedKeyUsage = clientAuth`, said and not merely left open: a server's certificate is none) that may
//!    sign (`digitalSignature`), within its dates;
//! 3. where there are revocation lists: a list of each issuer in the chain, signed by it, not expired, on which the certificate is not.
//!    A list that is missing or has expired revokes everything: nobody knows what would stand on the new one.
//!
//! All of it is asked again while a connection is open, see [`crate::certificate`], so that neither a long connection nor a resumed TLS
//! session outlives a revocation. The files are looked at as the server's certificate is; a change that cannot be used is
//! logged, and what was there counts on.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ResolvesServerCert;

use super::error::ServeError;
use super::tls::{Reload, config};
use crate::certificate::Judge;

mod trust;

use trust::{Asks, Files, Trust};

/// The authority whose certificates clients may show, and what it has revoked.
///
/// # Example
///
/// ```no_run
/// use palisade::serve::{ClientCa, Tls};
///
/// # fn start() -> Result<(), palisade::serve::ServeError> {
/// let staff = ClientCa::from_file("staff-ca.pem")?.with_crl("staff-ca.crl")?;
/// let tls = Tls::from_files("cert.pem", "key.pem")?.with_client_ca(staff)?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// Everybody to whom this authority gives a client certificate is let in: let it be one that issues for this purpose alone. Without a
/// revocation list a lost certificate counts until it expires.
#[derive(Clone, Debug)]
pub struct ClientCa {
    files: Files,
    hosts: Vec<String>,
}

impl ClientCa {
    /// Takes the authorities in a PEM file, which is read again when it changes.
    ///
    /// # Errors
    ///
    /// [`ServeError::Unreadable`] and [`ServeError::Unusable`] name the file and what is wrong with it: no certificate in it, one
    /// that is no authority, none that has not expired.
    pub fn from_file(authorities: impl AsRef<Path>) -> Result<Self, ServeError> {
        let files = Files {
            authorities: authorities.as_ref().to_path_buf(),
            lists: Vec::new(),
        };
        files.open()?;
        Ok(Self {
            files,
            hosts: Vec::new(),
        })
    }

    /// Refuses what stands on the revocation lists (CRLs) in this file, PEM or DER, which is read again when it changes. May be said
    /// several times: each issuer whose certificates are shown needs a list.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file) does; also for a list that its authority has not signed. One that has expired is no
    /// error, so that public pages are served on: it is logged, and no client certificate counts until there is a new one.
    pub fn with_crl(mut self, list: impl AsRef<Path>) -> Result<Self, ServeError> {
        self.files.lists.push(list.as_ref().to_path_buf());
        self.files.open()?;
        Ok(self)
    }

    /// Asks for a certificate only on connections for these host names (SNI), so that visitors of the others are not bothered by
    /// their browsers.
    ///
    /// A request for such a host on a connection that was opened for another (HTTP/2 lets browsers share them) is answered with 421 by
    /// routes that need a certificate: the browser comes again on a connection of its own.
    #[must_use]
    pub fn asked_at(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hosts = hosts
            .into_iter()
            .map(|host| host.into().to_ascii_lowercase())
            .collect();
        self
    }

    /// Opens the files for a server that shows these certificates.
    pub(super) fn watched(self, shown: Arc<dyn ResolvesServerCert>) -> Result<Clients, ServeError> {
        let (trust, digest) = self.files.open()?;
        let mut seen = Seen {
            digest,
            told_expired: false,
        };
        seen.tell_expired(&trust);
        let current = ArcSwap::from_pointee(Edition::new(0, trust, &shown)?);
        Ok(Clients {
            shown,
            current,
            seen: Mutex::new(seen),
            files: self.files,
            hosts: self.hosts,
        })
    }
}

/// The authorities of a running server; the judge of the certificates that its clients show.
#[derive(Debug)]
pub(super) struct Clients {
    /// What the server shows of itself, for a configuration anew.
    shown: Arc<dyn ResolvesServerCert>,
    current: ArcSwap<Edition>,
    seen: Mutex<Seen>,
    files: Files,
    /// The hosts at which a certificate is asked for; none stands for all.
    hosts: Vec<String>,
}

/// What counts, from one change of the files to the next.
#[derive(Debug)]
struct Edition {
    number: u64,
    trust: Arc<Trust>,
    /// With keys for tickets of its own: no session from before a change is resumed.
    config: Arc<ServerConfig>,
}

impl Edition {
    fn new(number: u64, trust: Trust, shown: &Arc<dyn ResolvesServerCert>) -> Result<Self, ServeError> {
        let trust = Arc::new(trust);
        let asks = Asks::new(Arc::clone(&trust));
        let config = Arc::new(config(Arc::clone(shown), Some(Arc::new(asks)))?);
        Ok(Self {
            number,
            trust,
            config,
        })
    }
}

/// What the last look at the files found.
#[derive(Debug)]
struct Seen {
    digest: [u8; 32],
    told_expired: bool,
}

impl Seen {
    /// Says once that a list has expired.
    fn tell_expired(&mut self, trust: &Trust) {
        let expired = trust.expired_list(SystemTime::now());
        if let Some(list) = expired.filter(|_| !self.told_expired) {
            tracing::error!(
                "the revocation list {} has expired: no client certificate of its issuer counts until there is a new one",
                list.display()
            );
        }
        self.told_expired = expired.is_some();
    }
}

impl Clients {
    /// How to shake hands with a client that asks for this host; `None` where no certificate is asked for.
    pub(super) fn config(&self, host: Option<&str>) -> Option<Arc<ServerConfig>> {
        let asks = self.hosts.is_empty()
            || host.is_some_and(|host| self.hosts.iter().any(|asked| asked.eq_ignore_ascii_case(host)));
        asks.then(|| Arc::clone(&self.current.load().config))
    }

    /// Whether the host decides, so that it has to be known first.
    pub(super) fn depends_on_host(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Looks at the files.
    pub(super) fn reload(&self) -> Result<Reload, ServeError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load();
        seen.tell_expired(&current.trust);
        let bytes = self.files.read()?;
        if bytes.digest() == seen.digest {
            return Ok(Reload::Unchanged);
        }
        // Also remembered when it cannot be used: once said is enough.
        seen.digest = bytes.digest();
        let trust = self.files.parse(&bytes)?;
        seen.told_expired = false;
        seen.tell_expired(&trust);
        let edition = Edition::new(current.number + 1, trust, &self.shown)?;
        self.current.store(Arc::new(edition));
        Ok(Reload::Replaced)
    }
}

impl Judge for Clients {
    fn edition(&self) -> u64 {
        self.current.load().number
    }

    fn judge(&self, chain: &[CertificateDer<'static>], now: SystemTime) -> Result<SystemTime, String> {
        let Some((leaf, rest)) = chain.split_first() else {
            return Err("there is none".to_owned());
        };
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let trust = Arc::clone(&self.current.load().trust);
        trust
            .verify(leaf, rest, UnixTime::since_unix_epoch(since))
            .map(|_| trust.until(chain))
            .map_err(|error| trust::in_words(&error))
    }
}
