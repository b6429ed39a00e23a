//! Counting a try as failed before it is made, and giving it back if it was none.

use std::time::Duration;

use futures_util::future::try_join_all;
use ipnet::IpNet;
use palisade_core::settings::OnOutage;
use palisade_core::throttle::{Rule, Tally, Verdict};

use super::attempt::Attempt;
use super::bucket::{Bucket, Kind, Scope};
use super::store::{Counted, ThrottleStoreError};
use super::{ThrottleError, Throttles};

/// How long a try waits while others at the same account are counted.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a try is told that so many others came before. It is no outage: whoever floods one count would else be let through uncounted
/// where `login_throttle_on_outage` is open.
const CROWDED: ThrottleError = ThrottleError::Throttled {
    retry_after: Duration::from_secs(1),
};

/// How often a count is begun again that others, in other processes, were quicker with.
const TRIES: usize = 200;

/// A try that is counted as failed already. It stays so unless it is given back: also when the client hangs up, the handler fails,
/// or this is dropped and forgotten.
///
/// A try that is to count in any case, such as each link that is asked for, is kept by [`Reservation::keep`].
#[derive(Debug)]
#[must_use = "the try is counted as failed; refund it if it was right, or keep it"]
pub struct Reservation {
    throttles: Throttles,
    taken: Vec<Taken>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    bucket: Bucket,
    rule: Rule,
    network: Option<IpNet>,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    place: Place,
    before: Option<Tally>,
    after: Tally,
}

impl Reservation {
    /// Leaves it counted.
    pub fn keep(self) {
        drop(self);
    }

    /// Gives it back: it was right. Of an account and a network only this one try is forgiven, so that a success opens the door to
    /// nobody else; the count of a known device, which is one person's, begins anew.
    ///
    /// A store that cannot answer now leaves the try counted, and says so in the log.
    pub async fn refund(self) {
        self.give_back(true).await;
    }

    /// Gives it back as if it had not been made: nothing was verified, because something else went wrong.
    pub async fn cancel(self) {
        self.give_back(false).await;
    }

    async fn give_back(self, was_right: bool) {
        for taken in &self.taken {
            let given = self.throttles.give_back(taken, was_right).await;
            if let Err(error) = given {
                tracing::warn!(
                    target: "palisade::throttle",
                    %error,
                    bucket = %taken.place.bucket,
                    "a try that was right stays counted as failed"
                );
            }
        }
    }
}

impl Throttles {
    /// Counts a try as failed, if it may be made at all. Whoever verifies anything does this first.
    ///
    /// # Errors
    ///
    /// [`ThrottleError::Throttled`] where there were too many: then nothing is counted. [`ThrottleError::Unavailable`] where the
    /// store cannot answer and the setting `login_throttle_on_outage` is `closed`, or what is tried is a code ([`Scope::SecondFactor`]).
    pub async fn reserve(&self, attempt: &Attempt<'_>) -> Result<Reservation, ThrottleError> {
        let places = self.places(attempt);
        let mut reservation = Reservation {
            throttles: self.clone(),
            taken: Vec::with_capacity(places.len()),
        };
        match self.reserve_into(&mut reservation.taken, &places).await {
            Ok(()) => Ok(reservation),
            Err(ThrottleError::Unavailable(error)) if self.lets_through_uncounted(attempt.scope) => {
                tracing::error!(
                    target: "palisade::throttle",
                    error = %source(&error),
                    scope = %attempt.scope,
                    "a try is let through uncounted: login_throttle_on_outage is open"
                );
                Ok(reservation)
            }
            Err(error) => {
                reservation.cancel().await;
                Err(error)
            }
        }
    }

    /// Whether a try is made that nobody can count. One at a code is not, whatever the setting: a password of which nobody counts the
    /// guesses may still be a good one, and six digits are not.
    fn lets_through_uncounted(&self, scope: Scope) -> bool {
        self.0.on_outage == OnOutage::Open && scope != Scope::SecondFactor
    }

