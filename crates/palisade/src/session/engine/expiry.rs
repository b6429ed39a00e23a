//! When a session ends, as Django computes it from what stands under `_session_expiry`.

use palisade_core::json;
use palisade_core::moment::{MICROS, Moment};
use palisade_core::session::EXPIRY_KEY;

use super::{EngineError, EngineSession, Storage};

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

    fn is_zero(self) -> bool {
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
    /// Reads the JSON text of a value. What is neither number nor text counts as nothing.
    pub fn from_json(raw: &str) -> Self {
        match (Age::from_json(raw), json::from_str(raw)) {
            (Some(age), _) => Self::Seconds(age),
            (None, Ok(text)) => Self::At(text),
            (None, Err(_)) => Self::Absent,
        }
    }
}

impl<S: Storage> EngineSession<'_, S> {
    fn stored_expiry(&mut self) -> Result<StoredExpiry, EngineError> {
        let raw = self.session()?.raw(EXPIRY_KEY);
        Ok(raw.map_or(StoredExpiry::Absent, StoredExpiry::from_json))
    }

    /// How many seconds the session lasts that was last changed at `modification` (now, if nothing is said), by its own
    /// expiry or by another.
    ///
    /// # Errors
    ///
    /// When the storage fails; [`EngineError::Expiry`].
    pub fn expiry_age(
        &mut self,
        modification: Option<Moment>,
        expiry: Option<StoredExpiry>,
    ) -> Result<Age, EngineError> {
        let expiry = match expiry {
            Some(expiry) => expiry,
            None => self.stored_expiry()?,
        };
        Ok(match expiry {
            StoredExpiry::Seconds(age) if !age.is_zero() => age,
            StoredExpiry::At(text) if !text.is_empty() => {
                let end: Moment = text.parse()?;
                let modification = modification.unwrap_or(self.deployment.now_written);
                let seconds = end.micros_since(modification).div_euclid(MICROS);
                Age::Whole(i64::try_from(seconds).unwrap_or(i64::MAX))
            }
            _ => Age::Whole(self.deployment.cookie_age),
        })
    }

    /// When the session ends, as [`Self::expiry_age`].
    ///
    /// # Errors
    ///
    /// When the storage fails; [`EngineError::Expiry`].
    pub fn expiry_date(
        &mut self,
        modification: Option<Moment>,
        expiry: Option<StoredExpiry>,
    ) -> Result<Moment, EngineError> {
        let expiry = match expiry {
            Some(expiry) => expiry,
            None => self.stored_expiry()?,
        };
        let age = match expiry {
            StoredExpiry::At(text) => return Ok(text.parse()?),
            StoredExpiry::Seconds(age) if !age.is_zero() => age,
            _ => Age::Whole(self.deployment.cookie_age),
        };
        let modification = modification.unwrap_or(self.deployment.now_written);
        Ok(modification.plus_micros(age.micros()))
    }

    /// Sets when the session ends: after so many seconds without a change, at a point in time, or, with nothing, as the settings say.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn set_expiry(&mut self, expiry: StoredExpiry) -> Result<(), EngineError> {
        let value = match expiry {
            StoredExpiry::Absent => {
                return match self.remove(EXPIRY_KEY) {
                    Err(EngineError::NoSuchKey(_)) => Ok(()),
                    removed => removed,
                };
            }
            StoredExpiry::Seconds(age) => age.to_json(),
            StoredExpiry::At(text) => json::to_string(&text).unwrap_or_default(),
        };
        self.set(EXPIRY_KEY, value)
    }

    /// Lets the session end so many seconds from now, however often it changes until then.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn set_expiry_in(&mut self, length: Age) -> Result<(), EngineError> {
        let end = self.deployment.now_written.plus_micros(length.micros());
        self.set_expiry(StoredExpiry::At(end.to_string()))
    }

    /// Says whether the session ends when the browser is closed.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn expires_at_browser_close(&mut self) -> Result<bool, EngineError> {
        Ok(match self.stored_expiry()? {
            StoredExpiry::Absent => self.deployment.browser_close,
            StoredExpiry::Seconds(age) => age.is_zero(),
            StoredExpiry::At(_) => false,
        })
    }
}
