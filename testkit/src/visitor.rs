//! A visitor without a browser: HTTP requests with a cookie jar, for what needs no page to be shown.
//!
//! Each request has a connection of its own and no redirect is followed, so that a test sees every single answer.

mod reply;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::ClientConfig;

use crate::raw::Wire;

pub use reply::Reply;

/// Somebody who visits one site and keeps its cookies.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    tls: Option<(String, ClientConfig)>,
    host: String,
    proxied: bool,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Visits a site in clear under the name `host`.
    pub fn plain(address: SocketAddr, host: &str) -> Visitor {
        Visitor {
            address,
            tls: None,
            host: host.to_owned(),
            proxied: false,
            cookies: BTreeMap::new(),
        }
    }

    /// Visits a site in clear as a proxy does that ends TLS: the browser behind it speaks HTTPS.
    pub fn behind_proxy(address: SocketAddr, host: &str) -> Visitor {
        Visitor {
            proxied: true,
            ..Visitor::plain(address, host)
        }
    }

    /// Visits a site over TLS under the name `host`, where its certificate is for `certified`.
    pub fn tls(address: SocketAddr, host: &str, certified: &str, config: ClientConfig) -> Visitor {
        Visitor {
            tls: Some((certified.to_owned(), config)),
            ..Visitor::plain(address, host)
        }
    }

    /// Returns the same visitor with another configuration of TLS, such as one that shows a certificate.
    #[must_use]
    pub fn showing(&self, config: ClientConfig) -> Visitor {
        let mut visitor = self.clone();
        if let Some((_, own)) = &mut visitor.tls {
            *own = config;
        }
        visitor
    }

    /// Returns another visitor of the same site who has no cookies.
    #[must_use]
    pub fn stranger(&self) -> Visitor {
        Visitor {
            cookies: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Turns to another address of the same host, cookies and all: where a proxy sends other paths.
    pub fn turn_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    /// Puts a cookie into the jar, in place of one with the same name.
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str) -> Visitor {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Names another host in each request than the one that is visited.
    #[must_use]
    pub fn claiming_host(mut self, host: &str) -> Visitor {
        host.clone_into(&mut self.host);
        self
    }

    /// Returns the value of a cookie in the jar.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When the site does not answer.
    pub async fn open(&mut self, path: &str) -> Result<Reply> {
        self.send(self.request(Method::GET, path), Bytes::new()).await
    }

    /// Posts fields as a form, with nothing that proves where they come from.
    ///
    /// # Errors
    /// When the site does not answer.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Reply> {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, Bytes::from(form(fields))).await
    }

    /// Fills in the form at `path` as a browser does: opens it, keeps its token, posts it from its own origin.
    ///
    /// # Errors
    /// When the site does not answer.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Reply> {
        let token = self
            .open(path)
            .await?
            .field("csrfmiddlewaretoken")
            .unwrap_or_default();
        let fields = [fields, &[("csrfmiddlewaretoken", token.as_str())]].concat();
        let origin = self.origin();
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, &origin)
            .header(header::REFERER, format!("{origin}{path}"));
        self.send(request, Bytes::from(form(&fields))).await
    }

    /// Fills in the form at `path` with a file, as a browser does: opens it, keeps its token, posts it from its own origin.
    ///
    /// # Errors
    /// When the site does not answer.
    pub async fn upload(&mut self, path: &str, fields: &[(&str, &str)], file: &Upload<'_>) -> Result<Reply> {
        let token = self
            .open(path)
            .await?
            .field("csrfmiddlewaretoken")
            .unwrap_or_default();
        let fields = [&[("csrfmiddlewaretoken", token.as_str())], fields].concat();
        let origin = self.origin();
        let request = self
            .request(Method::POST, path)
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header(header::ORIGIN, &origin)
            .header(header::REFERER, format!("{origin}{path}"));
        self.send(request, Bytes::from(multipart(&fields, file))).await
    }

    /// Begins a request with the host and the cookies set, for [`send`](Visitor::send).
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host);
        let request = if self.proxied {
            request.header("X-Forwarded-Proto", "https")
        } else {
            request
        };
        if self.cookies.is_empty() {
            return request;
        }
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header(header::COOKIE, cookies.join("; "))
    }

    /// Sends a request and keeps the cookies of its answer.
    ///
    /// # Errors
    /// When the site does not answer or the request is not one.
    pub async fn send(&mut self, request: http::request::Builder, body: Bytes) -> Result<Reply> {
        let wire = match &self.tls {
            Some((certified, config)) => Wire::tls(self.address, certified, config.clone()).await?,
            None => Wire::plain(self.address).await?,
        };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(wire.into_stream())).await?;
        let exchange = async {
            let (head, body) = sender
                .send_request(request.body(Full::new(body))?)
                .await?
                .into_parts();
            anyhow::Ok(Reply::new(head, body.collect().await?.to_bytes()))
        };
        tokio::pin!(exchange);
        let reply = tokio::select! {
            reply = &mut exchange => reply?,
            // The connection may end with the answer already read.
            _ended = connection => exchange.await?,
        };
        for (name, value) in reply.cookies() {
            match value {
                Some(value) => self.cookies.insert(name, value),
                None => self.cookies.remove(&name),
            };
        }
        Ok(reply)
    }

    /// Returns the origin of the site's pages, as the browser sees it.
    pub fn origin(&self) -> String {
        let secure = self.tls.is_some() || self.proxied;
        format!("{}://{}", if secure { "https" } else { "http" }, self.host)
    }
}

/// A file that a visitor sends with a form.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'file> {
    /// The field of the form.
    pub field: &'file str,
    /// What the visitor calls it, as it stands between the quotes.
    pub name: &'file str,
    /// What the visitor says that it is.
    pub content_type: &'file str,
    /// Its bytes.
    pub content: &'file [u8],
}

/// What stands between the parts of a form with files.
pub const BOUNDARY: &str = "----visitor7d93b1a4";

/// Encodes fields and a file as `multipart/form-data`, the file last.
pub fn multipart(fields: &[(&str, &str)], file: &Upload<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let Upload {
        field,
        name,
        content_type,
        content,
    } = file;
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: {content_type}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Encodes fields as `application/x-www-form-urlencoded`.
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}
