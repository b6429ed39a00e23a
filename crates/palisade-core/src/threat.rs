//! The catalogue: seventeen threats, each with an id that never changes and a page that explains it.
//!
//! The ids stand in documentation, logs, reports and tests. A report that says `insecure-transport` today must mean the
//! same thing in ten years, so the enum is the only place where the ids are written.

use std::fmt;
use std::str::FromStr;

/// One of the seventeen threats.
///
/// # Example
/// ```
/// use palisade_core::Threat;
///
/// let threat: Threat = "clickjacking".parse()?;
/// assert_eq!(threat, Threat::Clickjacking);
/// assert_eq!(threat.cwe(), [1021]);
/// assert!(threat.page().starts_with("# Clickjacking"));
/// # Ok::<(), palisade_core::threat::UnknownThreat>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Threat {
    /// Sensitive data crosses the network in clear, or over TLS that does not protect it.
    InsecureTransport,
    /// Sensitive data is sent where it need not be: in a response, a URL, a log, an error report, a cache.
    SensitiveDataExposure,
    /// A request sets a field that the form never offered.
    MassAssignment,
    /// Another site frames a page and lends the user's clicks.
    Clickjacking,
    /// A session id is fixed, stolen, guessed, or outlives logout.
    SessionHijacking,
    /// Another site makes the user's browser change state.
    CrossSiteRequestForgery,
    /// A stolen database gives the passwords away.
    WeakPasswordStorage,
    /// A logged-in user reaches what is not theirs.
    BrokenAccessControl,
    /// A page runs script that the site did not write.
    CrossSiteScripting,
    /// Input becomes part of a query's text.
    SqlInjection,
    /// An upload is reachable by whoever guesses its name, or is served as a page.
    ExposedMedia,
    /// A published fix was not applied.
    OutdatedSoftware,
    /// A defence is written and does not run.
    InertDefence,
    /// Passwords are tried until one fits; accounts are enumerated.
    CredentialGuessing,
    /// `Host`, `X-Forwarded-*` or `next=` are believed.
    UntrustedHost,
    /// Debug pages, stack traces, TRACE, an admin open to the world, default keys.
    ExposedDiagnostics,
    /// One client, or one password field, stops the site for everybody.
    ResourceExhaustion,
}

impl Threat {
    /// Lists every threat, in the order of the catalogue.
    pub const ALL: [Self; 17] = [
        Self::InsecureTransport,
        Self::SensitiveDataExposure,
        Self::MassAssignment,
        Self::Clickjacking,
        Self::SessionHijacking,
        Self::CrossSiteRequestForgery,
        Self::WeakPasswordStorage,
        Self::BrokenAccessControl,
        Self::CrossSiteScripting,
        Self::SqlInjection,
        Self::ExposedMedia,
        Self::OutdatedSoftware,
        Self::InertDefence,
        Self::CredentialGuessing,
        Self::UntrustedHost,
        Self::ExposedDiagnostics,
        Self::ResourceExhaustion,
    ];

