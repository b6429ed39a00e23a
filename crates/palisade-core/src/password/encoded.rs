//! The parts of a stored password, one variant a format, parsed strictly enough to be written back byte for byte.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Algorithm, UnknownAlgorithm, identify};

/// Why a stored password was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEncoding {
    /// It names no algorithm.
    #[error(transparent)]
    Unknown(#[from] UnknownAlgorithm),
    /// It names one and has not its fields.
    #[error("stored password is not a well-formed {algorithm} hash")]
    Malformed {
        /// The algorithm it names.
        algorithm: Algorithm,
    },
}

/// The digest under PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pbkdf2Digest {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-1, 20 bytes.
    Sha1,
}

/// The kind of Argon2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Argon2Variety {
    /// `argon2id`: what Django writes.
    Argon2id,
    /// `argon2i`
    Argon2i,
    /// `argon2d`
    Argon2d,
}

impl Argon2Variety {
    /// The name in a PHC string.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Argon2i => "argon2i",
            Self::Argon2d => "argon2d",
        }
    }
}

/// A stored password, in its parts. Printed for debugging, it shows no more than [`safe_summary`](Self::safe_summary).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodedPassword {
    /// `pbkdf2_sha256$ITERATIONS$SALT$HASH`, or `pbkdf2_sha1$…`
    Pbkdf2 {
        /// The digest.
        digest: Pbkdf2Digest,
        /// How often it is applied.
        iterations: u32,
        /// The salt, as text.
        salt: String,
        /// The hash, in standard base64 with padding.
        hash: String,
    },
    /// `argon2$` and a PHC string: `argon2id$v=19$m=…,t=…,p=…$SALT$HASH`
    Argon2 {
        /// The kind.
        variety: Argon2Variety,
        /// The version, absent from hashes of version 18 and before.
        version: Option<u32>,
        /// KiB of memory.
        memory_cost: u32,
        /// Passes over it.
        time_cost: u32,
        /// Lanes.
        parallelism: u32,
        /// The salt, in base64 without padding.
        salt: String,
        /// The hash, in base64 without padding.
        hash: String,
    },
    /// `bcrypt$` or `bcrypt_sha256$` and a crypt string: `$2b$12$SALT…CHECKSUM`
    Bcrypt {
        /// Whether SHA-256 goes before: `bcrypt_sha256`.
        prehashed: bool,
        /// The variant, such as `2b`.
        variant: String,
        /// The logarithm of the rounds.
        work_factor: u32,
        /// 22 characters.
        salt: String,
        /// 31 characters.
        checksum: String,
    },
    /// `scrypt$N$SALT$r$p$HASH`
    Scrypt {
        /// N.
        work_factor: u32,
        /// The salt, as text.
        salt: String,
        /// r.
        block_size: u32,
        /// p.
        parallelism: u32,
        /// The hash, in standard base64 with padding.
        hash: String,
    },
    /// `md5$SALT$HASH`
    Md5 {
        /// The salt, as text.
        salt: String,
        /// The hash, in hexadecimal.
        hash: String,
    },
    /// 32 hexadecimal digits, perhaps after `md5$$`
    UnsaltedMd5 {
        /// Whether `md5$$` stands before.
        prefixed: bool,
        /// The hash, in hexadecimal.
        hash: String,
    },
    /// `sha1$$HASH`
    UnsaltedSha1 {
        /// The hash, in hexadecimal.
        hash: String,
    },
}

impl EncodedPassword {
    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Pbkdf2 {
                digest: Pbkdf2Digest::Sha256,
                ..
            } => Algorithm::Pbkdf2Sha256,
            Self::Pbkdf2 {
                digest: Pbkdf2Digest::Sha1,
                ..
            } => Algorithm::Pbkdf2Sha1,
            Self::Argon2 { .. } => Algorithm::Argon2,
            Self::Bcrypt { prehashed: true, .. } => Algorithm::BcryptSha256,
            Self::Bcrypt { prehashed: false, .. } => Algorithm::Bcrypt,
            Self::Scrypt { .. } => Algorithm::Scrypt,
            Self::Md5 { .. } => Algorithm::Md5,
            Self::UnsaltedMd5 { .. } => Algorithm::UnsaltedMd5,
            Self::UnsaltedSha1 { .. } => Algorithm::UnsaltedSha1,
        }
    }
}

impl FromStr for EncodedPassword {
    type Err = InvalidEncoding;

    fn from_str(encoded: &str) -> Result<Self, Self::Err> {
        let algorithm = identify(encoded)?;
        let rest = encoded.split_once('$').map_or(encoded, |(_, rest)| rest);
        let parsed = match algorithm {
            Algorithm::Pbkdf2Sha256 => pbkdf2(Pbkdf2Digest::Sha256, rest),
            Algorithm::Pbkdf2Sha1 => pbkdf2(Pbkdf2Digest::Sha1, rest),
            Algorithm::Argon2 => argon2(rest),
            Algorithm::BcryptSha256 => bcrypt(true, rest),
            Algorithm::Bcrypt => bcrypt(false, rest),
            Algorithm::Scrypt => scrypt(rest),
            Algorithm::Md5 => md5(rest),
            Algorithm::UnsaltedMd5 => unsalted_md5(encoded),
            Algorithm::UnsaltedSha1 => encoded.strip_prefix("sha1$$").map(|hash| Self::UnsaltedSha1 {
                hash: hash.to_owned(),
            }),
        };
        parsed.ok_or(InvalidEncoding::Malformed { algorithm })
    }
}

