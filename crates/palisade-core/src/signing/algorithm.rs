//! The keyed digest under every Django signature: `salted_hmac`, and the same with its key made ready once.
//!
//! Django derives a key from salt and secret for each signature. The derivation depends on neither value nor time, so
//! [`ReadyMac`] does it once and keeps HMAC's inner and outer states; a signature then costs the digest of the value.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use blake2::{Blake2b512, Blake2s256};
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use thiserror::Error;
use zeroize::Zeroize;

use crate::SecretKey;
use crate::repr::Repr;

/// A digest that signs, by the name Python's `hashlib` gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `md5`
    Md5,
    /// `sha1`: what Django signed with before 3.1.
    Sha1,
    /// `sha224`
    Sha224,
    /// `sha256`: what Django signs with.
    #[default]
    Sha256,
    /// `sha384`
    Sha384,
    /// `sha512`
    Sha512,
    /// `sha3_224`
    Sha3_224,
    /// `sha3_256`
    Sha3_256,
    /// `sha3_384`
    Sha3_384,
    /// `sha3_512`
    Sha3_512,
    /// `blake2b`
    Blake2b,
    /// `blake2s`
    Blake2s,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 12] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
        Self::Blake2b,
        Self::Blake2s,
    ];

    /// The name that `hashlib` knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha3_224 => "sha3_224",
            Self::Sha3_256 => "sha3_256",
            Self::Sha3_384 => "sha3_384",
            Self::Sha3_512 => "sha3_512",
            Self::Blake2b => "blake2b",
            Self::Blake2s => "blake2s",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = InvalidAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| InvalidAlgorithm {
                name: name.to_owned(),
            })
    }
}

/// The name is no digest's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} is not an algorithm accepted by the hashlib module.", Repr(name))]
pub struct InvalidAlgorithm {
    name: String,
}

/// Computes Django's `salted_hmac`: `HMAC(digest(key_salt ‖ secret), value)`.
///
/// # Example
///
/// ```
/// use palisade_core::SecretKey;
/// use palisade_core::signing::{Algorithm, salted_hmac};
///
/// let tag = salted_hmac("salt", "value", &SecretKey::new("secret"), Algorithm::Sha256);
/// assert_eq!(tag[..4], [0xde, 0xba, 0xdd, 0xcd]);
/// ```
pub fn salted_hmac(
    key_salt: impl AsRef<[u8]>,
    value: impl AsRef<[u8]>,
    secret: &SecretKey,
    algorithm: Algorithm,
) -> Vec<u8> {
    ReadyMac::new(algorithm, &[key_salt.as_ref()], secret)
        .tag(&[value.as_ref()])
        .as_bytes()
        .to_vec()
}

/// Computes Django's `base64_hmac`: the [`salted_hmac`] in URL-safe base64 without padding, as signatures carry it.
pub fn base64_hmac(
    key_salt: impl AsRef<[u8]>,
    value: impl AsRef<[u8]>,
    secret: &SecretKey,
    algorithm: Algorithm,
) -> String {
    super::base64url::encode(salted_hmac(key_salt, value, secret, algorithm))
}

/// A `salted_hmac` whose key is derived and absorbed already.
#[derive(Clone)]
pub(crate) struct ReadyMac(Arc<dyn Keyed>);

impl ReadyMac {
    /// Derives the key from the parts of the salt and the secret.
    pub(crate) fn new(algorithm: Algorithm, key_salt: &[&[u8]], secret: &SecretKey) -> Self {
        let derive = match algorithm {
            Algorithm::Md5 => ready::<Hmac<Md5>, Md5>,
            Algorithm::Sha1 => ready::<Hmac<Sha1>, Sha1>,
            Algorithm::Sha224 => ready::<Hmac<Sha224>, Sha224>,
            Algorithm::Sha256 => ready::<Hmac<Sha256>, Sha256>,
            Algorithm::Sha384 => ready::<Hmac<Sha384>, Sha384>,
            Algorithm::Sha512 => ready::<Hmac<Sha512>, Sha512>,
            Algorithm::Sha3_224 => ready::<Hmac<Sha3_224>, Sha3_224>,
            Algorithm::Sha3_256 => ready::<Hmac<Sha3_256>, Sha3_256>,
            Algorithm::Sha3_384 => ready::<Hmac<Sha3_384>, Sha3_384>,
            Algorithm::Sha3_512 => ready::<Hmac<Sha3_512>, Sha3_512>,
            Algorithm::Blake2b => ready::<SimpleHmac<Blake2b512>, Blake2b512>,
            Algorithm::Blake2s => ready::<SimpleHmac<Blake2s256>, Blake2s256>,
        };
        Self(derive(key_salt, secret))
    }

    /// Authenticates the parts as one message.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Tag {
        self.0.tag(parts)
    }
}

impl fmt::Debug for ReadyMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::secret::CLEANSED)
    }
}

/// An authentication code, of up to 64 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    bytes: [u8; 64],
    length: usize,
}

impl Tag {
    fn new(code: &[u8]) -> Self {
        let mut tag = Self {
            bytes: [0; 64],
            length: 0,
        };
        if let Some(room) = tag.bytes.get_mut(..code.len()) {
            room.copy_from_slice(code);
            tag.length = code.len();
        }
        tag
    }

    /// The code.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// What all keyed states can do, whatever their digest.
trait Keyed: Send + Sync {
    fn tag(&self, parts: &[&[u8]]) -> Tag;
}

impl<M: Mac + Clone + Send + Sync> Keyed for M {
    fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut mac = self.clone();
        for part in parts {
            mac.update(part);
        }
        Tag::new(&mac.finalize().into_bytes())
    }
}

/// Derives the key with the digest `D` and absorbs it into `M`.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn ready<M: KeyInit + Mac + Clone + Send + Sync + 'static, D: Digest>(
    key_salt: &[&[u8]],
    secret: &SecretKey,
) -> Arc<dyn Keyed> {
    let mut digest = D::new();
    for part in key_salt {
        digest.update(part);
    }
    digest.update(secret.expose());
    let mut key = digest.finalize();
    let mac = <M as KeyInit>::new_from_slice(&key).expect("any key length");
    key.as_mut_slice().zeroize();
    Arc::new(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(key_salt: &str, value: &str, secret: &str, algorithm: Algorithm) -> String {
        use std::fmt::Write;
        salted_hmac(key_salt, value, &SecretKey::new(secret), algorithm)
            .iter()
            .fold(String::new(), |mut all, byte| {
                let _ = write!(all, "{byte:02x}");
                all
            })
    }

    #[test]
    fn salted_hmac_is_djangos() {
        assert_eq!(
            hex("salt", "value", "secret", Algorithm::Sha256),
            "debaddcd9ecbaab181289870baf8af49b0af0a7050d620d1a63f1e69bd87ceb8"
        );
        assert_eq!(
            hex("salt", "value", "abcdefg", Algorithm::Sha1),
            "8bbee04ccddfa24772d1423a0ba43bd0c0e24b76"
        );
    }

    #[test]
    fn unknown_algorithm_is_refused_by_name() {
        assert_eq!(
            "whatever".parse::<Algorithm>().unwrap_err().to_string(),
            "'whatever' is not an algorithm accepted by the hashlib module."
        );
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
    }

    #[test]
    fn ready_key_is_not_printed() {
        let mac = ReadyMac::new(Algorithm::Sha256, &[b"salt"], &SecretKey::new("secret"));
        assert_eq!(format!("{mac:?}"), crate::secret::CLEANSED);
    }
}
