//! Stored password strings in every Django format: what they say, whether they are still good enough, how to show them.
//!
//! `auth_user.password` names its algorithm before the first `$`, and each algorithm has its own fields after it. They
//! are parsed into [`EncodedPassword`] and written back exactly. Nothing is hashed here: hashing takes a tenth of a second
//! of somebody's processor and belongs to the library's bounded pool. Meets `weak-password-storage`.
//!
//! # Example
//!
//! ```
//! use palisade_core::password::{Algorithm, EncodedPassword, Parameters};
//!
//! let stored: EncodedPassword = "pbkdf2_sha256$600000$seasalt1seasalt1seasalt$oFBnS0DdLmFh".parse()?;
//! assert_eq!(stored.algorithm(), Algorithm::Pbkdf2Sha256);
//! assert!(!stored.weaknesses(&Parameters::default()).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use thiserror::Error;

use crate::secret::CLEANSED;
use crate::token::{Alphabet, random_string};

pub use self::encoded::{Argon2Variety, EncodedPassword, InvalidEncoding, Pbkdf2Digest};
pub use self::keyed::{InvalidKeyed, KeyedPassword, LegacyDigest, wrappable};
pub use self::parameters::Parameters;
pub use self::reset::{ResetSubject, ResetTokens};
pub use crate::dated_key::{
    DatedKey as PasswordKey, DatedKeys as PasswordKeys, InvalidDatedKey as InvalidPasswordKey,
    MIN_SECRET_BYTES, NoDatedKey as NoPasswordKey, key_id_at,
};

mod encoded;
mod keyed;
mod parameters;
mod reset;
mod summary;

/// How a password begins that nobody can log in with.
pub const UNUSABLE_PREFIX: char = '!';
/// How many random characters follow [`UNUSABLE_PREFIX`].
const UNUSABLE_LENGTH: usize = 40;

/// A way to hash passwords, by the name Django gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `pbkdf2_sha256`: what Django prefers.
    Pbkdf2Sha256,
    /// `pbkdf2_sha1`
    Pbkdf2Sha1,
    /// `argon2`
    Argon2,
    /// `bcrypt_sha256`: bcrypt over the hexadecimal SHA-256 of the password.
    BcryptSha256,
    /// `bcrypt`
    Bcrypt,
    /// `scrypt`
    Scrypt,
    /// `md5`
    Md5,
    /// `unsalted_md5`
    UnsaltedMd5,
    /// `unsalted_sha1`
    UnsaltedSha1,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Pbkdf2Sha256,
        Self::Pbkdf2Sha1,
        Self::Argon2,
        Self::BcryptSha256,
        Self::Bcrypt,
        Self::Scrypt,
        Self::Md5,
        Self::UnsaltedMd5,
        Self::UnsaltedSha1,
    ];

    /// The name before the first `$`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pbkdf2Sha256 => "pbkdf2_sha256",
            Self::Pbkdf2Sha1 => "pbkdf2_sha1",
            Self::Argon2 => "argon2",
            Self::BcryptSha256 => "bcrypt_sha256",
            Self::Bcrypt => "bcrypt",
            Self::Scrypt => "scrypt",
            Self::Md5 => "md5",
            Self::UnsaltedMd5 => "unsalted_md5",
            Self::UnsaltedSha1 => "unsalted_sha1",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        known.ok_or_else(|| UnknownAlgorithm {
            name: name.to_owned(),
        })
    }
}

/// A stored password begins with no algorithm that Django has.
///
/// # Security
///
/// A column without any `$` may hold a password in clear; then asterisks are printed where Django would print the column.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Unknown password hashing algorithm '{name}'. Did you specify it in the PASSWORD_HASHERS setting?")]
pub struct UnknownAlgorithm {
    name: String,
}

/// Says how a stored password was hashed: Django's `identify_hasher`, for all the algorithms it ever had.
///
/// # Errors
///
/// Where no algorithm of that name exists, which includes unusable passwords.
pub fn identify(encoded: &str) -> Result<Algorithm, UnknownAlgorithm> {
    let name = algorithm_name(encoded);
    name.parse().map_err(|unknown| {
        if encoded.contains('$') {
            unknown
        } else {
            UnknownAlgorithm {
                name: CLEANSED.to_owned(),
            }
        }
    })
}

/// Names the algorithm of a stored password, be it one that Django has or one of a site's own: what stands before the first
/// `$`, except for the unsalted hashes of old.
///
/// # Security
///
/// Without a `$` it is the whole text, which may be a password in clear.
///
/// # Example
///
/// ```
/// use palisade_core::password::algorithm_name;
///
/// assert_eq!(algorithm_name("wrapped_md5$salt$hash"), "wrapped_md5");
/// assert_eq!(algorithm_name("8b1a9953c4611296a827abf8c47804d7"), "unsalted_md5");
/// ```
pub fn algorithm_name(encoded: &str) -> &str {
    let characters = encoded.chars().count();
    if (characters == 32 && !encoded.contains('$')) || (characters == 37 && encoded.starts_with("md5$$")) {
        return Algorithm::UnsaltedMd5.name();
    }
    if characters == 46 && encoded.starts_with("sha1$$") {
        return Algorithm::UnsaltedSha1.name();
    }
    encoded.split_once('$').map_or(encoded, |(name, _)| name)
}

/// Says whether anybody could log in with a stored password.
pub fn is_usable(encoded: &str) -> bool {
    !encoded.starts_with(UNUSABLE_PREFIX)
}

/// Makes a stored password that nobody can log in with, different each time.
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn unusable() -> String {
    format!(
        "{UNUSABLE_PREFIX}{}",
        random_string(UNUSABLE_LENGTH, Alphabet::Base62)
    )
}

#[cfg(test)]
mod tests;
