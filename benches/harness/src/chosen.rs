//! What is to be measured, as `--jobs` names it: jobs that servers are given, and single parts.

use std::fmt;
use std::str::FromStr;

use crate::job::Job;
use crate::parts::Part;
use crate::report;

/// What the help says of `--jobs`.
pub const HELP: &str = "Measure only these, of which the first nine are given to servers:
  i        a constant sentence without a stack
  ii       the same through the whole stack
  iii      a page that names the logged-in user
  iv       a logged-in form post with a CSRF token
  v        the same, counting in the session
  vi       the page of iii, sessions and users in PostgreSQL
  vii      the page of iii, sessions in Redis and users in PostgreSQL
  viii     a file of 1 KiB, sent to its owner alone (by nginx: to anybody)
  ix       a file of 1 MiB, likewise
  pbkdf2   PBKDF2-SHA256, 1,000,000 iterations, beside Python's hashlib
  argon2   Argon2id at Django's parameters, beside argon2-cffi
  session  a session of 200 bytes encoded and decoded, beside Django
  csrf     a CSRF secret masked and a token matched, beside Django
  stores   a session loaded and saved in each store
PostgreSQL, Redis and MariaDB are started where they are needed, in temporary folders";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chosen {
    Job(Job),
    Part(Part),
}

impl Chosen {
    pub fn all() -> Vec<Self> {
        let jobs = Job::ALL.into_iter().map(Self::Job);
        jobs.chain(Part::ALL.into_iter().map(Self::Part)).collect()
    }

    pub fn job(self) -> Option<Job> {
        match self {
            Self::Job(job) => Some(job),
            Self::Part(_) => None,
        }
    }

    pub fn part(self) -> Option<Part> {
        match self {
            Self::Job(_) => None,
            Self::Part(part) => Some(part),
        }
    }

    /// The block that its figures stand in.
    pub fn block(self) -> &'static str {
        match self {
            Self::Job(job) => report::block(job),
            Self::Part(part) => part.block(),
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Job(job) => job.number(),
            Self::Part(part) => part.name(),
        })
    }
}

impl FromStr for Chosen {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::all();
        let found = known.iter().find(|chosen| chosen.to_string() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("no such job; the jobs are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_teaches_every_job() {
        for chosen in Chosen::all() {
            assert!(HELP.contains(&format!("\n  {chosen} ")), "{chosen}");
            assert_eq!(chosen.to_string().parse(), Ok(chosen));
        }
    }
}
