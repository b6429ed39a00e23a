//! How a session stands in Redis: under which key, in what form, and how its end is known.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::record::{Record, lives};
use crate::redis::{Held, Life, RedisError};
use crate::session::key::SessionKey;

/// A form in which sessions stand in Redis: Palisade's own, or Django's.
pub trait Format: sealed::Form + Clone + fmt::Debug + Send + Sync + 'static {}

impl<F: sealed::Form + Clone + fmt::Debug + Send + Sync + 'static> Format for F {}

pub(in crate::session) mod sealed {
    use super::{Held, Life, Record, RedisError, SessionKey, SystemTime};

    /// What a form has to say.
    #[expect(private_interfaces, reason = "nobody outside can name this trait")]
    pub trait Form {
        /// Whether the end of a session is the end of its key, and stands nowhere else.
        const ENDS_WITH_ITS_KEY: bool;
        /// Whether whose session it is stands in its data.
        const LOOKS_INTO_DATA: bool;
        /// Whether no two writes are alike, so that what is there can be known for one's own.
        const EVERY_WRITE_IS_DIFFERENT: bool;

        /// The name of a session's key.
        fn name(&self, key: &SessionKey) -> String;

        /// The name of the list of a user's sessions.
        fn list_name(&self, user_id: &str) -> String;

        /// Reads what was written.
        fn read(&self, held: &Held) -> Result<Record, RedisError>;

        /// Writes it.
        fn write(&self, record: &Record) -> Result<Vec<u8>, RedisError>;

        /// How long its key is to stay.
        fn life(&self, record: &Record, now: SystemTime) -> Life;
    }
}

/// Palisade's own form: the signed data, and before it what is known of the session.
#[derive(Clone, Debug)]
pub struct Own(Arc<str>);

impl Own {
    pub(super) fn with_prefix(prefix: &str) -> Self {
        Self(prefix.into())
    }
}

#[expect(private_interfaces, reason = "nobody outside can name this trait")]
impl sealed::Form for Own {
    const ENDS_WITH_ITS_KEY: bool = false;
    const LOOKS_INTO_DATA: bool = false;
    const EVERY_WRITE_IS_DIFFERENT: bool = true;

    fn name(&self, key: &SessionKey) -> String {
        format!("{}session:{}", self.0, key.expose())
    }

    fn list_name(&self, user_id: &str) -> String {
        format!("{}sessions-of:{user_id}", self.0)
    }

    fn read(&self, held: &Held) -> Result<Record, RedisError> {
        Record::read(&held.value)
    }

    fn write(&self, record: &Record) -> Result<Vec<u8>, RedisError> {
        Ok(record.write())
    }

    /// The exact end stands in the value; a clock that differs from the server's does no harm.
    fn life(&self, record: &Record, now: SystemTime) -> Life {
        Life::For(lives(record.stored.expires, now))
    }
}
