//! Where a redirect may lead.
//!
//! A `next=` parameter comes from whoever wrote the link, so a redirect to it must stay on the site. Browsers read
//! addresses more generously than servers (`\` for `/`, three slashes for two, TABs in the middle), and every such
//! reading has been an open redirect (CWE-601). The rules are Django's `url_has_allowed_host_and_scheme`,
//! `HttpResponseRedirect`, `iri_to_uri` and `escape_leading_slashes` (CVE-2018-14574).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::url::urlsplit;

/// The longest `next` address that is looked at, in characters.
pub const MAX_NEXT_LENGTH: usize = 2048;

/// The longest address that a redirect may lead to, in characters (CVE-2025-64458).
pub const MAX_REDIRECT_LENGTH: usize = 16_384;

/// Says whether an address from a client leads to one of the given hosts, or nowhere else.
///
/// Hosts are compared as exact text with the address's whole network location, user-info and port included. With
/// `require_https`, an address with a scheme must have `https`: pass whether the request came over TLS.
///
/// # Example
/// ```
/// use palisade_core::redirect::is_safe_next;
///
/// assert!(is_safe_next("/account/?tab=2", &[], true));
/// assert!(is_safe_next("https://shop.example/", &["shop.example"], true));
/// assert!(!is_safe_next("//evil.example/", &["shop.example"], true));
/// assert!(!is_safe_next(r"/\evil.example", &["shop.example"], true));
/// assert!(!is_safe_next("javascript:alert(1)", &["shop.example"], true));
/// ```
///
/// # Security
/// A safe address may still be badly quoted: send it through [`redirect_location`]. A safe address is on the site,
/// not harmless: `/logout/` is as safe as `/`.
///
/// Stricter than Django in one point: TAB, CR and LF do not hide the third slash of `/<TAB>//evil.example`, which
/// Django calls safe and only the quoting of `Location` defuses.
pub fn is_safe_next(url: &str, allowed_hosts: &[&str], require_https: bool) -> bool {
    !begins_with_three_slashes(url.trim_matches(is_python_space))
        && url_has_allowed_host_and_scheme(url, allowed_hosts, require_https)
}

/// Says the same as [`is_safe_next`] exactly as Django does, to agree with a Django beside it.
///
/// # Security
/// Takes `/<TAB>//evil.example`, as Django does: redirect only to what [`redirect_location`] has quoted.
pub fn url_has_allowed_host_and_scheme(url: &str, allowed_hosts: &[&str], require_https: bool) -> bool {
    let url = url.trim_matches(is_python_space);
    !url.is_empty()
        && stays(url, allowed_hosts, require_https)
        && (!url.contains('\\') || stays(&url.replace('\\', "/"), allowed_hosts, require_https))
}

fn stays(url: &str, allowed_hosts: &[&str], require_https: bool) -> bool {
    if url.starts_with("///") || is_longer(url, MAX_NEXT_LENGTH) || starts_with_control(url) {
        return false;
    }
    let Ok(parts) = urlsplit(url) else {
        return false;
    };
    let scheme = match (parts.scheme.as_str(), parts.netloc.is_empty()) {
        ("", true) => return true,
        (_, true) => return false,
        ("", false) => "http",
        (scheme, false) => scheme,
    };
    allowed_hosts.contains(&parts.netloc.as_str())
        && (scheme == "https" || (scheme == "http" && !require_https))
}

/// Looks past the characters that browsers drop: they read `/<TAB>//evil.example` as `///evil.example`.
fn begins_with_three_slashes(url: &str) -> bool {
    url.chars()
        .map(|c| if c == '\\' { '/' } else { c })
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .take(3)
        .eq(['/'; 3])
}

fn is_longer(text: &str, characters: usize) -> bool {
    text.len() > characters && text.chars().count() > characters
}

fn starts_with_control(url: &str) -> bool {
    url.chars()
        .next()
        .is_some_and(|c| c.general_category_group() == GeneralCategoryGroup::Other)
}

/// What Python's `str.strip` strips: Unicode white space and the four separators of ASCII.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// Why a redirect is refused: answer 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisallowedRedirect {
    /// The address has more than [`MAX_REDIRECT_LENGTH`] characters.
    #[error("Unsafe redirect exceeding {MAX_REDIRECT_LENGTH} characters")]
    TooLong,
    /// The address has a scheme that a redirect may not have.
    #[error("Unsafe redirect to URL with protocol '{0}'")]
    Scheme(String),
    /// The address cannot be read.
    #[error(transparent)]
    Invalid(#[from] crate::url::InvalidUrl),
}

/// Turns an address into the value of a `Location` header.
///
/// # Example
/// ```
/// use palisade_core::redirect::redirect_location;
///
/// assert_eq!(redirect_location("/caf\u{e9}?q=a b")?, "/caf%C3%A9?q=a%20b");
/// assert!(redirect_location("javascript:alert(1)").is_err());
/// # Ok::<(), palisade_core::redirect::DisallowedRedirect>(())
/// ```
///
/// # Errors
/// When it is too long, cannot be split, or has a scheme other than `http`, `https` and `ftp`.
///
/// # Security
/// Does not ask which host the address leads to: that is [`is_safe_next`].
pub fn redirect_location(url: &str) -> Result<Cow<'_, str>, DisallowedRedirect> {
    redirect_location_to(url, &["http", "https", "ftp"])
}

