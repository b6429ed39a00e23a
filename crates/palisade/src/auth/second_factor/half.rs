//! The time between password and code: a half login, which is no login.

use std::time::Duration;

use palisade_core::session::StoredLogin;
use palisade_core::{Sensitive, Threat, secret::constant_time_eq};
use serde::{Deserialize, Serialize};

use super::verify::{Verdict, seconds};
use super::{FactorError, LoginStep, recovery};
use crate::auth::error::AuthError;
use crate::auth::letters::AccountEvent;
use crate::auth::login::{Auth, settled};
use crate::auth::user::User;
use crate::throttle::Scope;

/// Where a half login is kept in the session. Django has no such key, and sees nobody.
pub(crate) const HALF_LOGIN: &str = "_palisade_half_login";

/// How long a half login lives.
const LIFE: i64 = 600;

/// How many codes may be tried in one half login.
const TRIES: u32 = 5;

/// A user whose password was right.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct HalfLogin {
    user: i64,
    /// Ties it to the password, as a login is.
    hash: String,
    begun: i64,
    tries: u32,
}

/// What became of a code.
#[derive(Clone, Debug)]
#[must_use = "the user is logged in only if it is done"]
#[non_exhaustive]
pub enum SecondFactorStep {
    /// It was right: the user is logged in.
    Done(Box<User>),
    /// It was wrong, or was used before.
    Wrong,
    /// It was not looked at: too many were wrong, of this account or from this network. A recovery code still works.
    TooMany {
        /// When to come back.
        retry_after: Duration,
    },
    /// There is no half login any more: log in anew.
    Ended,
}

impl Auth {
    /// Logs a user in whose password was right: the session gets a new key, and keeps what an anonymous visitor put into it; another
    /// user's session is dropped first.
    ///
    /// A user with a second factor is not logged in by this: then ask for a code, and give it to
    /// [`finish_second_factor`](Self::finish_second_factor).
    ///
    /// # Errors
    ///
    /// When a store cannot answer.
    pub async fn login(&self, user: &User) -> Result<LoginStep, AuthError> {
        let asked = match self.context.second_factors() {
            Some(factors) => factors.is_asked_of(user.id).await?,
            None => false,
        };
        if asked {
            self.begin_half_login(user).await?;
            return Ok(LoginStep::SecondFactor);
        }
        self.complete_login(user).await?;
        Ok(LoginStep::Done)
    }

    async fn begin_half_login(&self, user: &User) -> Result<(), AuthError> {
        let session = &self.session;
        // Whoever was logged in here is not any more: what follows is another person's, or the same one's anew.
        if session.read(StoredLogin::of).await?.user_id.is_some() {
            session.flush().await?;
        } else {
            session.cycle_key().await?;
        }
        let half = HalfLogin {
            user: user.id,
            hash: self.hash(user),
            begun: seconds(self.context.clock().now()),
            tries: 0,
        };
        session.insert(HALF_LOGIN, &half).await?;
        self.csrf.rotate().await?;
        tracing::info!(
            target: "palisade::auth",
            client = %self.connection.client,
            user = user.id,
            "the password was right, a second factor is asked for"
        );
        Ok(())
    }

    /// The name of the user whose second factor is asked for in this session, if one is.
    ///
    /// # Errors
    ///
    /// When a store cannot answer.
    pub async fn half_login(&self) -> Result<Option<String>, AuthError> {
        Ok(self.half().await?.map(|(user, _)| user.username))
    }

    /// Takes a code of the authenticator, or a recovery code, and logs the user in if it is right.
    ///
    /// A try at a code is counted before it is looked at, as one at a password is ([`crate::throttle`], [`Scope::SecondFactor`]), and
    /// given back if it was right. A recovery code is not: nobody guesses 75 bits, and strangers who know the password cannot keep
    /// its owner from using one.
    ///
    /// # Errors
    ///
    /// What is not the person's doing. That includes a throttle that does not answer, also where `login_throttle_on_outage` is
    /// open: without a count, six digits are guessed in minutes.
    pub async fn finish_second_factor(
        &self,
        code: &Sensitive<String>,
    ) -> Result<SecondFactorStep, AuthError> {
        let Some((user, half)) = self.half().await? else {
            self.session.remove(HALF_LOGIN).await?;
            return Ok(SecondFactorStep::Ended);
        };
        let factors = self.context.second_factors().ok_or(FactorError::NoStore)?;
        let now = self.context.clock().now();
        let counted = match recovery::normal(code.expose()) {
            Some(_) => None,
            None => match self.reserve(Scope::SecondFactor, &user).await {
                Ok(reservation) => Some(reservation),
                Err(AuthError::Throttled { retry_after }) => {
                    return Ok(SecondFactorStep::TooMany { retry_after });
                }
                Err(error) => return Err(error),
            },
        };
        let verdict = factors.verify(user.id, code, now).await.map_err(AuthError::from);
        let verdict = match counted {
            Some(reservation) => settled(reservation, verdict, |verdict| *verdict == Verdict::Right).await?,
            None => verdict?,
        };
        match verdict {
            Verdict::Right | Verdict::Recovery => {
                self.session.remove(HALF_LOGIN).await?;
                self.complete_login(&user).await?;
                if verdict == Verdict::Recovery {
                    tracing::info!(target: "palisade::auth", user = user.id, "a recovery code was used");
                    self.tell(&user, AccountEvent::RecoveryCodeUsed);
                }
                Ok(SecondFactorStep::Done(Box::new(user)))
            }
            Verdict::Wrong => {
                self.second_factor_failed(&user);
                if half.tries + 1 >= TRIES {
                    self.session.remove(HALF_LOGIN).await?;
                    return Ok(SecondFactorStep::Ended);
                }
                let count = |half: &mut HalfLogin| half.tries = half.tries.saturating_add(1);
                self.session.update(HALF_LOGIN, count).await?;
                Ok(SecondFactorStep::Wrong)
            }
            // It was removed meanwhile, in a session of the user's own: the password alone may do again, and is asked for again.
            Verdict::NoFactor => {
                self.session.remove(HALF_LOGIN).await?;
                Ok(SecondFactorStep::Ended)
            }
        }
    }

    /// The half login of this session, if it lives and its user may still log in.
    async fn half(&self) -> Result<Option<(User, HalfLogin)>, AuthError> {
        let Some(half) = self.session.get::<HalfLogin>(HALF_LOGIN).await? else {
            return Ok(None);
        };
        let age = seconds(self.context.clock().now()).saturating_sub(half.begun);
        if !(-LIFE..=LIFE).contains(&age) || half.tries >= TRIES {
            return Ok(None);
        }
        let found = self.users.store().by_id(half.user).await?;
        let same = |user: &User| user.is_active && constant_time_eq(self.hash(user), &half.hash);
        Ok(found.filter(same).map(|user| (user, half)))
    }

    fn second_factor_failed(&self, user: &User) {
        tracing::info!(
            target: "palisade::auth",
            threat = Threat::CredentialGuessing.id(),
            client = %self.connection.client,
            user = user.id,
            "second factor failed"
        );
    }
}
