//! Which request heads reach the application, and in what one shape.
//!
//! hyper checks the grammar; this refuses what grammar allows and two programs would read differently
//! ([`Threat::UntrustedHost`](crate::core::threat::Threat), CWE-444), and gives HTTP/1 and HTTP/2 requests the same form: one
//! Host, at most one Cookie field, a target that is only a path.

use http::header::{CONTENT_LENGTH, COOKIE, HOST};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use super::limits::Limits;

/// Why a request was not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) threat: &'static str,
    pub(super) reason: &'static str,
}

const fn refusal(status: StatusCode, threat: &'static str, reason: &'static str) -> Refusal {
    Refusal {
        status,
        threat,
        reason,
    }
}

const fn bad_host(reason: &'static str) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, "untrusted-host", reason)
}

/// Refuses or straightens a request head:
///
/// 1. TRACE is 405 and CONNECT 501: the one echoes secrets, the other asks for a proxy (CWE-489).
/// 2. More header fields than allowed are 431, a larger declared body is 413.
/// 3. There is exactly one Host, it agrees with the target, and it has no user part (RFC 9112 §3.2, RFC 9113 §8.3.1).
/// 4. Header names with an underscore are dropped: CGI-style servers read `X_Forwarded_Proto` and `X-Forwarded-Proto` as one.
/// 5. Split Cookie fields are joined (RFC 9113 §8.2.3), since the application reads one.
/// 6. The target becomes a path and query; the scheme a client claims is nobody's business.
pub(super) fn admit(parts: &mut Parts, limits: &Limits) -> Result<(), Refusal> {
    match parts.method {
        Method::TRACE => {
            return Err(refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "exposed-diagnostics",
                "TRACE is not answered",
            ));
        }
        Method::CONNECT => {
            return Err(refusal(
                StatusCode::NOT_IMPLEMENTED,
                "exposed-diagnostics",
                "CONNECT is not answered",
            ));
        }
        _ => {}
    }
    if parts.headers.len() > limits.header_count {
        return Err(refusal(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "resource-exhaustion",
            "too many header fields",
        ));
    }
    if declared_length(&parts.headers) > limits.body_bytes {
        return Err(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "resource-exhaustion",
            "the declared body is too large",
        ));
    }
    settle_host(parts)?;
    drop_underscored(&mut parts.headers);
    join_cookies(&mut parts.headers);
    settle_target(parts)
}

fn declared_length(headers: &HeaderMap) -> u64 {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.map_or(0, |length| length.parse().unwrap_or(u64::MAX))
}

fn settle_host(parts: &mut Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(bad_host("more than one Host"));
    }
    let authority = parts.uri.authority();
    if authority.is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(bad_host("the request target has a user part"));
    }
    match (host, authority) {
        (None, Some(authority)) if parts.version == Version::HTTP_2 => {
            let host = HeaderValue::from_str(authority.as_str())
                .map_err(|_| bad_host("the authority is malformed"))?;
            parts.headers.insert(HOST, host);
            Ok(())
        }
        (None, _) => Err(bad_host("no Host")),
        (Some(host), Some(authority)) if !agree(host, authority, parts.uri.scheme_str()) => {
            Err(bad_host("Host and the request target disagree"))
        }
        (Some(_), _) => Ok(()),
    }
}

/// Whether both name the same host, a default port aside.
fn agree(host: &HeaderValue, authority: &Authority, scheme: Option<&str>) -> bool {
    let host = host.as_bytes();
    if host.eq_ignore_ascii_case(authority.as_str().as_bytes()) {
        return true;
    }
    let port: &[u8] = if scheme == Some("http") { b":80" } else { b":443" };
    let without = |name: &[u8]| name.strip_suffix(port).unwrap_or(name).to_ascii_lowercase();
    without(host) == without(authority.as_str().as_bytes())
}

fn drop_underscored(headers: &mut HeaderMap) {
    let underscored = |name: &HeaderName| name.as_str().as_bytes().contains(&b'_');
    if headers.keys().any(underscored) {
        let names: Vec<HeaderName> = headers.keys().filter(|name| underscored(name)).cloned().collect();
        for name in names {
            tracing::info!(
                target: "palisade::rejection",
                threat = "untrusted-host",
                header = %name,
                "header dropped: its name has an underscore"
            );
            headers.remove(name);
        }
    }
}

fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let mut joined = Vec::new();
    for value in headers.get_all(COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(value.as_bytes());
    }
    headers.remove(COOKIE);
    if let Ok(joined) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(COOKIE, joined);
    }
}

fn settle_target(parts: &mut Parts) -> Result<(), Refusal> {
    if parts.uri.path() == "*" && parts.method != Method::OPTIONS {
        return Err(bad_host("the request target is not a path"));
    }
    if parts.uri.authority().is_none() && parts.uri.scheme().is_none() {
        return Ok(());
    }
    let path = std::mem::take(&mut parts.uri).into_parts().path_and_query;
    parts.uri = path
        .map(Uri::from)
        .ok_or_else(|| bad_host("the request target has no path"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn admitted(request: http::request::Builder) -> Result<Parts, Refusal> {
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        admit(&mut parts, &Limits::default()).map(|()| parts)
    }

    fn http2(uri: &str) -> http::request::Builder {
        Request::builder().uri(uri).version(Version::HTTP_2)
    }

    #[test]
    fn exactly_one_host_is_let_in() {
        assert!(admitted(Request::get("/").header(HOST, "a")).is_ok());
        assert_eq!(admitted(Request::get("/")).unwrap_err().reason, "no Host");
        let two = Request::get("/").header(HOST, "a").header(HOST, "a");
        assert_eq!(admitted(two).unwrap_err().reason, "more than one Host");
    }

    #[test]
    fn an_http2_authority_becomes_the_host_and_the_target_a_path() {
        let parts = admitted(http2("https://a.example:8443/p?q=1")).unwrap();
        assert_eq!(parts.headers[HOST], "a.example:8443");
        assert_eq!(parts.uri, "/p?q=1");
    }

    #[test]
    fn a_host_that_contradicts_the_target_is_refused() {
        assert!(admitted(http2("https://a.example/").header(HOST, "b.example")).is_err());
        assert!(admitted(http2("https://a.example/").header(HOST, "A.example:443")).is_ok());
        assert!(admitted(Request::get("http://a.example/").header(HOST, "b.example")).is_err());
        assert!(admitted(http2("https://user@a.example/")).is_err());
    }

    #[test]
    fn split_cookies_are_joined_in_order() {
        let parts = admitted(http2("https://a/").header(COOKIE, "a=1").header(COOKIE, "b=2")).unwrap();
        assert_eq!(parts.headers[COOKIE], "a=1; b=2");
        assert_eq!(parts.headers.get_all(COOKIE).iter().count(), 1);
    }

    #[test]
    fn an_underscore_does_not_spell_a_trusted_header() {
        let request = Request::get("/")
            .header(HOST, "a")
            .header("x_forwarded_proto", "https")
            .header("x-ok", "1");
        let parts = admitted(request).unwrap();
        assert!(!parts.headers.contains_key("x_forwarded_proto"));
        assert!(parts.headers.contains_key("x-ok"));
    }

    #[test]
    fn trace_and_connect_are_refused() {
        let trace = Request::builder()
            .method(Method::TRACE)
            .uri("/")
            .header(HOST, "a");
        assert_eq!(
            admitted(trace).unwrap_err().status,
            StatusCode::METHOD_NOT_ALLOWED
        );
        let connect = Request::builder()
            .method(Method::CONNECT)
            .uri("a:443")
            .header(HOST, "a:443");
        assert_eq!(admitted(connect).unwrap_err().status, StatusCode::NOT_IMPLEMENTED);
    }

    #[test]
    fn too_much_declared_is_refused_before_it_is_sent() {
        let large = Request::post("/")
            .header(HOST, "a")
            .header(CONTENT_LENGTH, "99999999999");
        assert_eq!(admitted(large).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        let many = (0..100).fold(Request::get("/").header(HOST, "a"), |r, n| {
            r.header(format!("x-{n}"), "1")
        });
        assert_eq!(
            admitted(many).unwrap_err().status,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        );
    }
}
