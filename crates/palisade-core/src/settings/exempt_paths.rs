//! Paths that are served over plain HTTP: Django's `SECURE_REDIRECT_EXEMPT`.

use fancy_regex::{Regex, RegexBuilder};

/// How often one match may go back and try anew: more than any sensible pattern needs, and a few milliseconds.
const MOST_STEPS_BACK: usize = 100_000;

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
///
/// # Security
/// A path comes from whoever asks. A pattern that would search for too long in it does not match: the request is
/// redirected.
#[derive(Clone, Debug, Default)]
pub struct ExemptPaths {
    patterns: Vec<String>,
    compiled: Vec<Regex>,
}

/// Patterns that cannot be compiled.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidPatterns(Vec<String>);

impl ExemptPaths {
    /// Compiles patterns. They match anywhere in the path unless anchored, and may look around and refer back, as in Python.
    ///
    /// # Errors
    /// Names every pattern that is no regular expression.
    pub fn new(patterns: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, InvalidPatterns> {
        let (mut exempt, mut faults) = (Self::default(), Vec::new());
        for pattern in patterns {
            let pattern = pattern.as_ref();
            match RegexBuilder::new(pattern)
                .backtrack_limit(MOST_STEPS_BACK)
                .build()
            {
                Ok(compiled) => {
                    exempt.patterns.push(pattern.to_owned());
                    exempt.compiled.push(compiled);
                }
                Err(fault) => {
                    let fault = fault.to_string();
                    let reason = fault
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .trim_start_matches("error: ");
                    faults.push(format!("has the pattern `{}`: {reason}", pattern.escape_debug()));
                }
            }
        }
        if faults.is_empty() {
            Ok(exempt)
        } else {
            Err(InvalidPatterns(faults))
        }
    }

    /// Says whether a path is exempt; slashes at its beginning are not looked at, as in Django.
    pub fn contains(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        let mut compiled = self.compiled.iter();
        compiled.any(|pattern| pattern.is_match(path).unwrap_or_default())
    }

    /// Says whether no path is exempt.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_look_around_and_refer_back_as_in_python() {
        for (pattern, exempt, other) in [
            (r"^(?!admin/)", "/health/", "/admin/x"),
            (r"^(a|b)/\1$", "/a/a", "/a/b"),
            (r"(?<=v1/)ping$", "/v1/ping", "/v2/ping"),
        ] {
            let paths = ExemptPaths::new([pattern]).unwrap();
            assert!(paths.contains(exempt) && !paths.contains(other), "{pattern}");
        }
        assert!(ExemptPaths::new(["ok", "("]).is_err());
    }

    #[test]
    fn path_that_a_pattern_would_search_for_ever_is_not_exempt() {
        let paths = ExemptPaths::new([r"^((a|aa)+)(?!b)\1$"]).unwrap();
        assert!(!paths.contains(&format!("/{}c", "a".repeat(5000))));
    }
}
