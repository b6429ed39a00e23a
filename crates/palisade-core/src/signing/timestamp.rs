//! Signed values that know when they were signed, and signed objects: what Django keeps almost everything in.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Algorithm, BadSignature, DecodeError, Signer, UnsafeSeparator, base62, payload, split_last};
use crate::{KeyRing, json};

/// The salt of a [`TimestampSigner`] that is given none.
const DEFAULT_SALT: &str = "django.core.signing.TimestampSigner";
/// The salt of [`dumps`] and [`loads`] where none is given.
const OBJECT_SALT: &str = "django.core.signing";

/// Signs text together with the time: `django.core.signing.TimestampSigner`.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::signing::TimestampSigner;
/// use palisade_core::{KeyRing, SecretKey};
///
/// let signer = TimestampSigner::new(&KeyRing::new(SecretKey::new("secret")), "s");
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let signed = signer.sign_at("hello", now);
/// assert_eq!(signed, "hello:1r31eq:h5ixNDuDHR-8tNdgEUkl8u6A7KWK1f5fRvPCKT98d6k");
///
/// let hour = Some(Duration::from_secs(3600));
/// assert_eq!(signer.unsign_at(&signed, hour, now).unwrap(), "hello");
/// assert!(signer.unsign_at(&signed, hour, now + Duration::from_secs(3601)).unwrap_err().is_expired());
/// ```
#[derive(Clone, Debug)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// Makes a signer for the purpose that `salt` names. An empty salt stands for Django's default.
    pub fn new(keys: &KeyRing, salt: &str) -> Self {
        Self::with_algorithm(keys, salt, Algorithm::default())
    }

    /// Makes a signer with another digest, to read what an old Django signed.
    pub fn with_algorithm(keys: &KeyRing, salt: &str, algorithm: Algorithm) -> Self {
        let salt = if salt.is_empty() { DEFAULT_SALT } else { salt };
        Self(Signer::with_algorithm(keys, salt, algorithm))
    }

    /// Puts another separator than `:` between value, time and signature.
    ///
    /// # Errors
    ///
    /// Where a signature could contain the separator.
    pub fn separated_by(self, separator: &str) -> Result<Self, UnsafeSeparator> {
        self.0.separated_by(separator).map(Self)
    }

    /// Computes a signature alone, of a value without time.
    pub fn signature(&self, value: impl AsRef<[u8]>) -> String {
        self.0.signature(value)
    }

    /// Signs a value at a time, of which whole seconds are kept.
    pub fn sign_at(&self, value: &str, now: SystemTime) -> String {
        let mut signed = String::with_capacity(value.len() + 64);
        signed.push_str(value);
        self.sign_in_place(&mut signed, now);
        signed
    }

    /// Takes the value out of a signed text that is not older than `max_age`. A time in the future is believed.
    ///
    /// # Errors
    ///
    /// Where the signature does not match, carries no time, or is older than `max_age`.
    pub fn unsign_at<'s>(
        &self,
        signed: &'s str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<&'s str, BadSignature> {
        self.unsign_within(signed, max_age.as_ref().map(Duration::as_secs_f64), now)
    }

    /// Does the same for an age in seconds as Django's settings and callers give it: any number, also a negative one,
    /// which nothing is young enough for.
    ///
    /// # Errors
    ///
    /// As [`unsign_at`](Self::unsign_at).
    pub fn unsign_within<'s>(
        &self,
        signed: &'s str,
        max_age: Option<f64>,
        now: SystemTime,
    ) -> Result<&'s str, BadSignature> {
        let (value, signed_at) = self.split(signed)?;
        if let Some(max_age) = max_age {
            let age = unix_seconds(now) - float(signed_at);
            if age > max_age {
                return Err(BadSignature::Expired { age, max_age });
            }
        }
        Ok(value)
    }

    /// Takes value and time of signing (in Unix seconds) out of a signed text, of whatever age.
    ///
    /// # Errors
    ///
    /// Where the signature does not match or carries no time.
    pub fn split<'s>(&self, signed: &'s str) -> Result<(&'s str, i64), BadSignature> {
        let timed = self.0.unsign(signed)?;
        let (value, time) = split_last(timed, self.0.separator()).ok_or(BadSignature::Untimed)?;
        Ok((value, base62::decode(time).map_err(|_| BadSignature::Untimed)?))
    }

    /// Signs a value as JSON, compressed where that is asked for and shorter: `sign_object`.
    ///
    /// # Errors
    ///
    /// Where the value has no form in JSON.
    pub fn sign_object<T: Serialize + ?Sized>(
        &self,
        value: &T,
        compress: bool,
        now: SystemTime,
    ) -> Result<String, json::Error> {
        Ok(self.sign_json(&json::to_string(value)?, compress, now))
    }

    /// Reads a value that [`sign_object`](Self::sign_object) or Django signed: `unsign_object`.
    ///
    /// # Errors
    ///
    /// As [`unsign_at`](Self::unsign_at), or where the payload is not the JSON of a `T`.
    pub fn unsign_object<T: DeserializeOwned>(
        &self,
        signed: &str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<T, DecodeError> {
        let text = payload::decode(self.unsign_at(signed, max_age, now)?)?;
        json::from_str(&text).map_err(|error| DecodeError::Malformed(error.into()))
    }

    /// Signs bytes, compressed where that is asked for and shorter: `sign_object` with what a serializer made.
    pub fn sign_bytes_at(&self, bytes: &[u8], compress: bool, now: SystemTime) -> String {
        let mut signed = payload::encode(bytes, compress);
        self.sign_in_place(&mut signed, now);
        signed
    }

    /// Reads the bytes that [`sign_bytes_at`](Self::sign_bytes_at) or Django's `sign_object` signed.
    ///
    /// # Errors
    ///
    /// As [`unsign_within`](Self::unsign_within), or where the payload is damaged.
    pub fn unsign_bytes_within(
        &self,
        signed: &str,
        max_age: Option<f64>,
        now: SystemTime,
    ) -> Result<Vec<u8>, DecodeError> {
        Ok(payload::decode_bytes(self.unsign_within(signed, max_age, now)?)?)
    }

    /// Signs JSON text that is ASCII already.
    pub(crate) fn sign_json(&self, text: &str, compress: bool, now: SystemTime) -> String {
        self.sign_bytes_at(text.as_bytes(), compress, now)
    }

    /// Appends time and signature.
    fn sign_in_place(&self, value: &mut String, now: SystemTime) {
        value.push_str(self.0.separator());
        value.push_str(&base62::encode(whole_seconds(now)));
        self.0.sign_in_place(value);
    }
}

