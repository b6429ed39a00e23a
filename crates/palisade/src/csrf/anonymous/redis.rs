//! The CSRF secrets of anonymous visitors in Redis or Valkey, for a site on several machines.
//!
//! Each secret is one key that Redis drops when its time is over. Its end stands in the value, too: this side's clock
//! decides what is still good, and Redis's only what may be thrown away.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, FutureExt};
use palisade_core::Sensitive;

use super::AnonymousSecrets;
use crate::redis::{Life, Redis};
use crate::session::store::StoreError;

/// Keeps the CSRF secrets of anonymous visitors in Redis or Valkey, where all machines of a site find them.
///
/// # Example
///
/// ```
/// use palisade::csrf::RedisAnonymousSecrets;
/// use palisade::redis::Redis;
///
/// let secrets = RedisAnonymousSecrets::new(Redis::open("redis://127.0.0.1:6379/0")?).with_prefix("shop:");
/// # let _: RedisAnonymousSecrets = secrets;
/// # Ok::<(), palisade::redis::RedisError>(())
/// ```
///
/// # Errors
///
/// While Redis does not answer, pages that show a form and forms that are sent get a 503, at the latest after its time limit:
/// a token that cannot be checked is refused. Those who are logged in do not notice, since their secret is in their session.
///
/// # Security
///
/// The keys are digests, so that whoever reads Redis has no visitor's cookie; whoever writes to it can plant secrets for a cookie
/// that they know. Robots that ask for the form without a cookie make one key of some hundred bytes each, for two hours: give
/// Redis a `maxmemory`, and a limit on requests before the site. An evicted secret makes one visitor load a form again.
#[derive(Clone, Debug)]
pub struct RedisAnonymousSecrets {
    redis: Redis,
    prefix: String,
}

impl RedisAnonymousSecrets {
    /// Keeps the secrets in this Redis, under keys that begin with `palisade:`.
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            prefix: "palisade:".to_owned(),
        }
    }

    /// Begins all keys with `prefix`, for several sites in one Redis.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..self
        }
    }

    fn name(&self, digest: &str) -> String {
        format!("{}{digest}", self.prefix)
    }
}

impl AnonymousSecrets for RedisAnonymousSecrets {
    fn load<'a>(
        &'a self,
        digest: &'a str,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Option<Sensitive<String>>, StoreError>> {
        async move {
            let name = self.name(digest);
            let value = self.redis.within(self.redis.value(&name)).await;
            Ok(value
                .map_err(StoreError::unavailable)?
                .and_then(|value| secret_in(&value, now)))
        }
        .boxed()
    }

    fn keep<'a>(
        &'a self,
        digest: &'a str,
        secret: Sensitive<String>,
        until: SystemTime,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let name = self.name(digest);
            let ends = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let value = zeroize::Zeroizing::new(format!("{ends}:{}", secret.expose()));
            let life = Life::For(until.duration_since(now).unwrap_or_default());
            let put = self.redis.put(&name, value.as_bytes(), life);
            self.redis.within(put).await.map_err(StoreError::unavailable)
        }
        .boxed()
    }
}

/// The secret in a value, if it is one of ours and its time is not over. Of anything else nothing is known.
fn secret_in(value: &[u8], now: SystemTime) -> Option<Sensitive<String>> {
    let (ends, secret) = std::str::from_utf8(value).ok()?.split_once(':')?;
    let ends = UNIX_EPOCH.checked_add(Duration::from_millis(ends.parse().ok()?))?;
    (ends > now).then(|| Sensitive::new(secret.to_owned()))
}
