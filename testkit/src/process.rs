//! A program under test: started, listened to, stopped.
//!
//! Its output is read by threads, so that a test waits for the very line it needs and never for a guess of how long
//! a start takes, and so that the whole log is there to be printed when something went wrong.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

/// How long a program may take to stop by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running program; it and its children are stopped when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Output>,
    stopped: bool,
}

impl Process {
    /// Starts `command` in a process group of its own, with its output collected.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(mut command: Command) -> Result<Process> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let output = Arc::new(Output::default());
        if let Some(stdout) = child.stdout.take() {
            output.collect(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            output.collect(stderr);
        }
        Ok(Process {
            child,
            output,
            stopped: false,
        })
    }

    /// Waits for a line of the program's output that `find` makes something of.
    ///
    /// # Errors
    /// When the program ends or `patience` runs out first; the error carries all that the program printed.
    pub fn wait_for<T>(&self, patience: Duration, mut find: impl FnMut(&str) -> Option<T>) -> Result<T> {
        let mut seen = 0;
        let mut found = None;
        let (log, waited) = self
            .output
            .changed
            .wait_timeout_while(self.output.log(), patience, |log| {
                found = found
                    .take()
                    .or_else(|| log.lines.iter().skip(seen).find_map(|line| find(line)));
                seen = log.lines.len();
                found.is_none() && log.open > 0
            })
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found {
            return Ok(found);
        }
        let what = if waited.timed_out() {
            "did not say so in time"
        } else {
            "ended"
        };
        bail!("the program {what}; it printed:\n{}", log.lines.join("\n"))
    }

    /// Returns everything the program has printed so far, line by line, both streams in order of arrival.
    pub fn log(&self) -> String {
        self.output.log().lines.join("\n")
    }

    /// Returns the program's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the program, and not its children, a signal.
    pub fn signal(&self, signal: Signal) {
        // The process may have ended already, and a signal to nobody is no fault.
        let _gone = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Sends SIGTERM, as a service manager does, and waits for the end.
    ///
    /// # Errors
    /// When the program has not ended within ten seconds; it is killed then.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Kills the program without a warning, as a power cut would.
    ///
    /// # Errors
    /// When the system cannot say how it ended.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        self.reap()
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// When it has not ended within ten seconds; it is killed then.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let (log, waited) = self
            .output
            .changed
            .wait_timeout_while(self.output.log(), PATIENCE, |log| log.open > 0)
            .unwrap_or_else(PoisonError::into_inner);
        drop(log);
        if waited.timed_out() {
            self.kill()?;
            bail!(
                "the program did not end within {PATIENCE:?}; it printed:\n{}",
                self.log()
            );
        }
        self.reap()
    }

    /// Stops what the program left running, while its own id cannot yet belong to anybody else.
    fn reap(&mut self) -> Result<ExitStatus> {
        let id = Pid::from_child(&self.child);
        let _status = waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        let _gone = kill_process_group(id, Signal::KILL);
        self.stopped = true;
        Ok(self.child.wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.stopped {
            let _killed = self.terminate();
        }
    }
}

#[derive(Debug, Default)]
struct Output {
    log: Mutex<Log>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    lines: Vec<String>,
    open: usize,
}

impl Output {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        self.log().open += 1;
        let output = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                output.log().lines.push(line);
                output.changed.notify_all();
            }
            output.log().open -= 1;
            output.changed.notify_all();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    #[test]
    fn the_line_waited_for_is_found_in_either_stream() {
        let process = shell("echo starting; echo 'listening on 4711' >&2; exec tail -f /dev/null");
        let port = process.wait_for(PATIENCE, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        assert_eq!(port.unwrap(), "4711");
    }

    #[test]
    fn a_program_that_ends_early_is_reported_with_its_log() {
        let process = shell("echo 'the port is in use'");
        let error = process.wait_for(PATIENCE, |line| line.strip_prefix("listening").map(str::to_owned));
        assert!(error.unwrap_err().to_string().contains("the port is in use"));
    }

    #[test]
    fn a_program_asked_to_stop_may_say_goodbye() {
        let mut process = shell("trap 'echo goodbye; exit 3' TERM; echo ready; while :; do :; done");
        process
            .wait_for(PATIENCE, |line| (line == "ready").then_some(()))
            .unwrap();
        assert_eq!(process.terminate().unwrap().code(), Some(3));
        assert!(process.log().contains("goodbye"));
    }
}
