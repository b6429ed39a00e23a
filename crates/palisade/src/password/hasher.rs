//! One of Django's hashers by itself, under any name and with any parameters, on the calling thread.
//!
//! [`Hashers`](super::Hashers) is what a service wants: Django's algorithms, strictly read, in a bounded pool. This is for programs that must do
//! what a particular Django does: a site that has subclassed a hasher under a name of its own, a command that reads
//! a table of users, a test. It reads stored passwords as leniently as Django, and says what Django would raise.
//!
//! # Security
//!
//! It blocks its thread for as long as the hash takes, and prints nothing of a password; the errors of [`identify_among`]
//! show what stands before the first `$` of a column, which in a damaged table may be a password in clear.

mod decoded;
mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use palisade_core::password::{Algorithm, Argon2Variety, EncodedPassword, Parameters};
use palisade_core::secret::constant_time_eq;
use palisade_core::signing;
use palisade_core::token::{Alphabet, random_bytes, random_string};

use super::derive::{self, Argon2Cost, BCRYPT_BYTES, Underivable};
pub use decoded::{Decoded, Field};
pub use verify::{Verification, Work, identify_among, make_password, verify_password};

/// Bytes of a hash of Argon2.
const ARGON2_HASH_BYTES: usize = 32;
/// What is measured in characters of [`Alphabet::Base62`].
const DJANGOS_SALT_ENTROPY: u32 = 128;
/// How long `$2b$12$` and the 22 characters of a bcrypt salt are.
const BCRYPT_SALT_LENGTH: usize = 29;

/// Why a hasher did nothing, in Django's words where Django has some.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// There is no password (Python's `TypeError`).
    #[error("password must be provided.")]
    NoPassword,
    /// The salt cannot be stored.
    #[error("salt must be provided and cannot contain $.")]
    Salt,
    /// What is stored is of another algorithm (Python's `AssertionError`).
    #[error("the stored password is of another algorithm")]
    OtherAlgorithm,
    /// What is stored has not the fields of its algorithm.
    #[error("the stored password is malformed")]
    Malformed,
    /// No enabled hasher has this name.
    #[error("Unknown password hashing algorithm '{0}'. Did you specify it in the PASSWORD_HASHERS setting?")]
    Unknown(String),
    /// The password has more bytes than bcrypt reads.
    #[error(
        "password cannot be longer than 72 bytes, truncate manually if necessary (e.g. my_password[:72])"
    )]
    TooLong,
    /// The parameters are impossible, or beyond what one login may cost.
    #[error("the parameters of the hash are impossible or too expensive")]
    Underivable,
}

impl From<Underivable> for HasherError {
    fn from(Underivable: Underivable) -> Self {
        Self::Underivable
    }
}

/// How a hasher hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// PBKDF2.
    Pbkdf2 {
        /// The digest under it.
        digest: signing::Algorithm,
        /// How often it is applied.
        iterations: u32,
    },
    /// Argon2id.
    Argon2 {
        /// Passes.
        time_cost: u32,
        /// KiB of memory.
        memory_cost: u32,
        /// Lanes.
        parallelism: u32,
    },
    /// bcrypt.
    Bcrypt {
        /// Whether SHA-256 goes before.
        prehashed: bool,
        /// The logarithm of the rounds.
        rounds: u32,
    },
    /// scrypt.
    Scrypt {
        /// N.
        work_factor: u32,
        /// r.
        block_size: u32,
        /// p.
        parallelism: u32,
    },
    /// Salted MD5, which protects nobody.
    Md5,
}

/// What makes a failed check as slow as one at today's cost: so many runs with this salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// The salt of the stored password.
    pub salt: String,
    /// Iterations of each run, where the algorithm counts them.
    pub iterations: Option<u32>,
    /// How many runs.
    pub runs: u64,
}

/// A hasher.
///
/// # Example
///
/// ```
/// use palisade::password::hasher::{Hasher, Scheme};
/// use palisade::core::signing::Algorithm;
///
/// let scheme = Scheme::Pbkdf2 { digest: Algorithm::Sha256, iterations: 1000 };
/// let hasher = Hasher::new("pbkdf2_sha256", scheme);
/// let stored = hasher.encode("lètmein".as_bytes(), "seasalt1")?;
/// assert_eq!(stored, "pbkdf2_sha256$1000$seasalt1$oFBnS0DdLmFhnhApv97DLGS/HGVbO6eXjBRz1P/XX8Q=");
/// assert!(hasher.verify("lètmein".as_bytes(), &stored)?);
/// assert!(hasher.must_update(&stored)?); // eight characters are too short a salt
/// # Ok::<(), palisade::password::hasher::HasherError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hasher {
    algorithm: String,
    scheme: Scheme,
    salt_entropy: u32,
}

