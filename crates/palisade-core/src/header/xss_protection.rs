//! `X-XSS-Protection: 0`: the old browsers' own filter is switched off.
//!
//! The filter guessed which script of a page came from the request and cut it out. An attacker could make it cut out the
//! site's own scripts, and learn from what was cut what the page contained. Current browsers have removed it; for those
//! that have not, `0` is the safe value, and [`Csp`](super::Csp) does the work.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// What the browser's own cross-site-scripting filter is told.
///
/// # Example
/// ```
/// use palisade_core::header::XssProtection;
///
/// assert_eq!(XssProtection::default().to_string(), "0");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum XssProtection {
    /// `0`: no filter.
    #[default]
    Off,
    /// `1`: the filter cuts out what it suspects.
    Filter,
    /// `1; mode=block`: the filter empties the whole page.
    Block,
}

impl SecurityHeader for XssProtection {
    const NAME: &'static str = "x-xss-protection";

    fn weaknesses(&self) -> Vec<Weakness> {
        let what = match self {
            Self::Off => return Vec::new(),
            Self::Filter => {
                "the filter lets an attacker cut single scripts out of the page; send 0 and a content security policy"
            }
            Self::Block => {
                "the filter tells an attacker what the page contains; send 0 and a content security policy"
            }
        };
        vec![Weakness::new(Threat::CrossSiteScripting, what)]
    }
}

impl fmt::Display for XssProtection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "0",
            Self::Filter => "1",
            Self::Block => "1; mode=block",
        })
    }
}

impl FromStr for XssProtection {
    type Err = InvalidHeader;

    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut parts = grammar::split_list(text, b';');
        match parts.next() {
            Some("0") => Ok(Self::Off),
            Some("1") => {
                let block = parts.any(|part| {
                    let (name, value) = grammar::split_pair(part);
                    name.eq_ignore_ascii_case("mode")
                        && value.is_some_and(|value| value.eq_ignore_ascii_case("block"))
                });
                Ok(if block { Self::Block } else { Self::Filter })
            }
            _ => Err(InvalidHeader::new(
                Self::NAME,
                "the value starts with neither 0 nor 1",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_on_is_a_weakness() {
        for text in ["1", "1; mode=block", "1; report=https://r.example/"] {
            assert_eq!(
                text.parse::<XssProtection>().unwrap().weaknesses().len(),
                1,
                "{text}"
            );
        }
    }
}
