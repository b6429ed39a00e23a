//! What a check answers, once it has looked.
//!
//! There are four answers, not two. A check that could not connect has not shown that a site is safe, and one that does not
//! apply has shown nothing either; both say why, so that a report can never count silence as health.

use std::borrow::Cow;
use std::fmt;

use crate::finding::Finding;

/// The answer of one check.
///
/// # Example
/// ```
/// use palisade_core::verdict::Verdict;
///
/// let verdict = Verdict::from_findings(Vec::new());
/// assert_eq!(verdict, Verdict::Passed);
/// assert!(!Verdict::inconclusive("could not connect").is_passed());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a verdict that nobody reads is a check that did not run"]
pub enum Verdict {
    /// The check looked and found nothing.
    Passed,
    /// The check found something; the list is not empty.
    Found(Vec<Finding>),
    /// The check could not look, and why.
    Inconclusive(Cow<'static, str>),
    /// There is nothing for the check to look at, and why.
    NotApplicable(Cow<'static, str>),
}

impl Verdict {
    /// Passes when nothing was found.
    pub fn from_findings(findings: Vec<Finding>) -> Self {
        if findings.is_empty() {
            Self::Passed
        } else {
            Self::Found(findings)
        }
    }

    /// Says that the check could not look.
    pub fn inconclusive(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Inconclusive(why.into())
    }

    /// Says that there is nothing to look at.
    pub fn not_applicable(why: impl Into<Cow<'static, str>>) -> Self {
        Self::NotApplicable(why.into())
    }

    /// Tells whether the check looked and found nothing; being unable to look is not that.
    pub const fn is_passed(&self) -> bool {
        matches!(self, Self::Passed)
    }

    /// Lists what was found.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Found(findings) => findings,
            _ => &[],
        }
    }

    /// Returns why there is no answer, where there is none.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Inconclusive(why) | Self::NotApplicable(why) => Some(why),
            Self::Passed | Self::Found(_) => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Found(findings) if findings.len() == 1 => f.write_str("1 finding"),
            Self::Found(findings) => write!(f, "{} findings", findings.len()),
            Self::Inconclusive(why) => write!(f, "inconclusive: {why}"),
            Self::NotApplicable(why) => write!(f, "not applicable: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::{Threat, Weakness};

    #[test]
    fn could_not_connect_is_never_not_vulnerable() {
        let verdict = Verdict::inconclusive("could not connect");
        assert!(!verdict.is_passed());
        assert!(verdict.findings().is_empty());
        assert_eq!(verdict.why(), Some("could not connect"));
    }

    #[test]
    fn one_finding_is_enough_not_to_pass() {
        let finding = Finding::new(
            "frames",
            Weakness::new(Threat::Clickjacking, "no header"),
            Place::Site,
        );
        let verdict = Verdict::from_findings(vec![finding]);
        assert_eq!((verdict.is_passed(), verdict.findings().len()), (false, 1));
        assert_eq!(verdict.to_string(), "1 finding");
    }
}
