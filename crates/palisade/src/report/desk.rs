//! The thread that writes reports: a bounded number waits for it, and nobody waits for what it does.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::limit::{AGAIN, Limit};
use super::{ErrorDigest, Facts, ReportSink};
use crate::clock::Clock;
use crate::redact::Redactor;

/// How many faults may wait to be written, at some kilobytes each.
const WAITING: usize = 100;
/// How long the thread sleeps before it looks at the clock again, where something is to be summed up.
const NAP: Duration = Duration::from_mins(1);
/// How long the end of a program waits for what is still to be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// What reports are made of, and for whom.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) sinks: Vec<Arc<dyn ReportSink>>,
    pub(super) limit: Limit,
    pub(super) clock: Clock,
    pub(super) settings: String,
    pub(super) redactor: Arc<Redactor>,
}

/// A fault that is to be told.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) facts: Facts,
    pub(super) now: SystemTime,
    pub(super) seen: u64,
}

/// Where faults are left to be told. When it is dropped what waits is still written.
#[derive(Debug)]
pub(super) struct Desk {
    parts: Arc<Parts>,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    state: Mutex<State>,
    bell: Condvar,
    /// Whether nobody works any more.
    idle: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Job, Option<Handle>)>,
    dropped: u64,
    is_open: bool,
    is_ending: bool,
}

/// What there is to do.
enum Turn {
    Write(Box<(Job, Option<Handle>)>),
    Look,
    End,
}

impl Desk {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            line: Arc::new(Line {
                state: Mutex::default(),
                bell: Condvar::new(),
                idle: watch::Sender::new(true),
            }),
        }
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Leaves a fault to be told, without waiting.
    pub(super) fn leave(&self, job: Job) {
        let mut state = self.line.state();
        if state.waiting.len() >= WAITING || state.is_ending {
            state.dropped += 1;
            // Somebody has to hear of it even where the one who writes hangs; and not each time.
            if state.dropped.is_power_of_two() {
                let dropped = state.dropped;
                drop(state);
                tracing::error!(target: "palisade::report", dropped, "faults are not reported: too many wait to be, or this is the end");
            }
            return;
        }
        state.waiting.push_back((job, Handle::try_current().ok()));
        if !state.is_open {
            let (parts, line) = (Arc::clone(&self.parts), Arc::clone(&self.line));
            let thread = std::thread::Builder::new().name("palisade-report".to_owned());
            match thread.spawn(move || work(&parts, &line)) {
                Ok(_) => {
                    state.is_open = true;
                    self.line.idle.send_replace(false);
                }
                // They wait until there is one.
                Err(error) => {
                    tracing::error!(target: "palisade::report", %error, "there is no thread to report faults");
                }
            }
        }
        drop(state);
        self.line.bell.notify_one();
    }

    /// Has everything written that waits, and takes nothing more.
    pub(super) async fn close(&self) {
        self.line.end();
        let mut idle = self.line.idle.subscribe();
        let closed = tokio::time::timeout(PATIENCE, idle.wait_for(|idle| *idle)).await;
        if closed.is_err() {
            let left = self.line.state().waiting.len() + 1;
            tracing::error!(target: "palisade::report", left, "faults could not be reported before the end");
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.line.end();
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.state().is_ending = true;
        self.bell.notify_one();
    }

    /// Waits for something to do.
    fn next(&self, nap: Option<Duration>) -> Turn {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Turn::Write(Box::new(job));
            }
            if state.is_ending {
                return Turn::End;
            }
            state = match nap {
                None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(nap) => {
                    let (mut state, slept) = self
                        .bell
                        .wait_timeout(state, nap)
                        .unwrap_or_else(PoisonError::into_inner);
                    match state.waiting.pop_front() {
                        Some(job) => return Turn::Write(Box::new(job)),
                        None if slept.timed_out() => return Turn::Look,
                        None => state,
                    }
                }
            };
        }
    }

    fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.state().dropped)
    }
}

fn work(parts: &Parts, line: &Line) {
    let mut due: Option<SystemTime> = None;
    let mut runtime: Option<Handle> = None;
    loop {
        let turn = line.next(due.map(|_| NAP));
        let is_end = matches!(turn, Turn::End);
        if let Turn::Write(job) = turn {
            let (job, handle) = *job;
            runtime = handle.or(runtime);
            // What a sink of the site's own starts, it may start as a handler may.
            let _inside = runtime.as_ref().map(Handle::enter);
            due = due.or(Some(job.now + AGAIN));
            parts.write(&job);
        }
        let now = parts.clock.now();
        // A clock that was set back puts it off by an hour at most.
        let is_due = |due: SystemTime| due <= now || due > now + AGAIN;
        if is_end || due.is_some_and(is_due) {
            let _inside = runtime.as_ref().map(Handle::enter);
            parts.sum_up(now, line.take_dropped());
            due = (!parts.limit.is_quiet(now)).then(|| now + AGAIN);
        }
        if is_end {
            line.idle.send_replace(true);
            return;
        }
    }
}

impl Parts {
    fn write(&self, job: &Job) {
        let write = || job.facts.write(&self.redactor, &self.settings, job.now, job.seen);
        match catch_unwind(AssertUnwindSafe(write)) {
            Ok(report) => self.tell(|sink| sink.take(&report)),
            Err(_) => {
                tracing::error!(target: "palisade::report", id = job.facts.id, "a report could not be written");
            }
        }
    }

    fn sum_up(&self, time: SystemTime, dropped: u64) {
        let (faults, untold) = self.limit.sum_up();
        let untold = untold + dropped;
        if untold > 0 {
            tracing::warn!(target: "palisade::report", untold, "faults were not reported: there were too many others");
        }
        let digest = ErrorDigest { time, faults, untold };
        self.tell(|sink| sink.sum_up(&digest));
    }

    /// One that panics keeps no other from being told, nor itself the next time.
    fn tell(&self, about: impl Fn(&dyn ReportSink)) {
        for sink in &self.sinks {
            if catch_unwind(AssertUnwindSafe(|| about(&**sink))).is_err() {
                tracing::error!(target: "palisade::report", ?sink, "a sink of reports panicked");
            }
        }
    }
}
