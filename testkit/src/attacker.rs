//! An attacker's site: another origin, in the same browser as the victim's.
//!
//! Its pages are made by their address, so that one site serves every attack and a test reads in one line what the
//! victim was lured to. Each page writes how far it came to `data-result` of its root element; whether the attack
//! *worked* is to be read from the attacked site, never from the attacker's opinion.

mod pages;

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::routing::get;

use crate::browser::Setup;
use crate::visitor::form;
use crate::{Authority, Site};

/// The attacker's site over TLS and in clear; gone when it is dropped.
#[derive(Debug)]
pub struct Attacker {
    secure: Site,
    plain: Site,
}

/// Where the victim meets the attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lure {
    /// Another site altogether, over TLS.
    OtherSite,
    /// Another site, in clear.
    InClear,
    /// A subdomain of the attacked site that the attacker has taken over: same site, other origin. `SameSite`
    /// cookies do not see a difference.
    Sibling,
}

impl Lure {
    /// All of them.
    pub const ALL: [Lure; 3] = [Lure::OtherSite, Lure::InClear, Lure::Sibling];

    fn base(self, victim: &str) -> String {
        match self {
            Lure::OtherSite => "https://attacker.test".to_owned(),
            Lure::InClear => "http://attacker.test".to_owned(),
            Lure::Sibling => format!("https://evil.{victim}"),
        }
    }
}

/// How the victim's page is laid invisible over the attacker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// In a frame.
    Frame,
    /// As an object.
    Object,
    /// Embedded, as a plugin is.
    Embed,
}

impl Cover {
    fn element(self) -> &'static str {
        match self {
            Cover::Frame => "iframe",
            Cover::Object => "object",
            Cover::Embed => "embed",
        }
    }
}

impl Attacker {
    /// Opens the site; it answers to every name that leads to it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(authority: &Authority) -> Result<Attacker> {
        let secure = Site::tls(router(), authority, &["attacker.test"]).await?;
        Ok(Attacker {
            secure,
            plain: Site::plain(router()).await?,
        })
    }

    /// Makes the site reachable for a browser, as `attacker.test` and as the subdomain `evil` of the `victim`.
    pub fn lie_in_wait(&self, browser: Setup, victim: &str) -> Setup {
        let browser = browser
            .visit("attacker.test", &self.secure)
            .visit("attacker.test", &self.plain);
        browser.visit(&format!("evil.{victim}"), &self.secure)
    }

    /// Returns where the site listens for TLS.
    pub fn address(&self) -> SocketAddr {
        self.secure.address()
    }
}

/// A page of the attacker's, aimed at one victim's site.
#[derive(Debug, Clone)]
pub struct Trap {
    base: String,
    victim: String,
}

impl Trap {
    /// Lays traps on the attacker's site that `lure` names, for users of `https://victim`.
    pub fn new(lure: Lure, victim: &str) -> Trap {
        Trap {
            base: lure.base(victim),
            victim: format!("https://{victim}"),
        }
    }

    /// Posts a form to `path` in the victim's name, by itself.
    pub fn forged_form(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.page("form", path, fields)
    }

    /// Does the same from a page that sends no referrer, so that the browser calls its origin `null`.
    pub fn forged_form_without_origin(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.page("form-without-origin", path, fields)
    }

    /// Reads the token off the page at `path` by script, and posts the form with it; the result begins with `sent` or `refused`.
    pub fn forged_fetch_with_stolen_token(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.page("fetch-with-stolen-token", path, fields)
    }

    /// Posts a form to `path` by script with the victim's cookies, in a way that needs nobody's permission.
    pub fn forged_fetch(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.page("fetch", path, fields)
    }

    /// Does the same with a header that pages may only send where they are permitted to.
    pub fn forged_fetch_with_header(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.page("fetch-with-header", path, fields)
    }

    /// Reads the page at `path` by script with the victim's cookies; the result begins with `read` or `unreadable`.
    pub fn stolen_page(&self, path: &str) -> String {
        self.page("steal", path, &[])
    }

    /// Shows the page at `path` inside a frame.
    pub fn frame(&self, path: &str) -> String {
        self.page("frame", path, &[])
    }

    /// Shows the page at `path` inside a frame inside a frame.
    pub fn nested_frame(&self, path: &str) -> String {
        self.page("nest", path, &[])
    }

    /// Shows the page at `path` inside a frame that may run script and must not lead the whole window elsewhere.
    pub fn sandboxed_frame(&self, path: &str) -> String {
        self.page("sandbox", path, &[])
    }

    /// Shows a button of its own, and lays the page at `path` over it so that nobody sees it; the result comes when that is there or refused.
    pub fn cover(&self, with: Cover, path: &str) -> String {
        self.page("cover", path, &[("with", with.element())])
    }

    /// Sets a cookie, for the whole domain of the victim where the browser lets it.
    pub fn planted_cookie(&self, name: &str, value: &str) -> String {
        self.page("plant", "/", &[(name, value)])
    }

    fn page(&self, name: &str, path: &str, fields: &[(&str, &str)]) -> String {
        let target = format!("{}{path}", self.victim);
        format!(
            "{}/{name}/?{}",
            self.base,
            form(&[&[("target", target.as_str())], fields].concat())
        )
    }
}

fn router() -> Router {
    Router::new()
        .route("/form/", get(pages::form))
        .route("/form-without-origin/", get(pages::form_without_origin))
        .route("/fetch-with-stolen-token/", get(pages::fetch_with_stolen_token))
        .route("/fetch/", get(pages::fetch))
        .route("/fetch-with-header/", get(pages::fetch_with_header))
        .route("/steal/", get(pages::steal))
        .route("/frame/", get(pages::frame))
        .route("/nest/", get(pages::nest))
        .route("/sandbox/", get(pages::sandbox))
        .route("/cover/", get(pages::cover))
        .route("/plant/", get(pages::plant))
}
