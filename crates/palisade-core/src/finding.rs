//! What is found: how a value is weak, and where on a site or in its source a threat gets in.
//!
//! A [`Weakness`] is about a value and knows no place; a [`Finding`] is a weakness at a place, said by a check that can be
//! named. Values judge themselves, checks add the where and how sure they are, and only a report decides what to do.

use std::borrow::Cow;
use std::fmt;

use crate::Threat;

/// One way in which a value (a header, a cookie, a key) falls short of what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The threat that the weakness lets in.
    pub threat: Threat,
    /// What is weak, as a sentence a person can act on.
    pub what: Cow<'static, str>,
}

impl Weakness {
    /// Names a weakness.
    pub fn new(threat: Threat, what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            threat,
            what: what.into(),
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.threat, self.what)
    }
}

/// How much a finding matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is open.
    Note,
    /// A second line of defence is missing.
    Low,
    /// A defence is missing that an attacker with some luck or help needs gone.
    Medium,
    /// An attacker can act on it.
    High,
    /// An attacker can act on it from anywhere, and takes everything.
    Critical,
}

/// How sure a check is, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// The pattern is there; it may be harmless.
    Possible,
    /// The pattern is there and nothing was seen that makes it harmless.
    Likely,
    /// It was done, or cannot be otherwise.
    Certain,
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The site as a whole.
    Site,
    /// An address of the running site.
    Url(String),
    /// A method and route template of an application.
    Route {
        /// The method, in upper case.
        method: String,
        /// The template, as the router has it.
        path: String,
    },
    /// A setting, by its name.
    Setting(String),
    /// A place in a file.
    Source {
        /// The file, from the project's root, with `/` between the parts.
        file: String,
        /// The line, from one.
        line: u32,
        /// The column, from one.
        column: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site => f.write_str("the whole site"),
            Self::Url(url) => f.write_str(url),
            Self::Route { method, path } => write!(f, "{method} {path}"),
            Self::Setting(name) => f.write_str(name),
            Self::Source { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// A weakness at a place, as a check reports it.
///
/// # Example
/// ```
/// use palisade_core::finding::{Finding, Place, Severity};
/// use palisade_core::header::{Hsts, SecurityHeader};
///
/// let weakness = Hsts::new(0).weaknesses().remove(0);
/// let finding = Finding::new("hsts", weakness, Place::Site).with_severity(Severity::High);
/// assert_eq!(
///     finding.to_string(),
///     "the whole site: insecure-transport: max-age=0 makes the browser forget that this host wants HTTPS [hsts]",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The id of the [`Card`](crate::card::Card) of the check that speaks.
    pub card: &'static str,
    /// The threat, and what is weak.
    pub weakness: Weakness,
    /// Where it is.
    pub place: Place,
    /// How much it matters.
    pub severity: Severity,
    /// How sure the check is.
    pub confidence: Confidence,
    /// What was seen, so that a person can see it again; never a secret.
    pub evidence: Option<String>,
}

impl Finding {
    /// Puts a weakness at a place; medium and likely, until the check says otherwise.
    pub fn new(card: &'static str, weakness: Weakness, place: Place) -> Self {
        Self {
            card,
            weakness,
            place,
            severity: Severity::Medium,
            confidence: Confidence::Likely,
            evidence: None,
        }
    }

    /// Says how much it matters.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says how sure the check is.
    #[must_use]
    pub fn with_confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Adds what was seen.
    #[must_use]
    pub fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.place, self.weakness, self.card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_and_confidence_can_be_compared() {
        assert!(Severity::Note < Severity::Critical);
        assert!(Confidence::Possible < Confidence::Certain);
    }

    #[test]
    fn places_read_as_people_write_them() {
        let source = Place::Source {
            file: "shop/views.py".into(),
            line: 3,
            column: 5,
        };
        assert_eq!(source.to_string(), "shop/views.py:3:5");
        assert_eq!(
            Place::Route {
                method: "POST".into(),
                path: "/notes/{id}".into()
            }
            .to_string(),
            "POST /notes/{id}"
        );
    }
}
