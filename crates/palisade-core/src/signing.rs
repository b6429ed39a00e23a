//! Django's signed values: [`Signer`], [`TimestampSigner`], [`dumps`] and [`loads`], signed cookies.
//!
//! A signed value is `value:signature`, readable by anybody and changeable by nobody without the key. Django keeps
//! sessions, messages, cookies and tokens in this format, so it is read and written byte for byte
//! (`django.core.signing`). Keys are derived and absorbed when a signer is made, not when it signs: make one per purpose
//! and keep it.
//!
//! Signing is not encryption, and a signature says nothing about *when* or *for whom*: give every purpose its own salt,
//! and a maximal age to what must not live for ever.
//!
//! # Example
//!
//! ```
//! use palisade_core::signing::Signer;
//! use palisade_core::{KeyRing, SecretKey};
//!
//! let signer = Signer::new(&KeyRing::new(SecretKey::new("secret")), "s");
//! let signed = signer.sign("hello");
//! assert_eq!(signed, "hello:ELWR6i-VPRmNhIp5I_VPqRfqmtgnrjijlfyCvNznz-A");
//! assert_eq!(signer.unsign(&signed).unwrap(), "hello");
//! ```

use thiserror::Error;

use crate::secret::constant_time_eq;
use crate::{KeyRing, json};

pub use self::algorithm::{Algorithm, InvalidAlgorithm, base64_hmac, salted_hmac};
pub(crate) use self::algorithm::{ReadyMac, Tag};
pub use self::cookie::{CookieSigner, sign_cookie, unsign_cookie};
pub(crate) use self::payload::decode as decode_payload;
pub use self::payload::{DecodeError, MOST_INFLATED, Malformed, latin1};
pub use self::pbkdf2::pbkdf2;
pub(crate) use self::timestamp::whole_seconds;
pub use self::timestamp::{TimestampSigner, dumps, loads};

mod algorithm;
pub mod base36;
pub mod base62;
pub mod base64url;
mod cookie;
mod payload;
mod pbkdf2;
mod timestamp;

/// The salt of a [`Signer`] that is given none.
const DEFAULT_SALT: &str = "django.core.signing.Signer";
/// What stands between value and signature.
const DEFAULT_SEPARATOR: &str = ":";
/// Room for the base64 of the longest digest, 64 bytes.
const LONGEST_SIGNATURE: usize = 88;

/// Why a signed value is not believed.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// The text has no separator, so no signature.
    #[error("No \"{separator}\" found in value")]
    Unsigned {
        /// The separator that was looked for.
        separator: String,
    },
    /// No key made this signature for this value.
    #[error("Signature \"{signature}\" does not match")]
    Mismatch {
        /// The signature that came with the value.
        signature: String,
    },
    /// The signature is right and too old: Django's `SignatureExpired`.
    #[error("Signature age {} > {} seconds", json::float_repr(*age), seconds(*max_age))]
    Expired {
        /// Its age, in seconds.
        age: f64,
        /// The age that was allowed, in seconds.
        max_age: f64,
    },
    /// The signature is right and carries no time: it was made by a signer without timestamps.
    #[error("Signature has no readable timestamp")]
    Untimed,
}

impl BadSignature {
    /// Says whether the value was authentic and is only too old.
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }
}

/// A separator that could be part of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "Unsafe Signer separator: {} (cannot be empty or consist of only A-z0-9-_=)",
    quoted(separator)
)]
pub struct UnsafeSeparator {
    separator: String,
}

/// Signs text, and takes it back unchanged: `django.core.signing.Signer`.
#[derive(Clone, Debug)]
pub struct Signer {
    separator: String,
    primary: ReadyMac,
    fallbacks: Vec<ReadyMac>,
}

impl Signer {
    /// Makes a signer for the purpose that `salt` names. An empty salt stands for Django's default.
    pub fn new(keys: &KeyRing, salt: &str) -> Self {
        Self::with_algorithm(keys, salt, Algorithm::default())
    }

    /// Makes a signer with another digest, to read what an old Django signed.
    pub fn with_algorithm(keys: &KeyRing, salt: &str, algorithm: Algorithm) -> Self {
        let salt = if salt.is_empty() { DEFAULT_SALT } else { salt };
        let ready = |key| ReadyMac::new(algorithm, &[salt.as_bytes(), b"signer"], key);
        Self {
            separator: DEFAULT_SEPARATOR.to_owned(),
            primary: ready(keys.primary()),
            fallbacks: keys.fallbacks().iter().map(ready).collect(),
        }
    }

