//! The host that a request names, and the hosts that a site answers to.
//!
//! A client writes the `Host` header as it likes, and what a site builds from it (links in e-mails, redirects, cache
//! keys) goes to other people. So the header becomes a [`Host`] only if it is one, and is believed only if
//! [`AllowedHosts`] lists it. The rules are Django's (`split_domain_port`, `ALLOWED_HOSTS`): letters, digits, dots and
//! hyphens, or a bracketed IPv6 address, then perhaps a port; no underscore, user-info, space or non-ASCII.

use std::fmt;
use std::str::FromStr;

use crate::repr::Repr;
use crate::{Threat, Weakness};

/// A host as a request names it: a domain or an address, perhaps with a port.
///
/// # Example
/// ```
/// use palisade_core::host::Host;
///
/// let host = Host::parse("Www.Example.com.:8443")?;
/// assert_eq!(host.as_str(), "Www.Example.com.:8443");
/// assert_eq!(host.domain(), "www.example.com");
/// assert_eq!(host.port(), Some("8443"));
/// assert!(Host::parse("www.example.com/@evil.example").is_err());
/// # Ok::<(), palisade_core::host::InvalidHost>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    text: Box<str>,
    /// The domain in lower case, where the text has it otherwise.
    lowered: Option<Box<str>>,
    domain_end: usize,
    port_start: Option<usize>,
}

/// A text that is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The domain name provided is not valid according to RFC 1034/1035.")]
pub struct InvalidHost;

impl Host {
    /// Reads a `Host` header.
    ///
    /// # Errors
    /// When Django would find neither domain nor port in it.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        let parts = Parts::of(text).ok_or(InvalidHost)?;
        let lowered = parts.domain.bytes().any(|b| b.is_ascii_uppercase());
        Ok(Self {
            lowered: lowered.then(|| parts.domain.to_ascii_lowercase().into()),
            domain_end: parts.domain.len(),
            port_start: parts.port.map(|port| text.len() - port.len()),
            text: text.into(),
        })
    }

    /// The text that the request sent, with its case, trailing dot and port.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The domain in lower case without one trailing dot, or the address in its brackets.
    pub fn domain(&self) -> &str {
        match &self.lowered {
            Some(domain) => domain,
            None => self.text.get(..self.domain_end).unwrap_or_default(),
        }
    }

    /// The port's digits, if the host has one. They are not checked to be a possible port.
    pub fn port(&self) -> Option<&str> {
        self.text.get(self.port_start?..)
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Domain and port as they stand in the header.
struct Parts<'t> {
    domain: &'t str,
    port: Option<&'t str>,
}

impl<'t> Parts<'t> {
    /// Splits a host that has a domain.
    fn of(text: &'t str) -> Option<Self> {
        Self::split(text).filter(|parts| !parts.domain.is_empty())
    }

    /// Splits by Django's expression alone, by which a single dot is a domain that is empty in the end.
    fn split(text: &'t str) -> Option<Self> {
        let (domain, rest) = if text.starts_with('[') {
            let end = text.find(']')? + 1;
            let (address, rest) = text.split_at(end);
            is_bracketed_address(address).then_some((address, rest))?
        } else {
            let end = text.find(':').unwrap_or(text.len());
            let (domain, rest) = text.split_at(end);
            let valid = !domain.is_empty()
                && domain
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
            valid.then_some((domain, rest))?
        };
        let port = match rest.strip_prefix(':') {
            Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => Some(port),
            None if rest.is_empty() => None,
            _ => return None,
        };
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        Some(Self { domain, port })
    }
}

/// Follows `\[[a-f0-9]*:[a-f0-9.:]+\]`, which is looser than an IPv6 address; the list of allowed hosts decides.
fn is_bracketed_address(address: &str) -> bool {
    let inner = address.get(1..address.len() - 1).unwrap_or_default();
    inner.split_once(':').is_some_and(|(first, rest)| {
        first.bytes().all(|b| b.is_ascii_hexdigit())
            && !rest.is_empty()
            && rest
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'))
    })
}

/// The hosts that a site answers to: Django's `ALLOWED_HOSTS`.
///
/// `*` stands for every host, `.example.com` for that domain and all below it, anything else for itself. Ports play
/// no part.
///
/// # Example
/// ```
/// use palisade_core::host::AllowedHosts;
///
/// let hosts = AllowedHosts::parse(["example.org", ".example.com"]);
/// assert!(hosts.validate("shop.example.com:8443").is_ok());
/// let refusal = hosts.validate("evil.example").unwrap_err();
/// assert_eq!(
///     refusal.to_string(),
///     "Invalid HTTP_HOST header: 'evil.example'. You may need to add 'evil.example' to ALLOWED_HOSTS.",
/// );
/// ```
///
/// # Security
/// Follows CWE-644 and Django's “Host header validation”. An empty list allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

