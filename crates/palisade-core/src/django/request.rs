//! The head of a request as Django's `HttpRequest` knows it: host, port, scheme, full path.

use std::collections::HashMap;

use crate::host::{AllowedHosts, DisallowedHost};
use crate::redirect::{escape_uri_path, iri_to_uri};
use crate::settings::says_secure;

/// What Django knows of a request before its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method; none where nobody has said.
    pub method: Option<String>,
    /// The decoded path.
    pub path: String,
    /// The query string, as it came.
    pub query: String,
    /// The headers, their names in lower case.
    pub headers: HashMap<String, String>,
    /// The cookies.
    pub cookies: HashMap<String, String>,
    /// The name of the listening socket.
    pub server_name: Option<String>,
    /// Its port.
    pub server_port: Option<String>,
    /// `http` or `https`: the connection that reached the application.
    pub transport_scheme: String,
    /// Whether the request counts as secure, where that is known already; otherwise the transport says.
    pub secure: Option<bool>,
}

impl Request {
    /// The header that a CGI name stands for: `HTTP_X_FORWARDED_PROTO` for `x-forwarded-proto`.
    pub fn meta(&self, name: &str) -> Option<&str> {
        let header = match name.strip_prefix("HTTP_") {
            Some(name) => name.to_lowercase().replace('_', "-"),
            None if matches!(name, "CONTENT_TYPE" | "CONTENT_LENGTH") => {
                name.to_lowercase().replace('_', "-")
            }
            None => return None,
        };
        self.headers.get(&header).map(String::as_str)
    }

    /// Says whether the request came over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure.unwrap_or(self.transport_scheme == "https")
    }

    /// Path and query, quoted: `get_full_path`.
    pub fn full_path(&self) -> String {
        let path = escape_uri_path(&self.path);
        if self.query.is_empty() {
            path.into_owned()
        } else {
            format!("{path}?{}", iri_to_uri(&self.query))
        }
    }
}

/// `SECURE_PROXY_SSL_HEADER`: the CGI name of a header, and the value that stands for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// The name, as `HTTP_X_FORWARDED_PROTO`.
    pub name: String,
    /// The value, as `https`.
    pub value: String,
}

impl ProxyHeader {
    /// The scheme of a request: the header's word where it is there (its text before the first comma), else the
    /// transport's.
    pub fn scheme<'r>(header: Option<&Self>, request: &'r Request) -> &'r str {
        let said = header.and_then(|header| Some((header, request.meta(&header.name)?)));
        match said {
            Some((header, said)) if says_secure(said, &header.value) => "https",
            Some(_) => "http",
            None => &request.transport_scheme,
        }
    }
}

/// The settings that decide about host and port.
#[derive(Clone, Debug, Default)]
pub struct HostSettings {
    /// `ALLOWED_HOSTS`, with what `DEBUG` adds: see [`AllowedHosts::with_debug`].
    pub allowed_hosts: AllowedHosts,
    /// `USE_X_FORWARDED_HOST`
    pub use_x_forwarded_host: bool,
    /// `USE_X_FORWARDED_PORT`
    pub use_x_forwarded_port: bool,
}

