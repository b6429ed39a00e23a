//! `cargo xtask gauntlet`: carries out the attacks of the registry against both sites, and fails on any cell that is wrong.
//!
//! It is a program of its own rather than a test for each, because what is wanted is the table, and two browsers at once are as many as a
//! machine has room for.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use gauntlet::attack::card::Attack;
use gauntlet::runner::Row;
use gauntlet::{ATTACKS, page, runner};

/// What was asked for.
#[derive(Default)]
struct Asked {
    parts: Vec<String>,
    list: bool,
    bless: bool,
}

fn main() -> Result<ExitCode> {
    let asked = asked(std::env::args().skip(1))?;
    let attacks: Vec<&'static Attack> = ATTACKS
        .iter()
        .filter(|attack| asked.parts.is_empty() || asked.parts.iter().any(|part| attack.is_meant_by(part)))
        .collect();
    let mut out = io::stdout();
    if attacks.is_empty() {
        bail!(
            "no attack and no threat has {:?} in it; --list says what there is",
            asked.parts
        );
    }
    if asked.list {
        for attack in attacks {
            writeln!(out, "{:<28} {:<42} {}", attack.threat, attack.id(), attack.title)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    let rows = runtime.block_on(runner::run(&attacks, &mut out))?;
    runtime.shutdown_background();
    runner::print(&rows, &mut out)?;
    let wrong: usize = rows.iter().map(Row::wrong).sum();
    let is_whole = asked.parts.is_empty();
    let is_current = wrong > 0 || !is_whole || is_written(&rows, asked.bless)?;
    let verdict = if wrong == 0 && is_current { "ok" } else { "FAILED" };
    writeln!(
        out,
        "test result: {verdict}. {} passed; {wrong} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s",
        rows.len() * 2 - wrong,
        (ATTACKS.len() - rows.len()) * 2,
        begun.elapsed().as_secs_f64()
    )?;
    Ok(if wrong == 0 && is_current {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn asked(words: impl Iterator<Item = String>) -> Result<Asked> {
    let mut asked = Asked::default();
    for word in words {
        match word.as_str() {
            "--list" => asked.list = true,
            "--bless" => asked.bless = true,
            option if option.starts_with('-') => {
                bail!("there is no option {option}; there are --list and --bless")
            }
            part => asked.parts.push(part.to_owned()),
        }
    }
    if asked.bless && !asked.parts.is_empty() {
        bail!("only a whole run can be blessed: the page tells of every attack");
    }
    Ok(asked)
}

/// Whether the page says what was seen; if that is blessed, it does from now on.
fn is_written(rows: &[Row], bless: bool) -> Result<bool> {
    let place = page::place();
    if bless {
        page::bless(rows).with_context(|| format!("{} cannot be written", place.display()))?;
        return Ok(true);
    }
    let is_current = std::fs::read_to_string(&place).unwrap_or_default() == page::gauntlet(rows);
    if !is_current {
        writeln!(
            io::stdout(),
            "docs/gauntlet.md does not say what was seen; `cargo xtask gauntlet --bless` writes it"
        )?;
    }
    Ok(is_current)
}
