//! A value under a key that nobody knows yet: what a session is moved to, until it is there.

use super::{Format, RedisSessions};
use crate::redis::RedisError;
use crate::session::key::SessionKey;

/// A value under a key that nobody knows yet; it is taken away again unless it stays, whoever gives up and why.
pub(super) struct Draft<'a, F: Format> {
    sessions: &'a RedisSessions<F>,
    key: &'a SessionKey,
    value: Option<Vec<u8>>,
}

impl<'a, F: Format> Draft<'a, F> {
    pub(super) fn of(sessions: &'a RedisSessions<F>, key: &'a SessionKey) -> Self {
        Self {
            sessions,
            key,
            value: None,
        }
    }

    /// Notes what is about to be written, and gives what was written before.
    pub(super) fn is(&mut self, value: Vec<u8>) -> Option<Vec<u8>> {
        self.value.replace(value)
    }

    pub(super) fn stays(&mut self) {
        self.value = None;
    }

    /// Takes it away now, where somebody waits for the answer.
    pub(super) async fn goes(&mut self) -> Result<(), RedisError> {
        if let Some(value) = self.value.clone() {
            let name = self.sessions.name(self.key);
            self.sessions.redis.take(&name, &value).await?;
        }
        self.value = None;
        Ok(())
    }
}

impl<F: Format> Drop for Draft<'_, F> {
    fn drop(&mut self) {
        let (Some(value), Ok(runtime)) = (self.value.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (redis, name) = (self.sessions.redis.clone(), self.sessions.name(self.key));
        runtime.spawn(async move {
            // If this fails, too, it expires.
            let _ = redis.within(redis.take(&name, &value)).await;
        });
    }
}