/// Why a request has no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unhosted {
    /// It names one that is not allowed.
    #[error(transparent)]
    Disallowed(#[from] DisallowedHost),
    /// It names none, and of the listening socket this is not known.
    #[error("{0}")]
    Unknown(&'static str),
}

impl HostSettings {
    /// The host that a request names, with its port: `get_host`.
    ///
    /// # Errors
    ///
    /// Where it is not allowed, or nothing is known to make it from.
    pub fn host(&self, request: &Request) -> Result<String, Unhosted> {
        let raw = self.raw_host(request)?;
        self.allowed_hosts.check_split(&raw)?;
        Ok(raw)
    }

    /// The port that a request came to: `get_port`.
    ///
    /// # Errors
    ///
    /// Where it is not known.
    pub fn port<'r>(&self, request: &'r Request) -> Result<&'r str, Unhosted> {
        let forwarded = self
            .use_x_forwarded_port
            .then(|| request.meta("HTTP_X_FORWARDED_PORT"));
        let port = forwarded.flatten().or(request.server_port.as_deref());
        port.ok_or(Unhosted::Unknown("SERVER_PORT"))
    }

    fn raw_host(&self, request: &Request) -> Result<String, Unhosted> {
        let forwarded = self
            .use_x_forwarded_host
            .then(|| request.meta("HTTP_X_FORWARDED_HOST"));
        if let Some(host) = forwarded.flatten().or_else(|| request.meta("HTTP_HOST")) {
            return Ok(host.to_owned());
        }
        let name = request.server_name.as_deref();
        let name = name.ok_or(Unhosted::Unknown("SERVER_NAME"))?;
        let port = self.port(request)?;
        let usual = if request.is_secure() { "443" } else { "80" };
        Ok(if port == usual {
            name.to_owned()
        } else {
            format!("{name}:{port}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        Request {
            server_name: Some("inside".to_owned()),
            server_port: Some("8000".to_owned()),
            transport_scheme: "http".to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Request::default()
        }
    }

    #[test]
    fn a_host_is_made_of_the_socket_where_no_header_names_it() {
        let hosts = HostSettings {
            allowed_hosts: AllowedHosts::parse(["*"]),
            ..HostSettings::default()
        };
        assert_eq!(hosts.host(&request(&[])).unwrap(), "inside:8000");
        let secure = Request {
            secure: Some(true),
            server_port: Some("443".to_owned()),
            ..request(&[])
        };
        assert_eq!(hosts.host(&secure).unwrap(), "inside");
        let unknown = Request {
            server_name: None,
            ..request(&[])
        };
        assert_eq!(hosts.host(&unknown).unwrap_err().to_string(), "SERVER_NAME");
    }

    #[test]
    fn forwarded_names_count_only_where_the_settings_say_so() {
        let sent = request(&[
            ("host", "a.example"),
            ("x-forwarded-host", "b.example"),
            ("x-forwarded-port", "1"),
        ]);
        let mut hosts = HostSettings {
            allowed_hosts: AllowedHosts::parse(["a.example"]),
            ..HostSettings::default()
        };
        assert_eq!(hosts.host(&sent).unwrap(), "a.example");
        assert_eq!(hosts.port(&sent).unwrap(), "8000");
        hosts.use_x_forwarded_host = true;
        hosts.use_x_forwarded_port = true;
        assert!(hosts.host(&sent).is_err());
        assert_eq!(hosts.port(&sent).unwrap(), "1");
    }

    #[test]
    fn the_proxys_word_wins_over_the_transport_where_it_is_there() {
        let header = ProxyHeader {
            name: "HTTP_X_FORWARDED_PROTO".to_owned(),
            value: "https".to_owned(),
        };
        let tls = |headers| Request {
            transport_scheme: "https".to_owned(),
            ..request(headers)
        };
        assert_eq!(ProxyHeader::scheme(Some(&header), &tls(&[])), "https");
        assert_eq!(
            ProxyHeader::scheme(Some(&header), &tls(&[("x-forwarded-proto", "http")])),
            "http"
        );
        assert_eq!(
            ProxyHeader::scheme(Some(&header), &request(&[("x-forwarded-proto", " https , http")])),
            "https"
        );
        assert_eq!(
            ProxyHeader::scheme(None, &request(&[("x-forwarded-proto", "https")])),
            "http"
        );
    }

    #[test]
    fn the_full_path_is_quoted() {
        let asked = Request {
            path: "/a b/é?".to_owned(),
            query: "q=é#".to_owned(),
            ..Request::default()
        };
        assert_eq!(asked.full_path(), "/a%20b/%C3%A9%3F?q=%C3%A9#");
    }
}
