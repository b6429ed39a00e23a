//! The plain-HTTP door, behind which there is only a way to HTTPS.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tower_service::Service;

use super::Application;
use super::exchange::plain;

/// Answers plain-HTTP requests with what the application says to their heads; their bodies are never read.
#[derive(Clone, Debug)]
pub(super) struct Redirect<A> {
    pub(super) app: A,
    pub(super) https_port: u16,
}

impl<A: Application> Service<Request<Body>> for Redirect<A> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (parts, _body) = request.into_parts();
        let mut response = self.app.answer_plain(&parts, self.https_port);
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        ready(Ok(response))
    }
}

/// Answers a plain-HTTP request with the same target over HTTPS: 301 for GET and HEAD, 308 for what must keep its method.
///
/// # Security
///
/// `domain` is the host without its port, **already checked** against the allowed hosts: a redirect to whatever Host says is
/// an open redirect (CWE-601).
pub fn to_https(parts: &Parts, domain: &str, port: u16) -> Response<Body> {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = if target.starts_with('/') { target } else { "/" };
    let location = match port {
        443 => format!("https://{domain}{target}"),
        port => format!("https://{domain}:{port}{target}"),
    };
    let Ok(location) = HeaderValue::try_from(location) else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if matches!(parts.method, Method::GET | Method::HEAD) {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::PERMANENT_REDIRECT
    };
    response.headers_mut().insert(LOCATION, location);
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(method: Method, uri: &str, port: u16) -> (u16, String) {
        let (parts, ()) = Request::builder()
            .method(method)
            .uri(uri)
            .body(())
            .unwrap()
            .into_parts();
        let response = to_https(&parts, "a.example", port);
        (
            response.status().as_u16(),
            response.headers()[LOCATION].to_str().unwrap().to_owned(),
        )
    }

    #[test]
    fn the_target_is_kept_and_the_port_named_unless_it_is_the_usual_one() {
        assert_eq!(
            location(Method::GET, "/p?q=1", 443),
            (301, "https://a.example/p?q=1".into())
        );
        assert_eq!(
            location(Method::HEAD, "/", 8443),
            (301, "https://a.example:8443/".into())
        );
        assert_eq!(
            location(Method::OPTIONS, "*", 443),
            (308, "https://a.example/".into())
        );
    }

    #[test]
    fn a_post_keeps_its_method() {
        assert_eq!(location(Method::POST, "/login", 443).0, 308);
    }

    #[test]
    fn a_path_cannot_name_another_host() {
        assert_eq!(
            location(Method::GET, "//evil.example/", 443).1,
            "https://a.example//evil.example/"
        );
    }
}
