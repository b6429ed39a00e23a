//! Where an unsafe request comes from: Origin, then Referer, as Django has it, then Fetch Metadata.

use std::convert::Infallible;

use http::HeaderMap;
use http::header::{ORIGIN, REFERER};
use palisade_core::csrf::{CsrfRejection, Source};
use palisade_core::origin::{TrustedOrigins, UntrustedOrigin, UntrustedReferer, good_referer};

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
    /// The port that a trusted proxy says the client used, if it is asked.
    pub forwarded_port: Option<&'s str>,
}

/// Checks where a request comes from (Django `CsrfViewMiddleware.process_view`, and Fetch Metadata).
///
/// # Errors
///
/// The reason, in Django's words where Django has the check.
pub fn check(site: Site<'_>, headers: &HeaderMap) -> Result<(), CsrfRejection> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = match (origins.next().map(|origin| origin.to_str()), origins.next()) {
        (Some(Err(_)), _) => return Err(UntrustedOrigin("(not ASCII)".to_owned()).into()),
        // No browser sends two; which of them to believe is nobody's to choose.
        (Some(_), Some(_)) => return Err(UntrustedOrigin("(more than one)".to_owned()).into()),
        (Some(Ok(origin)), None) => Some(origin),
        (None, _) => None,
    };
    let referer = match headers.get(REFERER).map(|referer| referer.to_str()) {
        // With an origin nobody looks at it.
        Some(Err(_)) if origin.is_none() && site.secure => return Err(UntrustedReferer::Malformed.into()),
        Some(Ok(referer)) => Some(referer),
        _ => None,
    };
    let source = Source {
        secure: site.secure,
        origin,
        referer,
    };
    let own = || {
        let port = site.forwarded_port.or(port(site.host)).unwrap_or("443");
        Ok(good_referer(site.cookie_domain, Some(site.host), port))
    };
    let Ok(foreign) = source.check::<Infallible>(site.trusted, || Ok(Some(site.host.into())), own);
    match foreign {
        Some(reason) => Err(reason),
        // An origin that verifies is the browser's own word; what else it says adds nothing to that.
        None if origin.is_some() => Ok(()),
        None => check_fetch_metadata(headers),
    }
}

fn port(host: &str) -> Option<&str> {
    host.rsplit_once(':')
        .map(|(_, port)| port)
        .filter(|port| !port.contains(']'))
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
        let trusted =
            TrustedOrigins::parse(["https://trusted.example", "https://*.wild.example:8443"]).unwrap();
        let site = Site {
            host: "example.com:4443",
            secure,
            trusted: &trusted,
            cookie_domain: domain,
            forwarded_port: None,
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        check(site, &headers).map_or_else(|reason| reason.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn our_own_and_trusted_origins_pass() {
        for origin in [
            "https://example.com:4443",
            "https://trusted.example",
            "https://a.wild.example:8443",
            "https://wild.example:8443",
        ] {
            assert_eq!(answer(true, None, &[("origin", origin)]), "ok", "{origin}");
        }
    }

    #[test]
    fn other_origins_are_refused_in_djangos_words() {
        for origin in [
            "https://example.com",
            "http://example.com:4443",
            "https://EXAMPLE.com:4443",
            "null",
            "https://evil.example",
            "http://trusted.example",
        ] {
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
            (
                "http://example.com:4443/",
                "Referer checking failed - Referer is insecure while host is secure.",
            ),
            ("https://evil.example/x", no_match),
            ("/page", "Referer checking failed - Referer is malformed."),
            ("https://[", "Referer checking failed - Referer is malformed."),
        ] {
            assert_eq!(answer(true, None, &[("referer", referer)]), expected, "{referer}");
        }
        assert_eq!(answer(true, None, &[]), "Referer checking failed - no Referer.");
        assert_eq!(
            answer(false, None, &[]),
            "ok",
            "plain requests have no Referer check"
        );
        assert_eq!(
            answer(
                true,
                Some(".example.com"),
                &[("referer", "https://sub.example.com:4443/")]
            ),
            "ok"
        );
    }

    #[test]
    fn a_cross_site_request_without_origin_is_refused_by_fetch_metadata() {
        let reason = answer(false, None, &[("sec-fetch-site", "cross-site")]);
        assert_eq!(
            reason,
            "Sec-Fetch-Site checking failed - another site made the request."
        );
        assert_eq!(answer(false, None, &[("sec-fetch-site", "same-origin")]), "ok");
        assert_eq!(
            answer(
                true,
                None,
                &[
                    ("origin", "https://trusted.example"),
                    ("sec-fetch-site", "cross-site")
                ]
            ),
            "ok"
        );
    }
}
