//! Everything that a start refuses, and everything that is looser than the defaults, at once: Django's `check --deploy` for a site of
//! Palisade's (threat `exposed-diagnostics`).
//!
//! A finding is named by the setting that it is about (`palisade.session_cookie_secure`), with the id of Django's check beside it where
//! Django has one (`security.W012`). What stops the start is an error, what may be meant is a warning. What Django finds and
//! cannot happen here stands in [`ANSWERS`], with the reason.
//!
//! # Example
//!
//! ```
//! use palisade::check::{Level, Report};
//! use palisade::{SecretKey, Settings};
//!
//! let mut settings = Settings::new(SecretKey::new("short"), ["example.com"]);
//! settings.secure_hsts_seconds = 0;
//! let report = Report::of(&settings);
//! assert!(report.has(Level::Error));
//! let ids: Vec<_> = report.findings().iter().filter_map(|finding| finding.django).collect();
//! assert!(ids.contains(&"security.W009") && ids.contains(&"security.W004"));
//! ```

mod answers;
mod secrets;

use std::fmt;
use std::path::Path;

use palisade_core::settings::{Problem, REGISTRY, SettingsErrors};
use palisade_core::{SecretKey, Settings, Threat, Weakness};
use serde_json::json;

pub use answers::{ANSWERS, Answer};
pub use secrets::{Exposed, committed, readable};

use crate::load::{LoadError, read_leniently};
use crate::mail::{MailSetupError, Mailer};
use crate::report::NOBODY_IS_TOLD;
use crate::stack::Protected;

/// How much a finding matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It is looser than the default, and may be meant.
    Warning,
    /// No site starts with it.
    Error,
}

impl Level {
    /// Its name, as Django writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What names it: `palisade.` and the setting.
    pub id: String,
    /// What Django's own check calls it.
    pub django: Option<&'static str>,
    /// Whether a site starts with it.
    pub level: Level,
    /// The threat that it lets in.
    pub threat: Threat,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    /// Says that no site should start with this.
    pub fn error(setting: &str, threat: Threat, what: impl Into<String>, advice: impl Into<String>) -> Self {
        let (what, advice) = (what.into(), advice.into());
        Self {
            id: format!("palisade.{setting}"),
            django: answers::of_setting(setting),
            level: Level::Error,
            threat,
            what,
            advice,
        }
    }

    fn of_problem(problem: &Problem) -> Self {
        let setting = if problem.setting().is_empty() {
            "settings"
        } else {
            problem.setting()
        };
        let written = problem.to_string();
        // Where it stands, and what it is called there; then what is wrong, and after a colon what to do.
        let place = written.strip_suffix(problem.what()).unwrap_or_default();
        let (what, advice) = problem
            .what()
            .split_once(": ")
            .unwrap_or((problem.what(), "correct it; all settings are in docs/settings.md"));
        let threat = answers::threat_of(setting);
        let mut finding = Self::error(setting, threat, format!("{place}{what}"), advice);
        finding.django = named_in(&written).or(finding.django);
        finding
    }

