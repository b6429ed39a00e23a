//! Whose session it is, in the session's own data: for the back ends of Django's that have no other place for it.
//!
//! Django carries the key along and does not read it; handlers never see it, because it is taken out when the data is read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::session::SessionData;
use serde::{Deserialize, Serialize};

use super::store::Device;

/// Where in the data it stands.
const KEY: &str = "_palisade_device";

/// A device and when its session was begun, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Whose {
    user: String,
    address: String,
    agent: String,
    /// In microseconds after 1970, as the other.
    created: u64,
    /// Until when the list of the user's sessions is known to live, where there is one.
    #[serde(default)]
    listed_until: u64,
}

impl Whose {
    pub(super) fn new(device: Device, created: SystemTime) -> Self {
        Self {
            user: device.user_id,
            address: device.address,
            agent: device.user_agent,
            created: micros(created),
            listed_until: 0,
        }
    }

    /// Takes it out of the data; what somebody else put there is nobody's.
    pub(super) fn take(data: &mut SessionData) -> Option<Self> {
        let whose = data.get(KEY)?.ok();
        data.remove(KEY);
        whose
    }

    pub(super) fn put(&self, data: &mut SessionData) {
        // Numbers and texts are JSON.
        let _ = data.insert(KEY, self);
    }

    pub(super) fn is(&self, user_id: &str) -> bool {
        self.user == user_id
    }

    pub(super) fn created(&self) -> SystemTime {
        time(self.created)
    }

    pub(super) fn into_device(self) -> Device {
        Device {
            user_id: self.user,
            address: self.address,
            user_agent: self.agent,
        }
    }
}

#[cfg(feature = "redis")]
impl Whose {
    #[must_use]
    pub(super) fn listed_until(self, until: SystemTime) -> Self {
        Self {
            listed_until: micros(until),
            ..self
        }
    }

    pub(super) fn is_listed_until(&self) -> SystemTime {
        time(self.listed_until)
    }
}

/// A time in microseconds after 1970.
pub(super) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The time so many microseconds after 1970.
pub(super) fn time(micros: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_micros(micros))
        .unwrap_or(UNIX_EPOCH)
}
