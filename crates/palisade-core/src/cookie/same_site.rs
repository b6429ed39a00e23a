//! `SameSite`: whether the cookie travels with a request that another site started.

use std::fmt;
use std::str::FromStr;

use super::InvalidCookie;

/// Whether the cookie travels with a request that another site started.
///
/// # Example
/// ```
/// use palisade_core::cookie::SameSite;
///
/// assert_eq!("LAX".parse(), Ok(SameSite::Lax));
/// let refused = "invalid".parse::<SameSite>().unwrap_err();
/// assert_eq!(refused.to_string(), r#"samesite must be "lax", "none", or "strict"."#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// With links that the user follows, not with forms, frames or scripts.
    #[default]
    Lax,
    /// Always. Browsers ask for `Secure` then.
    None,
    /// Never.
    Strict,
}

impl SameSite {
    /// Returns the attribute's value as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        }
    }
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SameSite {
    type Err = InvalidCookie;

    fn from_str(text: &str) -> Result<Self, InvalidCookie> {
        [Self::Lax, Self::None, Self::Strict]
            .into_iter()
            .find(|value| value.as_str().eq_ignore_ascii_case(text))
            .ok_or(InvalidCookie::SameSite)
    }
}
