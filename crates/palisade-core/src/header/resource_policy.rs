//! `Cross-Origin-Resource-Policy`: other sites do not load this response as their image, script or frame.
//!
//! A response that another site cannot load into its process cannot be read there by a side channel either.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader};
use crate::{Threat, Weakness};

/// Which sites may embed the response.
///
/// # Example
/// ```
/// use palisade_core::header::CrossOriginResourcePolicy;
///
/// assert_eq!(CrossOriginResourcePolicy::default().to_string(), "same-origin");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CrossOriginResourcePolicy {
    /// Pages of the same origin.
    #[default]
    SameOrigin,
    /// Pages of the same site, that is, subdomains too.
    SameSite,
    /// Any page.
    CrossOrigin,
}

impl CrossOriginResourcePolicy {
    const ALL: [Self; 3] = [Self::SameOrigin, Self::SameSite, Self::CrossOrigin];

    /// Returns the value as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossOrigin => "cross-origin",
        }
    }
}

impl SecurityHeader for CrossOriginResourcePolicy {
    const NAME: &'static str = "cross-origin-resource-policy";

    fn weaknesses(&self) -> Vec<Weakness> {
        match self {
            Self::CrossOrigin => vec![Weakness::new(
                Threat::SensitiveDataExposure,
                "cross-origin lets any site embed the response, with the user's cookies where those are sent",
            )],
            Self::SameOrigin | Self::SameSite => Vec::new(),
        }
    }
}

impl fmt::Display for CrossOriginResourcePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CrossOriginResourcePolicy {
    type Err = InvalidHeader;

    /// Reads a value exactly; it is case-sensitive.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let value = text.trim();
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == value)
            .ok_or_else(|| InvalidHeader::new(Self::NAME, "browsers ignore any other value"))
    }
}
