//! Django's answers to single questions, over a pipe: `gauntlet/django_site/answers.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::ground::Ground;
use super::{Agreement, django};

/// A Django process that answers questions; it ends when this is dropped.
#[derive(Debug)]
pub struct Oracle {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _ground: Arc<Ground>,
}

impl Oracle {
    /// Starts an oracle on a database of its own.
    ///
    /// # Errors
    /// When Django cannot be installed or started.
    pub fn alone(agreement: &Agreement) -> Result<Oracle> {
        Oracle::start(&Arc::new(Ground::new(agreement)?), agreement)
    }

    pub(super) fn start(ground: &Arc<Ground>, agreement: &Agreement) -> Result<Oracle> {
        let mut child = django::python(ground, agreement)?
            .arg("answers.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().context("the oracle has no input")?;
        let stdout = child.stdout.take().context("the oracle has no output")?;
        Ok(Oracle {
            child,
            pipes: Mutex::new((stdin, BufReader::new(stdout))),
            _ground: Arc::clone(ground),
        })
    }

    /// What the README's command to dump a site's settings prints, without a process of its own.
    ///
    /// # Errors
    /// As [`ask`](Oracle::ask).
    pub fn settings(&self) -> Result<String> {
        self.text(json!({"script": django::dump_script()?}), "shell")
    }

    /// Asks a question: the name of a function and its arguments, as one object.
    ///
    /// # Errors
    /// When Django raised an exception instead of answering; the error is its name and message.
    pub fn ask(&self, mut question: Value, ask: &str) -> Result<Value> {
        question
            .as_object_mut()
            .context("the arguments are no object")?
            .insert("ask".to_owned(), ask.into());
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{question}")?;
        stdin.flush()?;
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let mut said: Value = serde_json::from_str(&line).context("the oracle is gone")?;
        match said.get_mut("answer").map(Value::take) {
            Some(answer) => Ok(answer),
            None => bail!(
                "{}",
                said.get("error").and_then(Value::as_str).unwrap_or("no answer")
            ),
        }
    }

    /// Asks for a text.
    ///
    /// # Errors
    /// As [`ask`](Oracle::ask), and when the answer is none.
    pub fn text(&self, question: Value, ask: &str) -> Result<String> {
        let answer = self.ask(question, ask)?;
        Ok(answer.as_str().context("the answer is no text")?.to_owned())
    }

    /// Asks for a yes or no.
    ///
    /// # Errors
    /// As [`ask`](Oracle::ask), and when the answer is neither.
    pub fn is(&self, question: Value, ask: &str) -> Result<bool> {
        let answer = self.ask(question, ask)?;
        answer.as_bool().context("the answer is neither yes nor no")
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
