//! `Reporting-Endpoints`: where browsers send their reports, by name.
//!
//! The Reporting API names an address once in this header, and a policy refers to it by `report-to`. Browsers without it read the
//! older `report-uri`, which holds the address itself; a policy carries both.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader};
use crate::Weakness;

/// Where reports of violated policies go: a path of the site itself, or an address of another over HTTPS.
///
/// # Example
/// ```
/// use palisade_core::header::{Csp, ReportUri};
///
/// let reports: ReportUri = "/csp-report".parse()?;
/// assert_eq!(reports.endpoints().to_string(), "csp-endpoint=\"/csp-report\"");
/// let policy = Csp::new().with_reports_to(&reports);
/// assert_eq!(policy.to_string(), "report-uri /csp-report; report-to csp-endpoint");
/// # Ok::<(), palisade_core::header::InvalidHeader>(())
/// ```
///
/// # Security
/// Reports name pages and what stood on them. Another site that receives them learns who reads what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportUri(String);

impl ReportUri {
    /// The name by which policies refer to it.
    pub const NAME: &'static str = "csp-endpoint";

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes the header that gives the address its name.
    pub fn endpoints(&self) -> ReportingEndpoints {
        ReportingEndpoints(self.clone())
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ReportUri {
    type Err = InvalidHeader;

    /// Reads a path (`/csp-report`) or an address (`https://reports.example/csp`).
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let host = text
            .strip_prefix("https://")
            .filter(|rest| !rest.starts_with('/'));
        let own = text.starts_with('/') && !text.starts_with("//");
        let plain = |b: u8| matches!(b, b'!'..=b'~') && !matches!(b, b'"' | b'\\' | b';' | b',' | b'#');
        if (own || host.is_some_and(|rest| !rest.is_empty())) && text.bytes().all(plain) && text.len() <= 500
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidHeader::new(
                ReportingEndpoints::NAME,
                "write a path such as /csp-report, or an address that begins with https://",
            ))
        }
    }
}

/// The header with one endpoint: the one that policies report to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportingEndpoints(ReportUri);

impl SecurityHeader for ReportingEndpoints {
    const NAME: &'static str = "reporting-endpoints";

    fn weaknesses(&self) -> Vec<Weakness> {
        Vec::new()
    }
}

impl fmt::Display for ReportingEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=\"{}\"", ReportUri::NAME, self.0)
    }
}

impl FromStr for ReportingEndpoints {
    type Err = InvalidHeader;

    /// Reads the endpoint that policies report to; others are skipped.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let found = text.split(',').find_map(|member| {
            let value = member.trim().strip_prefix(ReportUri::NAME)?.strip_prefix("=\"")?;
            value.strip_suffix('"')
        });
        match found {
            Some(address) => address.parse().map(Self),
            None => Err(InvalidHeader::new(
                Self::NAME,
                "does not name the endpoint of policies",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_leave_its_place_in_header_or_policy() {
        for bad in [
            "",
            "csp",
            "//evil.example/",
            "http://a.example/",
            "https://",
            "/a;script-src *",
            "/a,b",
            "/a\"",
            "/a b",
            "/\u{e9}",
            "/a\n",
        ] {
            assert!(bad.parse::<ReportUri>().is_err(), "{bad:?}");
        }
        let uri: ReportUri = "https://reports.example/csp?site=1".parse().unwrap();
        assert_eq!(uri.endpoints().to_string().parse(), Ok(uri.endpoints()));
    }
}