impl Hasher {
    /// Makes a hasher that writes this name before its hashes.
    pub fn new(algorithm: impl Into<String>, scheme: Scheme) -> Self {
        Self {
            algorithm: algorithm.into(),
            scheme,
            salt_entropy: DJANGOS_SALT_ENTROPY,
        }
    }

    /// Makes Django's own hasher of an algorithm; there is none of the unsalted ones.
    pub fn of(algorithm: Algorithm, parameters: &Parameters) -> Option<Self> {
        let pbkdf2 = |digest| Scheme::Pbkdf2 {
            digest,
            iterations: parameters.pbkdf2_iterations,
        };
        let bcrypt = |prehashed| Scheme::Bcrypt {
            prehashed,
            rounds: parameters.bcrypt_work_factor,
        };
        let scheme = match algorithm {
            Algorithm::Pbkdf2Sha256 => pbkdf2(signing::Algorithm::Sha256),
            Algorithm::Pbkdf2Sha1 => pbkdf2(signing::Algorithm::Sha1),
            Algorithm::Argon2 => Scheme::Argon2 {
                time_cost: parameters.argon2_time_cost,
                memory_cost: parameters.argon2_memory_cost,
                parallelism: parameters.argon2_parallelism,
            },
            Algorithm::BcryptSha256 => bcrypt(true),
            Algorithm::Bcrypt => bcrypt(false),
            Algorithm::Scrypt => Scheme::Scrypt {
                work_factor: parameters.scrypt_work_factor,
                block_size: parameters.scrypt_block_size,
                parallelism: parameters.scrypt_parallelism,
            },
            Algorithm::Md5 => Scheme::Md5,
            _ => return None,
        };
        Some(Self::new(algorithm.name(), scheme).with_salt_entropy(parameters.salt_entropy))
    }

    /// Sets how many bits of chance a salt must have; 128 by default.
    #[must_use]
    pub const fn with_salt_entropy(mut self, bits: u32) -> Self {
        self.salt_entropy = bits;
        self
    }

    /// The name before the first `$`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Hashes a password. For bcrypt the salt is `$2b$12$…`, or a whole stored hash, and decides on the cost.
    ///
    /// # Errors
    ///
    /// [`HasherError::Salt`] for a salt that is empty or has a `$`; [`HasherError::TooLong`] for what plain bcrypt would cut off;
    /// [`HasherError::Underivable`].
    pub fn encode(&self, password: &[u8], salt: &str) -> Result<String, HasherError> {
        if matches!(self.scheme, Scheme::Bcrypt { prehashed: false, .. }) && password.len() > BCRYPT_BYTES {
            return Err(HasherError::TooLong);
        }
        self.encode_with(password, salt, self.scheme)
    }

    fn encode_with(&self, password: &[u8], salt: &str, scheme: Scheme) -> Result<String, HasherError> {
        let name = &self.algorithm;
        let is_text_salt = !matches!(scheme, Scheme::Argon2 { .. } | Scheme::Bcrypt { .. });
        if is_text_salt && (salt.is_empty() || salt.contains('$')) {
            return Err(HasherError::Salt);
        }
        Ok(match scheme {
            Scheme::Pbkdf2 { digest, iterations } => {
                let hash = derive::pbkdf2(digest, password, salt.as_bytes(), iterations)?;
                let hash = STANDARD.encode(hash);
                format!("{name}${iterations}${salt}${hash}")
            }
            Scheme::Argon2 {
                time_cost,
                memory_cost,
                parallelism,
            } => {
                let cost = Argon2Cost {
                    kind: argon2::Algorithm::Argon2id,
                    version: argon2::Version::V0x13,
                    memory_kib: memory_cost,
                    passes: time_cost,
                    lanes: parallelism,
                    length: ARGON2_HASH_BYTES,
                };
                let hash = STANDARD_NO_PAD.encode(derive::argon2(password, salt.as_bytes(), cost)?);
                let salt = STANDARD_NO_PAD.encode(salt);
                format!("{name}$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}${salt}${hash}")
            }
            Scheme::Bcrypt { prehashed, .. } => format!("{name}${}", bcrypt(password, salt, prehashed)?),
            Scheme::Scrypt {
                work_factor: n,
                block_size: r,
                parallelism: p,
            } => {
                let hash = derive::scrypt(password, salt.as_bytes(), u64::from(n), r, p)?;
                format!("{name}${n}${salt}${r}${p}${}", STANDARD.encode(hash))
            }
            Scheme::Md5 => format!("{name}${salt}${}", derive::md5_hex(salt.as_bytes(), password)),
        })
    }

    /// Reads the parts of a stored password.
    ///
    /// # Errors
    ///
    /// [`HasherError::OtherAlgorithm`] and [`HasherError::Malformed`].
    pub fn decode(&self, encoded: &str) -> Result<Decoded, HasherError> {
        decoded::decode(&self.algorithm, self.scheme, encoded)
    }

