//! The error of a reply: a kind that the protocol names, a message, perhaps parameters.

use std::fmt;

use crate::answer::{Answer, object};

/// Why a request has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: String,
    message: String,
    params: Option<Answer>,
}

impl Failure {
    /// Fails for a reason that the protocol names, in the words of the library's error.
    pub(crate) fn new(kind: &str, message: impl fmt::Display) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.to_string(),
            params: None,
        }
    }

    /// Fails because the request cannot be understood, or the program is at fault.
    pub(crate) fn internal(message: impl fmt::Display) -> Self {
        Self::new("internal", message)
    }

    /// Adds what the caller needs besides the message.
    pub(crate) fn with_params(mut self, params: Answer) -> Self {
        self.params = Some(params);
        self
    }

    /// The error as it stands in the reply.
    pub(crate) fn into_answer(self) -> Answer {
        let kind = ("kind", self.kind.into());
        let message = ("message", self.message.into());
        match self.params {
            Some(params) => object([kind, message, ("params", params)]),
            None => object([kind, message]),
        }
    }
}
