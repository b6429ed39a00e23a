//! Runs attacks against both sites, two at once, and judges what comes of them.
//!
//! A cell is right when the attack succeeds against the weak twin and fails against the vault. An attack that could not be carried out,
//! or that does not end, proves nothing of either, and is wrong in both.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade::core::Threat;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attack::card::Attack;
use crate::{Outcome, Side, Target};

/// After how long an attack is cut off.
const PATIENCE: Duration = Duration::from_mins(2);

/// As much of a line of evidence as somebody reads.
const WIDTH: usize = 1000;

/// How many attacks are carried out at once.
const AT_ONCE: usize = 2;

/// What came of an attack against one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The attacker got what they came for.
    Fell,
    /// They did not.
    Held,
    /// They did on one of the ways, and not on another.
    Torn,
    /// The attack could not be carried out, or did not end.
    Fault,
}

impl Cell {
    fn of(outcomes: &[Outcome]) -> Cell {
        let fallen = outcomes.iter().filter(|outcome| outcome.succeeded).count();
        match fallen {
            0 if outcomes.is_empty() => Cell::Fault,
            0 => Cell::Held,
            all if all == outcomes.len() => Cell::Fell,
            _ => Cell::Torn,
        }
    }

    /// What must come of every attack.
    pub fn expected(side: Side) -> Cell {
        match side {
            Side::WeakTwin => Cell::Fell,
            Side::Vault => Cell::Held,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Cell::Fell => "fell",
            Cell::Held => "held",
            Cell::Torn => "torn",
            Cell::Fault => "fault",
        })
    }
}

/// An attack with its two cells.
#[derive(Debug)]
pub struct Row {
    /// The attack.
    pub attack: &'static Attack,
    /// What came of it against the weak twin.
    pub weak: Cell,
    /// What came of it against the vault.
    pub vault: Cell,
}

impl Row {
    /// Returns the row as it has to be.
    pub fn expected(attack: &'static Attack) -> Row {
        Row {
            attack,
            weak: Cell::expected(Side::WeakTwin),
            vault: Cell::expected(Side::Vault),
        }
    }

    /// Counts the cells that are not as they have to be.
    pub fn wrong(&self) -> usize {
        let weak = self.weak != Cell::expected(Side::WeakTwin);
        let vault = self.vault != Cell::expected(Side::Vault);
        usize::from(weak) + usize::from(vault)
    }
}

/// Runs these attacks against both sites, says what comes of each as it ends, and returns the rows in the order of the catalogue.
///
/// # Errors
/// When the vault does not build, or nobody hears what is said.
pub async fn run(attacks: &[&'static Attack], out: &mut impl Write) -> anyhow::Result<Vec<Row>> {
    tokio::task::spawn_blocking(Target::prepare).await??;
    let mut cells: BTreeMap<String, Row> = BTreeMap::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for attack in attacks.iter().copied() {
        for side in Side::BOTH {
            let places = Arc::clone(&places);
            running.spawn(async move {
                let _place = places.acquire_owned().await;
                let begun = Instant::now();
                let (cell, evidence) = judge(attack, side).await;
                (attack, side, cell, evidence, begun.elapsed())
            });
        }
    }
    let of = running.len();
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        let (attack, side, cell, evidence, took) = ended?;
        done += 1;
        say(out, &format!("{done:>4}/{of}"), attack, side, cell, took)?;
        if cell != Cell::expected(side) {
            writeln!(out, "{}", indented(&evidence))?;
        }
        out.flush()?;
        let row = cells.entry(attack.id()).or_insert_with(|| Row::expected(attack));
        match side {
            Side::WeakTwin => row.weak = cell,
            Side::Vault => row.vault = cell,
        }
    }
    let mut rows = Vec::new();
    for threat in Threat::ALL {
        let of_threat = attacks.iter().filter(|attack| attack.threat == threat);
        rows.extend(of_threat.filter_map(|attack| cells.remove(&attack.id())));
    }
    Ok(rows)
}

/// Carries an attack out, in a task of its own, so that one that panics or blocks is a fault and not the end of the others.
async fn judge(attack: &'static Attack, side: Side) -> (Cell, String) {
    let mut task = tokio::spawn(attack.carry_out(side));
    match timeout(PATIENCE, &mut task).await {
        Ok(Ok(Ok(outcomes))) => {
            let evidence: Vec<String> = outcomes.iter().map(|outcome| outcome.evidence.clone()).collect();
            (Cell::of(&outcomes), evidence.join("\n"))
        }
        Ok(Ok(Err(error))) => (Cell::Fault, format!("{error:?}")),
        Ok(Err(error)) => (Cell::Fault, error.to_string()),
        Err(_late) => {
            task.abort();
            (
                Cell::Fault,
                format!("it was cut off after {} s", PATIENCE.as_secs()),
            )
        }
    }
}

fn say(
    out: &mut impl Write,
    count: &str,
    attack: &Attack,
    side: Side,
    cell: Cell,
    took: Duration,
) -> io::Result<()> {
    let site = match side {
        Side::WeakTwin => "weak site",
        Side::Vault => "vault",
    };
    let mark = if cell == Cell::expected(side) {
        ""
    } else {
        "  WRONG"
    };
    let seconds = took.as_secs_f64();
    writeln!(
        out,
        "{count}  {:<42} {site:<9} {cell:<5} {seconds:>6.1} s{mark}",
        attack.id()
    )
}

/// Sets the evidence apart, each line as far as one reads it.
fn indented(evidence: &str) -> String {
    let begin = |line: &str| line.chars().take(WIDTH).collect::<String>();
    let lines: Vec<String> = evidence
        .lines()
        .map(|line| format!("          {}", begin(line)))
        .collect();
    lines.join(
        "
",
    )
}

/// Prints the table threat × attack × weak site × vault.
///
/// # Errors
/// When nobody hears it.
pub fn print(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let mut threat = None;
    writeln!(out, "\n  {:<42} {:<9} {:<9}", "", "weak site", "vault")?;
    for row in rows {
        if threat != Some(row.attack.threat) {
            threat = Some(row.attack.threat);
            writeln!(out, "{}", row.attack.threat)?;
        }
        let mark = if row.wrong() == 0 { "" } else { "  WRONG" };
        writeln!(
            out,
            "  {:<42} {:<9} {:<9}{mark}",
            row.attack.id(),
            row.weak,
            row.vault
        )?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(succeeded: &[bool]) -> Cell {
        let outcome = |succeeded: &bool| Outcome {
            succeeded: *succeeded,
            evidence: String::new(),
        };
        Cell::of(&succeeded.iter().map(outcome).collect::<Vec<_>>())
    }

    #[test]
    fn one_way_in_of_three_is_wrong_on_both_sites() {
        assert_eq!(seen(&[true, true]), Cell::Fell);
        assert_eq!(seen(&[false, false]), Cell::Held);
        assert_eq!(seen(&[false, true, false]), Cell::Torn);
        assert_eq!(seen(&[]), Cell::Fault);
    }

    #[test]
    fn attack_that_could_not_be_carried_out_is_wrong_on_both_sites() {
        let attack = &crate::ATTACKS[0];
        assert_eq!(Row::expected(attack).wrong(), 0);
        let (weak, vault) = (Cell::Fault, Cell::Fault);
        assert_eq!(Row { attack, weak, vault }.wrong(), 2);
    }
}
