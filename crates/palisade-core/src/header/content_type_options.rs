//! `X-Content-Type-Options: nosniff`: the browser takes the declared type and does not guess.
//!
//! Without it, an uploaded "picture" that looks like a script can run as one.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader};
use crate::Weakness;

/// The header's only value, `nosniff`.
///
/// # Example
/// ```
/// use palisade_core::header::ContentTypeOptions;
///
/// assert_eq!(ContentTypeOptions.to_string(), "nosniff");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContentTypeOptions;

impl SecurityHeader for ContentTypeOptions {
    const NAME: &'static str = "x-content-type-options";

    /// Finds nothing: there is one value, and it is the good one.
    fn weaknesses(&self) -> Vec<Weakness> {
        Vec::new()
    }
}

impl fmt::Display for ContentTypeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nosniff")
    }
}

impl FromStr for ContentTypeOptions {
    type Err = InvalidHeader;

    /// Reads as the Fetch standard does: the first value of the list counts, in any case.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let first = text.split(',').next().unwrap_or_default().trim();
        if first.eq_ignore_ascii_case("nosniff") {
            Ok(Self)
        } else {
            Err(InvalidHeader::new(
                Self::NAME,
                "the only value that browsers obey is nosniff",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_value_counts() {
        assert_eq!("NoSniff, none".parse(), Ok(ContentTypeOptions));
        assert!("none, nosniff".parse::<ContentTypeOptions>().is_err());
    }
}
