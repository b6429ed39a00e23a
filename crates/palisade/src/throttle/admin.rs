//! For the staff: what is throttled, and letting somebody try again.

use std::net::IpAddr;
use std::time::SystemTime;

use ipnet::IpNet;

use super::attempt::network_of;
use super::bucket::{Bucket, Kind, Scope};
use super::store::{Counted, ThrottleStoreError};
use super::{ThrottleError, Throttles};

/// A count whose next try has to wait, or that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throttled {
    /// Where it is counted: what [`Throttles::clear`] takes.
    pub bucket: Bucket,
    /// What was tried.
    pub scope: Scope,
    /// For whom it was counted.
    pub kind: Kind,
    /// The network, where that is whom. An account's name is not kept: look it up by [`Throttles::of_account_named`].
    pub network: Option<IpNet>,
    /// How many failures are not forgiven yet.
    pub failures: u32,
    /// Until when the next try has to wait. In the past, nobody waits.
    pub until: SystemTime,
}

impl Throttles {
    /// Lists who has to wait, the longest wait first, `at_most` so many.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn list(&self, at_most: usize) -> Result<Vec<Throttled>, ThrottleStoreError> {
        let listed = self.0.store.list(at_most, self.0.clock.now()).await?;
        Ok(listed
            .iter()
            .map(|(bucket, counted)| self.described(*bucket, counted))
            .collect())
    }

    /// Finds what is counted for an account, in each scope.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn of_account_named(&self, name: &str) -> Result<Vec<Throttled>, ThrottleStoreError> {
        self.found(Scope::ALL.map(|scope| self.of_account(scope, name)))
            .await
    }

    /// Finds what is counted for the network of an address, in each scope.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn of_address(&self, address: IpAddr) -> Result<Vec<Throttled>, ThrottleStoreError> {
        let network = network_of(address);
        self.found(Scope::ALL.map(|scope| self.of_network(scope, network)))
            .await
    }

    /// Forgives all failures of one count, such as one of [`Throttles::list`], and says whether there were any.
    ///
    /// That is the only way to a known device's: its count stands by itself, and is found by nobody's name.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn clear(&self, bucket: Bucket) -> Result<bool, ThrottleStoreError> {
        Ok(self.cleared([bucket]).await? == 1)
    }

    /// Forgives an account all failures but those of the devices that it knows ([`Throttles::clear`]), and says of how many scopes there
    /// were any.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn clear_account(&self, name: &str) -> Result<usize, ThrottleStoreError> {
        self.cleared(Scope::ALL.map(|scope| self.of_account(scope, name)))
            .await
    }

    /// Forgives the network of an address all failures, and says of how many scopes there were any.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    pub async fn clear_address(&self, address: IpAddr) -> Result<usize, ThrottleStoreError> {
        let network = network_of(address);
        self.cleared(Scope::ALL.map(|scope| self.of_network(scope, network)))
            .await
    }

    async fn found(
        &self,
        buckets: impl IntoIterator<Item = Bucket>,
    ) -> Result<Vec<Throttled>, ThrottleStoreError> {
        let mut found = Vec::new();
        for bucket in buckets {
            if let Some(counted) = self.0.store.load(&bucket).await? {
                found.push(self.described(bucket, &counted));
            }
        }
        found.retain(|counted| counted.failures > 0);
        Ok(found)
    }

    async fn cleared(&self, buckets: impl IntoIterator<Item = Bucket>) -> Result<usize, ThrottleStoreError> {
        let mut cleared = 0;
        for bucket in buckets {
            while let Some(counted) = self.0.store.load(&bucket).await? {
                let now = self.0.clock.now();
                if self.0.store.swap(&bucket, Some(counted.tally), None, now).await? {
                    cleared += 1;
                    break;
                }
            }
        }
        Ok(cleared)
    }

    fn described(&self, bucket: Bucket, counted: &Counted) -> Throttled {
        Throttled {
            bucket,
            scope: bucket.scope(),
            kind: bucket.kind(),
            network: counted.network,
            failures: self
                .rule(bucket.kind())
                .failures(&counted.tally, self.0.clock.now()),
            until: counted.until,
        }
    }
}

impl ThrottleError {
    /// How long to wait, where that is what keeps a try from being made.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Throttled { retry_after } => Some(*retry_after),
            Self::Unavailable(_) => None,
        }
    }
}
