//! URLs split as Python's `urlsplit` splits them.
//!
//! Django decides with `urlsplit` whether an origin, a Referer or a `next` address is its own (reference: RFC 3986 as
//! read by Python). A parser that reads the same text otherwise would decide otherwise, and the difference is an
//! open redirect, so this one copies the reading, its oddities included: leading controls and spaces fall away, TAB,
//! CR and LF are *removed* wherever they stand, the scheme is lower-cased, `[` and `]` must enclose an address, and a
//! network location that NFKC would turn into one with `/?#@:` is refused.
//!
//! Python closed two gaps in its check of brackets one after the other (text around the brackets, brackets in the
//! user-info). This parser refuses what either version refuses.

use std::fmt;
use std::net::Ipv6Addr;

use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// The five parts of a URL.
///
/// # Example
/// ```
/// use palisade_core::url::urlsplit;
///
/// let url = urlsplit("HTTPS://user@Example.com:8443/a?b#c")?;
/// assert_eq!((url.scheme.as_str(), url.netloc.as_str()), ("https", "user@Example.com:8443"));
/// assert_eq!(url.to_string(), "https://user@Example.com:8443/a?b#c");
/// # Ok::<(), palisade_core::url::InvalidUrl>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SplitUrl {
    /// The scheme in lower case, without `:`; empty when there is none.
    pub scheme: String,
    /// Everything between `//` and the next `/`, `?` or `#`: user-info, host and port, unchanged.
    pub netloc: String,
    /// What follows, up to `?` or `#`.
    pub path: String,
    /// What follows the first `?`.
    pub query: String,
    /// What follows the first `#`.
    pub fragment: String,
}

/// Why a text is not a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// `[` without `]`, the other way round, or text around them.
    #[error("Invalid IPv6 URL")]
    UnbalancedBrackets,
    /// `[v…]` that is not the form RFC 3986 keeps for addresses to come.
    #[error("IPvFuture address is invalid")]
    InvalidIpFuture,
    /// An IPv4 address between brackets.
    #[error("An IPv4 address cannot be in brackets")]
    BracketedIpv4,
    /// Something else between brackets.
    #[error("{} does not appear to be an IPv4 or IPv6 address", crate::repr::Repr(.0))]
    InvalidIp(String),
    /// Characters that become delimiters when a browser normalises the host.
    #[error("netloc '{}' contains invalid characters under NFKC normalization", .0.escape_debug())]
    DelimiterUnderNfkc(String),
}

/// Splits a URL as Python does.
///
/// # Errors
/// When the network location has unbalanced brackets, something other than an IPv6 or `IPvFuture` address between
/// them, or becomes one with delimiters under NFKC.
///
/// # Security
/// A text that splits is not yet a safe address: see [`is_safe_next`](crate::redirect::is_safe_next). The work is
/// linear, except that NFKC makes non-ASCII locations dear: cap the length of what a client sends before.
pub fn urlsplit(url: &str) -> Result<SplitUrl, InvalidUrl> {
    let url = url.trim_start_matches(|c: char| c <= ' ');
    if url.contains(is_removed) {
        let cleaned: String = url.chars().filter(|c| !is_removed(*c)).collect();
        split_clean(&cleaned)
    } else {
        split_clean(url)
    }
}

fn is_removed(character: char) -> bool {
    matches!(character, '\t' | '\r' | '\n')
}

fn split_clean(url: &str) -> Result<SplitUrl, InvalidUrl> {
    let (scheme, rest) = split_scheme(url);
    let (netloc, rest) = split_netloc(rest);
    check_brackets(netloc)?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    check_nfkc(netloc)?;
    Ok(SplitUrl {
        scheme: scheme.to_ascii_lowercase(),
        netloc: netloc.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        fragment: fragment.to_owned(),
    })
}

/// Splits off the scheme, if what stands before the first `:` can be one.
fn split_scheme(url: &str) -> (&str, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) =>
        {
            (scheme, rest)
        }
        _ => ("", url),
    }
}

fn split_netloc(rest: &str) -> (&str, &str) {
    match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    }
}

fn check_brackets(netloc: &str) -> Result<(), InvalidUrl> {
    match (netloc.contains('['), netloc.contains(']')) {
        (false, false) => return Ok(()),
        (true, true) => {}
        _ => return Err(InvalidUrl::UnbalancedBrackets),
    }
    let opened = netloc.split_once('[').map_or("", |(_, opened)| opened);
    check_bracketed(opened.split_once(']').map_or(opened, |(inner, _)| inner))?;

    let host_and_port = netloc.rsplit_once('@').map_or(netloc, |(_, host)| host);
    match host_and_port.split_once('[') {
        Some(("", opened)) => {
            let (inner, after) = opened.split_once(']').unwrap_or((opened, ""));
            if !after.is_empty() && !after.starts_with(':') {
                return Err(InvalidUrl::UnbalancedBrackets);
            }
            check_bracketed(inner)
        }
        Some(_) => Err(InvalidUrl::UnbalancedBrackets),
        None => check_bracketed(host_and_port.split(':').next().unwrap_or_default()),
    }
}

fn check_bracketed(address: &str) -> Result<(), InvalidUrl> {
    if let Some(future) = address.strip_prefix('v') {
        let valid = future.split_once('.').is_some_and(|(version, rest)| {
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_hexdigit()) && !rest.is_empty()
        });
        return if valid {
            Ok(())
        } else {
            Err(InvalidUrl::InvalidIpFuture)
        };
    }
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(InvalidUrl::BracketedIpv4);
    }
    let (ip, scope) = match address.split_once('%') {
        Some((ip, scope)) => (ip, Some(scope)),
        None => (address, None),
    };
    let scope_is_valid = scope.is_none_or(|scope| !scope.is_empty() && !scope.contains('%'));
    if scope_is_valid && ip.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err(InvalidUrl::InvalidIp(address.to_owned()))
    }
}

/// Refuses characters such as `℀` that a browser reads as `a/c`.
fn check_nfkc(netloc: &str) -> Result<(), InvalidUrl> {
    if netloc.is_ascii() {
        return Ok(());
    }
    let plain: String = netloc
        .chars()
        .filter(|c| !matches!(c, '@' | ':' | '#' | '?'))
        .collect();
    if !is_nfkc(&plain) && plain.nfkc().any(|c| matches!(c, '/' | '?' | '#' | '@' | ':')) {
        return Err(InvalidUrl::DelimiterUnderNfkc(netloc.to_owned()));
    }
    Ok(())
}

/// Schemes for which Python writes `//` even before an empty network location.
const SCHEMES_WITH_NETLOC: [&str; 25] = [
    "ftp", "http", "gopher", "nntp", "telnet", "imap", "wais", "file", "mms", "https", "shttp", "snews",
    "prospero", "rtsp", "rtsps", "rtspu", "rsync", "svn", "svn+ssh", "sftp", "nfs", "git", "git+ssh", "ws",
    "wss",
];

/// Puts the parts together again as Python's `urlunsplit` does: an equivalent URL, not always the same text.
impl fmt::Display for SplitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        let writes_netloc = !self.netloc.is_empty()
            || (SCHEMES_WITH_NETLOC.contains(&self.scheme.as_str()) && !self.path.starts_with("//"));
        if writes_netloc {
            write!(f, "//{}", self.netloc)?;
            if !self.path.is_empty() && !self.path.starts_with('/') {
                f.write_str("/")?;
            }
        }
        f.write_str(&self.path)?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        if !self.fragment.is_empty() {
            write!(f, "#{}", self.fragment)?;
        }
        Ok(())
    }
}
