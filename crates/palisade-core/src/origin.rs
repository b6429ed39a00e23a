//! Where a request comes from, and which other origins a site trusts.
//!
//! A browser names the page that sent a request in `Origin`, or at least in `Referer`. A forged request comes from
//! another page, so one of the two gives it away (CWE-352). The decision is that of Django's `CsrfViewMiddleware`
//! with `CSRF_TRUSTED_ORIGINS`, down to the reasons it logs; the check of the token that follows is in
//! [`csrf`](crate::csrf).

use std::fmt;
use std::str::FromStr;

use crate::host::is_same_domain;
use crate::url::{InvalidUrl, urlsplit};

/// The origin of a page: its scheme, host and port (RFC 6454), in lower case.
///
/// # Example
/// ```
/// use palisade_core::origin::Origin;
///
/// let origin: Origin = "https://Shop.example:8443".parse()?;
/// assert_eq!((origin.scheme(), origin.netloc()), ("https", "shop.example:8443"));
/// assert_eq!(origin.to_string(), "https://shop.example:8443");
/// assert!("https://shop.example/path".parse::<Origin>().is_err());
/// # Ok::<(), palisade_core::origin::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    scheme: String,
    netloc: String,
}

impl Origin {
    /// The scheme, such as `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, and the port if it is named.
    pub fn netloc(&self) -> &str {
        &self.netloc
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let refuse = |what| InvalidOrigin {
            origin: text.to_owned(),
            what,
        };
        if !text.contains("://") {
            return Err(refuse(OriginFault::NoScheme));
        }
        let url = urlsplit(text).map_err(|fault| refuse(OriginFault::Url(fault)))?;
        if url.scheme.is_empty() || url.netloc.is_empty() {
            return Err(refuse(OriginFault::Incomplete));
        }
        let printable = text.chars().all(|c| c > ' ' && c != '\x7f');
        if !url.path.is_empty() || text.contains(['?', '#', '@', '\\', ',']) || !printable {
            return Err(refuse(OriginFault::NotOnlyOrigin));
        }
        Ok(Self {
            scheme: url.scheme,
            netloc: url.netloc.to_lowercase(),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.netloc)
    }
}

/// A text that is no origin, or no pattern for origins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}`: {what}", origin.escape_debug())]
pub struct InvalidOrigin {
    origin: String,
    what: OriginFault,
}

impl InvalidOrigin {
    /// The text.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What is wrong with it.
    pub fn fault(&self) -> &OriginFault {
        &self.what
    }
}

/// What is wrong with an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginFault {
    /// There is no `://` in it (Django's `4_0.E001`).
    #[error("must start with a scheme (usually https://)")]
    NoScheme,
    /// It has no host, or its scheme is none.
    #[error("must be scheme://host or scheme://host:port")]
    Incomplete,
    /// There is a path, query, user-info or space, so that no `Origin` header can equal it.
    #[error("must end after the host and port, without path, user or space")]
    NotOnlyOrigin,
    /// A `*` stands elsewhere than as the first label of the host, so that nothing matches it.
    #[error("may have `*` only as the first label of the host, as in https://*.example.com")]
    Wildcard,
    /// It is no URL.
    #[error(transparent)]
    Url(InvalidUrl),
}

/// The other origins that may send a site forms: Django's `CSRF_TRUSTED_ORIGINS`.
///
/// `https://a.example` stands for itself, `https://*.a.example` for `a.example` and everything below it.
///
/// # Example
/// ```
/// use palisade_core::origin::TrustedOrigins;
///
/// let trusted = TrustedOrigins::parse(["https://pay.example", "https://*.shop.example"]).unwrap();
/// assert!(trusted.allows_origin("https://pay.example"));
/// assert!(trusted.allows_origin("https://de.shop.example"));
/// assert!(!trusted.allows_origin("http://pay.example"));
/// assert!(!trusted.allows_origin("null"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedOrigins {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// As it was written.
    text: String,
    scheme: String,
    /// The host with its port, without the leading `*`: a pattern for [`is_same_domain`].
    pattern: String,
    wildcard: bool,
}

impl TrustedOrigins {
    /// Takes a list of origins and patterns.
    ///
    /// # Errors
    /// Names every entry that has no scheme, or that nothing could match.
    pub fn parse(origins: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Vec<InvalidOrigin>> {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        for origin in origins {
            match Entry::parse(origin.into()) {
                Ok(entry) => entries.push(entry),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self { entries })
        } else {
            Err(faults)
        }
    }

    /// Takes a list as Django does: every entry as it is, also one that nothing can match.
    ///
    /// # Errors
    /// Where an entry cannot be split as an address.
    pub fn parse_leniently(origins: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidUrl> {
        let entry = |text: String| {
            let url = urlsplit(&text)?;
            Ok(Entry {
                scheme: url.scheme,
                pattern: url.netloc.trim_start_matches('*').to_owned(),
                wildcard: text.contains('*'),
                text,
            })
        };
        let entries = origins.into_iter().map(|origin| entry(origin.into()));
        Ok(Self {
            entries: entries.collect::<Result<_, InvalidUrl>>()?,
        })
    }

    /// The network locations that a `Referer` may have, the `*` of a pattern taken off.
    pub fn referer_hosts(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.pattern.as_str())
    }

    /// The entries that stand for themselves.
    pub fn exact(&self) -> impl Iterator<Item = &str> {
        let exact = self.entries.iter().filter(|entry| !entry.wildcard);
        exact.map(|entry| entry.text.as_str())
    }

    /// The patterns: scheme, and network location without its `*`.
    pub fn subdomains(&self) -> impl Iterator<Item = (&str, &str)> {
        let patterns = self.entries.iter().filter(|entry| entry.wildcard);
        patterns.map(|entry| (entry.scheme.as_str(), entry.pattern.as_str()))
    }

    /// The entries as they were written.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.text.as_str())
    }