    fn of_weakness(weakness: &Weakness) -> Self {
        let text = weakness.what.as_ref();
        let setting = setting_that_begins(text).unwrap_or("settings");
        Self {
            id: format!("palisade.{setting}"),
            django: named_in(text),
            level: Level::Warning,
            threat: weakness.threat,
            what: text.to_owned(),
            advice: answers::advice(setting),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ({}", self.level.as_str(), self.id)?;
        if let Some(django) = self.django {
            write!(f, ", Django {django}")?;
        }
        write!(f, ") {}\n    {}: {}", self.what, self.threat.id(), self.advice)
    }
}

/// What was found, errors first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Judges settings that a program holds. Files are not looked at.
    pub fn of(settings: &Settings) -> Self {
        let mut report = Self::default();
        if let Err(refused) = settings.check() {
            report
                .findings
                .extend(refused.problems().iter().map(Finding::of_problem));
        }
        report.weaknesses(settings);
        report
    }

    /// Says the same of settings that were refused: everything that is wrong with them.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::Settings;
    /// use palisade::check::{Level, Report};
    ///
    /// let refused = Settings::load(Some("secure_hsts_seconds = \"a lot\""), []).unwrap_err();
    /// let report = Report::of_refused(&refused);
    /// assert!(report.has(Level::Error));
    /// assert!(report.to_string().contains("line 1: secure_hsts_seconds: is a text, not a whole number"));
    /// ```
    pub fn of_refused(refused: &SettingsErrors) -> Self {
        Self {
            findings: refused.problems().iter().map(Finding::of_problem).collect(),
        }
    }

    /// Reads the settings as [`load_settings_over`](crate::load::load_settings_over) does, and says everything that is wrong with them and
    /// the files that they name, where the start would stop.
    ///
    /// # Errors
    ///
    /// When a file cannot be read at all.
    pub fn read(
        defaults: Settings,
        path: impl AsRef<Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, LoadError> {
        let (settings, problems) = read_leniently(defaults, path.as_ref(), env)?;
        let mut report = Self {
            findings: problems.iter().map(Finding::of_problem).collect(),
        };
        if let Some(settings) = &settings {
            report.weaknesses(settings);
        }
        Ok(report)
    }

    /// Adds what a program has found by itself.
    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
    }

    /// Adds what keeps mails from being sent, with which a site that sends any does not start: no `site_url`, no server, no TLS.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::check::{Level, Report};
    /// use palisade::{SecretKey, Settings};
    ///
    /// let settings = Settings::new(SecretKey::new("…"), ["example.com"]);
    /// let mut report = Report::default();
    /// report.add_mail(&settings);
    /// assert_eq!(report.findings()[0].id, "palisade.site_url");
    /// ```
    pub fn add_mail(&mut self, settings: &Settings) {
        let Err(fault) = Mailer::check(settings) else {
            return;
        };
        let text = fault.to_string();
        let setting = setting_that_begins(&text).unwrap_or("email_backend");
        let threat = match fault {
            MailSetupError::NoSiteUrl => Threat::UntrustedHost,
            _ => Threat::InsecureTransport,
        };
        let (what, advice) = text.split_once(": ").unwrap_or((&text, "correct the value"));
        self.add(Finding::error(setting, threat, what, advice));
    }

    /// Adds what only the built site knows: whether anybody is told of its faults. Django has no check for it.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::routing::get;
    /// use palisade::check::Report;
    /// use palisade::{Palisade, Policies, Router, SecretKey, Settings};
    ///
    /// let key = "kJ5!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ";
    /// let settings = Settings::new(SecretKey::new(key), ["example.com"]);
    /// let mut report = Report::of(&settings);
    /// let site = Palisade::new(settings).protect(Router::new().route("/", get(async || "hello").public()))?;
    /// report.add_site(&site);
    /// assert_eq!(report.findings()[0].id, "palisade.admins");
    /// # Ok::<(), palisade::stack::ProtectError>(())
    /// ```
    pub fn add_site(&mut self, site: &Protected) {
        if !site.reports_faults() {
            let (what, advice) = NOBODY_IS_TOLD.split_once(": ").unwrap_or((NOBODY_IS_TOLD, ""));
            let mut finding = Finding::error("admins", Threat::InertDefence, what, advice);
            finding.level = Level::Warning;
            self.add(finding);
        }
    }

    /// Adds what is wrong with a file that holds a secret: that others may read it, or that it was committed.
    pub fn add_secret_file(&mut self, setting: &str, path: &Path) {
        for exposed in [readable(path), committed(path)].into_iter().flatten() {
            let text = exposed.to_string();
            let (what, advice) = text.split_once(": ").unwrap_or((&text, ""));
            let mut finding = Finding::error(setting, Threat::SensitiveDataExposure, what, advice);
            if matches!(exposed, Exposed::Unknown { .. }) {
                finding.level = Level::Warning;
            }
            finding.django = None;
            self.add(finding);
        }
    }

    /// What is looser than the defaults, but for what has stopped the start already.
    fn weaknesses(&mut self, settings: &Settings) {
        let found: Vec<Finding> = settings.weaknesses().iter().map(Finding::of_weakness).collect();
        let new = |finding: &Finding, known: &[Finding]| {
            !known
                .iter()
                .any(|known| known.id == finding.id && known.django == finding.django)
        };
        let known = self.findings.clone();
        self.findings
            .extend(found.into_iter().filter(|finding| new(finding, &known)));
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.level));
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether anything was found that matters at least as much.
    pub fn has(&self, level: Level) -> bool {
        self.findings.iter().any(|finding| finding.level >= level)
    }

    /// The report for programs: an array with an object for each finding.
    pub fn to_json(&self) -> serde_json::Value {
        let object = |finding: &Finding| {
            json!({
                "id": finding.id,
                "django": finding.django,
                "level": finding.level.as_str(),
                "threat": finding.threat.id(),
                "what": finding.what,
                "advice": finding.advice,
            })
        };
        self.findings.iter().map(object).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .count();
        let warnings = self.findings.len() - errors;
        match (errors, warnings) {
            (0, 0) => writeln!(f, "Nothing was found."),
            _ => writeln!(
                f,
                "{}, with which no site starts; {}.",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        }
    }
}

/// The setting that a text begins with.
fn setting_that_begins(text: &str) -> Option<&'static str> {
    let names = REGISTRY.iter().map(palisade_core::settings::Setting::name);
    names
        .filter(|name| text.starts_with(name))
        .max_by_key(|name| name.len())
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The id of Django's that a text names in brackets.
fn named_in(text: &str) -> Option<&'static str> {
    let known = ANSWERS.iter().map(|(id, _)| *id);
    known.filter(|id| text.contains(id)).max_by_key(|id| id.len())
}

/// The line of a setting among the defaults.
fn default_line(setting: &str) -> Option<String> {
    let defaults = Settings::new(SecretKey::new(""), [""; 0]).to_toml();
    let begins = format!("{setting} = ");
    defaults
        .lines()
        .find(|line| line.starts_with(&begins))
        .map(str::to_owned)
}
