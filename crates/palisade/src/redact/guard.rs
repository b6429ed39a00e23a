//! The guard that refuses a request whose query string carries a secret (threat `sensitive-data-exposure`, CWE-598).
//!
//! A secret in an address is in the browser's history, in every proxy's log and in the Referer. Answering such a request
//! would teach its sender that it works; so it gets 400, and the log the parameter's name without its value.

use http::{request, response};
use palisade_core::Threat;

use super::query::{SensitiveNames, sensitive_in_query};
use crate::guard::Guard;
use crate::rejection::Rejection;

/// Refuses secrets in query strings.
#[derive(Clone, Debug, Default)]
pub struct QueryGuard(SensitiveNames);

impl QueryGuard {
    /// Refuses these names.
    pub fn new(names: SensitiveNames) -> Self {
        Self(names)
    }
}

impl Guard for QueryGuard {
    type Pass = ();

    fn admit(&self, request: &mut request::Parts) -> Result<(), Rejection> {
        let Some(name) = request
            .uri
            .query()
            .and_then(|query| sensitive_in_query(query, &self.0))
        else {
            return Ok(());
        };
        Err(Rejection::bad_request(format!("the query string carries the sensitive parameter {name:?}"))
            .with_threat(Threat::SensitiveDataExposure)
            .with_hint("Secrets must not stand in an address. Send them in the form; and if it was a real one, change it."))
    }

    fn release(&self, (): (), _response: &mut response::Parts) {}
}