    /// Compares a password with a stored one, at the cost that is stored.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`]; [`HasherError::Underivable`]. A damaged hash of Argon2 is nobody's password, as in Django.
    ///
    /// # Security
    ///
    /// Of a password beyond 72 bytes plain bcrypt compares the beginning, as it did when that password was stored.
    pub fn verify(&self, password: &[u8], encoded: &str) -> Result<bool, HasherError> {
        Ok(self.compare(password, encoded)?.unwrap_or_default())
    }

    /// Compares; nothing where what is stored is damaged, so that no time was spent on it.
    fn compare(&self, password: &[u8], encoded: &str) -> Result<Option<bool>, HasherError> {
        if let Scheme::Argon2 { .. } = self.scheme {
            return self.compare_argon2(password, encoded);
        }
        let (salt, scheme) = if let Scheme::Bcrypt { .. } = self.scheme {
            (self.after_name(encoded)?.to_owned(), self.scheme)
        } else {
            let decoded = self.decode(encoded)?;
            (decoded.salt.clone(), decoded.scheme(self.scheme))
        };
        let given = self.encode_with(password, &salt, scheme)?;
        Ok(Some(constant_time_eq(encoded, given)))
    }

    fn compare_argon2(&self, password: &[u8], encoded: &str) -> Result<Option<bool>, HasherError> {
        let phc = self.after_name(encoded)?;
        let variety = phc.split('$').next().unwrap_or_default();
        if !matches!(variety, "argon2id" | "argon2i" | "argon2d") || !phc.is_ascii() {
            return Err(HasherError::Malformed);
        }
        let standard = format!("argon2${phc}");
        let given = standard.parse().ok().and_then(|stored| argon2(password, stored));
        Ok(given.map(|given| constant_time_eq(standard, given.to_string())))
    }

