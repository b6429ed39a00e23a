//! Error reports as Django's `SafeExceptionReporterFilter` makes them: with a pattern and a substitute of the site's own.

use palisade_core::secret::CLEANSED;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::is_sensitive_name;

/// Cleanses values for a report by their names.
///
/// # Example
///
/// ```
/// use palisade::redact::ReportFilter;
/// use serde_json::json;
///
/// let filter = ReportFilter::new("sessionid").with_pattern("PIN|PASS")?.with_substitute("hidden");
/// let shown = filter.cleanse(Some("CARD"), &json!({"pin": 1234, "holder": "Ann"}));
/// assert_eq!(shown, json!({"pin": "hidden", "holder": "Ann"}));
/// # Ok::<(), regex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReportFilter {
    session_cookie_name: String,
    pattern: Option<Regex>,
    substitute: String,
}

impl ReportFilter {
    /// Hides what Django's own pattern finds, and the session cookie.
    pub fn new(session_cookie_name: impl Into<String>) -> Self {
        Self {
            session_cookie_name: session_cookie_name.into(),
            pattern: None,
            substitute: CLEANSED.to_owned(),
        }
    }

    /// Hides what another pattern finds, in any case.
    ///
    /// # Errors
    ///
    /// Where the pattern is none.
    pub fn with_pattern(mut self, pattern: &str) -> Result<Self, regex::Error> {
        let pattern = RegexBuilder::new(pattern).case_insensitive(true).build()?;
        self.pattern = Some(pattern);
        Ok(self)
    }

    /// Writes something else than asterisks.
    #[must_use]
    pub fn with_substitute(mut self, substitute: impl Into<String>) -> Self {
        self.substitute = substitute.into();
        self
    }

    /// Cleanses a value and all below it: `cleanse_setting`. What has no name is shown, what it holds is looked at.
    pub fn cleanse(&self, name: Option<&str>, value: &Value) -> Value {
        if name.is_some_and(|name| self.hides(name)) {
            return Value::from(self.substitute.as_str());
        }
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), self.cleanse(Some(name), value)))
                .collect(),
            Value::Array(list) => list.iter().map(|value| self.cleanse(Some(""), value)).collect(),
            other => other.clone(),
        }
    }

    fn hides(&self, name: &str) -> bool {
        name == self.session_cookie_name
            || match &self.pattern {
                Some(pattern) => pattern.is_match(name),
                None => is_sensitive_name(name),
            }
    }
}

/// Which POST parameters, or variables, a function has marked as sensitive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SensitiveParameters {
    /// None.
    #[default]
    None,
    /// Those of these names.
    Listed(Vec<String>),
    /// All.
    All,
}

impl SensitiveParameters {
    /// Says which of the names are to be hidden. Where the filter is not `active`, because `DEBUG` is on, none are.
    pub fn hidden<'n>(&self, names: impl IntoIterator<Item = &'n str>, active: bool) -> Vec<&'n str> {
        let hides = |name: &&str| match self {
            Self::None => false,
            Self::Listed(listed) => listed.iter().any(|listed| listed == name),
            Self::All => true,
        };
        names.into_iter().filter(|name| active && hides(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_hidden_by_name_down_to_the_ground() {
        let filter = ReportFilter::new("sid");
        let value = json!({"default": {"USER": 1, "PASSWORD": [2]}, "list": [{"sid": 3}, {"SID": 4}]});
        let expected =
            json!({"default": {"USER": 1, "PASSWORD": CLEANSED}, "list": [{"sid": CLEANSED}, {"SID": 4}]});
        assert_eq!(filter.cleanse(Some("DATABASES"), &value), expected);
        assert_eq!(filter.cleanse(None, &value), expected);
        assert_eq!(filter.cleanse(Some("sid"), &value), json!(CLEANSED));
    }

    #[test]
    fn own_pattern_replaces_djangos() {
        let filter = ReportFilter::new("sid")
            .with_pattern("^data")
            .unwrap()
            .with_substitute("-");
        assert_eq!(filter.cleanse(Some("DATABASE_URL"), &json!(1)), json!("-"));
        assert_eq!(filter.cleanse(Some("PASSWORD"), &json!([1])), json!([1]));
        let all = ReportFilter::new("sid").with_pattern(".*").unwrap();
        assert_eq!(all.cleanse(None, &json!([1])), json!([CLEANSED]));
        assert!(ReportFilter::new("").with_pattern("(").is_err());
    }

    #[test]
    fn marked_parameters_are_hidden_where_the_filter_is_active() {
        let listed = SensitiveParameters::Listed(vec!["password".to_owned(), "card".to_owned()]);
        assert_eq!(listed.hidden(["user", "password"], true), ["password"]);
        assert!(listed.hidden(["user", "password"], false).is_empty());
        assert_eq!(SensitiveParameters::All.hidden(["user"], true), ["user"]);
        assert!(SensitiveParameters::None.hidden(["user"], true).is_empty());
    }
}
