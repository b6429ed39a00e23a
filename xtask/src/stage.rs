//! One stage: a command, its header, and the tests it says to have run.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::summary::Passed;
use crate::tool::{self, Tool};

/// A command that must succeed.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    program: &'static str,
    arguments: Vec<String>,
    tools: Vec<&'static Tool>,
    variables: Vec<(&'static str, String)>,
}

impl Stage {
    /// Makes a stage of a cargo command.
    pub(crate) fn cargo(name: &'static str, arguments: &[&str]) -> Stage {
        Stage::program(name, "cargo", arguments)
    }

    /// Makes a stage of a script in Python.
    pub(crate) fn python(name: &'static str, script: &str) -> Stage {
        Stage::program(name, "python3", &[script])
    }

    fn program(name: &'static str, program: &'static str, arguments: &[&str]) -> Stage {
        Stage {
            name,
            program,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            tools: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Names programs that the stage cannot do without.
    pub(crate) fn needs(mut self, tools: &'static [Tool]) -> Stage {
        self.tools.extend(tools);
        self
    }

    /// Hands words on to the program that cargo runs.
    pub(crate) fn tell(&mut self, words: &[String]) {
        if !words.is_empty() {
            self.arguments.push("--".to_owned());
            self.arguments.extend_from_slice(words);
        }
    }

    /// Sets a variable of the command's environment.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Stage {
        self.variables.push((name, value));
        self
    }

    /// Runs the stage; returns nothing if it failed.
    pub(crate) fn run(&self) -> Result<Option<Passed>> {
        let mut out = io::stdout();
        writeln!(
            out,
            "\n── {}: {} {}",
            self.name,
            self.program,
            self.arguments.join(" ")
        )?;
        out.flush()?;
        tool::provide(&self.tools)?;

        let program = match self.program {
            "cargo" => env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            other => other.into(),
        };
        let mut child = Command::new(program)
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("the command has no output")?;
        let mut tests = None;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            writeln!(out, "{line}")?;
            if let Some(more) = passed_in(&line) {
                tests = Some(tests.unwrap_or(0) + more);
            }
        }
        Ok(child.wait()?.success().then_some(Passed { tests }))
    }
}

/// Reads how many tests passed from the line with which a test program ends.
fn passed_in(line: &str) -> Option<usize> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    counts.split_once(" passed")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_test_program_says_how_many_passed() {
        assert_eq!(
            passed_in("test result: ok. 12 passed; 0 failed; 0 ignored; finished in 0.10s"),
            Some(12)
        );
        assert_eq!(
            passed_in("test result: FAILED. 3 passed; 1 failed; 0 ignored"),
            Some(3)
        );
        assert_eq!(passed_in("test session::tests::lost ... ok"), None);
    }
}
