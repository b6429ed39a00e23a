//! A promise of a store, kept or broken: the words that the contracts of stores are written with.
//!
//! Each promise is a sentence; whoever breaks one is told that sentence and what was found instead.

use std::error::Error;
use std::fmt::{self, Debug, Display};

use palisade_core::token;

/// A promise that was not kept.
#[derive(Debug)]
pub(crate) struct Broken(String);

impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks its contract: {}", self.0)
    }
}

/// Ends a test whose store has broken a promise.
#[expect(
    clippy::panic,
    reason = "a suite for tests: a test that cannot go on says where"
)]
pub(crate) fn kept(result: Result<(), Broken>) {
    if let Err(broken) = result {
        panic!("{broken}");
    }
}

/// A promise that was not kept, and what was found.
pub(crate) fn broken(promise: &str, found: impl Display) -> Broken {
    Broken(format!("{promise}; {found}"))
}

/// Asks for a promise to be true; `found` says what was seen if it is not.
pub(crate) fn ensure(promise: &str, kept: bool, found: impl Display) -> Result<(), Broken> {
    if kept { Ok(()) } else { Err(broken(promise, found)) }
}

/// Asks for two values to be the same.
pub(crate) fn same<T: PartialEq + Debug>(promise: &str, found: &T, expected: &T) -> Result<(), Broken> {
    ensure(
        promise,
        found == expected,
        format_args!("found {found:?}, expected {expected:?}"),
    )
}

/// Asks for an answer that is no error.
pub(crate) fn answered<T, E: Error>(promise: &str, answer: Result<T, E>) -> Result<T, Broken> {
    answer.map_err(|error| {
        let source = error
            .source()
            .map_or_else(String::new, |source| format!(": {source}"));
        broken(promise, format_args!("the store said: {error}{source}"))
    })
}

/// The name of a user whom nobody else knows.
pub(crate) fn stranger() -> String {
    token::random_string(12, token::Alphabet::Base36)
}
