//! Session data as signed text, and back.

use std::time::{Duration, SystemTime};

use super::SessionData;
use crate::KeyRing;
use crate::signing::{DecodeError, TimestampSigner};

/// The salt of sessions in a database, a cache in front of one, or files.
const STORE_SALT: &str = "django.contrib.sessions.SessionStore";

/// Shorter JSON is not compressed: it would save a few dozen bytes of a database page, and cost several times what
/// checking the signature costs, at every read.
const COMPRESS_FROM: usize = 1024;

/// Encodes and decodes the data of sessions. Make one and keep it: it has its keys ready.
#[derive(Clone, Debug)]
pub struct SessionCodec {
    signer: TimestampSigner,
    compress_from: usize,
}

impl SessionCodec {
    /// Makes a codec for the format that the back ends `db`, `cached_db` and `file` share.
    pub fn new(keys: &KeyRing) -> Self {
        Self::with_salt(keys, STORE_SALT)
    }

    /// Makes a codec for another back end: `django.contrib.sessions.` and its class name.
    pub fn with_salt(keys: &KeyRing, salt: &str) -> Self {
        Self {
            signer: TimestampSigner::new(keys, salt),
            compress_from: COMPRESS_FROM,
        }
    }

    /// Compresses JSON of at least so many bytes, where that makes it shorter; Django, which reads both, begins at 0, and
    /// this codec at 1024.
    #[must_use]
    pub const fn with_compression_from(mut self, bytes: usize) -> Self {
        self.compress_from = bytes;
        self
    }

    /// Writes without compression, which Django reads as well: a quarter more in the row, a quarter of the time to read.
    #[must_use]
    pub const fn without_compression(self) -> Self {
        self.with_compression_from(usize::MAX)
    }

    /// Signs the data, compressed where it is long and that makes it shorter.
    pub fn encode(&self, data: &SessionData, now: SystemTime) -> String {
        let json = data.to_json();
        self.signer
            .sign_json(&json, json.len() >= self.compress_from, now)
    }

    /// Reads signed data, of whatever age: how long a session lives is written beside it, not in it.
    ///
    /// # Errors
    ///
    /// [`DecodeError::BadSignature`] where nobody with a key wrote it, which deserves a warning on
    /// `django.security.SuspiciousSession`; [`DecodeError::Malformed`] where it is authentic and not a JSON object. Django
    /// goes on with an empty session in both cases.
    pub fn decode(&self, text: &str) -> Result<SessionData, DecodeError> {
        self.decode_dated(text).map(|(data, _)| data)
    }

    /// Reads signed data, and says when it was signed, for a session that stands nowhere else.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_dated(&self, text: &str) -> Result<(SessionData, SystemTime), DecodeError> {
        let (payload, signed_at) = self.signer.split(text)?;
        let json = crate::signing::decode_payload(payload)?;
        // A time before 1970 is nobody's: what was signed then has ended.
        let signed_at = Duration::from_secs(u64::try_from(signed_at).unwrap_or_default());
        let signed_at = SystemTime::UNIX_EPOCH.checked_add(signed_at);
        Ok((
            SessionData::from_json(json)?,
            signed_at.unwrap_or(SystemTime::UNIX_EPOCH),
        ))
    }

    /// Reads signed data that is not older than `max_age`: for the cookie that holds a session itself.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`]; data that is too old has a bad signature, which [knows why](crate::signing::BadSignature::is_expired).
    pub fn decode_within(
        &self,
        text: &str,
        max_age: Duration,
        now: SystemTime,
    ) -> Result<SessionData, DecodeError> {
        self.signer.unsign_at(text, Some(max_age), now)?;
        self.decode(text)
    }
}

#[cfg(test)]
mod tests;