    async fn reserve_into(&self, taken: &mut Vec<Taken>, places: &[Place]) -> Result<(), ThrottleError> {
        // Asked first, so that a flood at a closed door writes nothing and waits for nobody.
        let held = try_join_all(places.iter().map(|place| self.0.store.load(&place.bucket))).await?;
        let mut longest = None;
        for (place, held) in places.iter().zip(held) {
            if let Err(ThrottleError::Throttled { retry_after }) = self.judge(place, held).await {
                longest = longest.max(Some(retry_after));
            }
        }
        if let Some(retry_after) = longest {
            return Err(ThrottleError::Throttled { retry_after });
        }
        for place in places {
            taken.push(self.take(place).await?);
        }
        Ok(())
    }

    /// What is counted for whom. A known device stands for itself alone.
    fn places(&self, attempt: &Attempt<'_>) -> Vec<Place> {
        let scope = attempt.scope;
        let place = |bucket: Bucket, network| Place {
            bucket,
            rule: self.rule(bucket.kind()),
            network,
        };
        if let (Some(account), Some(device)) = (attempt.account, attempt.device) {
            return vec![place(self.of_device(scope, account, device), None)];
        }
        let account = attempt
            .account
            .map(|account| place(self.of_account(scope, account), None));
        let network = attempt
            .network
            .map(|network| place(self.of_network(scope, network), Some(network)));
        account.into_iter().chain(network).collect()
    }

    /// What a try at this count would make of it.
    async fn judge(&self, place: &Place, held: Option<Counted>) -> Result<Tally, ThrottleError> {
        let now = self.0.clock.now();
        let tally = held.map(|held| held.tally);
        match place.rule.reserve(tally, now) {
            Verdict::Admitted(counted) => Ok(counted),
            Verdict::Refused { until, anew } => {
                if let Some(anew) = anew {
                    // The clock was set back. Whoever comes first notes it; it is no harm if nobody can.
                    let anew = Counted::by(&place.rule, anew, place.network);
                    let _ = self.0.store.swap(&place.bucket, tally, Some(anew), now).await;
                }
                let retry_after = until.duration_since(now).unwrap_or_default();
                Err(ThrottleError::Throttled { retry_after })
            }
        }
    }

    /// Counts one try at one place.
    async fn take(&self, place: &Place) -> Result<Taken, ThrottleError> {
        // In one process one after another, so that a thousand at a time do not all read, and all but one write for nothing.
        let turn = self.0.turns.take(&place.bucket.to_string(), PATIENCE).await;
        let _turn = turn.ok_or(CROWDED)?;
        for _ in 0..TRIES {
            let held = self.0.store.load(&place.bucket).await?;
            let after = self.judge(place, held).await?;
            let before = held.map(|held| held.tally);
            let counted = Counted::by(&place.rule, after, place.network);
            let now = self.0.clock.now();
            if self
                .0
                .store
                .swap(&place.bucket, before, Some(counted), now)
                .await?
            {
                return Ok(Taken {
                    place: *place,
                    before,
                    after,
                });
            }
        }
        Err(CROWDED)
    }

    async fn give_back(&self, taken: &Taken, was_right: bool) -> Result<(), ThrottleStoreError> {
        let Taken { place, before, after } = taken;
        for _ in 0..TRIES {
            let held = self.0.store.load(&place.bucket).await?;
            let Some(held) = held.map(|held| held.tally) else {
                return Ok(());
            };
            let left = if was_right && place.bucket.kind() == Kind::Device {
                None
            } else {
                place.rule.refund(Some(held), *before, after)
            };
            let left = left.map(|left| Counted::by(&place.rule, left, place.network));
            let now = self.0.clock.now();
            if self.0.store.swap(&place.bucket, Some(held), left, now).await? {
                return Ok(());
            }
        }
        Err(ThrottleStoreError::unavailable(
            "too many tries at one account or from one network at the same moment",
        ))
    }
}

fn source(error: &ThrottleStoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
