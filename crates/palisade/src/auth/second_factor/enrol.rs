//! Adding, renewing and removing a second factor, for whoever has just proven who they are.

use palisade_core::{Sensitive, token};

use super::SecondFactors;
use super::code::{self, Enrolment};
use super::recovery::{self, RecoveryCodes};
use super::store::StoredFactor;
use super::verify::FactorError;
use crate::auth::error::AuthError;
use crate::auth::extract::LoggedIn;
use crate::auth::letters::AccountEvent;
use crate::auth::login::Auth;
use crate::auth::recent::Recent;

/// How often a change is begun again because somebody else came first.
const TURNS: usize = 5;

/// Which second factor was begun in this session, by its revision. Only here is its secret told again, and only here is it confirmed:
/// whoever began one in another session of the user's, and has its secret, must not find it confirmed by the owner later.
const BEGUN: &str = "_palisade_second_factor_begun";

/// Why a second factor was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The code is not the one that the authenticator shows now.
    #[error("That is not the code that your authenticator shows now. Please enter the next one.")]
    WrongCode,
    /// There is one already: it is to be removed first.
    #[error("There is a second factor already.")]
    Confirmed,
    /// There is none to be confirmed, or no more, or it was begun in another session.
    #[error("There is no second factor to be confirmed. Please begin anew.")]
    NotBegun,
    /// Not the person's doing.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl From<FactorError> for EnrolError {
    fn from(error: FactorError) -> Self {
        Self::Auth(error.into())
    }
}

/// Whether a user has a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecondFactorStatus {
    /// No.
    None,
    /// One was begun and not confirmed: it is not asked for.
    Begun,
    /// Yes.
    Confirmed {
        /// How many recovery codes are unused.
        recovery_codes: usize,
    },
}

impl Auth {
    fn factors(&self) -> Result<&SecondFactors, FactorError> {
        self.context.second_factors().ok_or(FactorError::NoStore)
    }

    async fn was_begun_here(&self, factor: &StoredFactor) -> Result<bool, AuthError> {
        let begun: Option<i64> = self.session.get(BEGUN).await?;
        Ok(begun == Some(factor.revision))
    }

    /// Says whether a user has a second factor.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, or there is none.
    pub async fn second_factor(&self, user: &LoggedIn) -> Result<SecondFactorStatus, AuthError> {
        let found = self.factors()?.store.find(user.id).await?;
        Ok(match found {
            None => SecondFactorStatus::None,
            Some(factor) if !factor.confirmed => SecondFactorStatus::Begun,
            Some(factor) => SecondFactorStatus::Confirmed {
                recovery_codes: recovery::count(&factor.recovery),
            },
        })
    }

    /// Begins a second factor: what the authenticator is to be told, under the name of the site. It is asked for only when a code has
    /// confirmed it; until then the same is told again in this session, and in another one a new one is begun in its place.
    ///
    /// # Errors
    ///
    /// [`EnrolError::Confirmed`] if there is one already, or what is not the person's doing.
    pub async fn begin_second_factor(
        &self,
        user: &Recent<LoggedIn>,
        issuer: &str,
    ) -> Result<Enrolment, EnrolError> {
        let factors = self.factors()?;
        for _ in 0..TURNS {
            let found = factors.store.find(user.id).await.map_err(FactorError::from)?;
            let secret = match found {
                Some(factor) if factor.confirmed => return Err(EnrolError::Confirmed),
                Some(factor) if self.was_begun_here(&factor).await? => factors.open(user.id, &factor)?,
                found => {
                    let secret = code::new_secret();
                    // No revision is ever used again, also not by the next second factor of the same user.
                    let revision = i64::from(u32::from_le_bytes(token::random_bytes())) << 20;
                    let factor = StoredFactor::unconfirmed(factors.seal(user.id, &secret)?, revision);
                    let stored = match found {
                        None => factors.store.insert(user.id, factor).await,
                        Some(elsewhere) => factors.store.swap(user.id, elsewhere.revision, factor).await,
                    };
                    if !stored.map_err(FactorError::from)? {
                        continue;
                    }
                    let noted = self.session.insert(BEGUN, &revision).await;
                    noted.map_err(AuthError::from)?;
                    secret
                }
            };
            let enrolment = code::enrolment(&secret, issuer, &user.username);
            return Ok(enrolment.ok_or(FactorError::Damaged)?);
        }
        Err(FactorError::Contended.into())
    }

