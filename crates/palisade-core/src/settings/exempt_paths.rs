//! Paths that are served over plain HTTP: Django's `SECURE_REDIRECT_EXEMPT`.

use regex::{Regex, RegexSet};

/// Patterns of paths that are not redirected to HTTPS.
///
/// # Example
/// ```
/// use palisade_core::settings::ExemptPaths;
///
/// let exempt = ExemptPaths::new(["^health/$"]).unwrap();
/// assert!(exempt.contains("/health/"));
/// assert!(!exempt.contains("/health/of/others/"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ExemptPaths(RegexSet);

/// Patterns that cannot be compiled.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidPatterns(Vec<String>);

impl ExemptPaths {
    /// Compiles patterns. They match anywhere in the path unless anchored.
    ///
    /// # Errors
    /// Names every pattern that is no regular expression. Look-around and back-references are not supported.
    pub fn new(patterns: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, InvalidPatterns> {
        let patterns: Vec<_> = patterns.into_iter().collect();
        let fault = |pattern: &str| {
            let fault = Regex::new(pattern).err()?.to_string();
            let reason = fault
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            Some(format!("has the pattern `{}`: {reason}", pattern.escape_debug()))
        };
        let faults: Vec<_> = patterns
            .iter()
            .filter_map(|pattern| fault(pattern.as_ref()))
            .collect();
        if !faults.is_empty() {
            return Err(InvalidPatterns(faults));
        }
        RegexSet::new(&patterns)
            .map(Self)
            .map_err(|whole| InvalidPatterns(vec![whole.to_string()]))
    }

    /// Says whether a path is exempt; slashes at its beginning are not looked at, as in Django.
    pub fn contains(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.is_match(path.trim_start_matches('/'))
    }

    /// Says whether no path is exempt.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        self.0.patterns()
    }
}
