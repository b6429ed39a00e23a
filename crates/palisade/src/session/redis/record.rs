//! A session as it stands in Redis: a line of JSON about it, and then its data.
//!
//! Data and device stand under one key, so that they expire together and nothing has to be tidied up after them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use palisade_core::token::{self, Alphabet};
use serde::{Deserialize, Serialize};

use crate::redis::RedisError;
use crate::session::store::{Device, Stored};
use crate::session::whose::{micros, time};

/// How much longer than its sessions the list of a user's sessions lives, so that it need not be written with each of them.
const LIST_OUTLIVES: Duration = Duration::from_hours(24);

/// A session with all that is known of it.
#[derive(Clone, Debug)]
pub struct Record {
    pub(in crate::session) stored: Stored,
    pub(in crate::session) created: SystemTime,
    pub(in crate::session) device: Option<Device>,
    /// Until when the list of the user's sessions is known to live.
    pub(in crate::session) listed_until: SystemTime,
}

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    /// Different in each write, so that a value that is the same as before is the same write.
    stamp: &'a str,
    /// Times are in microseconds after 1970.
    expires: u64,
    created: u64,
    listed_until: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Whose>,
}

#[derive(Serialize, Deserialize)]
struct Whose {
    user: String,
    address: String,
    agent: String,
}

impl Record {
    pub(in crate::session) fn new(stored: Stored, device: Option<Device>, now: SystemTime) -> Self {
        Self {
            stored,
            created: now,
            device,
            listed_until: UNIX_EPOCH,
        }
    }

    pub(super) fn read(value: &[u8]) -> Result<Self, RedisError> {
        let foreign =
            || RedisError::Foreign("it is not Palisade's; give the service a prefix of its own".into());
        let text = str::from_utf8(value).map_err(|_| foreign())?;
        let (head, data) = text.split_once('\n').ok_or_else(foreign)?;
        let head: Head<'_> = serde_json::from_str(head).map_err(|_| foreign())?;
        Ok(Self {
            stored: Stored {
                data: data.to_owned(),
                expires: time(head.expires),
            },
            created: time(head.created),
            device: head.device.map(|whose| Device {
                user_id: whose.user,
                address: whose.address,
                user_agent: whose.agent,
            }),
            listed_until: time(head.listed_until),
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let stamp = token::random_string(12, Alphabet::Base62);
        let head = Head {
            stamp: &stamp,
            expires: micros(self.stored.expires),
            created: micros(self.created),
            listed_until: micros(self.listed_until),
            device: self.device.as_ref().map(|device| Whose {
                user: device.user_id.clone(),
                address: device.address.clone(),
                agent: device.user_agent.clone(),
            }),
        };
        // Numbers and texts are JSON.
        let mut value = serde_json::to_vec(&head).unwrap_or_default();
        value.push(b'\n');
        value.extend_from_slice(self.stored.data.as_bytes());
        value
    }

    /// Says whose list has to be told, because it may end before this session does, and for how long it has to live.
    pub(super) fn outlives_its_list(&mut self, now: SystemTime) -> Option<(String, Duration)> {
        let device = self.device.as_ref()?;
        if self.stored.expires <= self.listed_until {
            return None;
        }
        self.listed_until = self.stored.expires + LIST_OUTLIVES;
        Some((device.user_id.clone(), lives(self.listed_until, now)))
    }
}

pub(super) fn lives(until: SystemTime, now: SystemTime) -> Duration {
    until.duration_since(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let stored = Stored {
            data: "data:with:signature".to_owned(),
            expires: time(1_700_000_000_000_001),
        };
        let device = Device {
            user_id: "7".to_owned(),
            address: "2001:db8::7".to_owned(),
            user_agent: "a \"browser\"\nof – many lines".to_owned(),
        };
        Record::new(stored, Some(device), time(1_600_000_000_000_000))
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_never_written_twice_alike() {
        let record = record();
        let (one, other) = (record.write(), record.write());
        assert_ne!(one, other);
        let read = Record::read(&one).unwrap();
        assert_eq!(read.stored, record.stored);
        assert_eq!((read.created, read.device), (record.created, record.device));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for foreign in [&b""[..], b"5", b"{}\n", b"\x80\x05}.", b"{\"stamp\":\"x\"}\ndata"] {
            assert!(matches!(Record::read(foreign), Err(RedisError::Foreign(_))));
        }
    }

    #[test]
    fn a_list_is_told_once_a_day_that_its_sessions_live_on() {
        let mut record = record();
        let now = record.created;
        assert!(record.outlives_its_list(now).is_some());
        record.stored.expires += Duration::from_hours(23);
        assert_eq!(record.outlives_its_list(now), None);
        record.stored.expires += Duration::from_hours(2);
        assert!(record.outlives_its_list(now).is_some());
    }
}
