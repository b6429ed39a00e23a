//! The attacks. Each is a function from a site to an outcome, which reads what came of it from the attacked site, and a line of the
//! [registry].

use anyhow::{Result, ensure};
use testkit::Visitor;

use crate::{Person, Target};

pub mod access;
pub mod account;
pub mod address;
pub mod card;
pub mod clear;
pub mod diagnostics;
pub mod exhaustion;
pub mod exposure;
pub mod forgery;
pub mod framing;
pub mod guessing;
pub mod inert;
pub mod leaks;
pub mod letters;
pub mod links;
pub mod media;
mod member;
pub mod network;
pub mod overlay;
pub mod power;
pub mod query;
pub mod recovery;
pub mod registry;
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

/// Signs somebody up, and in.
pub(super) async fn member(target: &Target, username: &str) -> Result<Visitor> {
    let mut visitor = target.visitor()?;
    let password = Person::VICTIM.password;
    let fields = [
        ("username", username),
        ("email", ""),
        ("password1", password),
        ("password2", password),
    ];
    visitor.submit("/signup/", &fields).await?;
    if visitor.cookie("sessionid").is_none() {
        let fields = [("username", username), ("password", password)];
        visitor.submit("/login/", &fields).await?;
    }
    ensure!(
        visitor.cookie("sessionid").is_some(),
        "{username} is not logged in"
    );
    Ok(visitor)
}
