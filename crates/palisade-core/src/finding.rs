//! What a check found, and how a value is weak.

use std::borrow::Cow;

use crate::Threat;

/// One way in which a value (a header, a cookie, a key) falls short of what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The threat that the weakness lets in.
    pub threat: Threat,
    /// What is weak, as a sentence a person can act on.
    pub what: Cow<'static, str>,
}

impl Weakness {
    /// Names a weakness.
    pub fn new(threat: Threat, what: impl Into<Cow<'static, str>>) -> Self {
        Self { threat, what: what.into() }
    }
}
