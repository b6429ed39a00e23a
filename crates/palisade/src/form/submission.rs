//! What a request sent: names and values, in their order, before anything is believed of them.
//!
//! Read as Django reads them (reference: forms, bodies): `&` separates and `;` does not (CVE-2021-23336), names without
//! a value count, `+` is a space, what is not UTF-8 becomes U+FFFD. Values are wiped when the form is done with, since
//! any of them may be a password.

use std::borrow::Cow;
use std::fmt;

use crate::media::Came;
use palisade_core::query;
use zeroize::Zeroizing;

use super::field::Input;
use super::file::FileSlot;
use super::{FieldSpec, FormLimits, FormRejection};

/// Names that every form may carry: the CSRF token and where to go afterwards.
const KNOWN_NAMES: [&str; 2] = ["csrfmiddlewaretoken", "next"];
/// How many unknown names are told, and how much of each.
const NAMES_TOLD: usize = 10;
const LETTERS_TOLD: usize = 40;

/// Holds the names and values of a form that was sent.
#[derive(Default)]
pub(crate) struct Submission {
    texts: Vec<(String, Zeroizing<String>)>,
    /// Files that fields of the form have taken in.
    files: Vec<(&'static str, FileSlot)>,
}

impl Submission {
    /// Reads `a=1&b=2`.
    pub(crate) fn urlencoded(text: &str, limits: &FormLimits) -> Result<Self, FormRejection> {
        let mut submission = Self::default();
        let fields = query::fields(text, limits.max_number_fields)?;
        for (name, value) in fields {
            let value = Zeroizing::new(value);
            if limits.max_field_size.is_some_and(|limit| value.len() > limit) {
                return Err(FormRejection::FieldTooBig(name));
            }
            submission.texts.push((name, value));
        }
        Ok(submission)
    }

    pub(crate) fn push(&mut self, name: String, value: String) {
        self.texts.push((name, Zeroizing::new(value)));
    }

    pub(crate) fn push_file(&mut self, field: &'static str, came: Came) {
        self.files.push((field, FileSlot::new(came)));
    }

    /// How many files have come for a field.
    pub(super) fn files_of(&self, field: &str) -> usize {
        self.files.iter().filter(|(name, _)| *name == field).count()
    }

    /// All names and values, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    #[cfg(test)]
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let pair = |(name, value): &(String, Zeroizing<String>)| (name.clone(), value.to_string());
        self.texts.iter().map(pair).collect()
    }

    /// Gives what was sent under the name to `read`.
    pub(crate) fn with<R>(&self, name: &str, read: impl FnOnce(Input<'_>) -> R) -> R {
        let mut values = self
            .texts
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        let files: Vec<&FileSlot> = self
            .files
            .iter()
            .filter(|(known, _)| *known == name)
            .map(|(_, file)| file)
            .collect();
        let Some(first) = values.next() else {
            return read(Input::of(&[], &files));
        };
        match values.next() {
            None => read(Input::of(&[first], &files)),
            Some(second) => read(Input::of(
                &[first, second].into_iter().chain(values).collect::<Vec<_>>(),
                &files,
            )),
        }
    }

    /// Takes out what was sent under the names, for showing it again. Values of sensitive fields are not given.
    pub(crate) fn into_values(mut self, specs: &[FieldSpec]) -> Vec<Vec<String>> {
        let mut values = vec![Vec::new(); specs.len()];
        for (name, value) in &mut self.texts {
            let place = specs.iter().zip(&mut values).find(|(spec, _)| spec.name == *name);
            if let Some((_, values)) = place.filter(|(spec, _)| !spec.sensitive) {
                values.push(std::mem::take(&mut **value));
            }
        }
        values
    }

    /// Lists the names that the form does not have, made safe for a log, or says that there is none.
    pub(crate) fn unknown(&self, specs: &[FieldSpec], ignored: &[&str]) -> Option<String> {
        let known = |name: &str| {
            specs.iter().any(|spec| spec.name == name)
                || ignored.contains(&name)
                || KNOWN_NAMES.contains(&name)
        };
        let mut unknown: Vec<&str> = self
            .texts
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !known(name))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        let (told, more) = unknown.split_at(unknown.len().min(NAMES_TOLD));
        let mut names: Vec<Cow<'_, str>> = told
            .iter()
            .map(|name| crate::redact::printable(name, LETTERS_TOLD))
            .collect();
        if !more.is_empty() {
            names.push(format!("and {} more", more.len()).into());
        }
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Submission {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self {
            texts: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), Zeroizing::new(value.into())))
                .collect(),
            files: Vec::new(),
        }
    }
}

/// Shows names only.
impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.texts.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        Submission::urlencoded(text, &FormLimits::default())
            .unwrap()
            .pairs()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn body_is_read_as_django_reads_it() {
        assert_eq!(pairs("a=1&b=2"), [pair("a", "1"), pair("b", "2")]);
        assert_eq!(pairs("a=1;b=2"), [pair("a", "1;b=2")]);
        assert_eq!(pairs("a&b=&=c&&"), [pair("a", ""), pair("b", ""), pair("", "c")]);
        assert_eq!(pairs("a+b=%C3%A9+%26%3d%"), [pair("a b", "é &=%")]);
        assert_eq!(pairs("a=%ff%C3(é"), [pair("a", "\u{fffd}\u{fffd}(é")]);
        assert_eq!(pairs("a=b=c"), [pair("a", "b=c")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn one_field_too_many_is_refused_before_it_is_read() {
        let limits = FormLimits::default().with_max_number_fields(Some(3));
        assert!(Submission::urlencoded("a=1&b=2&c=3", &limits).is_ok());
        assert_eq!(
            Submission::urlencoded("&&&", &limits).unwrap_err(),
            FormRejection::TooManyFieldsSent
        );
        assert_eq!(
            FormRejection::TooManyFieldsSent.to_string(),
            "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS."
        );
        assert!(Submission::urlencoded("&&&", &limits.with_max_number_fields(None)).is_ok());
    }

    #[test]
    fn one_value_too_large_is_refused() {
        let limits = FormLimits::default().with_max_field_size(Some(3));
        assert!(Submission::urlencoded("a=123", &limits).is_ok());
        assert_eq!(
            Submission::urlencoded("a=1234", &limits).unwrap_err(),
            FormRejection::FieldTooBig("a".into())
        );
    }

    #[test]
    fn unknown_names_are_told_without_their_power_over_the_log() {
        const SPECS: &[FieldSpec] = &[FieldSpec::of::<String>("title")];
        let sent = Submission::urlencoded(
            "title=a&next=/&csrfmiddlewaretoken=x&go=1",
            &FormLimits::default(),
        )
        .unwrap();
        assert_eq!(sent.unknown(SPECS, &["go"]), None);
        assert_eq!(sent.unknown(SPECS, &[]).unwrap(), "go");
        let sent =
            Submission::urlencoded("isAdmin=1&is%0AAdmin=1&isAdmin=2", &FormLimits::default()).unwrap();
        assert_eq!(sent.unknown(SPECS, &[]).unwrap(), "is\\nAdmin, isAdmin");
        let many: Submission = (0..50).map(|number| (format!("f{number:02}"), "")).collect();
        assert!(many.unknown(SPECS, &[]).unwrap().ends_with("f09, and 40 more"));
    }

    #[test]
    fn values_are_not_printed() {
        let sent = Submission::urlencoded("title=hunter2", &FormLimits::default()).unwrap();
        assert_eq!(format!("{sent:?}"), "[\"title\"]");
    }
}
