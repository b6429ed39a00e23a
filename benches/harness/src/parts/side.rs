//! A program that is asked over its standard input, and what both are given.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::ground::Databases;
use crate::process;
use crate::server::{Kind, empty_folder, harness, python};

/// 200 bytes, as a logged-in visitor of a small shop has them.
const SESSION: &str = concat!(
    r#"{"_auth_user_id":"4711","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","#,
    r#""_auth_user_hash":"8f14e45fceea167a5a36dedd4bea2543b7d1c0f3a9e25d6680c17b4f2e9a01cd","#,
    r#""cart":[17,4,9932,118,27]}"#
);

/// The least that is timed at once: below it, the clock itself would be seen.
const LEAST: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    Palisade,
    Django,
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Palisade => "palisade",
            Self::Django => "django",
        })
    }
}

/// What both sides are given, the key drawn for this run.
pub fn input() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("BENCH_SECRET_KEY", python::secret_key()?),
        ("BENCH_SESSION", SESSION.to_owned()),
        ("BENCH_CSRF_SECRET", "Xk3uV9bQ0aLr7TzYw2NcPj5sEh8dGm1F".to_owned()),
        ("BENCH_PASSWORD", "correct horse battery staple".to_owned()),
        ("BENCH_SALT", "n4Qz81LxYt7RcVb2KpWd0s".to_owned()),
        ("BENCH_PBKDF2_ITERATIONS", "1000000".to_owned()),
    ])
}

pub fn build(who: Who) -> Result<()> {
    match who {
        Who::Palisade => {
            eprintln!("building parts");
            process::build(&harness().with_file_name("parts"))
        }
        Who::Django => python::install(&Kind::Django.source()),
    }
}

/// A running side; dropping it ends it.
pub struct Side {
    pub who: Who,
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Side {
    pub fn start(who: Who, given: &[(&'static str, String)], databases: Option<&Databases>) -> Result<Self> {
        let mut command = match who {
            Who::Palisade => Command::new(
                harness()
                    .with_file_name("parts")
                    .join("target/release/bench-parts"),
            ),
            Who::Django => python::python(&Kind::Django.source(), &["parts.py"]),
        };
        command.envs(given.iter().map(|(name, value)| (name, value)));
        if let Some(databases) = databases {
            databases.tell_all()?.tell(&mut command);
            command.env("BENCH_DATA", empty_folder("parts")?);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the parts of {who}"))?;
        let questions = process.stdin.take().context("no way to ask")?;
        let answers = BufReader::new(process.stdout.take().context("no way to hear")?);
        Ok(Self {
            who,
            process,
            questions,
            answers,
        })
    }

    pub fn make(&mut self, part: &str) -> Result<String> {
        self.ask(&format!("make {part}"))
    }

    pub fn accepts(&mut self, part: &str, text: &str) -> Result<bool> {
        Ok(self.ask(&format!("check {part} {text}"))? == "yes")
    }

    pub fn give(&mut self, part: &str, text: &str) -> Result<()> {
        self.ask(&format!("give {part} {text}")).map(drop)
    }

    /// Does it so often, and tells how long once takes: by the clock, and of the processor.
    pub fn time(&mut self, part: &str, times: u32) -> Result<[Duration; 2]> {
        let [wall, cpu] = self.durations(&format!("time {part} {times}"))?;
        Ok([wall / times, cpu / times])
    }

    /// Loads or saves so often, and tells the median and the 99th percentile.
    pub fn store(&mut self, store: &str, action: &str, times: u32) -> Result<[Duration; 2]> {
        self.durations(&format!("store {store} {action} {times}"))
    }

    /// How often it is to be done to take so long.
    pub fn times_in(&mut self, part: &str, length: Duration) -> Result<u32> {
        let mut times = 1;
        loop {
            let [once, _] = self.time(part, times)?;
            if once * times >= LEAST {
                return Ok(how_often(once, length).max(1));
            }
            times *= 4;
        }
    }

    /// How often a store is to be asked to take so long; a hundred times at least, to have a 99th percentile.
    pub fn times_at(&mut self, store: &str, action: &str, length: Duration) -> Result<u32> {
        let [once, _] = self.store(store, action, 100)?;
        Ok(how_often(once, length).max(100))
    }

    fn durations(&mut self, question: &str) -> Result<[Duration; 2]> {
        let answer = self.ask(question)?;
        let nanos = |text: &str| text.parse().map(Duration::from_nanos);
        match answer
            .split(' ')
            .map(nanos)
            .collect::<Result<Vec<_>, _>>()?
            .as_slice()
        {
            [one, other] => Ok([*one, *other]),
            _ => bail!("{} answered {question} with {answer}", self.who),
        }
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        let mut answer = String::new();
        let asked = writeln!(self.questions, "{question}").and_then(|()| self.questions.flush());
        if asked.is_ok() {
            self.answers.read_line(&mut answer)?;
        }
        match answer.strip_suffix('\n') {
            Some(answer) => Ok(answer.to_owned()),
            None => bail!("{} ended instead of answering {question}", self.who),
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // It holds nothing that wants a goodbye.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn how_often(once: Duration, length: Duration) -> u32 {
    let times = length.as_nanos() / once.as_nanos().max(1);
    // What is timed in memory alone would otherwise fill it with its figures.
    u32::try_from(times).unwrap_or(u32::MAX).min(2_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_has_the_size_that_the_page_says() {
        assert_eq!(SESSION.len(), 200);
    }
}
