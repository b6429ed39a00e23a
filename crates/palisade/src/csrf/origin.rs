//! Where an unsafe request comes from: Origin, then Referer, then Fetch Metadata, each a pure function.

use http::HeaderMap;
use http::header::{ORIGIN, REFERER};
use palisade_core::host::is_same_domain;
use palisade_core::origin::TrustedOrigins;
use palisade_core::url::urlsplit;

use super::protection::CsrfRejection;

/// What the checks know of the site.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// The host with its port, as the request names it and the host guard has allowed it.
    pub host: &'s str,
    /// Whether the request came over TLS.
    pub secure: bool,
    /// The origins trusted beside our own.
    pub trusted: &'s TrustedOrigins,
    /// The domain that the CSRF (or session) cookie is set for, if it is.
    pub cookie_domain: Option<&'s str>,
}

/// Checks where a request comes from (Django `CsrfViewMiddleware.process_view`, and Fetch Metadata).
///
/// # Errors
///
/// The reason, in Django's words where Django has the check.
pub fn check(site: Site<'_>, headers: &HeaderMap) -> Result<(), CsrfRejection> {
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = origin.to_str().map_err(|_| CsrfRejection::BadOrigin("(not ASCII)".to_owned()))?;
        // An origin that verifies is the browser's own word; the Referer adds nothing to it.
        return verify_origin(site, origin);
    }
    if site.secure {
        check_referer(site, headers)?;
    }
    check_fetch_metadata(headers)
}

fn verify_origin(site: Site<'_>, origin: &str) -> Result<(), CsrfRejection> {
    let scheme = if site.secure { "https" } else { "http" };
    let own = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")) == Some(site.host);
    if own || site.trusted.allows_origin(origin) {
        Ok(())
    } else {
        Err(CsrfRejection::BadOrigin(origin.to_owned()))
    }
}

fn check_referer(site: Site<'_>, headers: &HeaderMap) -> Result<(), CsrfRejection> {
    let referer = headers.get(REFERER).ok_or(CsrfRejection::NoReferer)?;
    let referer = referer.to_str().map_err(|_| CsrfRejection::MalformedReferer)?;
    let url = urlsplit(referer).map_err(|_| CsrfRejection::MalformedReferer)?;
    if url.scheme.is_empty() || url.netloc.is_empty() {
        return Err(CsrfRejection::MalformedReferer);
    }
    if url.scheme != "https" {
        return Err(CsrfRejection::InsecureReferer);
    }
    if site.trusted.allows_referer(&url.netloc) {
        return Ok(());
    }
    let good = match site.cookie_domain {
        None => site.host.to_owned(),
        Some(domain) => match port(site.host) {
            None | Some("443" | "80") => domain.to_owned(),
            Some(port) => format!("{domain}:{port}"),
        },
    };
    if is_same_domain(&url.netloc, &good) { Ok(()) } else { Err(CsrfRejection::BadReferer(url.to_string())) }
}

fn port(host: &str) -> Option<&str> {
    host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'))
}

fn check_fetch_metadata(headers: &HeaderMap) -> Result<(), CsrfRejection> {
    match headers.get("sec-fetch-site") {
        Some(site) if site.as_bytes() == b"cross-site" => Err(CsrfRejection::CrossSite),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(secure: bool, domain: Option<&str>, headers: &[(&'static str, &str)]) -> String {
        let trusted = TrustedOrigins::parse(["https://trusted.example", "https://*.wild.example:8443"]).unwrap();
        let site = Site { host: "example.com:4443", secure, trusted: &trusted, cookie_domain: domain };
        let headers =
            headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        check(site, &headers).map_or_else(|reason| reason.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn our_own_and_trusted_origins_pass() {
        for origin in ["https://example.com:4443", "https://trusted.example", "https://a.wild.example:8443", "https://wild.example:8443"] {
            assert_eq!(answer(true, None, &[("origin", origin)]), "ok", "{origin}");
        }
    }

    #[test]
    fn other_origins_are_refused_in_djangos_words() {
        for origin in ["https://example.com", "http://example.com:4443", "https://EXAMPLE.com:4443", "null", "https://evil.example", "http://trusted.example"] {
            let expected = format!("Origin checking failed - {origin} does not match any trusted origins.");
            assert_eq!(answer(true, None, &[("origin", origin)]), expected);
        }
    }

    #[test]
    fn over_tls_a_missing_or_foreign_referer_is_refused() {
        let no_match = "Referer checking failed - https://evil.example/x does not match any trusted origins.";
        for (referer, expected) in [
            ("https://example.com:4443/page", "ok"),
            ("https://trusted.example/page", "ok"),
            ("https://a.wild.example:8443/", "ok"),
            ("http://example.com:4443/", "Referer checking failed - Referer is insecure while host is secure."),
            ("https://evil.example/x", no_match),
            ("/page", "Referer checking failed - Referer is malformed."),
            ("https://[", "Referer checking failed - Referer is malformed."),
        ] {
            assert_eq!(answer(true, None, &[("referer", referer)]), expected, "{referer}");
        }
        assert_eq!(answer(true, None, &[]), "Referer checking failed - no Referer.");
        assert_eq!(answer(false, None, &[]), "ok", "plain requests have no Referer check");
        assert_eq!(answer(true, Some(".example.com"), &[("referer", "https://sub.example.com:4443/")]), "ok");
    }

    #[test]
    fn a_cross_site_request_without_origin_is_refused_by_fetch_metadata() {
        let reason = answer(false, None, &[("sec-fetch-site", "cross-site")]);
        assert_eq!(reason, "Sec-Fetch-Site checking failed - another site made the request.");
        assert_eq!(answer(false, None, &[("sec-fetch-site", "same-origin")]), "ok");
        assert_eq!(answer(true, None, &[("origin", "https://trusted.example"), ("sec-fetch-site", "cross-site")]), "ok");
    }
}
