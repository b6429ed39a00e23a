//! Error reports: what a person needs to mend a fault, and nothing that a thief could use (threats `exposed-diagnostics` and
//! `sensitive-data-exposure`).
//!
//! Where Django mails its administrators (`AdminEmailHandler`), a [`ReportSink`] gets a text: the request with its headers, cookies and
//! form, the reason and what caused it, where a panic was, and the settings. All of it has been cleansed as Django's
//! `SafeExceptionReporterFilter` does, by names, and by type: a field that is `Sensitive` is starred whatever it is called, and what a
//! route marks ([`crate::Policies::sensitive_post_parameters`]), too. Django's filter rests while `DEBUG` is on; this one does not.
//!
//! Reports cannot be made a flood of: the same fault is reported once an hour with how often it was seen, and no more than ten faults a
//! minute are. [`ReportFolder`] keeps so many, each cut at a size.
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

mod folder;
mod limit;
mod notes;
mod text;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use palisade_core::Settings;

pub use folder::{ReportFolder, ReportFolderError};
pub(crate) use notes::Notes;
pub(crate) use text::Facts;

use crate::clock::Clock;
use crate::redact::Redactor;
use limit::{Limit, Verdict};

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
/// It is called on a thread of its own, ten times a minute at most, and may take its time.
pub trait ReportSink: fmt::Debug + Send + Sync + 'static {
    /// Keeps or sends a report. What goes wrong with that is to be logged: there is nobody left to tell.
    fn take(&self, report: &ErrorReport);
}

/// Makes reports and hands them on.
#[derive(Clone, Debug)]
pub(crate) struct Reporter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sinks: Vec<Arc<dyn ReportSink>>,
    limit: Limit,
    clock: Clock,
    settings: String,
    redactor: Arc<Redactor>,
}

impl Reporter {
    pub(crate) fn new(
        sinks: Vec<Arc<dyn ReportSink>>,
        settings: &Settings,
        redactor: Arc<Redactor>,
        clock: Clock,
    ) -> Self {
        crate::errors::watch_panics();
        let settings = text::settings(settings, &redactor);
        Self(Arc::new(Inner {
            sinks,
            limit: Limit::default(),
            clock,
            settings,
            redactor,
        }))
    }

    pub(crate) fn notes(&self) -> Notes {
        Notes::new(Arc::clone(&self.0.redactor))
    }

    /// Reports a fault, unless it has been reported, or too many have.
    pub(crate) fn report(&self, facts: Facts) {
        let now = self.0.clock.now();
        let seen = match self.0.limit.ask(&facts.fault(), now) {
            Verdict::Report { seen_before } => seen_before,
            Verdict::Known | Verdict::TooMany => return,
        };
        let inner = Arc::clone(&self.0);
        let deliver = move || {
            let report = facts.write(&inner.redactor, &inner.settings, now, seen);
            for sink in &inner.sinks {
                sink.take(&report);
            }
        };
        // Reading where a panic was takes long enough for others to wait for.
        let thread = std::thread::Builder::new().name("palisade-report".to_owned());
        if let Err(error) = thread.spawn(deliver) {
            tracing::error!(target: "palisade::report", %error, "a fault could not be reported");
        }
    }
}
