//! The client's certificate: who a connection proves to be, before anybody has logged in (threat `insecure-transport`).
//!
//! A certificate is known from the TLS connection alone: it was signed for that handshake with a key that only its owner has. What a
//! header says of a certificate (`X-SSL-Client-Verify`, `X-Client-Cert` …) anybody can write, so that no header is ever read
//! for it; a proxy that ends TLS ends client certificates, too.
//!
//! A connection lives longer than a verdict: a certificate can be revoked or expire while it is open, and a resumed TLS session shows no
//! certificate again. So the verdict is asked for again by each request that needs it, see [`Judge`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{StatusCode, request};
use palisade_core::Threat;
use palisade_core::hexadecimal::hexadecimal;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use crate::rejection::Rejection;

/// The certificate that the client's connection was opened with, verified: an extractor.
///
/// A handler that asks for it is reached by nobody without one; `Option<ClientCertificate>` takes everybody. Who is verified, and
/// how, is said where the server gets its authority: [`crate::serve::ClientCa`].
///
/// # Example
///
/// ```
/// use palisade::certificate::ClientCertificate;
///
/// async fn who(certificate: ClientCertificate) -> String {
///     format!("{} ({})", certificate.common_name().unwrap_or("somebody"), certificate.fingerprint())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(who));
/// ```
///
/// # Security
///
/// It proves that the client has the key of a certificate that the authority has issued, and no more. To tell people apart compare the
/// [`fingerprint`](Self::fingerprint), or a name that the authority gives to one person only; [`subject`](Self::subject) is for
/// people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(Arc<Facts>);

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    der: CertificateDer<'static>,
    subject: String,
    common_name: Option<String>,
    issuer: String,
    serial: String,
    emails: Vec<String>,
    dns_names: Vec<String>,
    uris: Vec<String>,
    fingerprint: String,
}

/// A certificate that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read")]
pub struct UnreadableCertificate;

impl ClientCertificate {
    /// Reads a certificate (DER) that nobody has verified: for tests of routes that ask for one, which put it into a request's
    /// extensions.
    ///
    /// # Errors
    ///
    /// When it is no certificate.
    ///
    /// # Security
    ///
    /// In the extensions of a request it passes for verified. Never put one there that a client has sent in a header or a body.
    pub fn dangerous_unverified(der: &[u8]) -> Result<Self, UnreadableCertificate> {
        Self::read(CertificateDer::from(der.to_vec()))
    }

    fn read(der: CertificateDer<'static>) -> Result<Self, UnreadableCertificate> {
        let facts = match x509_parser::parse_x509_certificate(&der) {
            Ok(([], parsed)) => Facts::of(&parsed),
            _ => return Err(UnreadableCertificate),
        };
        let fingerprint = hexadecimal(&Sha256::digest(&der));
        Ok(Self(Arc::new(Facts {
            der,
            fingerprint,
            ..facts
        })))
    }

    /// The SHA-256 of the whole certificate in lower-case hexadecimal digits: what tells it apart from every other.
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The number that the authority has given to it, in lower-case hexadecimal digits.
    pub fn serial(&self) -> &str {
        &self.0.serial
    }

    /// Whom it was issued to, for people to read.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The subject's common name, if it has exactly one, without control characters.
    pub fn common_name(&self) -> Option<&str> {
        self.0.common_name.as_deref()
    }

    /// Who has issued it, for people to read.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The e-mail addresses that it is for.
    pub fn emails(&self) -> &[String] {
        &self.0.emails
    }

    /// The host names that it is for, as of a machine that calls an API.
    pub fn dns_names(&self) -> &[String] {
        &self.0.dns_names
    }

    /// The URIs that it is for, as a SPIFFE id.
    pub fn uris(&self) -> &[String] {
        &self.0.uris
    }

    /// The certificate itself (DER).
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The verified certificate of the request's connection, if it has one that counts now.
    pub(crate) fn of(extensions: &http::Extensions) -> Result<Option<Self>, Rejection> {
        match extensions.get::<Presented>() {
            Some(presented) => presented.verified().map(Some),
            None => Ok(extensions.get::<Self>().cloned()),
        }
    }

    /// The same, where there has to be one.
    pub(crate) fn required(extensions: &http::Extensions) -> Result<Self, Rejection> {
        Self::of(extensions)?.ok_or_else(|| {
            if extensions.get::<Unasked>().is_some() {
                // RFC 9110 §15.5.20: the client is to come again, on a connection of its own for this host.
                return Rejection::new(
                    StatusCode::MISDIRECTED_REQUEST,
                    "the connection was opened for another host, where no certificate is asked for",
                );
            }
            refused("the connection has no client certificate").with_hint(
                "This page opens only for a client certificate that your administrator has given you.",
            )
        })
    }
}

