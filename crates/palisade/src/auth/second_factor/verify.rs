//! Whether a code is right, and that each is used once: by compare-and-swap on the step of the last one.
//!
//! How many may be tried is not decided here: whoever asks has counted the try before, in the throttle.

use std::time::{SystemTime, UNIX_EPOCH};

use palisade_core::Sensitive;

use super::recovery;
use super::{SecondFactors, StoredFactor, code};
use crate::auth::user::UserStoreError;
use crate::seal::{OpenError, Place, SealError};

/// How often a change is begun again because somebody else came first.
const TURNS: usize = 50;

/// Why a second factor cannot be asked for or changed. None of it is the person's doing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorError {
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] UserStoreError),
    /// The secret does not open.
    #[error("the secret of a second factor does not open: {0}")]
    Open(#[from] OpenError),
    /// The secret cannot be sealed.
    #[error("the secret of a second factor cannot be sealed: {0}")]
    Seal(#[from] SealError),
    /// Others change the same second factor all the time.
    #[error("too many requests change one second factor at the same time")]
    Contended,
    /// The secret makes no codes.
    #[error("the secret of a second factor is damaged")]
    Damaged,
    /// There is no store of second factors.
    #[error("there are no second factors: give Palisade a store with with_second_factors")]
    NoStore,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is right, and used up.
    Right,
    /// It was a recovery code, and is used up.
    Recovery,
    /// It is wrong, or was used before.
    Wrong,
    /// There is no second factor any more.
    NoFactor,
}

impl SecondFactors {
    /// Looks at a code, of the authenticator or for recovery, and uses it up.
    pub(super) async fn verify(
        &self,
        user: i64,
        typed: &Sensitive<String>,
        now: SystemTime,
    ) -> Result<Verdict, FactorError> {
        for _ in 0..TURNS {
            let Some(factor) = self.store.find(user).await?.filter(|factor| factor.confirmed) else {
                return Ok(Verdict::NoFactor);
            };
            let turn = match recovery::normal(typed.expose()) {
                Some(code) => self.try_recovery(user, &factor, &code).await?,
                None => self.try_code(user, &factor, typed, now).await?,
            };
            if let Some(verdict) = turn {
                return Ok(verdict);
            }
        }
        Err(FactorError::Contended)
    }

    /// None where somebody else came first.
    async fn try_recovery(
        &self,
        user: i64,
        factor: &StoredFactor,
        code: &Sensitive<String>,
    ) -> Result<Option<Verdict>, FactorError> {
        let Some(left) = recovery::without(&factor.recovery, user, code) else {
            return Ok(Some(Verdict::Wrong));
        };
        let used = factor.changed(|factor| factor.recovery = left);
        let swapped = self.store.swap(user, factor.revision, used).await?;
        Ok(swapped.then_some(Verdict::Recovery))
    }

    /// None where somebody else came first.
    async fn try_code(
        &self,
        user: i64,
        factor: &StoredFactor,
        typed: &Sensitive<String>,
        now: SystemTime,
    ) -> Result<Option<Verdict>, FactorError> {
        let secret = self.open(user, factor)?;
        let code: String = typed.expose().chars().filter(|c| !c.is_whitespace()).collect();
        let step = code::step_of(&secret, &code, now).filter(|step| *step > factor.last_step);
        let Some(step) = step else {
            return Ok(Some(Verdict::Wrong));
        };
        let sealed = if self.keys.is_outdated(&factor.secret) {
            Some(self.seal(user, &secret)?)
        } else {
            None
        };
        let used = factor.changed(|factor| {
            factor.last_step = step;
            if let Some(sealed) = sealed {
                factor.secret = sealed;
            }
        });
        let swapped = self.store.swap(user, factor.revision, used).await?;
        Ok(swapped.then_some(Verdict::Right))
    }

    pub(super) fn seal(&self, user: i64, secret: &Sensitive<Vec<u8>>) -> Result<String, FactorError> {
        Ok(self.keys.seal(&place(&user.to_string()), secret.expose())?)
    }

    pub(super) fn open(&self, user: i64, factor: &StoredFactor) -> Result<Sensitive<Vec<u8>>, FactorError> {
        Ok(self.keys.open(&place(&user.to_string()), &factor.secret)?)
    }
}

fn place(user: &str) -> Place<'_> {
    Place::new("totp secret", "palisade_second_factor", user)
}

pub(super) fn seconds(now: SystemTime) -> i64 {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
