//! A client with a cookie jar that talks to a protected router without a network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use palisade::serve::Peer;
use palisade::{Protected, SecretKey, Settings};
use tower::ServiceExt;

/// The key of all tests: long and mixed enough to pass as one.
pub(crate) const KEY: &str = "tests-only-Zq8w3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc";

/// Settings as in production, for `example.com`.
pub(crate) fn settings() -> Settings {
    Settings::new(SecretKey::new(KEY), ["example.com"])
}

/// A browser, as far as the server can tell.
#[derive(Clone)]
pub(crate) struct Client {
    app: Protected,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn new(app: &Protected) -> Self {
        Self {
            app: app.clone(),
            jar: Arc::default(),
        }
    }

    /// Another client that has stolen all cookies.
    pub(crate) fn thief(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self {
            app: self.app.clone(),
            jar: Arc::new(Mutex::new(jar)),
        }
    }

    /// The same client after it has lost a cookie.
    pub(crate) fn without(self, name: &str) -> Self {
        self.jar.lock().unwrap().remove(name);
        self
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn plant(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as the site's own page would: with the token that the form page showed, and its origin.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let token = self.cookie("csrftoken").unwrap_or_default();
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, "https://example.com")
            .body(Body::from(format!("csrfmiddlewaretoken={token}&{body}")));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        if !headers.contains_key(HOST) {
            headers.insert(HOST, "example.com".parse().unwrap());
        }
        let cookies: Vec<String> = self
            .jar
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            headers.insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer {
                addr: SocketAddr::from(([192, 0, 2, 7], 4711)),
                tls: true,
            });
        }
        let Ok(response) = self.app.clone().oneshot(request).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.jar.lock().unwrap().remove(name);
            } else {
                self.plant(name, value);
            }
        }
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}