impl Facts {
    fn of(parsed: &X509Certificate<'_>) -> Self {
        let mut facts = Self {
            der: CertificateDer::from(Vec::new()),
            subject: parsed.subject().to_string(),
            common_name: common_name(parsed),
            issuer: parsed.issuer().to_string(),
            serial: hexadecimal(parsed.raw_serial()),
            emails: Vec::new(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            fingerprint: String::new(),
        };
        // An extension that is there twice, or cannot be read, names nobody.
        let Ok(Some(names)) = parsed.subject_alternative_name() else {
            return facts;
        };
        for name in &names.value.general_names {
            let (list, name) = match name {
                GeneralName::RFC822Name(name) => (&mut facts.emails, *name),
                GeneralName::DNSName(name) => (&mut facts.dns_names, *name),
                GeneralName::URI(name) => (&mut facts.uris, *name),
                _ => continue,
            };
            if !name.contains(char::is_control) {
                list.push(name.to_owned());
            }
        }
        facts
    }
}

/// With two of them a program and a person would read different ones.
fn common_name(parsed: &X509Certificate<'_>) -> Option<String> {
    let mut names = parsed.subject().iter_common_name();
    let (name, second) = (names.next()?, names.next());
    let name = name.as_str().ok()?;
    (second.is_none() && !name.contains(char::is_control)).then(|| name.to_owned())
}

impl<S: Sync> FromRequestParts<S> for ClientCertificate {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        Self::required(&parts.extensions)
    }
}

/// A certificate that counts no more is refused here, too, and not taken for none.
impl<S: Sync> OptionalFromRequestParts<S> for ClientCertificate {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        Self::of(&parts.extensions)
    }
}

/// Says whether a chain of certificates counts; whoever serves has one.
pub(crate) trait Judge: fmt::Debug + Send + Sync {
    /// A number that changes with what the judge goes by: authorities, revocations.
    fn edition(&self) -> u64;

    /// Judges a chain, its leaf first, at a time, and says until when it counts if nothing changes; the error says why it does not
    /// count.
    fn judge(&self, chain: &[CertificateDer<'static>], now: SystemTime) -> Result<SystemTime, String>;
}

/// What a connection was opened with, and the verdict on it: an extension of each of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Presented(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    certificate: ClientCertificate,
    judge: Arc<dyn Judge>,
    verdict: Mutex<Option<Verdict>>,
}

/// A verdict counts until the judge goes by something else, or something in the chain expires.
#[derive(Clone, Debug)]
struct Verdict {
    edition: u64,
    counts: Result<SystemTime, String>,
}

impl Presented {
    /// Takes a connection's chain. `None` if it cannot be read, which leaves the connection without a certificate.
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, judge: Arc<dyn Judge>) -> Option<Self> {
        let certificate = ClientCertificate::read(chain.first()?.clone()).ok()?;
        Some(Self(Arc::new(Shown {
            chain,
            certificate,
            judge,
            verdict: Mutex::new(None),
        })))
    }

    fn verified(&self) -> Result<ClientCertificate, Rejection> {
        match self.counts(SystemTime::now()) {
            Ok(()) => Ok(self.0.certificate.clone()),
            Err(why) => {
                let certificate = &self.0.certificate;
                Err(refused(format!(
                    "the client certificate {} of {} does not count: {why}",
                    certificate.serial(),
                    certificate.subject()
                ))
                .with_hint(
                    "Your client certificate is no longer accepted. Ask your administrator for a new one.",
                ))
            }
        }
    }

    fn counts(&self, now: SystemTime) -> Result<(), String> {
        let edition = self.0.judge.edition();
        let mut known = self.0.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = match &*known {
            Some(Verdict { edition: of, counts })
                if *of == edition && !matches!(counts, Ok(until) if *until < now) =>
            {
                counts.clone()
            }
            _ => self.0.judge.judge(&self.0.chain, now),
        };
        *known = Some(Verdict {
            edition,
            counts: counts.clone(),
        });
        counts.map(|_| ())
    }
}

/// What a connection's client has shown of itself.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// Nothing.
    None,
    /// Nothing, and nothing was asked for.
    Unasked,
    /// A certificate.
    Certificate(Presented),
}

impl Credentials {
    /// Tells a request of the connection.
    pub(crate) fn tell(&self, extensions: &mut http::Extensions) {
        match self {
            Self::None => {}
            Self::Unasked => {
                extensions.insert(Unasked);
            }
            Self::Certificate(presented) => {
                extensions.insert(presented.clone());
            }
        }
    }
}

/// Marks a connection on which no certificate was asked for, since it was opened for another host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unasked;

fn refused(reason: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
    Rejection::forbidden(reason).with_threat(Threat::InsecureTransport)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::{Duration, UNIX_EPOCH};

    use rcgen::{CertificateParams, KeyPair};

    #[derive(Debug, Default)]
    struct Counting {
        edition: AtomicU64,
        asked: AtomicU64,
    }

    impl Judge for Counting {
        fn edition(&self) -> u64 {
            self.edition.load(Relaxed)
        }

        fn judge(&self, _: &[CertificateDer<'static>], now: SystemTime) -> Result<SystemTime, String> {
            self.asked.fetch_add(1, Relaxed);
            let ends = UNIX_EPOCH + Duration::from_secs(100);
            if now > ends || self.edition() == 2 {
                return Err("no more".to_owned());
            }
            Ok(ends)
        }
    }

    #[test]
    fn verdict_is_asked_for_again_when_it_may_have_changed() {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let judge = Arc::new(Counting::default());
        let of = Arc::clone(&judge) as Arc<dyn Judge>;
        let shown = Presented::new(vec![certificate.der().clone()], of).unwrap();
        let at = |seconds| shown.counts(UNIX_EPOCH + Duration::from_secs(seconds)).is_ok();
        assert!(at(1) && at(50) && at(100));
        assert_eq!(judge.asked.load(Relaxed), 1, "once is enough");
        assert!(!at(101), "it has expired");
        judge.edition.store(1, Relaxed);
        assert!(at(100));
        judge.edition.store(2, Relaxed);
        assert!(!at(100), "it is revoked");
        assert_eq!(judge.asked.load(Relaxed), 4);
    }
}
