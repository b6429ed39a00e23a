//! The report as text: Django's sections, as far as there is something to say in Rust.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use http::header::COOKIE;
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use palisade_core::secret::CLEANSED;
use palisade_core::{Settings, Threat};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ErrorReport, Notes};
use crate::errors::PanicTrace;
use crate::redact::{Redactor, printable};

/// The most characters of one line of text from elsewhere.
const LONGEST: usize = 2000;

/// What is known of a request that failed.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) status: StatusCode,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) route: Option<String>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) threat: Option<Threat>,
    pub(crate) reason: String,
    pub(crate) sources: Vec<String>,
    pub(crate) panic: Option<PanicTrace>,
    pub(crate) notes: Notes,
}

impl Facts {
    /// What makes two faults the same: the numbers in their words do not.
    pub(super) fn fault(&self) -> String {
        let place = self.panic.as_ref().map_or("", PanicTrace::location);
        let words: String = self
            .reason
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .take(200)
            .collect();
        format!("{} {} {place} {words}", self.status.as_u16(), self.place())
    }

    /// Where it can be provoked.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.method, self.route.as_deref().unwrap_or("-"))
    }

    /// What failed, and where: Django's words. The route stands for its addresses, which may tell more than a subject should.
    pub(super) fn subject(&self, redactor: &Redactor) -> String {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let route = self.route.as_deref().map(|route| printable(route, LONGEST));
        let path = || redactor.path(self.uri.path(), None).into();
        format!("{title}: {}", route.unwrap_or_else(path))
    }

    /// Writes the report.
    pub(super) fn write(
        &self,
        redactor: &Redactor,
        settings: &str,
        now: SystemTime,
        seen: u64,
    ) -> ErrorReport {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let subject = self.subject(redactor);
        let time = OffsetDateTime::from(now).format(&Rfc3339).unwrap_or_default();
        let mut text = format!("{subject}\n\nReport {} of {time}\n", self.id);
        // Writing into a String cannot fail.
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        if seen > 0 {
            line("Seen", &format!("{seen} more times since the last report of it"));
        }
        line("Status", &format!("{} {title}", self.status.as_u16()));
        if let Some(threat) = self.threat {
            line("Threat", threat.id());
        }
        line("Reason", &printable(&self.reason, LONGEST));
        for source in &self.sources {
            line("  caused by", &printable(source, LONGEST));
        }
        if let Some(client) = self.client {
            line("Client", &client.to_string());
        }
        self.write_request(redactor, &mut text);
        if let Some(panic) = &self.panic {
            let _ = writeln!(text, "\nPanic at {}\n{}", panic.location(), panic.backtrace());
        }
        let _ = writeln!(text, "\nSettings\n{settings}");
        ErrorReport {
            id: self.id.clone(),
            time: now,
            status: self.status,
            subject,
            text,
        }
    }

    fn write_request(&self, redactor: &Redactor, text: &mut String) {
        let uri = redactor.uri_of(&self.uri, self.route.as_deref());
        let line = format!("{} {uri} {:?}", self.method, self.version);
        let _ = writeln!(text, "\nRequest\n  {line}");
        for (name, value) in redactor.headers(&self.headers) {
            let _ = writeln!(text, "  {name}: {value}");
        }
        let cookies: Vec<_> = self
            .headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .collect();
        section(
            text,
            "Cookies",
            cookies
                .iter()
                .flat_map(|line| line.split("; "))
                .map(|cookie| redactor.cookies(cookie)),
        );
        let posted = self.notes.posted().iter();
        section(
            text,
            "POST",
            posted.map(|(name, value)| format!("{name} = {value}")),
        );
    }
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "\n{title}");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// All settings, with asterisks where Django puts them and where a secret is.
pub(super) fn settings(settings: &Settings, redactor: &Redactor) -> String {
    let mut written = String::new();
    for line in settings.to_toml().lines() {
        let name = line.split(" = ").next().unwrap_or_default();
        let _ = if redactor.is_sensitive(name) {
            writeln!(written, "  {name} = \"{CLEANSED}\"")
        } else {
            writeln!(written, "  {line}")
        };
    }
    written
}
