//! The host guard: a request for a host that is not ours ends here (threat `untrusted-host`, CWE-644).
//!
//! Django validates the host only when somebody asks for it; here every request is validated, so that no link, cache
//! key or redirect can be built from a name that an attacker chose.
//!
//! 1. The raw host is `X-Forwarded-Host` if `use_x_forwarded_host` is on *and* the peer is a listed proxy, else `Host`.
//! 2. It must have the form of a host (Django `split_domain_port`) and be allowed by `allowed_hosts`: else 400.
//! 3. From here on the `Host` header is that host: the guard writes it there, and takes `X-Forwarded-Host` away.
//!
//! # Security
//!
//! A wildcard in `allowed_hosts` allows whoever controls such a subdomain; `Settings` refuses `*` outside development.

use http::{HeaderMap, HeaderName, HeaderValue, header, request, response};
use palisade_core::Threat;
use palisade_core::host::AllowedHosts;
use palisade_core::settings::Settings;

use crate::guard::Guard;
use crate::rejection::Rejection;
use crate::transport::TrustedProxies;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Refuses requests for hosts that are not ours.
#[derive(Clone, Debug)]
pub struct HostGuard {
    allowed: AllowedHosts,
    forwarded_by: Option<TrustedProxies>,
}

impl HostGuard {
    /// Allows the given hosts.
    pub fn new(allowed: AllowedHosts) -> Self {
        Self {
            allowed,
            forwarded_by: None,
        }
    }

    /// Makes the guard that the settings ask for.
    pub fn from_settings(settings: &Settings) -> Self {
        let forwarded_by = settings
            .use_x_forwarded_host
            .then(|| TrustedProxies::new(settings.trusted_proxies.clone()));
        Self {
            allowed: settings.allowed_hosts.clone(),
            forwarded_by,
        }
    }

    /// Believes `X-Forwarded-Host` from these peers.
    #[must_use]
    pub fn with_forwarded_host_from(mut self, proxies: TrustedProxies) -> Self {
        self.forwarded_by = Some(proxies);
        self
    }

    fn raw<'r>(&self, request: &'r request::Parts) -> Result<&'r HeaderValue, Rejection> {
        let believed = self
            .forwarded_by
            .as_ref()
            .is_some_and(|proxies| proxies.trust(request));
        let forwarded = if believed {
            single(&request.headers, &X_FORWARDED_HOST)?
        } else {
            None
        };
        let host = match forwarded {
            Some(host) => Some(host),
            None => single(&request.headers, &header::HOST)?,
        };
        host.ok_or_else(|| refusal("Invalid HTTP_HOST header: the request names no host."))
    }
}

impl Guard for HostGuard {
    type Pass = ();

    fn admit(&self, request: &mut request::Parts) -> Result<(), Rejection> {
        let raw = self.raw(request)?;
        let text = raw
            .to_str()
            .map_err(|_| refusal("Invalid HTTP_HOST header: not ASCII."))?;
        self.allowed
            .validate(text)
            .map_err(|error| refusal(error.to_string()))?;
        if request.headers.contains_key(X_FORWARDED_HOST) {
            let host = raw.clone();
            request.headers.insert(header::HOST, host);
            request.headers.remove(X_FORWARDED_HOST);
        }
        Ok(())
    }

    fn release(&self, (): (), _response: &mut response::Parts) {}
}

/// The one value of a header that must not be repeated.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(refusal("Invalid HTTP_HOST header: more than one host is named.")),
    }
}

fn refusal(reason: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
    Rejection::bad_request(reason)
        .with_threat(Threat::UntrustedHost)
        .with_hint("This server does not answer for the host name that the request gave.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(guard: &HostGuard, headers: &[(&'static str, &'static str)]) -> Result<String, Rejection> {
        let mut builder = http::Request::builder();
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        guard.admit(&mut parts)?;
        Ok(parts.headers[header::HOST].to_str().unwrap().to_owned())
    }

    #[test]
    fn a_host_that_is_not_ours_is_refused() {
        let guard = HostGuard::new(AllowedHosts::parse(["example.com", ".example.org"]));
        assert_eq!(
            admit(&guard, &[("host", "example.com:8443")]).unwrap(),
            "example.com:8443"
        );
        assert_eq!(
            admit(&guard, &[("host", "a.example.org")]).unwrap(),
            "a.example.org"
        );
        for bad in [
            "evil.com",
            "example.com@evil.com",
            "example.com/evil",
            "",
            "exa_mple.com",
        ] {
            let rejection = admit(&guard, &[("host", bad)]).unwrap_err();
            assert_eq!(rejection.status(), 400, "{bad}");
            assert_eq!(rejection.threat(), Some(Threat::UntrustedHost));
        }
        assert!(admit(&guard, &[]).is_err(), "a request without a host");
        assert!(
            admit(&guard, &[("host", "example.com"), ("host", "example.com")]).is_err(),
            "two hosts"
        );
    }

    #[test]
    fn a_forwarded_host_from_a_stranger_is_not_believed_and_taken_away() {
        let guard = HostGuard::new(AllowedHosts::parse(["example.com", "other.example"]))
            .with_forwarded_host_from(TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]));
        let host = admit(
            &guard,
            &[("host", "example.com"), ("x-forwarded-host", "other.example")],
        )
        .unwrap();
        assert_eq!(host, "example.com");
    }
}
