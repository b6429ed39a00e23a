//! What stands under `_session_expiry`, and what Django makes of it.

use super::EXPIRY_KEY;
use crate::json;
use crate::moment::{InvalidMoment, MICROS, Moment};
use crate::session::SessionData;

/// A number of seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Age {
    /// Whole ones.
    Whole(i64),
    /// Others.
    Fractional(f64),
}

impl Age {
    /// The number in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a time this far away has no seconds")]
    pub const fn as_seconds(self) -> f64 {
        match self {
            Self::Whole(seconds) => seconds as f64,
            Self::Fractional(seconds) => seconds,
        }
    }

    /// The number as JSON.
    pub fn to_json(self) -> String {
        match self {
            Self::Whole(seconds) => seconds.to_string(),
            Self::Fractional(seconds) => json::to_string(&seconds).unwrap_or_default(),
        }
    }

    /// Reads a number from JSON, or a truth value, which Python counts as one.
    pub fn from_json(raw: &str) -> Option<Self> {
        match raw {
            "true" => Some(Self::Whole(1)),
            "false" => Some(Self::Whole(0)),
            _ => match (json::from_str(raw), json::from_str(raw)) {
                (Ok(seconds), _) => Some(Self::Whole(seconds)),
                (_, Ok(seconds)) => Some(Self::Fractional(seconds)),
                _ => None,
            },
        }
    }

    /// The number rounded down.
    pub fn whole_seconds(self) -> i64 {
        let seconds = self.micros().div_euclid(MICROS);
        i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX })
    }

    /// Says whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self.as_seconds() == 0.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time this far away has no microseconds"
    )]
    fn micros(self) -> i128 {
        match self {
            Self::Whole(seconds) => i128::from(seconds) * MICROS,
            Self::Fractional(seconds) => (seconds * 1e6).round_ties_even() as i128,
        }
    }
}

/// What may stand under `_session_expiry`.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredExpiry {
    /// Nothing.
    Absent,
    /// Seconds from the last change; zero until the browser closes.
    Seconds(Age),
    /// A point in time.
    At(String),
}

impl StoredExpiry {
    /// Reads what a session holds.
    pub fn of(session: &SessionData) -> Self {
        session.raw(EXPIRY_KEY).map_or(Self::Absent, Self::from_json)
    }

    /// Reads the JSON text of a value. What is neither number nor text counts as nothing.
    pub fn from_json(raw: &str) -> Self {
        match (Age::from_json(raw), json::from_str(raw)) {
            (Some(age), _) => Self::Seconds(age),
            (None, Ok(text)) => Self::At(text),
            (None, Err(_)) => Self::Absent,
        }
    }

    /// Writes the JSON text of the value; there is none where it is absent.
    pub fn to_json(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Seconds(age) => Some(age.to_json()),
            Self::At(text) => json::to_string(text).ok(),
        }
    }

    /// How long the session lasts that was last changed at `modified`: Django's `get_expiry_age`. `cookie_age` is what the settings say.
    ///
    /// # Errors
    ///
    /// Where the text is no point in time.
    pub fn age(&self, modified: Moment, cookie_age: Age) -> Result<Age, InvalidMoment> {
        Ok(match self {
            Self::Seconds(age) if !age.is_zero() => *age,
            Self::At(text) if !text.is_empty() => {
                let end: Moment = text.parse()?;
                let seconds = end.micros_since(modified).div_euclid(MICROS);
                Age::Whole(i64::try_from(seconds).unwrap_or(i64::MAX))
            }
            _ => cookie_age,
        })
    }

    /// When the session ends: Django's `get_expiry_date`.
    ///
    /// # Errors
    ///
    /// Where the text is no point in time.
    pub fn date(&self, modified: Moment, cookie_age: Age) -> Result<Moment, InvalidMoment> {
        let age = match self {
            Self::At(text) => return text.parse(),
            Self::Seconds(age) if !age.is_zero() => *age,
            _ => cookie_age,
        };
        Ok(modified.plus_micros(age.micros()))
    }

    /// Says whether the session ends with the browser: Django's `get_expire_at_browser_close`. `default` is what the settings say.
    pub fn is_at_browser_close(&self, default: bool) -> bool {
        match self {
            Self::Absent => default,
            Self::Seconds(age) => age.is_zero(),
            Self::At(_) => false,
        }
    }
}
