//! PBKDF2 (RFC 8018 §5.2) with any digest and length of output: `django.utils.crypto.pbkdf2`.
//!
//! For passwords there are the library's hashers, whose loop is several times faster for SHA-256.

use blake2::{Blake2b512, Blake2s256};
use hmac::{Hmac, SimpleHmac};
use md5::Md5;
use pbkdf2::pbkdf2 as rounds;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use super::Algorithm;

/// Derives `length` bytes from a password; 0 stands for as many as the digest has, fewer than one iteration for one.
///
/// # Example
///
/// ```
/// use palisade_core::signing::{Algorithm, pbkdf2};
///
/// let derived = pbkdf2("password", "salt", 2, 20, Algorithm::Sha1);
/// assert_eq!(derived[..4], [0xea, 0x6c, 0x01, 0x4d]);
/// ```
pub fn pbkdf2(
    password: impl AsRef<[u8]>,
    salt: impl AsRef<[u8]>,
    iterations: u32,
    length: usize,
    algorithm: Algorithm,
) -> Vec<u8> {
    let length = if length == 0 {
        algorithm.digest_length()
    } else {
        length
    };
    let mut derived = vec![0; length];
    algorithm.derive(password.as_ref(), salt.as_ref(), iterations.max(1), &mut derived);
    derived
}

impl Algorithm {
    /// How many bytes a digest has.
    const fn digest_length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha3_256 | Self::Blake2s => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 | Self::Blake2b => 64,
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    fn derive(self, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
        let derive = match self {
            Self::Md5 => rounds::<Hmac<Md5>>,
            Self::Sha1 => rounds::<Hmac<Sha1>>,
            Self::Sha224 => rounds::<Hmac<Sha224>>,
            Self::Sha256 => rounds::<Hmac<Sha256>>,
            Self::Sha384 => rounds::<Hmac<Sha384>>,
            Self::Sha512 => rounds::<Hmac<Sha512>>,
            Self::Sha3_224 => rounds::<Hmac<Sha3_224>>,
            Self::Sha3_256 => rounds::<Hmac<Sha3_256>>,
            Self::Sha3_384 => rounds::<Hmac<Sha3_384>>,
            Self::Sha3_512 => rounds::<Hmac<Sha3_512>>,
            Self::Blake2b => rounds::<SimpleHmac<Blake2b512>>,
            Self::Blake2s => rounds::<SimpleHmac<Blake2s256>>,
        };
        derive(password, salt, iterations, out).expect("any key length");
    }
}
