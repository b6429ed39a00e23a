//! Reports as mails to whoever runs the site: Django's `AdminEmailHandler`, with a bound.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

use super::{ErrorDigest, ErrorReport, ReportSink, cut};
use crate::mail::Mailer;

/// How many faults have a letter of their own …
const LETTERS: u32 = 10;
/// … in so long. The others stand in the digest.
const WINDOW: Duration = Duration::from_hours(1);
/// How many of those it lists.
const HELD: usize = 100;
/// What Django's subjects begin with where `INTERNAL_IPS` names nobody.
const LEVEL: &str = "ERROR (EXTERNAL IP): ";

/// Mails reports to `admins`.
///
/// It hands each letter to the mailer, which sends it in the background, tries again and logs what it cannot send.
#[derive(Debug)]
pub(crate) struct AdminEmails {
    mailer: Mailer,
    budget: Mutex<Budget>,
}

#[derive(Debug, Default)]
struct Budget {
    window: Option<(SystemTime, u32)>,
    /// What has no letter of its own.
    held: Vec<String>,
    more: u64,
}

impl AdminEmails {
    pub(crate) fn new(mailer: Mailer) -> Self {
        Self {
            mailer,
            budget: Mutex::default(),
        }
    }

    /// Whether a letter may be sent now; if not, a line is kept for the digest.
    fn may_send(&self, report: &ErrorReport) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let is_now = |began: SystemTime| match report.time.duration_since(began) {
            Ok(gone) => gone < WINDOW,
            Err(ahead) => ahead.duration() < WINDOW,
        };
        let (began, sent) = budget
            .window
            .filter(|(began, _)| is_now(*began))
            .unwrap_or((report.time, 0));
        if sent < LETTERS {
            budget.window = Some((began, sent + 1));
            return true;
        }
        if budget.held.len() < HELD {
            budget
                .held
                .push(format!("{}\n  number {}\n", report.subject, report.id));
        } else {
            budget.more += 1;
        }
        false
    }

    fn take_held(&self) -> String {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, more) = (std::mem::take(&mut budget.held), std::mem::take(&mut budget.more));
        if held.is_empty() {
            return String::new();
        }
        let more = if more > 0 {
            format!("… and {more} others\n")
        } else {
            String::new()
        };
        format!(
            "New faults for which there was no letter, since {LETTERS} an hour are sent:\n\n{}{more}",
            held.concat()
        )
    }

    fn send(&self, subject: &str, text: &str) {
        // The mailer works in a runtime; where the site runs in none, this is no place to panic.
        if Handle::try_current().is_err() {
            tracing::error!(target: "palisade::report", "a fault could not be mailed: the site does not run in tokio");
            return;
        }
        if let Err(error) = self.mailer.mail_admins(&format!("{LEVEL}{subject}"), cut(text)) {
            tracing::error!(target: "palisade::report", %error, "a fault could not be mailed");
        }
    }
}

impl ReportSink for AdminEmails {
    fn take(&self, report: &ErrorReport) {
        if self.may_send(report) {
            self.send(&report.subject, &report.text);
        }
    }

    fn sum_up(&self, digest: &ErrorDigest) {
        let held = self.take_held();
        if digest.is_empty() && held.is_empty() {
            return;
        }
        if digest.is_empty() {
            self.send("faults that have no letter", &held);
        } else {
            let text = format!("Since they were reported:\n\n{}\n{held}", digest.text());
            self.send(&digest.subject(), &text);
        }
    }
}
