//! What a cookie asks of the browser, and where that falls short.
//!
//! The defaults are the strictest that a login survives: `Secure`, `HttpOnly`, `SameSite=Lax`, the whole site, no subdomains.

use super::{Expires, InvalidCookie, SameSite, prefix};
use crate::{Threat, Weakness};

/// The attributes of a cookie.
///
/// # Example
/// ```
/// use palisade_core::cookie::CookieAttributes;
///
/// assert!(CookieAttributes::default().weaknesses("sessionid").is_empty());
/// let django = CookieAttributes { secure: false, ..CookieAttributes::default() };
/// assert_eq!(django.weaknesses("sessionid").len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CookieAttributes {
    /// The domain whose hosts all get the cookie; without one, only the host that set it.
    pub domain: Option<String>,
    /// The date after which the browser forgets the cookie.
    pub expires: Option<Expires>,
    /// Whether scripts are kept from reading the cookie.
    pub http_only: bool,
    /// For how many seconds the browser keeps the cookie; zero and less forget it at once.
    pub max_age: Option<i64>,
    /// The path below which the cookie is sent.
    pub path: Option<String>,
    /// Whether the cookie travels with requests that another site started.
    pub same_site: Option<SameSite>,
    /// Whether the cookie travels over HTTPS only.
    pub secure: bool,
}

/// The longest that browsers keep a cookie: 400 days (RFC 6265bis §5.5).
const LONGEST: i64 = 400 * 24 * 60 * 60;

impl Default for CookieAttributes {
    fn default() -> Self {
        Self {
            domain: None,
            expires: None,
            http_only: true,
            max_age: None,
            path: Some("/".to_owned()),
            same_site: Some(SameSite::Lax),
            secure: true,
        }
    }
}

impl CookieAttributes {
    /// Starts with no attribute at all, which is what a bare `Set-Cookie: name=value` says.
    pub const fn none() -> Self {
        Self {
            domain: None,
            expires: None,
            http_only: false,
            max_age: None,
            path: None,
            same_site: None,
            secure: false,
        }
    }

    /// Lists the ways in which a cookie of this name and these attributes falls short.
    ///
    /// It is judged as a cookie that matters: one that holds no secret may well be readable by scripts.
    pub fn weaknesses(&self, name: &str) -> Vec<Weakness> {
        let mut found = Vec::new();
        let mut weak = |threat, what: &'static str| found.push(Weakness::new(threat, what));
        if !self.secure {
            weak(
                Threat::InsecureTransport,
                "without Secure, the cookie travels over plain HTTP, too",
            );
        }
        if !self.http_only {
            weak(
                Threat::SessionHijacking,
                "without HttpOnly, a smuggled script can read the cookie",
            );
        }
        match self.same_site {
            None => weak(
                Threat::CrossSiteRequestForgery,
                "without SameSite, some browsers send the cookie with requests that another site started",
            ),
            Some(SameSite::None) if self.secure => weak(
                Threat::CrossSiteRequestForgery,
                "SameSite=None sends the cookie with every request that another site started",
            ),
            Some(SameSite::None) => {
                weak(
                    Threat::InertDefence,
                    "browsers drop a cookie with SameSite=None that is not Secure",
                );
            }
            Some(SameSite::Lax | SameSite::Strict) => {}
        }
        if self.domain.is_some() {
            weak(
                Threat::SessionHijacking,
                "Domain sends the cookie to every subdomain, and one of them is the weakest",
            );
        }
        if self.max_age.is_some_and(|seconds| seconds > LONGEST) {
            weak(
                Threat::SessionHijacking,
                "the cookie asks to live longer than 400 days",
            );
        }
        if self.max_age.is_none()
            && self
                .expires
                .as_ref()
                .is_some_and(|expires| expires.time().is_none())
        {
            weak(
                Threat::InertDefence,
                "expires is not a date: browsers ignore it and keep a session cookie",
            );
        }
        if let Some(rule) = prefix::broken_rule(name, self) {
            weak(Threat::InertDefence, rule);
        }
        found
    }

    /// Trims the texts, drops empty ones as Django does, and refuses what would leave its place in the header.
    pub(super) fn checked(mut self) -> Result<Self, InvalidCookie> {
        for text in [&mut self.domain, &mut self.path] {
            if let Some(given) = text.take() {
                let kept = checked(&given)?;
                *text = (!kept.is_empty()).then(|| kept.to_owned());
            }
        }
        self.expires = self.expires.filter(|expires| !expires.as_str().is_empty());
        Ok(self)
    }
}

/// Trims an attribute's text and refuses line breaks, semicolons and control characters in it.
pub(super) fn checked(text: &str) -> Result<&str, InvalidCookie> {
    if text.contains(['\r', '\n']) {
        return Err(InvalidCookie::Newline(text.to_owned()));
    }
    if text.contains(|c: char| c == ';' || c.is_control()) {
        return Err(InvalidCookie::IllegalAttribute(text.to_owned()));
    }
    Ok(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threats(name: &str, attributes: &CookieAttributes) -> Vec<Threat> {
        attributes
            .weaknesses(name)
            .into_iter()
            .map(|weakness| weakness.threat)
            .collect()
    }

    #[test]
    fn a_bare_cookie_has_three_weaknesses() {
        let expected = [
            Threat::InsecureTransport,
            Threat::SessionHijacking,
            Threat::CrossSiteRequestForgery,
        ];
        assert_eq!(threats("sessionid", &CookieAttributes::none()), expected);
    }

    #[test]
    fn each_shortcoming_is_seen() {
        let good = CookieAttributes::default;
        let cases = [
            (
                CookieAttributes {
                    same_site: Some(SameSite::None),
                    ..good()
                },
                Threat::CrossSiteRequestForgery,
            ),
            (
                CookieAttributes {
                    domain: Some("example.com".into()),
                    ..good()
                },
                Threat::SessionHijacking,
            ),
            (
                CookieAttributes {
                    max_age: Some(LONGEST + 1),
                    ..good()
                },
                Threat::SessionHijacking,
            ),
            (
                CookieAttributes {
                    expires: Some(Expires::from_text("soon").unwrap()),
                    ..good()
                },
                Threat::InertDefence,
            ),
        ];
        for (attributes, threat) in cases {
            assert_eq!(threats("a", &attributes), [threat], "{attributes:?}");
        }
    }

    #[test]
    fn a_broken_prefix_is_a_cookie_that_browsers_drop() {
        let good = CookieAttributes::default;
        let cases = [
            (
                "__Host-a",
                CookieAttributes {
                    path: Some("/x".into()),
                    ..good()
                },
                true,
            ),
            ("__host-a", CookieAttributes { path: None, ..good() }, true),
            ("__Secure-a", CookieAttributes { path: None, ..good() }, false),
            (
                "__Secure-a",
                CookieAttributes {
                    secure: false,
                    ..good()
                },
                true,
            ),
            (
                "__Http-a",
                CookieAttributes {
                    http_only: false,
                    ..good()
                },
                true,
            ),
            (
                "__Host-Http-a",
                CookieAttributes {
                    http_only: false,
                    ..good()
                },
                true,
            ),
            (
                "__Host-a",
                CookieAttributes {
                    http_only: false,
                    ..good()
                },
                false,
            ),
            ("__Hos", CookieAttributes::none(), false),
        ];
        for (name, attributes, broken) in cases {
            assert_eq!(
                threats(name, &attributes).contains(&Threat::InertDefence),
                broken,
                "{name} {attributes:?}"
            );
        }
    }
}