    /// Confirms a second factor with a code of the authenticator: from now on it is asked for. The user's other sessions end, and the
    /// recovery codes are made.
    ///
    /// # Errors
    ///
    /// What is wrong with the code, or what is not the person's doing.
    pub async fn confirm_second_factor(
        &self,
        user: &Recent<LoggedIn>,
        code: &Sensitive<String>,
    ) -> Result<RecoveryCodes, EnrolError> {
        let factors = self.factors()?;
        let found = factors.store.find(user.id).await.map_err(FactorError::from)?;
        let factor = match found {
            Some(factor) if factor.confirmed => return Err(EnrolError::Confirmed),
            Some(factor) if self.was_begun_here(&factor).await? => factor,
            _ => return Err(EnrolError::NotBegun),
        };
        let secret = factors.open(user.id, &factor)?;
        let typed: String = code.expose().chars().filter(|c| !c.is_whitespace()).collect();
        let step = code::step_of(&secret, &typed, self.context.clock().now());
        let step = step.ok_or(EnrolError::WrongCode)?;
        let codes = RecoveryCodes::new();
        let confirmed = factor.changed(|factor| {
            factor.confirmed = true;
            factor.last_step = step;
            factor.recovery = codes.digests(user.id);
        });
        let swapped = factors.store.swap(user.id, factor.revision, confirmed).await;
        if !swapped.map_err(FactorError::from)? {
            return Err(EnrolError::Confirmed);
        }
        tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "second factor added");
        self.session.remove(BEGUN).await.map_err(AuthError::from)?;
        // Who is logged in elsewhere has shown no second factor.
        self.end_others(user).await?;
        self.tell(user, AccountEvent::SecondFactorAdded);
        Ok(codes)
    }

    /// Makes new recovery codes; the older ones are dead.
    ///
    /// # Errors
    ///
    /// [`EnrolError::NotBegun`] without a confirmed second factor, or what is not the person's doing.
    pub async fn renew_recovery_codes(&self, user: &Recent<LoggedIn>) -> Result<RecoveryCodes, EnrolError> {
        let factors = self.factors()?;
        for _ in 0..TURNS {
            let found = factors.store.find(user.id).await.map_err(FactorError::from)?;
            let factor = found
                .filter(|factor| factor.confirmed)
                .ok_or(EnrolError::NotBegun)?;
            let codes = RecoveryCodes::new();
            let renewed = factor.changed(|factor| factor.recovery = codes.digests(user.id));
            let swapped = factors.store.swap(user.id, factor.revision, renewed).await;
            if swapped.map_err(FactorError::from)? {
                tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "recovery codes renewed");
                self.tell(user, AccountEvent::RecoveryCodesRenewed);
                return Ok(codes);
            }
        }
        Err(FactorError::Contended.into())
    }

    /// Removes the second factor, confirmed or not. Says whether there was one.
    ///
    /// # Errors
    ///
    /// What is not the person's doing.
    pub async fn remove_second_factor(&self, user: &Recent<LoggedIn>) -> Result<bool, AuthError> {
        let store = &self.factors()?.store;
        let was_asked_for = store.find(user.id).await?.is_some_and(|factor| factor.confirmed);
        let removed = store.remove(user.id).await?;
        if removed && was_asked_for {
            tracing::info!(target: "palisade::auth", client = %self.connection.client, user = user.id, "second factor removed");
            self.tell(user, AccountEvent::SecondFactorRemoved);
        }
        Ok(removed)
    }
}
