//! How expensive a hash has to be today, and what is too cheap to be left in a table.

use super::{Algorithm, EncodedPassword};
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
            bcrypt_work_factor: 12,
            scrypt_work_factor: 16_384,
            scrypt_block_size: 8,
            scrypt_parallelism: 5,
            salt_entropy: 128,
        }
    }
}

impl EncodedPassword {
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
