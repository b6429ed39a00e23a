//! Logs in through a server's own pages, as a browser would, to give the load its cookies and its token.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::server::Server;

/// What a connection needs to know of its session.
#[derive(Default)]
pub struct Account {
    /// The value of the Cookie header.
    pub cookies: String,
    /// The body of a form post, the CSRF token in it.
    pub form: String,
}

impl Account {
    /// Logs in with the account that every server of the benchmark prepares at its first start.
    pub fn log_in(server: &Server) -> Result<Self> {
        let mut visitor = Visitor {
            server,
            jar: BTreeMap::new(),
        };
        let token = visitor.token("/login")?;
        let form = format!("{token}&username=alice&password=correct+horse+battery+staple");
        let (status, page) = visitor.visit("POST", "/login", Some(&form))?;
        if !(300..400).contains(&status) {
            bail!("{} answered the login with {status}: {page}", server.kind);
        }
        let token = visitor.token("/form")?;
        Ok(Self {
            cookies: visitor.cookies(),
            form: format!("{token}&note=hello+world"),
        })
    }
}

struct Visitor<'s> {
    server: &'s Server,
    jar: BTreeMap<String, String>,
}

impl Visitor<'_> {
    /// Opens a page with a form and returns its hidden CSRF field, url-encoded.
    fn token(&mut self, path: &str) -> Result<String> {
        let (status, page) = self.visit("GET", path, None)?;
        let attribute = |name: &str| {
            let (_, input) = page.split_once("<input type=\"hidden\"")?;
            let (_, value) = input.split_once(&format!("{name}=\""))?;
            value.split_once('"').map(|(value, _)| percent_encode(value))
        };
        match (status, attribute("name"), attribute("value")) {
            (200, Some(name), Some(value)) => Ok(format!("{name}={value}")),
            _ => bail!(
                "{} answered {path} with {status} and no hidden field: {page}",
                self.server.kind
            ),
        }
    }

    fn visit(&mut self, method: &str, path: &str, form: Option<&str>) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.server.address)?;
        stream.set_read_timeout(Some(Duration::from_mins(2)))?;
        stream.write_all(&self.server.request(method, path, &self.cookies(), form))?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let size = stream
                .read(&mut piece)
                .with_context(|| format!("no answer to {method} {path}"))?;
            answer.extend_from_slice(piece.get(..size).unwrap_or_default());
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(head) = response.parse(&answer)? {
                let body = answer.get(head..).unwrap_or_default();
                let length = header(&response, "content-length").next();
                if size == 0 || length.is_some_and(|length| length.parse() == Ok(body.len())) {
                    self.keep_cookies(&response);
                    return Ok((
                        response.code.unwrap_or(0),
                        String::from_utf8_lossy(body).into_owned(),
                    ));
                }
            }
            if size == 0 {
                bail!(
                    "{} closed the connection instead of answering {method} {path}",
                    self.server.kind
                );
            }
        }
    }

    fn keep_cookies(&mut self, response: &httparse::Response<'_, '_>) {
        for cookie in header(response, "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

fn header<'r>(response: &'r httparse::Response<'_, '_>, name: &'r str) -> impl Iterator<Item = &'r str> {
    let named = response
        .headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.filter_map(|header| std::str::from_utf8(header.value).ok())
}

fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