    /// Names the threat in logs, reports and tests; the id stays for ever.
    pub const fn id(self) -> &'static str {
        match self {
            Self::InsecureTransport => "insecure-transport",
            Self::SensitiveDataExposure => "sensitive-data-exposure",
            Self::MassAssignment => "mass-assignment",
            Self::Clickjacking => "clickjacking",
            Self::SessionHijacking => "session-hijacking",
            Self::CrossSiteRequestForgery => "cross-site-request-forgery",
            Self::WeakPasswordStorage => "weak-password-storage",
            Self::BrokenAccessControl => "broken-access-control",
            Self::CrossSiteScripting => "cross-site-scripting",
            Self::SqlInjection => "sql-injection",
            Self::ExposedMedia => "exposed-media",
            Self::OutdatedSoftware => "outdated-software",
            Self::InertDefence => "inert-defence",
            Self::CredentialGuessing => "credential-guessing",
            Self::UntrustedHost => "untrusted-host",
            Self::ExposedDiagnostics => "exposed-diagnostics",
            Self::ResourceExhaustion => "resource-exhaustion",
        }
    }

    /// Names the threat for people; the first line of its [`page`](Self::page).
    pub const fn title(self) -> &'static str {
        match self {
            Self::InsecureTransport => "Insecure transport",
            Self::SensitiveDataExposure => "Sensitive data exposure",
            Self::MassAssignment => "Mass assignment",
            Self::Clickjacking => "Clickjacking",
            Self::SessionHijacking => "Session hijacking",
            Self::CrossSiteRequestForgery => "Cross-site request forgery",
            Self::WeakPasswordStorage => "Weak password storage",
            Self::BrokenAccessControl => "Broken access control",
            Self::CrossSiteScripting => "Cross-site scripting",
            Self::SqlInjection => "SQL injection",
            Self::ExposedMedia => "Exposed media",
            Self::OutdatedSoftware => "Outdated software",
            Self::InertDefence => "Inert defence",
            Self::CredentialGuessing => "Credential guessing",
            Self::UntrustedHost => "Untrusted host",
            Self::ExposedDiagnostics => "Exposed diagnostics",
            Self::ResourceExhaustion => "Resource exhaustion",
        }
    }

    /// Lists the numbers under which the Common Weakness Enumeration knows the threat, the closest first.
    pub const fn cwe(self) -> &'static [u16] {
        match self {
            Self::InsecureTransport => &[319, 311, 523, 614],
            Self::SensitiveDataExposure => &[200, 359, 532, 524, 598, 209],
            Self::MassAssignment => &[915],
            Self::Clickjacking => &[1021],
            Self::SessionHijacking => &[384, 613, 614, 1004, 539],
            Self::CrossSiteRequestForgery => &[352],
            Self::WeakPasswordStorage => &[916, 256, 328, 521, 759],
            Self::BrokenAccessControl => &[639, 862, 863, 285],
            Self::CrossSiteScripting => &[79, 80],
            Self::SqlInjection => &[89],
            Self::ExposedMedia => &[552, 434, 22],
            Self::OutdatedSoftware => &[1104, 1395],
            Self::InertDefence => &[693, 710],
            Self::CredentialGuessing => &[307, 204, 1390],
            Self::UntrustedHost => &[601, 644, 348, 290],
            Self::ExposedDiagnostics => &[489, 209, 215, 16],
            Self::ResourceExhaustion => &[400, 770, 1333, 409],
        }
    }

    /// Returns the threat's page as Markdown: the attack, who answers it and how, and the limits of the answers.
    pub const fn page(self) -> &'static str {
        match self {
            Self::InsecureTransport => include_str!("../threats/insecure-transport.md"),
            Self::SensitiveDataExposure => include_str!("../threats/sensitive-data-exposure.md"),
            Self::MassAssignment => include_str!("../threats/mass-assignment.md"),
            Self::Clickjacking => include_str!("../threats/clickjacking.md"),
            Self::SessionHijacking => include_str!("../threats/session-hijacking.md"),
            Self::CrossSiteRequestForgery => include_str!("../threats/cross-site-request-forgery.md"),
            Self::WeakPasswordStorage => include_str!("../threats/weak-password-storage.md"),
            Self::BrokenAccessControl => include_str!("../threats/broken-access-control.md"),
            Self::CrossSiteScripting => include_str!("../threats/cross-site-scripting.md"),
            Self::SqlInjection => include_str!("../threats/sql-injection.md"),
            Self::ExposedMedia => include_str!("../threats/exposed-media.md"),
            Self::OutdatedSoftware => include_str!("../threats/outdated-software.md"),
            Self::InertDefence => include_str!("../threats/inert-defence.md"),
            Self::CredentialGuessing => include_str!("../threats/credential-guessing.md"),
            Self::UntrustedHost => include_str!("../threats/untrusted-host.md"),
            Self::ExposedDiagnostics => include_str!("../threats/exposed-diagnostics.md"),
            Self::ResourceExhaustion => include_str!("../threats/resource-exhaustion.md"),
        }
    }
}

impl fmt::Display for Threat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Threat {
    type Err = UnknownThreat;

    fn from_str(id: &str) -> Result<Self, UnknownThreat> {
        Self::ALL
            .into_iter()
            .find(|threat| threat.id() == id)
            .ok_or_else(|| UnknownThreat { id: id.to_owned() })
    }
}

/// Says that a text is not the id of a threat.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no threat `{id}`")]
pub struct UnknownThreat {
    id: String,
}