impl fmt::Display for EncodedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.algorithm();
        match self {
            Self::Pbkdf2 {
                iterations,
                salt,
                hash,
                ..
            } => write!(f, "{name}${iterations}${salt}${hash}"),
            Self::Argon2 {
                variety,
                version,
                memory_cost,
                time_cost,
                parallelism,
                salt,
                hash,
            } => {
                write!(f, "{name}${}$", variety.name())?;
                if let Some(version) = version {
                    write!(f, "v={version}$")?;
                }
                write!(f, "m={memory_cost},t={time_cost},p={parallelism}${salt}${hash}")
            }
            Self::Bcrypt {
                variant,
                work_factor,
                salt,
                checksum,
                ..
            } => {
                write!(f, "{name}$${variant}${work_factor:02}${salt}{checksum}")
            }
            Self::Scrypt {
                work_factor,
                salt,
                block_size,
                parallelism,
                hash,
            } => {
                write!(f, "{name}${work_factor}${salt}${block_size}${parallelism}${hash}")
            }
            Self::Md5 { salt, hash } => write!(f, "{name}${salt}${hash}"),
            Self::UnsaltedMd5 { prefixed: true, hash } => write!(f, "md5$${hash}"),
            Self::UnsaltedMd5 {
                prefixed: false,
                hash,
            } => f.write_str(hash),
            Self::UnsaltedSha1 { hash } => write!(f, "sha1$${hash}"),
        }
    }
}

fn pbkdf2(digest: Pbkdf2Digest, rest: &str) -> Option<EncodedPassword> {
    let mut fields = rest.splitn(3, '$');
    Some(EncodedPassword::Pbkdf2 {
        digest,
        iterations: fields.next().and_then(positive)?,
        salt: fields.next().and_then(text)?,
        hash: fields.next().and_then(text)?,
    })
}

fn argon2(rest: &str) -> Option<EncodedPassword> {
    let mut fields = rest.split('$');
    let variety = match fields.next()? {
        "argon2id" => Argon2Variety::Argon2id,
        "argon2i" => Argon2Variety::Argon2i,
        "argon2d" => Argon2Variety::Argon2d,
        _ => return None,
    };
    let mut costs = fields.next()?;
    let mut version = None;
    if let Some(number) = costs.strip_prefix("v=") {
        version = Some(positive(number)?);
        costs = fields.next()?;
    }
    let mut costs = costs.split(',');
    let mut cost = |name| {
        costs
            .next()
            .and_then(|cost| cost.strip_prefix(name))
            .and_then(positive)
    };
    let (memory_cost, time_cost, parallelism) = (cost("m=")?, cost("t=")?, cost("p=")?);
    let (salt, hash) = (
        fields.next().and_then(unpadded)?,
        fields.next().and_then(unpadded)?,
    );
    if costs.next().is_some() || fields.next().is_some() {
        return None;
    }
    Some(EncodedPassword::Argon2 {
        variety,
        version,
        memory_cost,
        time_cost,
        parallelism,
        salt,
        hash,
    })
}

fn bcrypt(prehashed: bool, rest: &str) -> Option<EncodedPassword> {
    let mut fields = rest.strip_prefix('$')?.splitn(3, '$');
    let variant = fields
        .next()
        .filter(|variant| matches!(*variant, "2a" | "2b" | "2x" | "2y"))?;
    let work_factor = fields
        .next()
        .filter(|cost| cost.len() == 2 && cost.bytes().all(|digit| digit.is_ascii_digit()))?;
    let (salt, checksum) = fields
        .next()
        .filter(|data| data.len() == 53)
        .and_then(|data| data.split_at_checked(22))?;
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    if !salt.bytes().chain(checksum.bytes()).all(alphabet) {
        return None;
    }
    Some(EncodedPassword::Bcrypt {
        prehashed,
        variant: variant.to_owned(),
        work_factor: work_factor.parse().ok()?,
        salt: salt.to_owned(),
        checksum: checksum.to_owned(),
    })
}

fn scrypt(rest: &str) -> Option<EncodedPassword> {
    let mut fields = rest.split('$');
    let scrypt = EncodedPassword::Scrypt {
        work_factor: fields.next().and_then(positive)?,
        salt: fields.next().and_then(text)?,
        block_size: fields.next().and_then(positive)?,
        parallelism: fields.next().and_then(positive)?,
        hash: fields.next().and_then(text)?,
    };
    fields.next().is_none().then_some(scrypt)
}

fn md5(rest: &str) -> Option<EncodedPassword> {
    let (salt, hash) = rest.split_once('$')?;
    Some(EncodedPassword::Md5 {
        salt: text(salt)?,
        hash: text(hash)?,
    })
}

fn unsalted_md5(encoded: &str) -> Option<EncodedPassword> {
    let (prefixed, hash) = encoded
        .strip_prefix("md5$$")
        .map_or((false, encoded), |hash| (true, hash));
    (!hash.contains('$')).then(|| EncodedPassword::UnsaltedMd5 {
        prefixed,
        hash: hash.to_owned(),
    })
}

/// A field that must not be empty.
fn text(field: &str) -> Option<String> {
    (!field.is_empty()).then(|| field.to_owned())
}

/// Base64 in the standard alphabet, without padding, and not empty.
fn unpadded(field: &str) -> Option<String> {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text(field).filter(|field| field.bytes().all(alphabet) && field.len() % 4 != 1)
}

/// A number above zero, in the one way to write it.
fn positive(field: &str) -> Option<u32> {
    field
        .parse()
        .ok()
        .filter(|number: &u32| *number > 0 && field.bytes().next().is_some_and(|first| first > b'0'))
}
