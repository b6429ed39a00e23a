//! `Cross-Origin-Opener-Policy`: a page of another site keeps no handle on this page's window.
//!
//! Without it, the site that opened the page (or was opened by it) can navigate its window, count its frames and watch
//! when it changes, which is enough to learn about its contents.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// With whom the page shares a browsing context group.
///
/// # Example
/// ```
/// use palisade_core::header::CrossOriginOpenerPolicy;
///
/// assert_eq!(CrossOriginOpenerPolicy::default().to_string(), "same-origin");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrossOriginOpenerPolicy {
    /// Only with pages of the same origin that say the same.
    #[default]
    SameOrigin,
    /// As `same-origin`, but pages that this page opens keep their link to it (payment and login windows).
    SameOriginAllowPopups,
    /// Whoever opened the page loses its handle, even on the same origin. Django 5.2 does not know this value.
    NoopenerAllowPopups,
    /// With anybody.
    UnsafeNone,
}

impl CrossOriginOpenerPolicy {
    const ALL: [Self; 4] = [
        Self::SameOrigin,
        Self::SameOriginAllowPopups,
        Self::NoopenerAllowPopups,
        Self::UnsafeNone,
    ];

    /// Returns the value as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameOriginAllowPopups => "same-origin-allow-popups",
            Self::NoopenerAllowPopups => "noopener-allow-popups",
            Self::UnsafeNone => "unsafe-none",
        }
    }
}

impl SecurityHeader for CrossOriginOpenerPolicy {
    const NAME: &'static str = "cross-origin-opener-policy";

    fn weaknesses(&self) -> Vec<Weakness> {
        match self {
            Self::UnsafeNone => vec![Weakness::new(
                Threat::SensitiveDataExposure,
                "unsafe-none leaves another site a handle on the window, through which it can watch and navigate the page",
            )],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for CrossOriginOpenerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CrossOriginOpenerPolicy {
    type Err = InvalidHeader;

    /// Reads a value exactly (it is case-sensitive); parameters such as `report-to` are skipped.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let value = grammar::split_list(text, b';').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == value)
            .ok_or_else(|| InvalidHeader::new(Self::NAME, "browsers read any other value as unsafe-none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_case_sensitive_and_parameters_are_skipped() {
        assert_eq!(
            "same-origin; report-to=\"a;b\"".parse(),
            Ok(CrossOriginOpenerPolicy::SameOrigin)
        );
        assert!("Same-Origin".parse::<CrossOriginOpenerPolicy>().is_err());
    }
}