    fn after_name<'e>(&self, encoded: &'e str) -> Result<&'e str, HasherError> {
        let (name, rest) = encoded.split_once('$').ok_or(HasherError::Malformed)?;
        if name == self.algorithm {
            Ok(rest)
        } else {
            Err(HasherError::OtherAlgorithm)
        }
    }

    /// Says whether a stored password is to be hashed again at the next login.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    pub fn must_update(&self, encoded: &str) -> Result<bool, HasherError> {
        let decoded = self.decode(encoded)?;
        let is_weak = self.salt_length() > decoded.salt.chars().count();
        Ok(match self.scheme {
            Scheme::Pbkdf2 { iterations, .. } => {
                decoded.number("iterations") != Some(iterations.into()) || is_weak
            }
            Scheme::Argon2 {
                time_cost,
                memory_cost,
                parallelism,
            } => {
                decoded.text("variety") != Some("argon2id")
                    || decoded.number("version") != Some(19)
                    || decoded.number("time_cost") != Some(time_cost.into())
                    || decoded.number("memory_cost") != Some(memory_cost.into())
                    || decoded.number("parallelism") != Some(parallelism.into())
                    || decoded
                        .text("hash")
                        .map(|hash| hash.len() / 4 * 3 + hash.len() % 4 * 3 / 4)
                        != Some(ARGON2_HASH_BYTES)
                    || is_weak
            }
            Scheme::Bcrypt { rounds, .. } => decoded.number("work_factor") != Some(rounds.into()),
            Scheme::Scrypt {
                work_factor,
                block_size,
                parallelism,
            } => {
                decoded.number("work_factor") != Some(work_factor.into())
                    || decoded.number("block_size") != Some(block_size.into())
                    || decoded.number("parallelism") != Some(parallelism.into())
            }
            Scheme::Md5 => is_weak,
        })
    }

    /// Names the parts of a stored password with salt and hash masked but for their beginning.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    pub fn safe_summary(&self, encoded: &str) -> Result<Vec<(&'static str, Field)>, HasherError> {
        Ok(self.decode(encoded)?.summary(self.scheme))
    }

    /// Draws a salt.
    pub fn salt(&self) -> String {
        match self.scheme {
            Scheme::Bcrypt { rounds, .. } => {
                let salt = bcrypt_alphabet(&random_bytes::<16>());
                format!("$2b${rounds:02}${salt}")
            }
            _ => random_string(self.salt_length(), Alphabet::Base62),
        }
    }

    /// How many characters a salt needs.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of at most a few hundred million"
    )]
    fn salt_length(&self) -> usize {
        (f64::from(self.salt_entropy) / 62_f64.log2()).ceil() as usize
    }

    /// Says what a failed check leaves to be done, so that its time does not tell that the stored password is an old one.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    pub fn hardening(&self, encoded: &str) -> Result<Option<Hardening>, HasherError> {
        match self.scheme {
            Scheme::Pbkdf2 { iterations, .. } => {
                let decoded = self.decode(encoded)?;
                let stored = decoded.number("iterations").unwrap_or_default();
                let missing = i64::from(iterations).saturating_sub(stored);
                Ok(u32::try_from(missing)
                    .ok()
                    .filter(|missing| *missing > 0)
                    .map(|missing| Hardening {
                        salt: decoded.salt,
                        iterations: Some(missing),
                        runs: 1,
                    }))
            }
            Scheme::Bcrypt { rounds, .. } => {
                let (_, crypt) = encoded.split_once('$').ok_or(HasherError::Malformed)?;
                let stored: u32 = crypt
                    .split('$')
                    .nth(2)
                    .and_then(|rounds| rounds.parse().ok())
                    .ok_or(HasherError::Malformed)?;
                let runs = (1_u64 << rounds.saturating_sub(stored).min(62)) - 1;
                let salt = crypt.get(..BCRYPT_SALT_LENGTH).unwrap_or(crypt).to_owned();
                Ok((runs > 0).then_some(Hardening {
                    salt,
                    iterations: None,
                    runs,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Does what [`Self::hardening`] says.
    fn harden(&self, password: &[u8], encoded: &str) -> Result<(), HasherError> {
        let Some(hardening) = self.hardening(encoded)? else {
            return Ok(());
        };
        let scheme = match (self.scheme, hardening.iterations) {
            (Scheme::Pbkdf2 { digest, .. }, Some(iterations)) => Scheme::Pbkdf2 { digest, iterations },
            (scheme, _) => scheme,
        };
        for _ in 0..hardening.runs {
            std::hint::black_box(self.encode_with(password, &hardening.salt, scheme)?);
        }
        Ok(())
    }
}

/// Hashes a password as the stored one, at its parameters; nothing where they are impossible.
fn argon2(password: &[u8], mut stored: EncodedPassword) -> Option<EncodedPassword> {
    let EncodedPassword::Argon2 {
        variety,
        version,
        memory_cost,
        time_cost,
        parallelism,
        salt,
        hash,
    } = &mut stored
    else {
        return None;
    };
    let cost = Argon2Cost {
        kind: match variety {
            Argon2Variety::Argon2id => argon2::Algorithm::Argon2id,
            Argon2Variety::Argon2i => argon2::Algorithm::Argon2i,
            Argon2Variety::Argon2d => argon2::Algorithm::Argon2d,
        },
        version: match version {
            Some(19) => argon2::Version::V0x13,
            Some(16) | None => argon2::Version::V0x10,
            Some(_) => return None,
        },
        memory_kib: *memory_cost,
        passes: *time_cost,
        lanes: *parallelism,
        length: hash.len() * 3 / 4,
    };
    let salt = STANDARD_NO_PAD.decode(salt.as_bytes()).ok()?;
    *hash = STANDARD_NO_PAD.encode(derive::argon2(password, &salt, cost).ok()?);
    Some(stored)
}

/// Hashes to `$2b$…`, with version, cost and salt of `salt`.
fn bcrypt(password: &[u8], salt: &str, prehashed: bool) -> Result<String, HasherError> {
    let mut fields = salt.splitn(4, '$');
    let (before, version, cost, data) = (fields.next(), fields.next(), fields.next(), fields.next());
    let version = version
        .filter(|version| before == Some("") && matches!(*version, "2a" | "2b" | "2x" | "2y"))
        .ok_or(HasherError::Malformed)?;
    let cost: u32 = cost
        .filter(|cost| cost.len() == 2)
        .and_then(|cost| cost.parse().ok())
        .ok_or(HasherError::Malformed)?;
    let data = data
        .filter(|data| data.is_ascii() && !data.contains('$'))
        .and_then(|data| data.get(..22))
        .ok_or(HasherError::Malformed)?;
    let salt = derive::bcrypt_salt(data)?;
    let crypt = if prehashed {
        derive::bcrypt(derive::sha256_hex(password).as_bytes(), salt, cost)?
    } else {
        derive::bcrypt(password, salt, cost)?
    };
    Ok(format!("${version}{}", crypt.get(3..).unwrap_or_default()))
}

/// Bytes in the base64 of bcrypt.
fn bcrypt_alphabet(bytes: &[u8]) -> String {
    let standard = STANDARD_NO_PAD.encode(bytes);
    let translated = standard.bytes().map(|byte| match byte {
        b'A' => b'.',
        b'B' => b'/',
        b'C'..=b'Z' | b'c'..=b'z' | b'2'..=b'9' => byte - 2,
        b'a' => b'Y',
        b'b' => b'Z',
        b'0' => b'y',
        b'1' => b'z',
        b'+' => b'8',
        _ => b'9',
    });
    translated.map(char::from).collect()
}

#[cfg(test)]
mod tests;
