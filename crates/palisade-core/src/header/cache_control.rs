//! `Cache-Control`: who keeps a copy of the response.
//!
//! RFC 9111 §5.2. A private page that a shared cache keeps is served to the next person; one that the browser keeps is
//! still there after logout, behind the back button (CWE-524, CWE-525). Names are read in any case: a cache that misses
//! `Private` for its capital letter leaks (CVE-2026-8404).

use std::fmt;
use std::str::FromStr;

use super::{InvalidHeader, SecurityHeader, grammar};
use crate::{Threat, Weakness};

/// The directives of a response's `Cache-Control`.
///
/// The default is [`no_store`](Self::no_store): a response that says nothing about itself is taken to be somebody's.
///
/// # Example
/// ```
/// use palisade_core::header::CacheControl;
///
/// assert_eq!(CacheControl::default().to_string(), "no-store");
/// assert_eq!(CacheControl::never_cache().to_string(), "max-age=0, no-cache, no-store, must-revalidate, private");
/// assert_eq!(CacheControl::immutable(31_536_000).to_string(), "max-age=31536000, public, immutable");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheControl {
    /// For how many seconds a copy is fresh.
    pub max_age: Option<u64>,
    /// The same, for shared caches.
    pub shared_max_age: Option<u64>,
    /// A copy is asked after before each use.
    pub no_cache: bool,
    /// No copy is kept.
    pub no_store: bool,
    /// A stale copy is never used.
    pub must_revalidate: bool,
    /// Shared caches keep no copy.
    pub private: bool,
    /// Any cache keeps a copy, even where it would not.
    pub public: bool,
    /// The copy never changes while it is fresh.
    pub immutable: bool,
    extensions: Vec<(String, Option<String>)>,
}

impl CacheControl {
    /// Says nothing, which lets caches decide by themselves.
    pub const fn new() -> Self {
        Self {
            max_age: None,
            shared_max_age: None,
            no_cache: false,
            no_store: false,
            must_revalidate: false,
            private: false,
            public: false,
            immutable: false,
            extensions: Vec::new(),
        }
    }

    /// Forbids every copy.
    pub const fn no_store() -> Self {
        let mut value = Self::new();
        value.no_store = true;
        value
    }

    /// Says everything that Django's `never_cache` says, for caches that know only some of it.
    pub const fn never_cache() -> Self {
        let mut value = Self::no_store();
        value.max_age = Some(0);
        value.no_cache = true;
        value.must_revalidate = true;
        value.private = true;
        value
    }

    /// Lets the browser keep a copy for some seconds, and no shared cache.
    pub const fn private(max_age: u64) -> Self {
        let mut value = Self::new();
        value.max_age = Some(max_age);
        value.private = true;
        value
    }

    /// Lets everybody keep a copy, for files whose name changes with their contents.
    pub const fn immutable(max_age: u64) -> Self {
        let mut value = Self::new();
        value.max_age = Some(max_age);
        value.public = true;
        value.immutable = true;
        value
    }

