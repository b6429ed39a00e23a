//! When a session ends: the core's answers about what stands under `_session_expiry`, and Django's errors.

use palisade_core::moment::Moment;
use palisade_core::session::{Age, EXPIRY_KEY, StoredExpiry};

use super::{EngineError, EngineSession, Storage};

impl<S: Storage> EngineSession<'_, S> {
    fn stored_expiry(&mut self) -> Result<StoredExpiry, EngineError> {
        Ok(StoredExpiry::of(self.session()?))
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
        let modification = modification.unwrap_or(self.deployment.now_written);
        Ok(expiry.age(modification, Age::Whole(self.deployment.cookie_age))?)
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
        let modification = modification.unwrap_or(self.deployment.now_written);
        Ok(expiry.date(modification, Age::Whole(self.deployment.cookie_age))?)
    }

    /// Sets when the session ends: after so many seconds without a change, at a point in time, or, with nothing, as the settings say.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn set_expiry(&mut self, expiry: &StoredExpiry) -> Result<(), EngineError> {
        match expiry.to_json() {
            Some(value) => self.set(EXPIRY_KEY, value),
            None => match self.remove(EXPIRY_KEY) {
                Err(EngineError::NoSuchKey(_)) => Ok(()),
                removed => removed,
            },
        }
    }

    /// Lets the session end so many seconds from now, however often it changes until then.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn set_expiry_in(&mut self, length: Age) -> Result<(), EngineError> {
        let end = StoredExpiry::Seconds(length).date(self.deployment.now_written, length)?;
        self.set_expiry(&StoredExpiry::At(end.to_string()))
    }

    /// Says whether the session ends when the browser is closed.
    ///
    /// # Errors
    ///
    /// When the storage fails.
    pub fn expires_at_browser_close(&mut self) -> Result<bool, EngineError> {
        let default = self.deployment.browser_close;
        Ok(self.stored_expiry()?.is_at_browser_close(default))
    }
}