    /// Says whether there are none, so that only the site itself is trusted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says whether an `Origin` header is on the list, exactly or by a pattern.
    pub fn allows_origin(&self, origin: &str) -> bool {
        if self
            .entries
            .iter()
            .any(|entry| !entry.wildcard && entry.text == origin)
        {
            return true;
        }
        self.entries.iter().any(|entry| entry.wildcard)
            && urlsplit(origin).is_ok_and(|url| {
                self.entries.iter().any(|entry| {
                    entry.wildcard
                        && entry.scheme == url.scheme
                        && is_same_domain(&url.netloc, &entry.pattern)
                })
            })
    }

    /// Says whether the network location of a `Referer` is that of an entry. The entry's scheme plays no part.
    pub fn allows_referer(&self, netloc: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| is_same_domain(netloc, &entry.pattern))
    }

    /// Checks an `Origin` header: it must be the site's own, or on the list.
    ///
    /// `own` is the host that the request names, if it is an allowed one, and `secure` whether it came over TLS.
    ///
    /// # Errors
    /// When it is neither, `null`, or unreadable.
    pub fn check_origin(&self, origin: &str, secure: bool, own: Option<&str>) -> Result<(), UntrustedOrigin> {
        let scheme = if secure { "https://" } else { "http://" };
        let is_own = own.is_some_and(|host| origin.strip_prefix(scheme) == Some(host));
        if is_own || self.allows_origin(origin) {
            Ok(())
        } else {
            Err(UntrustedOrigin(origin.to_owned()))
        }
    }

    /// Checks the `Referer` of a request that came over TLS without `Origin`: it must be the site's own, or on the list.
    ///
    /// `own` is what the site calls itself: see [`good_referer`].
    ///
    /// # Errors
    /// When it is missing, malformed, insecure, or leads elsewhere.
    pub fn check_referer(&self, referer: Option<&str>, own: Option<&str>) -> Result<(), UntrustedReferer> {
        let referer =
            urlsplit(referer.ok_or(UntrustedReferer::Missing)?).map_err(|_| UntrustedReferer::Malformed)?;
        if referer.scheme.is_empty() || referer.netloc.is_empty() {
            return Err(UntrustedReferer::Malformed);
        }
        if referer.scheme != "https" {
            return Err(UntrustedReferer::Insecure);
        }
        let trusted = self.allows_referer(&referer.netloc)
            || own.is_some_and(|own| is_same_domain(&referer.netloc, own));
        if trusted {
            Ok(())
        } else {
            Err(UntrustedReferer::Elsewhere(referer.to_string()))
        }
    }
}

impl Entry {
    fn parse(text: String) -> Result<Self, InvalidOrigin> {
        let origin: Origin = text.parse()?;
        let url = urlsplit(&text).unwrap_or_default();
        let wildcard = text.contains('*');
        let pattern = url.netloc.trim_start_matches('*').to_owned();
        if wildcard && !(url.netloc.starts_with("*.") && pattern.len() > 1 && !pattern.contains('*')) {
            return Err(InvalidOrigin {
                origin: text,
                what: OriginFault::Wildcard,
            });
        }
        Ok(Self {
            scheme: origin.scheme,
            pattern,
            wildcard,
            text,
        })
    }
}

/// The site's own name that a `Referer` may have: the cookie's domain, or else the host of the request.
///
/// With a cookie domain, the port is appended unless it is 443 or 80; a host carries its own.
///
/// # Example
/// ```
/// use palisade_core::origin::good_referer;
///
/// assert_eq!(good_referer(Some(".example.com"), Some("a.example.com"), "8443").as_deref(), Some(".example.com:8443"));
/// assert_eq!(good_referer(None, Some("a.example.com"), "443").as_deref(), Some("a.example.com"));
/// ```
pub fn good_referer<'h>(
    cookie_domain: Option<&'h str>,
    host: Option<&'h str>,
    port: &str,
) -> Option<std::borrow::Cow<'h, str>> {
    match cookie_domain {
        Some(domain) if !matches!(port, "443" | "80") => Some(format!("{domain}:{port}").into()),
        Some(domain) => Some(domain.into()),
        None => host.map(Into::into),
    }
}

/// An `Origin` that is neither the site's own nor trusted. The message is Django's reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Origin checking failed - {0} does not match any trusted origins.")]
pub struct UntrustedOrigin(pub String);

/// Why a `Referer` is not believed. The messages are Django's reasons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UntrustedReferer {
    /// The header is missing.
    #[error("Referer checking failed - no Referer.")]
    Missing,
    /// It is no URL, or lacks scheme or host.
    #[error("Referer checking failed - Referer is malformed.")]
    Malformed,
    /// Its scheme is not `https`.
    #[error("Referer checking failed - Referer is insecure while host is secure.")]
    Insecure,
    /// It names another site.
    #[error("Referer checking failed - {0} does not match any trusted origins.")]
    Elsewhere(String),
}

#[cfg(test)]
mod tests;
