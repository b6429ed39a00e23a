//! The project's own tasks: `cargo xtask ci` is the test command of the README, and what integration runs.
//!
//! It is a program rather than a script so that it is checked like everything else and says the same on every
//! machine. It depends on almost nothing, because it has to be built before anything can be tested.

mod stage;
mod summary;
mod task;
mod tool;

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::summary::Summary;
use crate::task::{TAKES_WORDS, TASKS};

fn main() -> ExitCode {
    let asked: Vec<String> = env::args().skip(1).collect();
    let done = if asks_for_help(&asked) {
        teach()
    } else {
        run(&asked)
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be told if standard error is gone too.
            let _closed = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing is asked for, or to be taught, wherever among the tasks that stands.
fn asks_for_help(asked: &[String]) -> bool {
    asked.is_empty()
        || asked
            .iter()
            .any(|word| matches!(word.as_str(), "--help" | "-h" | "help"))
}

fn teach() -> Result<ExitCode> {
    let mut out = io::stdout();
    writeln!(out, "cargo xtask <task>...\n")?;
    for task in TASKS {
        writeln!(out, "  {:<9}{}", task.name, task.what)?;
    }
    writeln!(
        out,
        "\nSeveral tasks run in the order given, and stop at the first that fails."
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Splits what is asked for into tasks and the words that belong to the last of them.
fn split(asked: &[String]) -> (&[String], &[String]) {
    let takes_words = asked.iter().position(|name| name == TAKES_WORDS);
    asked.split_at(takes_words.map_or(asked.len(), |at| at + 1))
}

fn run(asked: &[String]) -> Result<ExitCode> {
    if let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() {
        env::set_current_dir(root)?;
    }
    let (tasks, words) = split(asked);
    let (tasks, seconds) = without_seconds(tasks)?;
    let mut stages = Vec::new();
    for name in &tasks {
        let task = TASKS.iter().find(|task| task.name == name);
        let task =
            task.ok_or_else(|| anyhow::anyhow!("no task is called `{name}`; `cargo xtask` lists them"))?;
        stages.extend((task.stages)().into_iter().map(|stage| match seconds {
            Some(seconds) => stage.with("SOAK_SECONDS", seconds.to_string()),
            None => stage,
        }));
    }
    if let Some(last) = stages.last_mut() {
        last.tell(words);
    }
    let mut summary = Summary::of(&stages);
    for stage in &stages {
        let passed = summary.time(stage.name, || stage.run())?;
        if !passed {
            break;
        }
    }
    summary.print(&mut io::stdout())?;
    Ok(if summary.all_passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Takes `--seconds N` out of what is asked for: how long a soak lasts.
fn without_seconds(asked: &[String]) -> Result<(Vec<String>, Option<u32>)> {
    let mut names = asked.to_vec();
    let Some(place) = names.iter().position(|word| word == "--seconds") else {
        return Ok((names, None));
    };
    let taken: Vec<String> = names.drain(place..names.len().min(place + 2)).collect();
    let seconds = taken.last().and_then(|word| word.parse().ok());
    let seconds = seconds.ok_or_else(|| anyhow::anyhow!("write how many: `--seconds 600`"))?;
    anyhow::ensure!(
        names.iter().any(|name| name == "soak"),
        "only a soak takes `--seconds`: `cargo xtask soak --seconds 600`"
    );
    Ok((names, Some(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        let asks = |words: &[&str]| asks_for_help(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(
            asks(&[]) && asks(&["--help"]) && asks(&["-h"]) && asks(&["help"]) && asks(&["ci", "--help"])
        );
        assert!(!asks(&["ci"]) && !asks(&["fmt", "lint"]));
    }

    #[test]
    fn words_after_the_gauntlet_are_the_gauntlets() {
        let asked = ["fmt", "gauntlet", "clickjacking", "--list"].map(str::to_owned);
        let (tasks, words) = split(&asked);
        assert_eq!((tasks.len(), words), (2, &asked[2..]));
        assert!(split(&asked[..1]).1.is_empty());
    }

    #[test]
    fn soak_is_told_how_long_and_nothing_else_is() {
        let read =
            |words: &[&str]| without_seconds(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(read(&["soak"]).unwrap(), (vec!["soak".to_owned()], None));
        let told = read(&["soak", "--seconds", "600"]).unwrap();
        assert_eq!(told, (vec!["soak".to_owned()], Some(600)));
        assert!(read(&["soak", "--seconds"]).is_err() && read(&["ci", "--seconds", "9"]).is_err());
    }
}
