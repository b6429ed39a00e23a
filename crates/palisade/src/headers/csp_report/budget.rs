//! How many reports are read: a bucket of tokens for each network, and one for all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use crate::peer::network;

/// A page that breaks a policy in twenty places reports twenty times at once.
const OF_ONE: Rate = Rate {
    burst: 30.0,
    per_second: 0.5,
};

/// All networks together.
const OF_ALL: Rate = Rate {
    burst: 300.0,
    per_second: 10.0,
};

/// How many networks are remembered. When there are more, those whose bucket is full again are forgotten first.
const MOST_NETWORKS: usize = 4096;

struct Rate {
    burst: f64,
    per_second: f64,
}

/// What is left in a bucket, and since when.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: SystemTime,
}

impl Bucket {
    fn full(rate: &Rate, now: SystemTime) -> Self {
        Self {
            tokens: rate.burst,
            at: now,
        }
    }

    fn refill(&mut self, rate: &Rate, now: SystemTime) {
        // A clock that was set back gives nothing, and takes nothing.
        let since = now.duration_since(self.at).unwrap_or(Duration::ZERO);
        self.tokens = (self.tokens + since.as_secs_f64() * rate.per_second).min(rate.burst);
        self.at = now;
    }

    fn has_one(&mut self, rate: &Rate, now: SystemTime) -> bool {
        self.refill(rate, now);
        self.tokens >= 1.0
    }

    fn take(&mut self, rate: &Rate, now: SystemTime) -> bool {
        let has_one = self.has_one(rate, now);
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Budget {
    networks: HashMap<IpAddr, Bucket>,
    all: Option<Bucket>,
}

impl Budget {
    /// Takes a token of the network and one of all, if both have one. Where there is none for anybody, nothing else is looked at: no
    /// network is remembered for it, and a flood costs next to nothing.
    pub(super) fn take(&mut self, client: Option<IpAddr>, now: SystemTime) -> bool {
        let all = self.all.get_or_insert_with(|| Bucket::full(&OF_ALL, now));
        if !all.has_one(&OF_ALL, now) {
            return false;
        }
        let of_its_own = client.is_none_or(|client| self.take_of_one(client, now));
        of_its_own && self.all.as_mut().is_some_and(|all| all.take(&OF_ALL, now))
    }

    fn take_of_one(&mut self, client: IpAddr, now: SystemTime) -> bool {
        let network = network(client);
        if !self.networks.contains_key(&network) && !self.has_room(now) {
            return false;
        }
        let bucket = self.networks.entry(network);
        bucket
            .or_insert_with(|| Bucket::full(&OF_ONE, now))
            .take(&OF_ONE, now)
    }

    fn has_room(&mut self, now: SystemTime) -> bool {
        if self.networks.len() >= MOST_NETWORKS {
            self.networks.retain(|_, bucket| {
                bucket.refill(&OF_ONE, now);
                bucket.tokens < OF_ONE.burst
            });
        }
        self.networks.len() < MOST_NETWORKS
    }

    #[cfg(test)]
    pub(super) fn networks(&self) -> usize {
        self.networks.len()
    }
}
