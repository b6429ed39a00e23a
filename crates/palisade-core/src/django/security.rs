//! What `SecurityMiddleware` redirects, and which headers it adds.

use super::request::{HostSettings, Request, Unhosted};
use crate::redirect::{DisallowedRedirect, https_address};
use crate::settings::ExemptPaths;

/// The settings of `SecurityMiddleware`, each as Django would use it.
#[derive(Clone, Debug, Default)]
pub struct SecuritySettings {
    /// `SECURE_HSTS_SECONDS` as it is printed; none where it is off.
    pub hsts_seconds: Option<String>,
    /// `SECURE_HSTS_INCLUDE_SUBDOMAINS`
    pub hsts_include_subdomains: bool,
    /// `SECURE_HSTS_PRELOAD`
    pub hsts_preload: bool,
    /// `SECURE_CONTENT_TYPE_NOSNIFF`
    pub content_type_nosniff: bool,
    /// `SECURE_REFERRER_POLICY`: the values in their order.
    pub referrer_policy: Option<Vec<String>>,
    /// `SECURE_CROSS_ORIGIN_OPENER_POLICY`
    pub cross_origin_opener_policy: Option<String>,
    /// `SECURE_SSL_REDIRECT`
    pub ssl_redirect: bool,
    /// `SECURE_SSL_HOST`
    pub ssl_host: Option<String>,
    /// `SECURE_REDIRECT_EXEMPT`
    pub redirect_exempt: ExemptPaths,
}

/// Why a request that is to be redirected cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unredirected {
    /// Its host is not allowed, or not known.
    #[error(transparent)]
    Host(#[from] Unhosted),
    /// The address is none that a redirect may lead to.
    #[error(transparent)]
    Redirect(#[from] DisallowedRedirect),
}

impl SecuritySettings {
    /// The values of a policy that is written as one text: split at commas, without spaces.
    pub fn policies(text: &str) -> Vec<String> {
        text.split(',').map(|policy| policy.trim().to_owned()).collect()
    }

    /// The address over TLS that a plain request is redirected to, if it is.
    ///
    /// # Errors
    ///
    /// Where it is to be redirected, and its host is not allowed or the address too long.
    pub fn redirect(&self, request: &Request, hosts: &HostSettings) -> Result<Option<String>, Unredirected> {
        if !self.ssl_redirect || request.is_secure() || self.redirect_exempt.contains(&request.path) {
            return Ok(None);
        }
        let host = match self.ssl_host.as_deref().filter(|host| !host.is_empty()) {
            Some(host) => host.to_owned(),
            None => hosts.host(request)?,
        };
        Ok(Some(https_address(&host, &request.full_path())?))
    }

    /// The headers that a response lacks; `has` says which it has.
    pub fn headers(&self, secure: bool, has: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let hsts = self.hsts_seconds.as_ref().filter(|_| secure).map(|seconds| {
            let subdomains = if self.hsts_include_subdomains {
                "; includeSubDomains"
            } else {
                ""
            };
            let preload = if self.hsts_preload { "; preload" } else { "" };
            format!("max-age={seconds}{subdomains}{preload}")
        });
        let headers = [
            ("Strict-Transport-Security", hsts),
            (
                "X-Content-Type-Options",
                self.content_type_nosniff.then(|| "nosniff".to_owned()),
            ),
            (
                "Referrer-Policy",
                self.referrer_policy.as_ref().map(|policies| policies.join(",")),
            ),
            (
                "Cross-Origin-Opener-Policy",
                self.cross_origin_opener_policy.clone(),
            ),
        ];
        let lacking = headers.into_iter().filter(|(name, _)| !has(name));
        lacking.filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::AllowedHosts;

    fn asked(path: &str) -> Request {
        let mut request = Request {
            path: path.to_owned(),
            transport_scheme: "http".to_owned(),
            ..Request::default()
        };
        request.headers.insert("host".to_owned(), "a.example".to_owned());
        request
    }

    #[test]
    fn plain_requests_are_redirected_unless_their_path_is_exempt() {
        let hosts = HostSettings {
            allowed_hosts: AllowedHosts::parse(["a.example"]),
            ..HostSettings::default()
        };
        let mut settings = SecuritySettings {
            ssl_redirect: true,
            redirect_exempt: ExemptPaths::new(["^free/"]).unwrap(),
            ..SecuritySettings::default()
        };
        let redirected = |settings: &SecuritySettings, path| settings.redirect(&asked(path), &hosts).unwrap();
        assert_eq!(
            redirected(&settings, "/x y").as_deref(),
            Some("https://a.example/x%20y")
        );
        assert_eq!(redirected(&settings, "//free/x"), None);
        settings.ssl_host = Some("b.example".to_owned());
        assert_eq!(
            redirected(&settings, "/x").as_deref(),
            Some("https://b.example/x")
        );
        settings.ssl_host = None;
        assert!(settings.redirect(&asked("/x"), &HostSettings::default()).is_err());
    }

    #[test]
    fn headers_that_are_there_are_left_alone() {
        let settings = SecuritySettings {
            hsts_seconds: Some("600".to_owned()),
            hsts_preload: true,
            content_type_nosniff: true,
            referrer_policy: Some(SecuritySettings::policies("origin , same-origin")),
            ..SecuritySettings::default()
        };
        let policy = ("Referrer-Policy", "origin,same-origin".to_owned());
        assert_eq!(
            settings.headers(true, |name| name == "X-Content-Type-Options"),
            [
                ("Strict-Transport-Security", "max-age=600; preload".to_owned()),
                policy.clone()
            ]
        );
        assert_eq!(
            settings.headers(false, |name| name == "X-Content-Type-Options"),
            [policy]
        );
    }
}
