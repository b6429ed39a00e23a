//! Tries that are made at once, by all handles: as many as are free are let through, and not one more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use palisade_core::{SecretKey, Settings};

use super::Contract;
use crate::clock::Clock;
use crate::promise::{Broken, answered, broken, ensure, same, stranger};
use crate::throttle::bucket::Scope;
use crate::throttle::{Attempt, ThrottleError, Throttles};

impl Contract {
    pub(super) async fn admits_the_free_ones(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, clock) = self.throttles();
        let name = stranger();
        let free = free_tries();
        same(
            "as many tries as are free are let through at once, and not one more",
            &self.tried(&throttles, &name, tries).await?,
            &free,
        )?;
        clock.advance(Duration::from_secs(1));
        same(
            "after the first wait there is one more",
            &self.tried(&throttles, &name, tries).await?,
            &1,
        )?;
        clock.set(self.start - Duration::from_hours(24));
        same(
            "a clock that is set back lets nobody through",
            &self.tried(&throttles, &name, tries.min(100)).await?,
            &0,
        )?;
        clock.advance(Duration::from_hours(12));
        let through = self.tried(&throttles, &name, tries.min(100)).await?;
        ensure(
            "and keeps nobody out for as long as it was wrong",
            through > 0,
            "all were refused",
        )
    }

    pub(super) async fn opens_to_nobody_else(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, _clock) = self.throttles();
        let name = stranger();
        let first = self.first(&throttles)?;
        let attempt = Attempt::new(Scope::Login).of_account(&name);
        let right = first.reserve(&attempt).await;
        let right = right.map_err(|error| broken("the first try is let through", error))?;
        let before = self.tried(&throttles, &name, tries / 2).await?;
        right.refund().await;
        let after = self.tried(&throttles, &name, tries / 2).await?;
        same(
            "a success gives back its own try, and opens the door to nobody else",
            &(before + after),
            &free_tries(),
        )
    }

    pub(super) async fn gives_back_all(&self, tries: usize) -> Result<(), Broken> {
        let (throttles, _clock) = self.throttles();
        let name = stranger();
        for _ in 0..3 {
            let right = (0..tries).map(|nth| {
                let (throttles, name) = (throttles.clone(), name.clone());
                tokio::spawn(async move {
                    let throttles = throttles.get(nth % throttles.len())?;
                    let attempt = Attempt::new(Scope::Login).of_account(&name);
                    let reservation = throttles.reserve(&attempt).await.ok()?;
                    reservation.refund().await;
                    Some(())
                })
            });
            join_all(right).await;
        }
        let counted = self.first(&throttles)?.of_account_named(&name).await;
        same(
            "tries that were right leave no failure behind",
            &answered("a count can be looked up", counted)?.len(),
            &0,
        )
    }

    /// So many tries at once, by all handles in turn; how many were let through.
    async fn tried(&self, throttles: &[Throttles], name: &str, tries: usize) -> Result<usize, Broken> {
        let all = throttles.iter().cycle().take(tries).map(|throttles| {
            let (throttles, name) = (throttles.clone(), name.to_owned());
            tokio::spawn(async move {
                let attempt = Attempt::new(Scope::Login).of_account(&name);
                match throttles.reserve(&attempt).await {
                    Ok(reservation) => {
                        reservation.keep();
                        Ok(true)
                    }
                    Err(ThrottleError::Throttled { .. }) => Ok(false),
                    Err(ThrottleError::Unavailable(error)) => Err(error),
                }
            })
        });
        let mut through = 0;
        for tried in join_all(all).await {
            let tried = tried.map_err(|_| broken("a try ends", "it panicked"))?;
            through += usize::from(answered("many tries may meet", tried)?);
        }
        Ok(through)
    }

    fn throttles(&self) -> (Vec<Throttles>, Clock) {
        let settings = contract_settings();
        let clock = Clock::fixed(self.start);
        let throttles = self
            .handles
            .iter()
            .map(|handle| Throttles::new(Arc::clone(handle), &settings, clock.clone()));
        (throttles.collect(), clock)
    }

    fn first<'t>(&self, throttles: &'t [Throttles]) -> Result<&'t Throttles, Broken> {
        throttles
            .first()
            .ok_or_else(|| broken("there is a store", format_args!("{} handles", self.handles.len())))
    }
}

fn contract_settings() -> Settings {
    Settings::for_development(SecretKey::new(
        "nobody's accounts, which a contract is tested with",
    ))
}

fn free_tries() -> usize {
    contract_settings().login_throttle_free_attempts
}