    /// Lists the directives that have no field of their own.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.extensions
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Lists the flags by their names, in the order in which they are sent.
    fn flags(&self) -> [(&'static str, bool); 6] {
        [
            ("no-cache", self.no_cache),
            ("no-store", self.no_store),
            ("must-revalidate", self.must_revalidate),
            ("private", self.private),
            ("public", self.public),
            ("immutable", self.immutable),
        ]
    }

    /// Reads one directive; the first of two with the same name counts.
    fn read(&mut self, name: String, value: Option<String>) -> Result<(), InvalidHeader> {
        let flag = match name.as_str() {
            "no-cache" => &mut self.no_cache,
            "no-store" => &mut self.no_store,
            "must-revalidate" => &mut self.must_revalidate,
            "private" => &mut self.private,
            "public" => &mut self.public,
            "immutable" => &mut self.immutable,
            "max-age" | "s-maxage" => return self.read_age(&name, value.as_deref()),
            _ => return self.read_extension(name, value),
        };
        if value.is_some() {
            return self.read_extension(name, value);
        }
        *flag = true;
        Ok(())
    }

    fn read_age(&mut self, name: &str, value: Option<&str>) -> Result<(), InvalidHeader> {
        let seconds = value
            .and_then(grammar::seconds)
            .ok_or_else(|| InvalidHeader::new(Self::NAME, format!("{name} is not a number of seconds")))?;
        let age = if name == "max-age" {
            &mut self.max_age
        } else {
            &mut self.shared_max_age
        };
        age.get_or_insert(seconds);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of three readers with one signature")]
    fn read_extension(&mut self, name: String, value: Option<String>) -> Result<(), InvalidHeader> {
        if !self.extensions.iter().any(|(known, _)| *known == name) {
            self.extensions.push((name, value));
        }
        Ok(())
    }
}

impl Default for CacheControl {
    fn default() -> Self {
        Self::no_store()
    }
}

impl SecurityHeader for CacheControl {
    const NAME: &'static str = "cache-control";

    /// Judges the value as one sent with a private page; for a public file, a copy is no weakness.
    fn weaknesses(&self) -> Vec<Weakness> {
        let weak = |what| Weakness::new(Threat::SensitiveDataExposure, what);
        let mut found = Vec::new();
        if self.no_store {
            if self.public {
                found.push(weak(
                    "public contradicts no-store: some caches obey the wrong one",
                ));
            }
            return found;
        }
        if !self.private {
            found.push(weak(
                "a shared cache may keep the page and serve it to somebody else; send no-store",
            ));
        }
        found.push(weak(
            "the browser keeps the page on disk, where it outlives the logout; send no-store",
        ));
        found
    }
}

impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, age) in [("max-age", self.max_age), ("s-maxage", self.shared_max_age)] {
            if let Some(age) = age {
                write!(f, "{separator}{name}={age}")?;
                separator = ", ";
            }
        }
        for (name, set) in self.flags() {
            if set {
                write!(f, "{separator}{name}")?;
                separator = ", ";
            }
        }
        for (name, value) in self.extensions() {
            write!(f, "{separator}{name}")?;
            separator = ", ";
            if let Some(value) = value {
                f.write_str("=")?;
                grammar::write_token_or_quoted(f, value)?;
            }
        }
        Ok(())
    }
}

impl FromStr for CacheControl {
    type Err = InvalidHeader;

    /// Reads directives in any order and case; `private="name"` concerns that field only, and is not [`private`](Self::private).
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut value = Self::new();
        for part in grammar::split_list(text, b',').filter(|part| !part.is_empty()) {
            let (name, argument) = grammar::split_pair(part);
            let argument = argument.map(grammar::token_or_quoted);
            if !grammar::is_token(name) || argument == Some(None) {
                return Err(InvalidHeader::new(
                    Self::NAME,
                    format!("{part:?} is not a directive"),
                ));
            }
            value.read(
                name.to_ascii_lowercase(),
                argument.flatten().map(std::borrow::Cow::into_owned),
            )?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        let value: CacheControl = "Private, MAX-AGE=\"60\"".parse().unwrap();
        assert_eq!(value, CacheControl::private(60));
    }

    #[test]
    fn a_field_list_is_not_the_flag() {
        let value: CacheControl = "private=\"set-cookie, x\", stale-if-error=5".parse().unwrap();
        assert!(!value.private);
        assert_eq!(value.to_string(), "private=\"set-cookie, x\", stale-if-error=5");
    }

    #[test]
    fn the_first_of_two_ages_counts() {
        assert_eq!(
            "max-age=1, max-age=2".parse::<CacheControl>().unwrap().max_age,
            Some(1)
        );
        assert!("max-age=soon".parse::<CacheControl>().is_err());
        assert!("max-age".parse::<CacheControl>().is_err());
    }

    #[test]
    fn a_private_page_must_not_be_kept() {
        assert!(CacheControl::never_cache().weaknesses().is_empty());
        assert_eq!(CacheControl::private(60).weaknesses().len(), 1);
        assert_eq!(CacheControl::new().weaknesses().len(), 2);
        assert_eq!(
            "no-store, public"
                .parse::<CacheControl>()
                .unwrap()
                .weaknesses()
                .len(),
            1
        );
    }
}
