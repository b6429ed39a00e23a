//! From a password to the digest that is stored: one function an algorithm, bounded in what it may cost.
//!
//! The parameters come out of the database. Whoever can write there must not be able to make a login take all memory or a day,
//! so each function has a limit far above Django's parameters, beyond which nothing is derived.

use argon2::{Argon2, Params};
use md5::{Digest, Md5};
pub(super) use palisade_core::hexadecimal::hexadecimal as hex;
use palisade_core::signing;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::pbkdf2;

/// Iterations of PBKDF2; Django's are at one million.
const MOST_ITERATIONS: u32 = 20_000_000;
/// Memory of Argon2, in kibibytes, times its passes; Django's are at 204 800.
const MOST_ARGON2_WORK: u64 = 4 * 1024 * 1024;
/// Bytes that scrypt fills, times its lanes; Django's are at 80 MiB.
const MOST_SCRYPT_WORK: u64 = 2 * 1024 * 1024 * 1024;
/// The cost of bcrypt, each one doubling the time; Django's is 12.
const HIGHEST_BCRYPT_COST: u32 = 17;
/// What bcrypt reads of a password.
pub(super) const BCRYPT_BYTES: usize = 72;

/// The parameters are impossible, or beyond what one login may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Underivable;

/// Derives as many bytes as the digest has.
pub(super) fn pbkdf2(
    digest: signing::Algorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Result<Vec<u8>, Underivable> {
    within(iterations, 1, MOST_ITERATIONS)?;
    #[cfg(test)]
    spend(u64::from(iterations));
    Ok(match digest {
        // What nearly every login is.
        signing::Algorithm::Sha256 => pbkdf2::pbkdf2_sha256(password, salt, iterations).to_vec(),
        other => signing::pbkdf2(password, salt, iterations, 0, other),
    })
}

/// What Argon2 is asked for, beside password and salt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argon2Cost {
    pub(super) kind: argon2::Algorithm,
    pub(super) version: argon2::Version,
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
    pub(super) length: usize,
}

pub(super) fn argon2(password: &[u8], salt: &[u8], cost: Argon2Cost) -> Result<Vec<u8>, Underivable> {
    let Argon2Cost {
        kind,
        version,
        memory_kib,
        passes,
        lanes,
        length,
    } = cost;
    let work = u64::from(memory_kib) * u64::from(passes);
    within(work, 1, MOST_ARGON2_WORK)?;
    #[cfg(test)]
    spend(work);
    let params = Params::new(memory_kib, passes, lanes, Some(length)).map_err(|_| Underivable)?;
    let mut digest = vec![0; length];
    let argon2 = Argon2::new(kind, version, params);
    argon2
        .hash_password_into(password, salt, &mut digest)
        .map_err(|_| Underivable)?;
    Ok(digest)
}

pub(super) fn scrypt(password: &[u8], salt: &[u8], n: u64, r: u32, p: u32) -> Result<[u8; 64], Underivable> {
    if n < 2 || !n.is_power_of_two() {
        return Err(Underivable);
    }
    let work = [128, u64::from(r), u64::from(p)]
        .into_iter()
        .try_fold(n, u64::checked_mul);
    within(work.ok_or(Underivable)?, 1, MOST_SCRYPT_WORK)?;
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| Underivable)?;
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| Underivable)?;
    let mut digest = [0; 64];
    scrypt::scrypt(password, salt, &params, &mut digest).map_err(|_| Underivable)?;
    Ok(digest)
}

/// Reads the 22 characters of a bcrypt salt.
pub(super) fn bcrypt_salt(text: &str) -> Result<[u8; 16], Underivable> {
    // The crate reads whole strings only; cost and hash do not matter here.
    let whole = format!("$2b$04${text}{:.<31}", "");
    whole
        .parse()
        .map(|parts: bcrypt::HashParts| parts.get_salt_raw())
        .map_err(|_| Underivable)
}

/// Hashes to bcrypt's own string, `$2b$…`; only the first 72 bytes of the password count.
pub(super) fn bcrypt(password: &[u8], salt: [u8; 16], cost: u32) -> Result<String, Underivable> {
    within(cost, 4, HIGHEST_BCRYPT_COST)?;
    #[cfg(test)]
    spend(1 << cost);
    let password = password.get(..BCRYPT_BYTES).unwrap_or(password);
    let parts = bcrypt::hash_with_salt(password, cost, salt).map_err(|_| Underivable)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoB))
}

/// What bcrypt gets in place of the password, so that all of it counts: its SHA-256 in hexadecimal.
pub(super) fn sha256_hex(password: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(hex(&Sha256::digest(password)))
}

pub(super) fn md5_hex(salt: &[u8], password: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(salt);
    md5.update(password);
    hex(&md5.finalize())
}

fn within<T: Copy + PartialOrd>(value: T, least: T, most: T) -> Result<(), Underivable> {
    if value < least || value > most {
        Err(Underivable)
    } else {
        Ok(())
    }
}

#[cfg(test)]
thread_local! {
    /// The rounds of PBKDF2 and bcrypt that this thread has done, and the kibibytes that Argon2 has gone through: what time would tell, without a clock.
    pub(super) static SPENT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn spend(rounds: u64) {
    SPENT.set(SPENT.get() + rounds);
}
