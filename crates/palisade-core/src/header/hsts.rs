//! `Strict-Transport-Security`: the browser never again speaks plain HTTP to this host.
//!
//! RFC 6797. A first visit over plain HTTP is still open to an attacker on the path; only the preload list closes it, and
//! that list asks for a year, for the subdomains and for the word `preload`: hence the default, and hence what counts as
//! weak (Django's checks W004, W005 and W021 say the same).

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// How long, and for which names, the browser insists on HTTPS.
///
/// # Example
/// ```
/// use palisade_core::header::Hsts;
///
/// assert_eq!(Hsts::default().to_string(), "max-age=31536000; includeSubDomains; preload");
/// ```
///
/// # Security
/// With `include_subdomains` every host below this one must speak HTTPS, now and until `max_age` has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hsts {
    /// For how many seconds the browser remembers.
    pub max_age: u64,
    /// Whether every host below this one is bound, too.
    pub include_subdomains: bool,
    /// Whether browser makers may build the host into their lists.
    pub preload: bool,
}

/// One year, the least that the preload list takes.
const YEAR: u64 = 31_536_000;

impl Hsts {
    /// Asks for HTTPS for a number of seconds, on this host alone.
    pub const fn new(max_age: u64) -> Self {
        Self {
            max_age,
            include_subdomains: false,
            preload: false,
        }
    }
}

impl Default for Hsts {
    fn default() -> Self {
        Self {
            max_age: YEAR,
            include_subdomains: true,
            preload: true,
        }
    }
}

impl SecurityHeader for Hsts {
    const NAME: &'static str = "strict-transport-security";

    fn weaknesses(&self) -> Vec<Weakness> {
        let weak = |what| Weakness::new(Threat::InsecureTransport, what);
        let mut found = Vec::new();
        if self.max_age == 0 {
            found.push(weak(
                "max-age=0 makes the browser forget that this host wants HTTPS",
            ));
        } else if self.max_age < YEAR {
            found.push(weak(
                "max-age is below one year: whoever stays away longer starts over plain HTTP",
            ));
        }
        if !self.include_subdomains {
            found.push(weak(
                "without includeSubDomains, a made-up subdomain can plant cookies over plain HTTP",
            ));
        }
        if !self.preload {
            found.push(weak("without preload, the first visit can go over plain HTTP"));
        }
        found
    }
}

impl fmt::Display for Hsts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "max-age={}", self.max_age)?;
        if self.include_subdomains {
            f.write_str("; includeSubDomains")?;
        }
        if self.preload {
            f.write_str("; preload")?;
        }
        Ok(())
    }
}

impl FromStr for Hsts {
    type Err = InvalidHeader;

    /// Reads a value as RFC 6797 §6.1 has it: any order, any case, unknown directives skipped, none twice.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let invalid = |reason| InvalidHeader::new(Self::NAME, reason);
        let mut seen: Vec<String> = Vec::new();
        let mut max_age = None;
        let (mut include_subdomains, mut preload) = (false, false);
        for part in grammar::split_list(text, b';').filter(|part| !part.is_empty()) {
            let (name, value) = grammar::split_pair(part);
            let name = name.to_ascii_lowercase();
            if !grammar::is_token(&name) {
                return Err(invalid("a directive's name is not a token"));
            }
            if seen.contains(&name) {
                return Err(invalid("a directive stands twice"));
            }
            match (name.as_str(), value) {
                ("max-age", Some(value)) => {
                    let value = grammar::token_or_quoted(value).and_then(|value| grammar::seconds(&value));
                    max_age = Some(value.ok_or_else(|| invalid("max-age is not a number of seconds"))?);
                }
                ("max-age", None) => return Err(invalid("max-age has no value")),
                ("includesubdomains", None) => include_subdomains = true,
                ("includesubdomains", Some(_)) => return Err(invalid("includeSubDomains takes no value")),
                ("preload", None) => preload = true,
                _ => {}
            }
            seen.push(name);
        }
        let max_age = max_age.ok_or_else(|| invalid("max-age is missing"))?;
        Ok(Self {
            max_age,
            include_subdomains,
            preload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_case_and_quotes_do_not_matter() {
        let read: Hsts = r#" INCLUDESUBDOMAINS ;; Max-Age="300"; future=1"#.parse().unwrap();
        assert_eq!(
            read,
            Hsts {
                include_subdomains: true,
                ..Hsts::new(300)
            }
        );
    }

    #[test]
    fn a_value_that_browsers_drop_is_an_error() {
        for text in [
            "",
            "includeSubDomains",
            "max-age",
            "max-age=-1",
            "max-age=1; max-age=2",
            "max-age=1; includeSubDomains=1",
        ] {
            assert!(text.parse::<Hsts>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_missing_part_is_a_weakness() {
        assert_eq!(Hsts::new(0).weaknesses().len(), 3);
        assert_eq!(Hsts::new(YEAR).weaknesses().len(), 2);
        assert!(Hsts::default().weaknesses().is_empty());
    }
}
