//! Error reports: what a person needs to mend a fault, and nothing that a thief could use (threats `exposed-diagnostics` and
//! `sensitive-data-exposure`).
//!
//! Where Django mails its administrators (`AdminEmailHandler`), a [`ReportSink`] gets a text: the request with its headers, cookies and
//! form, the reason and what caused it, where a panic was, and the settings. All of it has been cleansed as Django's
//! `SafeExceptionReporterFilter` does, by names, and by type: a field that is `Sensitive` is starred whatever it is called, and what a
//! route marks ([`crate::Policies::sensitive_post_parameters`]), too. Django's filter rests while `DEBUG` is on; this one does not.
//!
//! Reports cannot be made a flood of: the same fault is reported once an hour with how often it was seen, and no more than ten faults a
//! minute are, four of one place. What is not told so is summed up once an hour and at the end ([`ErrorDigest`]). No request waits for
//! any of it: a thread writes, a bounded number waits for it, and how many were dropped stands in the log.
//!
//! [`ReportFolder`] keeps so many, each cut at a size. Where the settings name `admins` and there is a mailer
//! ([`with_mailer`](crate::Palisade::with_mailer)), each of them gets a mail, as Django's `AdminEmailHandler` sends it: ten letters an
//! hour, and one with what else there was. As at Django, none are sent while `debug` is on.
//!
//! At the end of a program [`close`](crate::Palisade::close) writes and sends what waits.
//!
//! # Example
//!
//! ```
//! use axum::routing::get;
//! use palisade::report::ReportFolder;
//! use palisade::{Palisade, Policies, Router, SecretKey, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let data = tempfile::tempdir()?;
//! # let data = data.path();
//! let settings = Settings::for_development(SecretKey::new("a key for this example only"));
//! let app = Palisade::new(settings)
//!     .with_reports(ReportFolder::open(data.join("reports"))?)
//!     .protect(Router::new().route("/", get(async || "hello").public()))?;
//! # Ok(()) }
//! ```
//!
//! # Security
//!
//! Names and types are all that is looked at: a secret in a field called `comment` stands in the report, and what a handler puts into
//! the reason of a 500 or the message of a panic does, too.

mod admin_email;
mod desk;
mod digest;
mod folder;

mod limit;
mod notes;
mod text;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use palisade_core::Settings;

pub(crate) use admin_email::AdminEmails;
pub use digest::{ErrorDigest, SeenAgain};
pub use folder::{ReportFolder, ReportFolderError};
pub(crate) use notes::Notes;
pub(crate) use text::Facts;

use crate::clock::Clock;
use crate::redact::Redactor;
use desk::{Desk, Job, Parts};
use limit::{Asked, Limit, Verdict};

/// What is to be said of a site whose faults reach nobody.
pub(crate) const NOBODY_IS_TOLD: &str = "faults are told to nobody and stand in the log only: name admins and a mail server \
     (email_host, with_mailer), or keep reports in a folder (with_reports)";
/// How many bytes of a report are kept or sent.
const LARGEST: usize = 64 * 1024;

/// The report of one fault, cleansed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorReport {
    /// The id of the request, which its answer quotes.
    pub id: String,
    /// When it was answered.
    pub time: SystemTime,
    /// The status of the answer.
    pub status: StatusCode,
    /// One line: what failed, and where.
    pub subject: String,
    /// The whole report.
    pub text: String,
}

/// Where reports go.
///
/// It is called on a thread of its own, ten times a minute at most, and may take its time: so many reports wait meanwhile, and what is
/// more is counted in the log. What it spawns runs where the site runs.
pub trait ReportSink: fmt::Debug + Send + Sync + 'static {
    /// Keeps or sends a report. What goes wrong with that is to be logged: there is nobody left to tell.
    fn take(&self, report: &ErrorReport);

    /// Hears once an hour, and at the end, what was seen since it was told; the digest may be empty. Nothing is done with it unless
    /// the sink does.
    fn sum_up(&self, digest: &ErrorDigest) {
        let _ = digest;
    }
}

/// Makes reports and hands them on. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Reporter(Arc<Desk>);

impl Reporter {
    pub(crate) fn new(
        sinks: Vec<Arc<dyn ReportSink>>,
        settings: &Settings,
        redactor: Arc<Redactor>,
        clock: Clock,
    ) -> Self {
        crate::errors::watch_panics();
        Self(Arc::new(Desk::new(Parts {
            sinks,
            limit: Limit::default(),
            clock,
            settings: text::settings(settings, &redactor),
            redactor,
        })))
    }

    pub(crate) fn notes(&self) -> Notes {
        Notes::new(Arc::clone(&self.0.parts().redactor))
    }

    /// Reports a fault, unless it has been reported, or too many have.
    pub(crate) fn report(&self, facts: Facts) {
        let parts = self.0.parts();
        let now = parts.clock.now();
        let asked = Asked {
            fault: &facts.fault(),
            place: &facts.place(),
            subject: &facts.subject(&parts.redactor),
            id: &facts.id,
        };
        match parts.limit.ask(asked, now) {
            Verdict::Report { seen_before: seen } => self.0.leave(Job { facts, now, seen }),
            Verdict::Known | Verdict::TooMany => {}
        }
    }

    /// Has everything told that waits, and takes nothing more.
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

/// As much of a report as is kept or sent.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().find(|(at, _)| *at >= LARGEST) {
        Some((at, _)) => {
            let kept = text.get(..at).unwrap_or_default();
            Cow::Owned(format!("{kept}\n… (the report was cut here)\n"))
        }
        None => Cow::Borrowed(text),
    }
}
