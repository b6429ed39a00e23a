//! From a password and the parts of a stored one to the stored one it would be.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use palisade_core::password::{
    Algorithm, Argon2Variety, EncodedPassword, Parameters, Pbkdf2Digest, salt as random_salt,
};
use palisade_core::token;

use super::derive::{self, Argon2Cost, Underivable};

/// Hashes a new password, with a new salt.
pub(super) fn encode(
    password: &[u8],
    algorithm: Algorithm,
    parameters: &Parameters,
) -> Result<EncodedPassword, Underivable> {
    let (salt, hash) = (random_salt(), String::new());
    let pbkdf2 = |digest, salt, hash| {
        let iterations = parameters.pbkdf2_iterations;
        encode_as(
            password,
            &EncodedPassword::Pbkdf2 {
                digest,
                iterations,
                salt,
                hash,
            },
        )
    };
    match algorithm {
        Algorithm::Pbkdf2Sha256 => pbkdf2(Pbkdf2Digest::Sha256, salt, hash),
        Algorithm::Pbkdf2Sha1 => pbkdf2(Pbkdf2Digest::Sha1, salt, hash),
        Algorithm::Argon2 => encode_as(password, &argon2id_like(parameters, salt.as_bytes())),
        Algorithm::BcryptSha256 | Algorithm::Bcrypt => {
            let prehashed = algorithm == Algorithm::BcryptSha256;
            bcrypt(
                password,
                prehashed,
                "2b",
                parameters.bcrypt_work_factor,
                token::random_bytes(),
            )
        }
        Algorithm::Scrypt => {
            let like = EncodedPassword::Scrypt {
                work_factor: parameters.scrypt_work_factor,
                salt,
                block_size: parameters.scrypt_block_size,
                parallelism: parameters.scrypt_parallelism,
                hash,
            };
            encode_as(password, &like)
        }
        Algorithm::Md5 => encode_as(password, &EncodedPassword::Md5 { salt, hash }),
        _ => Err(Underivable),
    }
}

/// What an Argon2id hash with these parameters looks like, before it is one.
pub(super) fn argon2id_like(parameters: &Parameters, salt: &[u8]) -> EncodedPassword {
    EncodedPassword::Argon2 {
        variety: Argon2Variety::Argon2id,
        version: Some(19),
        memory_cost: parameters.argon2_memory_cost,
        time_cost: parameters.argon2_time_cost,
        parallelism: parameters.argon2_parallelism,
        salt: STANDARD_NO_PAD.encode(salt),
        // Says how long the hash shall be.
        hash: STANDARD_NO_PAD.encode(vec![0; parameters.argon2_hash_length]),
    }
}

/// Hashes a password with the algorithm, the parameters and the salt of `like`.
pub(super) fn encode_as(password: &[u8], like: &EncodedPassword) -> Result<EncodedPassword, Underivable> {
    let mut encoded = like.clone();
    match &mut encoded {
        EncodedPassword::Pbkdf2 {
            digest: Pbkdf2Digest::Sha256,
            iterations,
            salt,
            hash,
        } => {
            *hash = STANDARD.encode(derive::pbkdf2_sha256(password, salt.as_bytes(), *iterations)?);
        }
        EncodedPassword::Pbkdf2 {
            digest: Pbkdf2Digest::Sha1,
            iterations,
            salt,
            hash,
        } => {
            *hash = STANDARD.encode(derive::pbkdf2_sha1(password, salt.as_bytes(), *iterations)?);
        }
        EncodedPassword::Argon2 {
            variety,
            version,
            memory_cost,
            time_cost,
            parallelism,
            salt,
            hash,
        } => {
            let cost = Argon2Cost {
                kind: match variety {
                    Argon2Variety::Argon2id => argon2::Algorithm::Argon2id,
                    Argon2Variety::Argon2i => argon2::Algorithm::Argon2i,
                    Argon2Variety::Argon2d => argon2::Algorithm::Argon2d,
                },
                version: match version {
                    Some(19) => argon2::Version::V0x13,
                    Some(16) | None => argon2::Version::V0x10,
                    Some(_) => return Err(Underivable),
                },
                memory_kib: *memory_cost,
                passes: *time_cost,
                lanes: *parallelism,
                length: hash.len() * 3 / 4,
            };
            let salt = STANDARD_NO_PAD.decode(salt.as_bytes()).map_err(|_| Underivable)?;
            *hash = STANDARD_NO_PAD.encode(derive::argon2(password, &salt, cost)?);
        }
        EncodedPassword::Bcrypt {
            prehashed,
            variant,
            work_factor,
            salt,
            ..
        } => {
            let salt = derive::bcrypt_salt(salt)?;
            return bcrypt(password, *prehashed, variant, *work_factor, salt);
        }
        EncodedPassword::Scrypt {
            work_factor,
            salt,
            block_size,
            parallelism,
            hash,
        } => {
            let (n, r, p) = (u64::from(*work_factor), *block_size, *parallelism);
            *hash = STANDARD.encode(derive::scrypt(password, salt.as_bytes(), n, r, p)?);
        }
        EncodedPassword::Md5 { salt, hash } => *hash = derive::md5_hex(salt.as_bytes(), password),
        _ => return Err(Underivable),
    }
    Ok(encoded)
}

/// Spends the time by which verifying `stored` was cheaper than a hash of today: Django's `harden_runtime`.
pub(super) fn harden(password: &[u8], stored: &EncodedPassword, parameters: &Parameters) {
    match stored {
        EncodedPassword::Pbkdf2 {
            digest,
            iterations,
            salt,
            ..
        } => {
            let missing = parameters.pbkdf2_iterations.saturating_sub(*iterations);
            if missing > 0 {
                let (digest, salt, hash) = (*digest, salt.clone(), String::new());
                let more = EncodedPassword::Pbkdf2 {
                    digest,
                    iterations: missing,
                    salt,
                    hash,
                };
                std::hint::black_box(encode_as(password, &more).is_ok());
            }
        }
        EncodedPassword::Bcrypt { work_factor, .. } => {
            let missing = parameters.bcrypt_work_factor.saturating_sub(*work_factor).min(31);
            for _ in 1..1_u32 << missing {
                std::hint::black_box(encode_as(password, stored).is_ok());
            }
        }
        _ => {}
    }
}

fn bcrypt(
    password: &[u8],
    prehashed: bool,
    variant: &str,
    work_factor: u32,
    salt: [u8; 16],
) -> Result<EncodedPassword, Underivable> {
    let crypt = if prehashed {
        derive::bcrypt(derive::sha256_hex(password).as_bytes(), salt, work_factor)?
    } else {
        derive::bcrypt(password, salt, work_factor)?
    };
    // `$2b$12$`, 22 characters of salt, 31 of the hash.
    let (salt, checksum) = crypt
        .get(7..)
        .and_then(|data| data.split_at_checked(22))
        .ok_or(Underivable)?;
    Ok(EncodedPassword::Bcrypt {
        prehashed,
        variant: variant.to_owned(),
        work_factor,
        salt: salt.to_owned(),
        checksum: checksum.to_owned(),
    })
}
