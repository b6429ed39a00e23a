//! Passwords against a list of hashers: Django's `identify_hasher`, `make_password` and `verify_password`.

use palisade_core::password::{algorithm_name, is_usable, unusable};

use super::{Hasher, HasherError};

/// An expensive step that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The password was hashed as the stored one.
    Verify,
    /// It was hashed further, because the stored one was cheap.
    Harden,
    /// There was nothing to compare with, and it was hashed all the same.
    Fake,
}

/// What comparing a password with a stored one found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verification {
    /// The password is the one that was stored.
    pub correct: bool,
    /// It is not stored as the preferred hasher would store it.
    pub must_update: bool,
    /// What is stored is damaged in a way of which Django makes no error. No time was spent on it.
    pub is_damaged: bool,
    /// What time was spent on.
    pub work: Vec<Work>,
}

/// Finds the name of a stored password's algorithm among the enabled ones.
///
/// # Errors
///
/// [`HasherError::Unknown`], which shows what stands before the first `$`: do not log it.
pub fn identify_among<'n>(
    encoded: &str,
    algorithms: impl IntoIterator<Item = &'n str>,
) -> Result<&'n str, HasherError> {
    let name = algorithm_name(encoded);
    let found = algorithms.into_iter().find(|algorithm| *algorithm == name);
    found.ok_or_else(|| HasherError::Unknown(name.to_owned()))
}

/// Hashes a new password, with a new salt unless one is given; without a password, makes a text that nobody can log in with.
///
/// # Errors
///
/// As [`Hasher::encode`].
pub fn make_password(
    password: Option<&[u8]>,
    salt: Option<&str>,
    hasher: &Hasher,
) -> Result<String, HasherError> {
    let Some(password) = password else {
        return Ok(unusable());
    };
    match salt.filter(|salt| !salt.is_empty()) {
        Some(salt) => hasher.encode(password, salt),
        None => hasher.encode(password, &hasher.salt()),
    }
}

/// Compares a password with a stored one, which any of the hashers may have made.
///
/// Where nothing can be compared the time of one hash is spent all the same (CVE-2024-39329), and a failed check of a cheaper
/// hash is made as slow as one of today.
///
/// # Errors
///
/// As [`Hasher::verify`].
pub fn verify_password(
    password: Option<&[u8]>,
    encoded: Option<&str>,
    hashers: &[Hasher],
    preferred: &Hasher,
) -> Result<Verification, HasherError> {
    // Of several of one name Django keeps the last.
    let hasher = encoded.map(algorithm_name).and_then(|name| {
        let mut enabled = [preferred].into_iter().chain(hashers);
        enabled.rfind(|hasher| hasher.algorithm() == name)
    });
    let (Some(password), Some(encoded), Some(hasher)) =
        (password, encoded.filter(|stored| is_usable(stored)), hasher)
    else {
        let nobody = unusable();
        std::hint::black_box(preferred.encode(nobody.as_bytes(), &preferred.salt())?);
        return Ok(Verification {
            correct: false,
            must_update: false,
            is_damaged: false,
            work: vec![Work::Fake],
        });
    };
    let has_changed = hasher.algorithm() != preferred.algorithm();
    let must_update = has_changed || preferred.must_update(encoded)?;
    let compared = hasher.compare(password, encoded)?;
    let correct = compared.unwrap_or_default();
    let mut work = vec![Work::Verify];
    if !correct && !has_changed && must_update {
        hasher.harden(password, encoded)?;
        work.push(Work::Harden);
    }
    Ok(Verification {
        correct,
        must_update,
        is_damaged: compared.is_none(),
        work,
    })
}