    /// Puts another separator than `:` between value and signature.
    ///
    /// # Errors
    ///
    /// Where a signature could contain the separator.
    pub fn separated_by(mut self, separator: &str) -> Result<Self, UnsafeSeparator> {
        let line = separator.strip_suffix('\n').unwrap_or(separator);
        if line
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'z' | b'0'..=b'9' | b'-' | b'='))
        {
            return Err(UnsafeSeparator {
                separator: separator.to_owned(),
            });
        }
        separator.clone_into(&mut self.separator);
        Ok(self)
    }

    /// What stands between value and signature.
    pub fn separator(&self) -> &str {
        &self.separator
    }

    /// Computes the signature alone.
    pub fn signature(&self, value: impl AsRef<[u8]>) -> String {
        base64url::encode(self.primary.tag(&[value.as_ref()]).as_bytes())
    }

    /// Signs with the primary key.
    pub fn sign(&self, value: &str) -> String {
        let mut signed = String::with_capacity(value.len() + self.separator.len() + LONGEST_SIGNATURE);
        signed.push_str(value);
        self.sign_in_place(&mut signed);
        signed
    }

    /// Takes the value out of a signed text.
    ///
    /// # Errors
    ///
    /// Where there is no signature, or one that neither the primary key nor a fallback made.
    pub fn unsign<'s>(&self, signed: &'s str) -> Result<&'s str, BadSignature> {
        let Some((value, signature)) = split_last(signed, &self.separator) else {
            return Err(BadSignature::Unsigned {
                separator: self.separator.clone(),
            });
        };
        let made_by = |mac: &ReadyMac| is_signature(&mac.tag(&[value.as_bytes()]), signature);
        if made_by(&self.primary) || self.fallbacks.iter().any(made_by) {
            Ok(value)
        } else {
            Err(BadSignature::Mismatch {
                signature: signature.to_owned(),
            })
        }
    }

    /// Signs bytes, compressed where that is asked for and shorter: `sign_object` with what a serializer made.
    pub fn sign_bytes(&self, bytes: &[u8], compress: bool) -> String {
        let mut signed = payload::encode(bytes, compress);
        self.sign_in_place(&mut signed);
        signed
    }

    /// Reads the bytes that [`sign_bytes`](Self::sign_bytes) or Django's `sign_object` signed.
    ///
    /// # Errors
    ///
    /// Where the signature does not match, or the payload is damaged.
    pub fn unsign_bytes(&self, signed: &str) -> Result<Vec<u8>, DecodeError> {
        Ok(payload::decode_bytes(self.unsign(signed)?)?)
    }

    /// Appends separator and signature to the value.
    pub(crate) fn sign_in_place(&self, value: &mut String) {
        let tag = self.primary.tag(&[value.as_bytes()]);
        value.push_str(&self.separator);
        base64url::encode_onto(tag.as_bytes(), value);
    }
}

/// Splits at the last separator. Searching for one byte is several times faster than for a text.
fn split_last<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    match separator.as_bytes() {
        [byte] => text.rsplit_once(char::from(*byte)),
        _ => text.rsplit_once(separator),
    }
}

/// Compares the text of a signature, so that no two texts are the same signature.
fn is_signature(tag: &Tag, signature: &str) -> bool {
    use base64::Engine;
    let mut room = [0; LONGEST_SIGNATURE];
    let written = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode_slice(tag.as_bytes(), &mut room);
    let expected = written.ok().and_then(|length| room.get(..length));
    expected.is_some_and(|expected| constant_time_eq(expected, signature))
}

/// A maximal age as Python prints it: whole seconds as an integer.
fn seconds(max_age: f64) -> String {
    let repr = json::float_repr(max_age);
    repr.strip_suffix(".0").map(ToOwned::to_owned).unwrap_or(repr)
}

/// A refused separator in Python's quotes. It has no quotes itself: all its characters are refused ones.
fn quoted(separator: &str) -> String {
    format!("'{}'", separator.replace('\\', "\\\\").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests;