/// What Django allows while `DEBUG` is on and the list is empty.
const DEVELOPMENT_HOSTS: [&str; 3] = [".localhost", "127.0.0.1", "[::1]"];

impl AllowedHosts {
    /// Takes a list of patterns. None of them is refused, as in Django: ask
    /// [`unmatchable`](Self::unmatchable) for the ones that no host can match.
    pub fn parse(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            patterns: patterns
                .into_iter()
                .map(|pattern| pattern.into().to_lowercase())
                .collect(),
        }
    }

    /// Allows the machine itself if the list is empty and `debug` is on.
    #[must_use]
    pub fn with_debug(self, debug: bool) -> Self {
        if debug && self.patterns.is_empty() {
            Self::parse(DEVELOPMENT_HOSTS)
        } else {
            self
        }
    }

    /// The patterns in lower case.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Says whether the list is empty, so that no host is allowed.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Says whether every host is allowed.
    pub fn allows_any(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern == "*")
    }

    /// Says whether a host is on the list.
    pub fn allows(&self, host: &Host) -> bool {
        self.allows_domain(host.domain())
    }

    /// Reads a `Host` header and looks it up.
    ///
    /// # Errors
    /// When the text is no host or is not on the list; the message is Django's, for the log and not for the client.
    pub fn validate(&self, raw: &str) -> Result<Host, DisallowedHost> {
        match Host::parse(raw) {
            Ok(host) if self.allows(&host) => Ok(host),
            Ok(host) => Err(DisallowedHost {
                host: raw.to_owned(),
                domain: Some(host.domain().to_owned()),
            }),
            Err(InvalidHost) => Err(DisallowedHost {
                host: raw.to_owned(),
                domain: None,
            }),
        }
    }

    /// The patterns that no `Host` header can match: with a scheme, a port, a path, an underscore.
    pub fn unmatchable(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(String::as_str).filter(|pattern| {
            let host = pattern.strip_prefix('.').unwrap_or(pattern);
            let matches_itself =
                Parts::of(host).is_some_and(|parts| parts.port.is_none() && parts.domain == host);
            *pattern != "*" && !matches_itself
        })
    }

    /// Judges the list: an empty one (`security.W020`) and one that allows everything.
    pub fn weaknesses(&self) -> Vec<Weakness> {
        if self.allows_any() {
            vec![Weakness::new(
                Threat::UntrustedHost,
                "allowed_hosts contains `*`: every Host header is believed; list the site's own names",
            )]
        } else if self.is_empty() {
            vec![Weakness::new(
                Threat::UntrustedHost,
                "allowed_hosts is empty (Django's security.W020)",
            )]
        } else {
            Vec::new()
        }
    }

    /// Looks up a host by Django's own splitting, which lower-cases before it judges and so takes `\u{212a}` for `k`.
    pub(crate) fn check_split(&self, raw: &str) -> Result<(), DisallowedHost> {
        let (domain, _) = split_domain_port(raw);
        if !domain.is_empty() && self.allows_domain(&domain) {
            return Ok(());
        }
        Err(DisallowedHost {
            host: raw.to_owned(),
            domain: Some(domain).filter(|domain| !domain.is_empty()),
        })
    }

    fn allows_domain(&self, domain: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern == "*" || matches_lowered(domain, pattern))
    }
}

/// A host that the site does not answer to: answer 400 and log the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisallowedHost {
    host: String,
    domain: Option<String>,
}

impl DisallowedHost {
    /// What the request sent.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The domain in it, if it is a host at all.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }
}

impl fmt::Display for DisallowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid HTTP_HOST header: {}. ", Repr(&self.host))?;
        match &self.domain {
            Some(domain) => write!(f, "You may need to add {} to ALLOWED_HOSTS.", Repr(domain)),
            None => write!(f, "{InvalidHost}"),
        }
    }
}

impl std::error::Error for DisallowedHost {}

