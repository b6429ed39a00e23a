//! Why somebody was not logged in, signed up, or given a new password.

use std::time::Duration;

use palisade_core::Threat;

use super::second_factor::FactorError;
use super::user::UserStoreError;
use crate::password::{HashError, PasswordProblem};
use crate::rejection::Rejection;
use crate::session::SessionError;
use crate::throttle::{ThrottleError, ThrottleStoreError, in_words};

/// What can keep a login, a logout or a look-up from being done. None of it says whether a name or a password is right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The session cannot be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The users cannot be read or written.
    #[error(transparent)]
    Store(#[from] UserStoreError),
    /// The password cannot be hashed now.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The second factor cannot be asked for or changed.
    #[error(transparent)]
    SecondFactor(FactorError),
    /// There were too many tries. Nothing was verified; the sentence is for the person, and the same whether or not there is such a
    /// user.
    #[error("Too many tries. Please try again in {}.", in_words(*retry_after))]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Nobody can say how many tries there were.
    #[error(transparent)]
    Throttle(#[from] ThrottleStoreError),
}

impl From<FactorError> for AuthError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Store(error) => Self::Store(error),
            error => Self::SecondFactor(error),
        }
    }
}

impl From<ThrottleError> for AuthError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::Throttled { retry_after } => Self::Throttled { retry_after },
            ThrottleError::Unavailable(error) => Self::Throttle(error),
        }
    }
}

impl AuthError {
    /// Whether no wrong password was found out by what failed, so that the try need not count.
    pub(super) fn found_nothing_out(&self) -> bool {
        matches!(
            self,
            Self::Session(_) | Self::Store(_) | Self::Hash(HashError::Busy { .. })
        )
    }
}

impl From<AuthError> for Rejection {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Session(error) => error.into(),
            AuthError::SecondFactor(FactorError::Contended) => {
                Rejection::unavailable(error.to_string(), 5).with_hint("Please try again in a moment.")
            }
            AuthError::SecondFactor(error) => Rejection::internal(error.to_string()),
            AuthError::Store(error @ UserStoreError::Unsupported(_)) => {
                Rejection::internal(error.to_string())
            }
            AuthError::Store(error) => {
                let source = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                Rejection::unavailable(format!("{error}: {source}"), 5)
                    .with_hint("Please try again in a moment.")
            }
            AuthError::Hash(HashError::Busy { retry_after }) => {
                let seconds = u32::try_from(retry_after.as_secs().max(1)).unwrap_or(u32::MAX);
                Rejection::unavailable("the password hashers are busy", seconds)
                    .with_threat(Threat::ResourceExhaustion)
                    .with_hint("Many people are logging in right now. Please try again in a moment.")
            }
            AuthError::Hash(error) => Rejection::internal(error.to_string()),
            AuthError::Throttled { retry_after } => ThrottleError::Throttled { retry_after }.into(),
            AuthError::Throttle(error) => error.into(),
        }
    }
}

impl axum::response::IntoResponse for AuthError {
    fn into_response(self) -> axum::response::Response {
        Rejection::from(self).into_response()
    }
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignUpError {
    /// There is a user of that name.
    #[error("A user with that username already exists.")]
    NameTaken,
    /// The name is none.
    #[error("{0}")]
    Username(crate::password::InvalidUsername),
    /// The password is too weak, each way in a sentence.
    #[error("the password is too weak")]
    Password(Vec<PasswordProblem>),
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordChangeError {
    /// The old password is wrong.
    #[error("Your old password was entered incorrectly. Please enter it again.")]
    OldPassword,
    /// The new password is too weak, each way in a sentence.
    #[error("the password is too weak")]
    Password(Vec<PasswordProblem>),
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}
