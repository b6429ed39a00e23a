//! `X-Frame-Options`: who may show this page inside a frame.
//!
//! The older half of the frame policy; `frame-ancestors` of [`Csp`](super::Csp) is the newer one and wins where a browser
//! knows both. They are sent together and must agree, so [`FrameOptions::frame_ancestors`] derives one from the other.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader};
use crate::Weakness;

/// Who may frame the page.
///
/// # Example
/// ```
/// use palisade_core::header::FrameOptions;
///
/// assert_eq!(FrameOptions::default().to_string(), "DENY");
/// assert!("ALLOW-FROM https://partner.example".parse::<FrameOptions>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FrameOptions {
    /// Nobody.
    #[default]
    Deny,
    /// Pages of the same origin.
    SameOrigin,
}

impl FrameOptions {
    /// Returns the source that says the same in the `frame-ancestors` directive.
    pub const fn frame_ancestors(self) -> &'static str {
        match self {
            Self::Deny => "'none'",
            Self::SameOrigin => "'self'",
        }
    }

    /// Returns the value as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "DENY",
            Self::SameOrigin => "SAMEORIGIN",
        }
    }
}

impl SecurityHeader for FrameOptions {
    const NAME: &'static str = "x-frame-options";

    /// Finds nothing: both values stop another site. What does not stop it does not parse.
    fn weaknesses(&self) -> Vec<Weakness> {
        Vec::new()
    }
}

impl fmt::Display for FrameOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FrameOptions {
    type Err = InvalidHeader;

    /// Reads a value in any case; a header that was sent twice reads as one if both say the same.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut values = text.split(',').map(|value| match value.trim() {
            value if value.eq_ignore_ascii_case("DENY") => Ok(Self::Deny),
            value if value.eq_ignore_ascii_case("SAMEORIGIN") => Ok(Self::SameOrigin),
            _ => Err(InvalidHeader::new(
                Self::NAME,
                "browsers obey DENY and SAMEORIGIN only, anything else frames freely",
            )),
        });
        let first = values.next().unwrap_or(Ok(Self::Deny))?;
        for other in values {
            if other? != first {
                return Err(InvalidHeader::new(
                    Self::NAME,
                    "the header was sent twice with different values",
                ));
            }
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_header_must_agree_with_itself() {
        assert_eq!("deny, DENY".parse(), Ok(FrameOptions::Deny));
        assert!("DENY, SAMEORIGIN".parse::<FrameOptions>().is_err());
    }

    #[test]
    fn values_that_browsers_ignore_do_not_parse() {
        for text in ["", "ALLOWALL", "ALLOW-FROM https://a.example", "DENY;"] {
            assert!(text.parse::<FrameOptions>().is_err(), "{text}");
        }
    }
}
