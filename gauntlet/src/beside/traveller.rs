//! Somebody who goes from one side to the other with one jar of cookies.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use testkit::Visitor;
use testkit::visitor::{Reply, form};

use super::{HOST, Side};

/// A visitor of both sides.
#[derive(Debug, Clone)]
pub struct Traveller {
    visitor: Visitor,
    django: SocketAddr,
    palisade: SocketAddr,
}

impl Traveller {
    pub(super) fn new(django: SocketAddr, palisade: SocketAddr) -> Traveller {
        Traveller {
            visitor: Visitor::behind_proxy(django, HOST),
            django,
            palisade,
        }
    }

    pub(super) fn redirected(&self, django: SocketAddr, palisade: SocketAddr) -> Traveller {
        Traveller {
            visitor: self.visitor.clone(),
            django,
            palisade,
        }
    }

    /// Puts a cookie into the jar, in place of one with the same name.
    #[must_use]
    pub fn with_cookie(mut self, name: &str, value: &str) -> Traveller {
        self.visitor = self.visitor.with_cookie(name, value);
        self
    }

    /// Opens a page of a side.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn open(&mut self, side: Side, path: &str) -> Result<Reply> {
        self.turn_to(side);
        self.visitor.open(path).await
    }

    /// The text of a page of a side.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn read(&mut self, side: Side, path: &str) -> Result<String> {
        Ok(self.open(side, path).await?.text())
    }

    /// The token of a side's form.
    ///
    /// # Errors
    /// When the page has none.
    pub async fn token(&mut self, side: Side) -> Result<String> {
        let page = self.open(side, "/form/").await?;
        page.field("csrfmiddlewaretoken")
            .with_context(|| format!("no token at {side:?}: {}", page.text()))
    }

    /// Sends a form to a side, with a token from anywhere.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn send(
        &mut self,
        side: Side,
        path: &str,
        fields: &[(&str, &str)],
        token: &str,
    ) -> Result<Reply> {
        self.turn_to(side);
        let fields = [fields, &[("csrfmiddlewaretoken", token)]].concat();
        let origin = self.visitor.origin();
        let request = self
            .visitor
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, format!("{origin}{path}"))
            .header(header::ORIGIN, origin);
        self.visitor.send(request, Bytes::from(form(&fields))).await
    }

    /// Fills in a form at a side as a browser does, and returns what it answered.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn submit(&mut self, side: Side, path: &str, fields: &[(&str, &str)]) -> Result<String> {
        let token = self.token(side).await?;
        Ok(self.send(side, path, fields, &token).await?.text())
    }

    /// Logs in at a side.
    ///
    /// # Errors
    /// When the side does not let them in.
    pub async fn log_in(&mut self, side: Side, username: &str, password: &str) -> Result<()> {
        let fields = [("username", username), ("password", password)];
        let token = self.token(side).await?;
        let reply = self.send(side, "/login/", &fields, &token).await?;
        anyhow::ensure!(
            reply.status == StatusCode::OK && reply.text() == "in",
            "{username} cannot log in at {side:?}: {}",
            reply.text()
        );
        Ok(())
    }

    /// Whom a side takes them for.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn who(&mut self, side: Side) -> Result<String> {
        self.read(side, "/who/").await
    }

    /// A cookie in the jar.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.visitor.cookie(name)
    }

    fn turn_to(&mut self, side: Side) {
        self.visitor.turn_to(match side {
            Side::Django => self.django,
            Side::Palisade => self.palisade,
        });
    }
}
