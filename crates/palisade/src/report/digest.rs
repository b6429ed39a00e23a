//! What was seen since it was told: a line for a fault in place of a letter for each time.

use std::fmt::Write as _;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How many faults a digest lists.
const LISTED: usize = 100;

/// A fault that was seen again after it was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenAgain {
    /// What its report was called.
    pub subject: String,
    /// How often.
    pub times: u64,
    /// When last.
    pub last_time: SystemTime,
    /// The id of that request.
    pub last_id: String,
}

/// What was seen since it was told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorDigest {
    /// When it was summed up.
    pub time: SystemTime,
    /// What was seen again, the most frequent first.
    pub faults: Vec<SeenAgain>,
    /// How many others were not reported, since there were too many. The log has them.
    pub untold: u64,
}

impl ErrorDigest {
    /// Whether everything has been told.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.untold == 0
    }

    /// One line: how many faults there were.
    pub fn subject(&self) -> String {
        let times = self.faults.iter().map(|fault| fault.times);
        let times = times.fold(self.untold, u64::saturating_add);
        format!("{times} more faults since they were reported")
    }

    /// The digest as text, a line for each fault.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        for fault in self.faults.iter().take(LISTED) {
            let time = OffsetDateTime::from(fault.last_time).format(&Rfc3339);
            let (times, time) = (fault.times, time.unwrap_or_default());
            let _ = writeln!(
                text,
                "{times} times  {}\n  last at {time}, number {}",
                fault.subject, fault.last_id
            );
        }
        let more = self.faults.len().saturating_sub(LISTED);
        if more > 0 {
            let _ = writeln!(text, "… and {more} other faults that had been reported");
        }
        if self.untold > 0 {
            let _ = writeln!(
                text,
                "{} faults have no report, since there were too many of them. The log has each, on palisade::error.",
                self.untold
            );
        }
        text
    }
}
