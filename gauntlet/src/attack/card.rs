//! What an attack is called, which threat it is of, what a hostile person does in it, and what it needs to be carried out.
//!
//! The card is all that the runner, the page of the gauntlet and the pages of the threats know of an attack.

use std::pin::Pin;

use anyhow::{Context as _, Result};
use palisade::core::Threat;
use testkit::attacker::Lure;

use super::Outcome;
use crate::{Arena, Side, Target};

/// How many lines of a site's log explain a cell that is wrong.
const LAST_LINES: usize = 40;

/// An attack that is being carried out.
pub type Pending<'site> = Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'site>>;

/// An attack, as the registry has it.
#[derive(Debug)]
pub struct Attack {
    /// The name of its function.
    pub name: &'static str,
    /// The threat that it is of.
    pub threat: Threat,
    /// What the hostile person does, as a sentence without its stop.
    pub title: &'static str,
    /// The published holes that it repeats, `CVE-…`.
    pub replays: &'static [&'static str],
    /// What it needs.
    pub run: Run,
}

/// What an attack needs to be carried out.
#[derive(Debug)]
pub enum Run {
    /// A site.
    Site(fn(&Target) -> Pending<'_>),
    /// A site, the attacker's, and a browser that visits both.
    Browser(fn(&Arena) -> Pending<'_>),
    /// The same, once for each place where a victim meets an attacker.
    Lured(fn(&Arena, Lure) -> Pending<'_>),
    /// A site that the attack opens by itself, because it needs options, an authority or a clock of its own.
    Own(fn(Side) -> Pending<'static>),
}

impl Attack {
    /// Names the attack in the table and for `cargo xtask gauntlet`.
    pub fn id(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Says whether somebody who asks for `part` means this one.
    pub fn is_meant_by(&self, part: &str) -> bool {
        self.id().contains(part) || self.threat.id().contains(part)
    }

    /// Carries the attack out against a fresh site, and says what came of it; more than once where it is lured.
    ///
    /// # Errors
    /// When it could not be carried out.
    pub async fn carry_out(&self, side: Side) -> Result<Vec<Outcome>> {
        match self.run {
            Run::Site(attack) => {
                let target = side.open().await?;
                let outcome = attack(&target).await.with_context(|| last_lines(&target))?;
                Ok(vec![explained(outcome, side, &target)])
            }
            Run::Browser(attack) => {
                let arena = Arena::around_side(side).await?;
                let outcome = attack(&arena).await.with_context(|| last_lines(&arena.target))?;
                Ok(vec![explained(outcome, side, &arena.target)])
            }
            Run::Lured(attack) => {
                let arena = Arena::around_side(side).await?;
                let mut outcomes = Vec::new();
                for lure in Lure::ALL {
                    let outcome = attack(&arena, lure).await.with_context(|| format!("{lure:?}"))?;
                    let evidence = format!("{lure:?}: {}", outcome.evidence);
                    outcomes.push(Outcome { evidence, ..outcome });
                }
                Ok(outcomes)
            }
            Run::Own(attack) => Ok(vec![attack(side).await?]),
        }
    }
}

/// Adds the log to what is seen of an attack against which the vault has fallen.
fn explained(outcome: Outcome, side: Side, target: &Target) -> Outcome {
    if outcome.succeeded && side == Side::Vault {
        let evidence = format!("{}\n{}", outcome.evidence, last_lines(target));
        return Outcome { evidence, ..outcome };
    }
    outcome
}

fn last_lines(target: &Target) -> String {
    let log = target.log();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..);
    last.unwrap_or_default().join("\n")
}
