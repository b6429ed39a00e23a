//! What readers are told of the attacks: `docs/gauntlet.md`, and the section `Attacks` on the page of each threat.
//!
//! Both are written from the registry and kept equal to it by tests. `docs/gauntlet.md` also says what came of each attack; a whole run
//! compares it with what it has seen.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use palisade::core::Threat;

use crate::attack::card::Attack;
use crate::attack::registry::{ATTACKS, NOT_ATTACKED};
use crate::runner::Row;

/// Under which heading a threat's page lists its attacks, and what comes after it there.
const HEADING: &str = "\n## Attacks\n";
const NEXT: &str = "\n## Proof\n";

/// What `docs/gauntlet.md` begins with.
const INTRODUCTION: &str = "\
# The gauntlet

A defence that nobody has attacked is an opinion. So every attack below is carried out twice, as a hostile person would do it, with raw
sockets, a hostile site in a real Chromium, a copy of the database, requests that race: against a **weak site**, which has the vault's
pages and none of its defences, and against the **vault**, the application that the README starts. Against the weak site an attack has
to succeed, because one that nobody has seen working proves nothing; against the vault it has to fail.

```sh
cargo xtask gauntlet                    # all of it, and the table
cargo xtask gauntlet clickjacking       # the attacks whose id, or threat, has this in it
cargo xtask gauntlet --list             # what there is
```

It needs a Chromium and builds the rest by itself. A cell says what became of the site: **fell** (the attacker got what they came for) or
**held** (they did not). Any other combination than *fell* and *held* in a row makes the run fail, and so does an attack that could not be
carried out. The last column names published holes, of Django mostly, that the attack repeats. An attack from another site is carried
out three times, from another site over TLS, from one in clear, and from a subdomain of the site itself, and has to come to the same end
each time.

This page is written by `cargo xtask gauntlet --bless`, and `cargo xtask ci` fails when it is not what it has just seen.
";

/// Writes `docs/gauntlet.md` as these rows have it, which are in the order of the catalogue.
pub fn gauntlet(rows: &[Row]) -> String {
    let mut page = INTRODUCTION.to_owned();
    let attacked = Threat::ALL
        .iter()
        .filter(|threat| count(rows, **threat) > 0)
        .count();
    let replayed: std::collections::BTreeSet<_> = rows.iter().flat_map(|row| row.attack.replays).collect();
    let wrong: usize = rows.iter().map(Row::wrong).sum();
    let _infallible = write!(
        page,
        "\n{} attacks on {attacked} threats, {} published holes among them; {} cells, {wrong} of them wrong.\n",
        rows.len(),
        replayed.len(),
        rows.len() * 2
    );
    for threat in Threat::ALL {
        let (title, id) = (threat.title(), threat.id());
        let _infallible = write!(
            page,
            "\n## {title}\n\n[{id}](../crates/palisade-core/threats/{id}.md)"
        );
        if let Some(reason) = reason(threat) {
            let _infallible = writeln!(page, ": not attacked here. {reason}");
        }
        let of_threat: Vec<&Row> = rows.iter().filter(|row| row.attack.threat == threat).collect();
        if of_threat.is_empty() {
            if reason(threat).is_none() {
                page.push_str(": nothing attacks it yet.\n");
            }
            continue;
        }
        let _infallible = write!(
            page,
            ": {} attacks.\n\n| attack | weak site | vault | repeats |\n|---|---|---|---|\n",
            of_threat.len()
        );
        for row in of_threat {
            let Row { attack, weak, vault } = row;
            let _infallible = writeln!(
                page,
                "| {} (`{}`) | {weak} | {vault} | {} |",
                attack.title.replace('|', "\\|"),
                attack.id(),
                attack.replays.join(", ")
            );
        }
    }
    page
}

fn count(rows: &[Row], threat: Threat) -> usize {
    rows.iter().filter(|row| row.attack.threat == threat).count()
}

fn reason(threat: Threat) -> Option<&'static str> {
    NOT_ATTACKED
        .iter()
        .find(|(it, _)| *it == threat)
        .map(|(_, reason)| *reason)
}

/// Returns the rows as they have to be, in the order of the catalogue.
pub fn expected() -> Vec<Row> {
    let of = |threat| {
        ATTACKS
            .iter()
            .filter(move |attack: &&Attack| attack.threat == threat)
    };
    Threat::ALL.into_iter().flat_map(of).map(Row::expected).collect()
}

/// Puts the section `Attacks` of a threat into its page, before the proofs.
pub fn with_attacks(page: &str, threat: Threat) -> String {
    let Some((before, after)) = page.split_once(NEXT) else {
        return page.to_owned();
    };
    let before = before.split_once(HEADING).map_or(before, |(before, _)| before);
    format!(
        "{}\n{HEADING}\n{}{NEXT}{after}",
        before.trim_end(),
        section(threat)
    )
}

fn section(threat: Threat) -> String {
    if let Some(reason) = reason(threat) {
        return format!(
            "[The gauntlet](../../../docs/gauntlet.md) does not attack this threat by itself. {reason}\n"
        );
    }
    let mut section = "[The gauntlet](../../../docs/gauntlet.md) carries each of these out against a weak site, where it has to succeed, and \
                       against the vault, where it has to fail.\n\n"
        .to_owned();
    for attack in ATTACKS.iter().filter(|attack| attack.threat == threat) {
        let _infallible = write!(section, "- {} (`{}`", attack.title, attack.id());
        if !attack.replays.is_empty() {
            let _infallible = write!(section, "; {}", attack.replays.join(", "));
        }
        section.push_str(")\n");
    }
    section
}

/// Where `docs/gauntlet.md` is.
pub fn place() -> PathBuf {
    root().join("docs/gauntlet.md")
}

/// Where the page of a threat is.
pub fn place_of(threat: Threat) -> PathBuf {
    root().join(format!("crates/palisade-core/threats/{threat}.md"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes the page of the gauntlet as these rows have it, and the sections of the threats' pages.
///
/// # Errors
/// When a page cannot be read or written.
pub fn bless(rows: &[Row]) -> std::io::Result<()> {
    std::fs::write(place(), gauntlet(rows))?;
    for threat in Threat::ALL {
        let place = place_of(threat);
        let page = std::fs::read_to_string(&place)?;
        std::fs::write(place, with_attacks(&page, threat))?;
    }
    Ok(())
}