/// Splits a `Host` header into domain and port, both empty where it is no host: Django's `split_domain_port`.
///
/// Where [`Host::parse`] refuses a text, this says with empty texts what is missing; the domain is in lower case and has
/// lost one trailing dot.
///
/// # Example
/// ```
/// use palisade_core::host::split_domain_port;
///
/// assert_eq!(split_domain_port("[::1]:8080"), ("[::1]".to_owned(), "8080".to_owned()));
/// assert_eq!(split_domain_port("Example.com."), ("example.com".to_owned(), String::new()));
/// assert_eq!(split_domain_port("a b"), (String::new(), String::new()));
/// ```
pub fn split_domain_port(host: &str) -> (String, String) {
    let host = host.to_lowercase();
    let parts = Parts::split(&host);
    parts.map_or_else(Default::default, |parts| {
        (parts.domain.to_owned(), parts.port.unwrap_or_default().to_owned())
    })
}

/// Says whether a host is a pattern's domain, or below it if the pattern begins with a dot.
///
/// The pattern is lower-cased, the host is not, and ports are part of both: exactly Django's `is_same_domain`.
pub fn is_same_domain(host: &str, pattern: &str) -> bool {
    if pattern.chars().any(|c| !c.is_ascii() || c.is_ascii_uppercase()) {
        matches_lowered(host, &pattern.to_lowercase())
    } else {
        matches_lowered(host, pattern)
    }
}

fn matches_lowered(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('.') {
        Some(bare) => host.ends_with(pattern) || host == bare,
        None => !pattern.is_empty() && host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowedHosts, Host, is_same_domain};

    #[test]
    fn a_host_keeps_its_text_and_shows_its_domain_and_port() {
        for (text, domain, port) in [
            ("example.com", "example.com", None),
            ("EXAMPLE.com:80", "example.com", Some("80")),
            ("example.com.:99999999", "example.com", Some("99999999")),
            ("[2001:DB8::1]:8000", "[2001:db8::1]", Some("8000")),
            ("[::ffff:169.254.169.254]", "[::ffff:169.254.169.254]", None),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.as_str(), host.domain(), host.port()), (text, domain, port));
        }
    }

    #[test]
    fn an_empty_list_allows_the_machine_itself_only_while_developing() {
        assert!(AllowedHosts::default().validate("localhost").is_err());
        let hosts = AllowedHosts::default().with_debug(true);
        for host in ["localhost:8000", "a.localhost", "127.0.0.1", "[::1]:8443"] {
            assert!(hosts.validate(host).is_ok(), "{host}");
        }
        assert!(hosts.validate("example.com").is_err());
        assert!(
            AllowedHosts::parse(["example.com"])
                .with_debug(true)
                .validate("localhost")
                .is_err()
        );
    }

    #[test]
    fn the_refusal_of_an_invalid_host_shows_what_was_sent_on_one_line() {
        let refusal = AllowedHosts::parse(["*"]).validate("a\nb").unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "Invalid HTTP_HOST header: 'a\\nb'. The domain name provided is not valid according to RFC 1034/1035."
        );
        assert_eq!(refusal.domain(), None);
    }

    proptest::proptest! {
        #[test]
        fn what_a_request_is_asked_and_what_django_asks_are_one_answer(
            raw in r"\[?[a-cA-C0-9.:_-]{0,12}(\]|\]:|:)?[0-9]{0,3}|(.?\.)?(a|B)\.test\.?(:[0-9]{0,3})?"
        ) {
            let hosts = AllowedHosts::parse([".a.test", "b.test", "[a:b]", "1.2"]);
            for hosts in [hosts, AllowedHosts::parse(["*"])] {
                let asked = hosts.validate(&raw).map(|_| ());
                if raw.is_ascii() {
                    proptest::prop_assert_eq!(asked, hosts.check_split(&raw));
                } else {
                    proptest::prop_assert!(asked.is_err());
                }
            }
        }
    }

    #[test]
    fn patterns_that_match_no_host_are_named() {
        let hosts = AllowedHosts::parse([
            "ok.example",
            ".ok.example",
            "*",
            "[::1]",
            "Upper.Example",
            "https://a.example",
            "a.example:8000",
            "*.a.example",
            "a_b.example",
            "",
            "a.example.",
        ]);
        let unmatchable: Vec<_> = hosts.unmatchable().collect();
        assert_eq!(
            unmatchable,
            [
                "https://a.example",
                "a.example:8000",
                "*.a.example",
                "a_b.example",
                "",
                "a.example."
            ]
        );
    }

    #[test]
    fn same_domain_lowers_the_pattern_but_not_the_host() {
        assert!(is_same_domain("a.example", ".A.example"));
        assert!(is_same_domain("b.a.example", ".a.example"));
        assert!(!is_same_domain("B.A.EXAMPLE", ".a.example"));
        assert!(!is_same_domain("ba.example", ".a.example"));
        assert!(!is_same_domain("a.example:8000", "a.example"));
        assert!(!is_same_domain("", ""));
    }
}
