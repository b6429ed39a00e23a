//! What came of a walk: a table of steps.

use std::fmt;

use http::Method;

use super::person::Who;
use super::visit::{Answer, Login};
use crate::router::RouteLine;
use crate::text_table;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The route's path, as the report has it.
    pub path: String,
    /// The method; none, where no request could be made.
    pub method: Option<Method>,
    /// Who asked.
    pub who: Option<Who>,
    /// Whether that was somebody whose login is long ago; everybody else has just logged in.
    pub long_ago: bool,
    /// What the route says of itself.
    pub rule: String,
    /// What was answered.
    pub answer: String,
    /// What is wrong with it, if something is.
    pub wrong: Option<String>,
}

impl Step {
    pub(super) fn new(
        line: &RouteLine,
        method: &Method,
        (who, login): (Who, Login),
        answer: &Answer,
        wrong: Option<String>,
    ) -> Self {
        let status = answer.status.as_u16();
        Self {
            path: line.path.clone(),
            method: Some(method.clone()),
            who: Some(who),
            long_ago: login == Login::LongAgo,
            rule: line.who(),
            answer: match &answer.location {
                Some(location) => format!("{status} to {location}"),
                None => status.to_string(),
            },
            wrong,
        }
    }

    /// Something is wrong before any request.
    pub(super) fn about(path: &str, wrong: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            method: None,
            who: None,
            long_ago: false,
            rule: String::new(),
            answer: String::new(),
            wrong: Some(wrong.into()),
        }
    }

    fn cells(&self) -> [String; 6] {
        [
            self.path.clone(),
            self.method.as_ref().map_or_else(String::new, ToString::to_string),
            self.who.map_or_else(String::new, |who| {
                let ago = if self.long_ago { ", long ago" } else { "" };
                format!("{who}{ago}")
            }),
            self.rule.clone(),
            self.answer.clone(),
            self.wrong.clone().unwrap_or_default(),
        ]
    }
}

/// A walk on which every answer was as the rules say. It prints as a table.
#[derive(Clone, Debug)]
pub struct Walked {
    steps: Vec<Step>,
}

impl Walked {
    pub(super) fn of(steps: Vec<Step>) -> Result<Self, WalkError> {
        if steps.iter().all(|step| step.wrong.is_none()) {
            return Ok(Self { steps });
        }
        let wrong = steps.into_iter().filter(|step| step.wrong.is_some()).collect();
        Err(WalkError { wrong, stopped: None })
    }

    /// Every request that was made, with its answer.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for Walked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(&self.steps, f)
    }
}

/// A walk on which something was answered otherwise than the rules say. It prints each wrong step as a line of a table.
#[derive(Clone, thiserror::Error)]
pub struct WalkError {
    wrong: Vec<Step>,
    stopped: Option<String>,
}

impl WalkError {
    pub(super) fn stopped(why: String) -> Self {
        Self {
            wrong: Vec::new(),
            stopped: Some(why),
        }
    }

    /// The steps that were answered wrong.
    pub fn wrong(&self) -> &[Step] {
        &self.wrong
    }
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.stopped {
            return write!(f, "the walk could not be made: {why}");
        }
        writeln!(f, "{} answers are not what the routes say:", self.wrong.len())?;
        table(&self.wrong, f)
    }
}

/// The same, for `unwrap`.
impl fmt::Debug for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const HEADINGS: [&str; 6] = ["ROUTE", "METHOD", "WHO", "RULE", "ANSWER", "WRONG"];

fn table(steps: &[Step], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    text_table::write(f, HEADINGS, steps.iter().map(Step::cells))
}
