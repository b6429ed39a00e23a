//! How expensive a hash has to be today, and whether a stored one still is.

use super::{Algorithm, Argon2Variety, EncodedPassword};
use crate::{Threat, Weakness};

/// What new hashes are made with. The default is what Django 5.2 uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Iterations of PBKDF2, with either digest.
    pub pbkdf2_iterations: u32,
    /// KiB of memory of Argon2.
    pub argon2_memory_cost: u32,
    /// Passes of Argon2.
    pub argon2_time_cost: u32,
    /// Lanes of Argon2.
    pub argon2_parallelism: u32,
    /// Bytes of a hash of Argon2.
    pub argon2_hash_length: usize,
    /// The logarithm of the rounds of bcrypt.
    pub bcrypt_work_factor: u32,
    /// N of scrypt.
    pub scrypt_work_factor: u32,
    /// r of scrypt.
    pub scrypt_block_size: u32,
    /// p of scrypt.
    pub scrypt_parallelism: u32,
    /// Bits of a salt below which it is weak.
    pub salt_entropy: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            pbkdf2_iterations: 1_000_000,
            argon2_memory_cost: 102_400,
            argon2_time_cost: 2,
            argon2_parallelism: 8,
            argon2_hash_length: 32,
            bcrypt_work_factor: 12,
            scrypt_work_factor: 16_384,
            scrypt_block_size: 8,
            scrypt_parallelism: 5,
            salt_entropy: 128,
        }
    }
}

/// The version of Argon2 that new hashes have.
const ARGON2_VERSION: u32 = 19;

impl EncodedPassword {
    /// Says whether the next login should hash the password again: Django's `must_update` of the same algorithm.
    ///
    /// Parameters that are *higher* than today's count as different, too. That the algorithm is not the preferred one is
    /// for the caller to see.
    pub fn must_update(&self, parameters: &Parameters) -> bool {
        match self {
            Self::Pbkdf2 { iterations, salt, .. } => {
                *iterations != parameters.pbkdf2_iterations || parameters.is_weak(salt.chars().count())
            }
            Self::Argon2 {
                variety,
                version,
                memory_cost,
                time_cost,
                parallelism,
                salt,
                hash,
            } => {
                *variety != Argon2Variety::Argon2id
                    || *version != Some(ARGON2_VERSION)
                    || *memory_cost != parameters.argon2_memory_cost
                    || *time_cost != parameters.argon2_time_cost
                    || *parallelism != parameters.argon2_parallelism
                    || bytes_of(hash) != parameters.argon2_hash_length
                    || parameters.is_weak(bytes_of(salt))
            }
            Self::Bcrypt { work_factor, .. } => *work_factor != parameters.bcrypt_work_factor,
            Self::Scrypt {
                work_factor,
                block_size,
                parallelism,
                ..
            } => {
                *work_factor != parameters.scrypt_work_factor
                    || *block_size != parameters.scrypt_block_size
                    || *parallelism != parameters.scrypt_parallelism
            }
            Self::Md5 { salt, .. } => parameters.is_weak(salt.chars().count()),
            Self::UnsaltedMd5 { .. } | Self::UnsaltedSha1 { .. } => false,
        }
    }

    /// Says how a stolen row would give the password away too cheaply.
    pub fn weaknesses(&self, parameters: &Parameters) -> Vec<Weakness> {
        let algorithm = self.algorithm();
        let what = match (self, algorithm) {
            (_, Algorithm::UnsaltedMd5 | Algorithm::UnsaltedSha1) => {
                format!("{algorithm} hashes all users at once, billions of guesses a second.")
            }
            (_, Algorithm::Md5) => format!("{algorithm} allows billions of guesses a second."),
            (Self::Pbkdf2 { iterations, .. }, _) if *iterations < parameters.pbkdf2_iterations => {
                format!(
                    "{algorithm} has {iterations} iterations, fewer than {}.",
                    parameters.pbkdf2_iterations
                )
            }
            (Self::Bcrypt { work_factor, .. }, _) if *work_factor < parameters.bcrypt_work_factor => {
                format!(
                    "{algorithm} has a work factor of {work_factor}, below {}.",
                    parameters.bcrypt_work_factor
                )
            }
            (Self::Scrypt { work_factor, .. }, _) if *work_factor < parameters.scrypt_work_factor => {
                format!(
                    "{algorithm} has a work factor of {work_factor}, below {}.",
                    parameters.scrypt_work_factor
                )
            }
            _ => return Vec::new(),
        };
        vec![Weakness::new(Threat::WeakPasswordStorage, what)]
    }
}

impl Parameters {
    /// Says whether a salt of so many characters has too little chance in it, counted as Django counts.
    fn is_weak(&self, characters: usize) -> bool {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        f64::from(characters) * 62_f64.log2() < f64::from(self.salt_entropy)
    }
}

/// How many bytes an unpadded base64 text stands for.
const fn bytes_of(text: &str) -> usize {
    text.len() / 4 * 3 + text.len() % 4 * 3 / 4
}
