//! What a response does to a session and its cookie: Django's `SessionMiddleware`.

use super::{Age, EngineError, EngineSession, Storage};

/// What becomes of the session cookie.
#[derive(Clone, Debug, PartialEq)]
pub enum CookieChange {
    /// Nothing.
    Keep,
    /// It is taken away: the session is empty, and the browser has sent a key.
    Delete,
    /// The key is sent, to be kept so long; without an age, until the browser closes.
    Set(Option<Age>),
}

impl<S: Storage> EngineSession<'_, S> {
    /// Saves the session, where it has changed and the request did not fail, and says what becomes of the cookie, and whether the
    /// response is to say `Vary: Cookie`.
    ///
    /// `was_sent` tells whether the browser sent a session cookie; `save_every_request` is the setting of that name.
    ///
    /// # Errors
    ///
    /// [`EngineError::Interrupted`] where the session was deleted meanwhile; when the storage fails.
    pub fn finish(
        &mut self,
        was_sent: bool,
        save_every_request: bool,
        status: u16,
    ) -> Result<(CookieChange, bool), EngineError> {
        let (accessed, is_empty) = (self.is_accessed(), self.is_empty());
        if was_sent && is_empty {
            return Ok((CookieChange::Delete, true));
        }
        if is_empty || !(self.is_modified() || save_every_request) {
            return Ok((CookieChange::Keep, accessed));
        }
        let age = if self.expires_at_browser_close()? {
            None
        } else {
            Some(self.expiry_age(None, None)?)
        };
        if status >= 500 {
            return Ok((CookieChange::Keep, accessed));
        }
        match self.save(false) {
            Err(EngineError::Update) => Err(EngineError::Interrupted),
            Err(error) => Err(error),
            Ok(()) => Ok((CookieChange::Set(age), true)),
        }
    }
}