/// Signs a value as JSON for the purpose that `salt` names: `django.core.signing.dumps`.
///
/// Keep a [`TimestampSigner`] instead where many values are signed.
///
/// # Errors
///
/// Where the value has no form in JSON.
pub fn dumps<T: Serialize + ?Sized>(
    value: &T,
    keys: &KeyRing,
    salt: &str,
    compress: bool,
    now: SystemTime,
) -> Result<String, json::Error> {
    object_signer(keys, salt).sign_object(value, compress, now)
}

/// Reads a value that [`dumps`] or Django signed: `django.core.signing.loads`.
///
/// # Errors
///
/// Where the signature does not match or is older than `max_age`, or where the payload is not the JSON of a `T`.
pub fn loads<T: DeserializeOwned>(
    signed: &str,
    keys: &KeyRing,
    salt: &str,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<T, DecodeError> {
    object_signer(keys, salt).unsign_object(signed, max_age, now)
}

fn object_signer(keys: &KeyRing, salt: &str) -> TimestampSigner {
    TimestampSigner::new(keys, if salt.is_empty() { OBJECT_SALT } else { salt })
}

/// Unix seconds with their fraction, as Python's `time.time()`.
fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// Unix seconds without their fraction.
pub(crate) fn whole_seconds(time: SystemTime) -> i64 {
    let (sign, duration) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (1, since),
        Err(before) => (-1, before.duration()),
    };
    i64::try_from(duration.as_secs()).map_or(i64::MAX, |seconds| sign * seconds)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python's subtraction makes the same float"
)]
const fn float(seconds: i64) -> f64 {
    seconds as f64
}
