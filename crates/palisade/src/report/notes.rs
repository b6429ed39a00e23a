//! What a request has told of its form, kept for the case that it fails: cleansed at once, so that no secret waits in memory for it.

use std::sync::{Arc, OnceLock};

use crate::redact::{Redactor, SensitiveParameters};

/// How many fields a report shows.
const MOST_FIELDS: usize = 100;

/// An extension of each request, where faults are reported.
#[derive(Clone, Debug)]
pub(crate) struct Notes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redactor: Arc<Redactor>,
    hidden: OnceLock<Arc<SensitiveParameters>>,
    posted: OnceLock<Vec<(String, String)>>,
}

impl Notes {
    pub(super) fn new(redactor: Arc<Redactor>) -> Self {
        Self(Arc::new(Inner {
            redactor,
            hidden: OnceLock::new(),
            posted: OnceLock::new(),
        }))
    }

    /// Tells what the route hides, before a form is read.
    pub(crate) fn hide(&self, parameters: &Arc<SensitiveParameters>) {
        self.0.hidden.get_or_init(|| Arc::clone(parameters));
    }

    /// Tells what was sent, and which of the form's fields are sensitive by their type.
    pub(crate) fn tell_form<'f>(&self, fields: impl Iterator<Item = (&'f str, &'f str)>, sensitive: &[&str]) {
        let marked = |name: &str| {
            let hidden = self.0.hidden.get();
            sensitive.contains(&name)
                || hidden.is_some_and(|parameters| !parameters.hidden([name], true).is_empty())
        };
        let shown = fields.take(MOST_FIELDS).map(|(name, value)| {
            let value = if marked(name) {
                palisade_core::secret::CLEANSED
            } else {
                value
            };
            (name, value)
        });
        self.0.posted.get_or_init(|| self.0.redactor.form(shown));
    }

    /// What was sent, cleansed.
    pub(super) fn posted(&self) -> &[(String, String)] {
        self.0.posted.get().map_or(&[], Vec::as_slice)
    }
}
