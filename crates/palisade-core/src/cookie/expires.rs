//! `expires`: the date after which the browser forgets the cookie.
//!
//! Django copies a date that was given as text, whatever it says, and writes a point in time as an HTTP date. Both are kept
//! here as the text that is sent; what a browser makes of it is asked for with [`Expires::time`].

use std::fmt;
use std::time::{Duration, SystemTime};

use super::InvalidCookie;
use super::attributes::checked;

/// The text of a cookie's `expires` attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expires {
    text: String,
}

/// The last second of the year 9999, the last that an HTTP date can name.
const LAST: Duration = Duration::from_secs(253_402_300_799);

impl Expires {
    /// Writes a point in time as an HTTP date; one outside the years 1970 to 9999 becomes the nearest inside.
    pub fn at(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .min(LAST);
        Self {
            text: httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since),
        }
    }

    /// Copies a date as it is written.
    ///
    /// # Errors
    /// When the text holds a line break, a semicolon or a control character.
    pub fn from_text(text: &str) -> Result<Self, InvalidCookie> {
        Ok(Self {
            text: checked(text)?.to_owned(),
        })
    }

    /// Returns the point in time, if the text is a date that browsers understand.
    pub fn time(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(&self.text)
            .or_else(|_| httpdate::parse_http_date(&spaced(&self.text)))
            .ok()
    }

    /// Returns the text that is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Turns the old cookie date `Tue, 14-Nov-2023 22:13:30 GMT` into an HTTP date.
fn spaced(text: &str) -> String {
    text.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_time_is_an_http_date_and_is_read_back() {
        let expires = Expires::at(after(1_700_000_010));
        assert_eq!(expires.as_str(), "Tue, 14 Nov 2023 22:13:30 GMT");
        assert_eq!(expires.time(), Some(after(1_700_000_010)));
        let old = Expires::from_text("Tue, 14-Nov-2023 22:13:30 GMT").unwrap();
        assert_eq!(old.time(), Some(after(1_700_000_010)));
        assert_eq!(Expires::from_text("tomorrow").unwrap().time(), None);
    }

    #[test]
    fn times_that_no_http_date_can_name_are_moved_inside() {
        assert_eq!(
            Expires::at(SystemTime::UNIX_EPOCH - Duration::from_secs(5)).as_str(),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
        assert_eq!(
            Expires::at(after(1 << 40)).as_str(),
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
    }
}
