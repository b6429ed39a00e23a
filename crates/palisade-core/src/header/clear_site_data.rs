//! `Clear-Site-Data`: what the browser forgets of the site.
//!
//! W3C Clear Site Data. A logout ends the session on the server; what the browser has kept of the pages seen before is still there for
//! the next person at the machine (CWE-525). Browsers obey the header over TLS only.

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// What is forgotten.
///
/// The default is what a logout asks for: [`at_logout`](Self::at_logout).
///
/// # Example
/// ```
/// use palisade_core::header::ClearSiteData;
///
/// assert_eq!(ClearSiteData::default().to_string(), r#""cache", "storage""#);
/// let everything: ClearSiteData = r#""*""#.parse()?;
/// assert!(everything.cookies && everything.storage);
/// # Ok::<(), palisade_core::header::InvalidHeader>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClearSiteData {
    /// Pages and files in the browser's caches, and pages behind the back button.
    pub cache: bool,
    /// Cookies, and credentials of HTTP authentication, of the whole registrable domain.
    pub cookies: bool,
    /// `localStorage`, `sessionStorage`, `IndexedDB`, service workers.
    pub storage: bool,
    /// Pages that are open: they are loaded anew.
    pub execution_contexts: bool,
}

impl ClearSiteData {
    /// Forgets what a person has seen, and what scripts have kept. Cookies stay: the session's is deleted by itself, and others, such as
    /// the one by which a site knows a device again, are for the next login.
    pub const fn at_logout() -> Self {
        Self {
            cache: true,
            cookies: false,
            storage: true,
            execution_contexts: false,
        }
    }

    /// Lists the types by their names, in the order in which they are sent.
    const fn types(self) -> [(&'static str, bool); 4] {
        [
            ("cache", self.cache),
            ("cookies", self.cookies),
            ("storage", self.storage),
            ("executionContexts", self.execution_contexts),
        ]
    }

    /// Reads names without quotes, as a setting has them.
    ///
    /// # Errors
    /// For a name that is none, and for none at all.
    pub fn of<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, InvalidHeader> {
        let mut value = Self {
            cache: false,
            cookies: false,
            storage: false,
            execution_contexts: false,
        };
        for name in names {
            match name.as_ref() {
                "cache" => value.cache = true,
                "cookies" => value.cookies = true,
                "storage" => value.storage = true,
                "executionContexts" => value.execution_contexts = true,
                "*" => {
                    (
                        value.cache,
                        value.cookies,
                        value.storage,
                        value.execution_contexts,
                    ) = (true, true, true, true);
                }
                other => {
                    let what =
                        format!("{other:?} is none of cache, cookies, storage, executionContexts and *");
                    return Err(InvalidHeader::new(Self::NAME, what));
                }
            }
        }
        if value.types().iter().all(|(_, on)| !on) {
            return Err(InvalidHeader::new(
                Self::NAME,
                "nothing is named that is to be forgotten",
            ));
        }
        Ok(value)
    }

    /// Lists the names without quotes, as a setting has them.
    pub fn names(self) -> Vec<&'static str> {
        let on = self.types().into_iter().filter(|(_, on)| *on);
        on.map(|(name, _)| name).collect()
    }
}

impl Default for ClearSiteData {
    fn default() -> Self {
        Self::at_logout()
    }
}

impl SecurityHeader for ClearSiteData {
    const NAME: &'static str = "clear-site-data";

    fn weaknesses(&self) -> Vec<Weakness> {
        let weak = |what| Weakness::new(Threat::SensitiveDataExposure, what);
        let mut found = Vec::new();
        if !self.cache {
            found.push(weak(
                "cache is left out: pages that were seen stay in the browser after the logout",
            ));
        }
        if !self.storage {
            found.push(weak(
                "storage is left out: what scripts have kept stays in the browser after the logout",
            ));
        }
        found
    }
}

impl fmt::Display for ClearSiteData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}\"{name}\"")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl FromStr for ClearSiteData {
    type Err = InvalidHeader;

    /// Reads quoted names exactly; what browsers do not know they skip, and here it is an error.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let bare = |part: &str| {
            part.strip_prefix('"')
                .and_then(|part| part.strip_suffix('"'))
                .map(str::to_owned)
        };
        let names: Option<Vec<String>> = grammar::split_list(text, b',').map(bare).collect();
        Self::of(names.ok_or_else(|| InvalidHeader::new(Self::NAME, "browsers skip a name without quotes"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_read_as_it_is_written() {
        for text in [
            r#""cache""#,
            r#""cache", "storage""#,
            r#""cache", "cookies", "storage", "executionContexts""#,
        ] {
            assert_eq!(text.parse::<ClearSiteData>().unwrap().to_string(), text);
        }
        assert_eq!(r#" "storage" ,"cache""#.parse(), Ok(ClearSiteData::at_logout()));
        for bad in ["", "cache", r#""cache"; "storage""#, r#""Cache""#, r#""cache","#] {
            assert!(bad.parse::<ClearSiteData>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_stays_in_the_browser_is_told() {
        assert!(ClearSiteData::default().weaknesses().is_empty());
        assert_eq!(ClearSiteData::of(["cookies"]).unwrap().weaknesses().len(), 2);
    }
}
