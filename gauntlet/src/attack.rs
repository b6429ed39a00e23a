//! The attacks. Each is a function from an arena to an outcome, and reads what came of it from the attacked site.

pub mod access;
pub mod account;
pub mod address;
pub mod clear;
pub mod diagnostics;
pub mod exposure;
pub mod forgery;
pub mod framing;
pub mod guessing;
pub mod inert;
pub mod leaks;
pub mod letters;
mod member;
pub mod network;
pub mod power;
pub mod query;
pub mod recovery;
pub mod script;
pub mod session;
pub mod stack;
pub mod stored;

/// What came of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the attacker got what they came for.
    pub succeeded: bool,
    /// What was seen of it, to be read when a test fails.
    pub evidence: String,
}

impl Outcome {
    fn new(succeeded: bool, evidence: impl Into<String>) -> Outcome {
        Outcome {
            succeeded,
            evidence: evidence.into(),
        }
    }
}
