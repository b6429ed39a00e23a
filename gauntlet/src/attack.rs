//! The attacks. Each is a function from an arena to an outcome, and reads what came of it from the attacked site.

pub mod access;
pub mod account;
pub mod exposure;
pub mod forgery;
pub mod framing;
pub mod guessing;
pub mod leaks;
pub mod network;
pub mod recovery;
pub mod script;
pub mod session;

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