/// Does the same for schemes of one's own: the `allowed_schemes` of a redirect class.
///
/// # Errors
/// As [`redirect_location`], for any scheme that is not listed.
pub fn redirect_location_to<'u>(url: &'u str, schemes: &[&str]) -> Result<Cow<'u, str>, DisallowedRedirect> {
    if is_longer(url, MAX_REDIRECT_LENGTH) {
        return Err(DisallowedRedirect::TooLong);
    }
    let scheme = urlsplit(url)?.scheme;
    if !scheme.is_empty() && !schemes.contains(&scheme.as_str()) {
        return Err(DisallowedRedirect::Scheme(scheme));
    }
    Ok(iri_to_uri(url))
}

/// The address over TLS of what was asked for in clear: `SECURE_SSL_REDIRECT`. The path comes with its query.
///
/// # Errors
/// As [`redirect_location`].
pub fn https_address(host: &str, full_path: &str) -> Result<String, DisallowedRedirect> {
    let address = format!("https://{host}{full_path}");
    Ok(redirect_location(&address)?.into_owned())
}

/// The status of a redirect: 302 or 301, or with the method kept 307 or 308.
pub const fn redirect_status(permanent: bool, preserve_request: bool) -> u16 {
    match (permanent, preserve_request) {
        (false, false) => 302,
        (true, false) => 301,
        (false, true) => 307,
        (true, true) => 308,
    }
}

/// Everything that is neither reserved nor unreserved in RFC 3986, nor `%`.
const UNSAFE_IN_IRI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes an internationalised address in ASCII (RFC 3987, 3.1); `%` stays, since the address may be quoted already.
///
/// # Example
/// ```
/// use palisade_core::redirect::iri_to_uri;
///
/// assert_eq!(iri_to_uri("/I \u{2665} Rust/%20"), "/I%20%E2%99%A5%20Rust/%20");
/// ```
pub fn iri_to_uri(iri: &str) -> Cow<'_, str> {
    utf8_percent_encode(iri, UNSAFE_IN_IRI).into()
}

/// What may stand in a path as it is: see [`escape_uri_path`].
const UNSAFE_IN_PATH: &AsciiSet = &UNSAFE_IN_IRI
    .add(b'#')
    .add(b'%')
    .add(b';')
    .add(b'=')
    .add(b'?')
    .add(b'[')
    .add(b']');

/// Quotes what may not stand in the path of an address; the path is a decoded one, so `%` is quoted, too.
///
/// # Example
/// ```
/// use palisade_core::redirect::escape_uri_path;
///
/// assert_eq!(escape_uri_path("/100% sure?/é"), "/100%25%20sure%3F/%C3%A9");
/// ```
pub fn escape_uri_path(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, UNSAFE_IN_PATH).into()
}

/// Keeps a path that begins with two slashes from being read as another host.
///
/// # Example
/// ```
/// use palisade_core::redirect::escape_leading_slashes;
///
/// assert_eq!(escape_leading_slashes("//evil.example/"), "/%2Fevil.example/");
/// ```
pub fn escape_leading_slashes(url: &str) -> Cow<'_, str> {
    match url.strip_prefix("//") {
        Some(rest) => Cow::Owned(format!("/%2F{rest}")),
        None => Cow::Borrowed(url),
    }
}

#[cfg(test)]
mod tests {
    use super::{DisallowedRedirect, iri_to_uri, is_safe_next, redirect_location};

    #[test]
    fn an_over_long_next_is_not_looked_at() {
        assert!(is_safe_next(&format!("/{}", "é".repeat(2047)), &[], true));
        assert!(!is_safe_next(&format!("/{}", "é".repeat(2048)), &[], true));
    }

    #[test]
    fn invisible_first_characters_do_not_hide_another_host() {
        for first in [
            '\u{0}', '\u{8}', '\u{1b}', '\u{ad}', '\u{200b}', '\u{feff}', '\u{e000}', '\u{378}',
        ] {
            assert!(
                !is_safe_next(&format!("{first}//evil.example"), &["evil.example"], false),
                "{first:?}"
            );
        }
        assert!(is_safe_next("\u{1c}\u{85}\u{a0} /here \u{1f}", &[], true));
    }

    #[test]
    fn a_tab_does_not_hide_the_third_slash() {
        for url in ["/\t//evil.example", "\\\n/\\evil.example", "//\r/evil.example"] {
            assert!(!is_safe_next(url, &[], true), "{url:?}");
        }
        assert!(is_safe_next("/a\t//b", &[], true));
    }

    #[test]
    fn a_redirect_goes_only_to_schemes_of_the_web_and_is_ascii() {
        assert_eq!(
            redirect_location("FTP://a.example/ü").unwrap(),
            "FTP://a.example/%C3%BC"
        );
        assert_eq!(
            redirect_location("data:text/html,x").unwrap_err().to_string(),
            "Unsafe redirect to URL with protocol 'data'"
        );
        assert_eq!(
            redirect_location(&"a".repeat(16_385)).unwrap_err().to_string(),
            "Unsafe redirect exceeding 16384 characters"
        );
        assert!(matches!(
            redirect_location("http://["),
            Err(DisallowedRedirect::Invalid(_))
        ));
    }

    #[test]
    fn a_line_break_cannot_leave_the_header() {
        assert_eq!(
            redirect_location("/a\r\nSet-Cookie: x").unwrap(),
            "/a%0D%0ASet-Cookie:%20x"
        );
        assert_eq!(iri_to_uri("/#%[]=:;$&()+,!?*@'~-._"), "/#%[]=:;$&()+,!?*@'~-._");
        assert_eq!(iri_to_uri("\"<>\\^`{|}\u{7f}"), "%22%3C%3E%5C%5E%60%7B%7C%7D%7F");
    }
}
