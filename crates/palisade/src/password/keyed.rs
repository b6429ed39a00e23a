//! Keyed passwords: the HMAC under a key that is not in the database, and what is stored of it.
//!
//! New ones are Argon2id over HMAC-SHA256 (`keyed$…`). django-sha2's are bcrypt over the base64 of HMAC-SHA512; they
//! are verified, and replaced at the next login. Its wrapped hashes (`hh$…`) put the same around an older hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use palisade_core::password::{
    Algorithm, EncodedPassword, KeyedPassword, LegacyDigest, Parameters, PasswordKey, wrappable,
};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::derive::{self, BCRYPT_BYTES, Underivable};
use super::hasher::{Hasher, HasherError};

/// Hashes a new password under a key.
pub(super) fn encode(
    password: &[u8],
    key: &PasswordKey,
    parameters: &Parameters,
) -> Result<KeyedPassword, Underivable> {
    let hasher = hasher(Algorithm::Argon2, parameters)?;
    let argon2 = hasher.encode(&peppered(password, key)?, &hasher.salt());
    Ok(KeyedPassword::Argon2 {
        argon2: parsed(argon2)?,
        key_id: key.id().to_owned(),
    })
}

fn hasher(algorithm: Algorithm, parameters: &Parameters) -> Result<Hasher, Underivable> {
    Hasher::of(algorithm, parameters).ok_or(Underivable)
}

fn parsed(encoded: Result<String, HasherError>) -> Result<EncodedPassword, Underivable> {
    encoded
        .ok()
        .and_then(|encoded| encoded.parse().ok())
        .ok_or(Underivable)
}

/// Says whether a password is the one that was stored under a key.
pub(super) fn is_same(
    password: &[u8],
    stored: &KeyedPassword,
    key: &PasswordKey,
) -> Result<bool, Underivable> {
    let is = |given: &[u8], stored: &EncodedPassword| {
        let hasher = hasher(stored.algorithm(), &Parameters::default())?;
        hasher.verify(given, &stored.to_string()).map_err(|_| Underivable)
    };
    match stored {
        KeyedPassword::Argon2 { argon2, .. } => is(&peppered(password, key)?, argon2),
        KeyedPassword::Sha2 { bcrypt, .. } => is(inner(password, key)?.as_bytes(), bcrypt),
        KeyedPassword::Hardened {
            legacy, salt, bcrypt, ..
        } => {
            let old = old_hash(*legacy, salt, password);
            is(inner(old.as_bytes(), key)?.as_bytes(), bcrypt)
        }
        _ => Err(Underivable),
    }
}

/// Says whether the next login should hash the password again.
pub(super) fn must_update(
    stored: &KeyedPassword,
    newest: Option<&PasswordKey>,
    parameters: &Parameters,
) -> bool {
    let is_newest = newest.is_some_and(|newest| newest.id() == stored.key_id());
    match stored {
        KeyedPassword::Argon2 { argon2, .. } if is_newest => {
            let weak =
                hasher(Algorithm::Argon2, parameters).map(|hasher| hasher.must_update(&argon2.to_string()));
            !matches!(weak, Ok(Ok(false)))
        }
        _ => true,
    }
}

/// Puts a keyed bcrypt around an older hash, in django-sha2's `hh$…`, without knowing the password.
///
/// Nothing is returned for a hash that has a slow algorithm or a key already.
pub(super) fn wrap(
    old: &str,
    key: &PasswordKey,
    parameters: &Parameters,
) -> Result<Option<String>, Underivable> {
    let Some((legacy, salt)) = wrappable(old) else {
        return Ok(None);
    };
    let hasher = hasher(Algorithm::Bcrypt, parameters)?;
    let wrapped = inner(old.as_bytes(), key)?;
    // It reads no more than that of the 88 characters.
    let read = wrapped.as_bytes().get(..BCRYPT_BYTES).ok_or(Underivable)?;
    let bcrypt = hasher.encode(read, &hasher.salt().replacen("2b", "2a", 1));
    let wrapped = KeyedPassword::Hardened {
        legacy,
        salt: salt.to_owned(),
        bcrypt: parsed(bcrypt)?,
        key_id: key.id().to_owned(),
    };
    Ok(Some(wrapped.to_string()))
}

fn peppered(message: &[u8], key: &PasswordKey) -> Result<Zeroizing<Vec<u8>>, Underivable> {
    mac::<Hmac<Sha256>>(message, key)
}

/// What bcrypt gets in django-sha2: 88 characters, of which it reads 72.
fn inner(message: &[u8], key: &PasswordKey) -> Result<Zeroizing<String>, Underivable> {
    let tag = mac::<Hmac<Sha512>>(message, key)?;
    Ok(Zeroizing::new(STANDARD.encode(&*tag)))
}

fn mac<M: Mac + KeyInit>(message: &[u8], key: &PasswordKey) -> Result<Zeroizing<Vec<u8>>, Underivable> {
    let secret = key.secret().expose();
    let mut mac = <M as KeyInit>::new_from_slice(secret).map_err(|_| Underivable)?;
    mac.update(message);
    Ok(Zeroizing::new(mac.finalize().into_bytes().to_vec()))
}

/// The older hash as it was stored, made of the password anew.
fn old_hash(legacy: LegacyDigest, salt: &str, password: &[u8]) -> Zeroizing<String> {
    let salted: Zeroizing<Vec<u8>> = Zeroizing::new([salt.as_bytes(), password].concat());
    let digest = match legacy {
        LegacyDigest::Md5 => derive::hex(&md5::Md5::digest(&*salted)),
        LegacyDigest::Sha1 => derive::hex(&Sha1::digest(&*salted)),
        LegacyDigest::Sha256 => derive::hex(&Sha256::digest(&*salted)),
        LegacyDigest::Sha512 => derive::hex(&Sha512::digest(&*salted)),
        LegacyDigest::Sha512Base64 => in_lines(&STANDARD.encode(Sha512::digest(&*salted))),
    };
    Zeroizing::new(format!("{}${salt}${digest}", legacy.name()))
}

/// Breaks base64 as MIME does: after 76 characters and at the end.
fn in_lines(text: &str) -> String {
    let (first, rest) = text.split_at_checked(76).unwrap_or((text, ""));
    if rest.is_empty() {
        format!("{first}\n")
    } else {
        format!("{first}\n{rest}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PasswordKey {
        PasswordKey::parse("2011-01-01", "secret = \"a shared secret of 2011\"").unwrap()
    }

    fn cheap() -> Parameters {
        Parameters {
            argon2_memory_cost: 8,
            argon2_time_cost: 1,
            argon2_parallelism: 1,
            bcrypt_work_factor: 4,
            ..Parameters::default()
        }
    }

    const CRYPT: &str = "$2a$04$abcdefghijklmnopqrstuu";

    /// Made with Python's hmac, hashlib and bcrypt, as django-sha2 puts them together.
    const KNOWN: [(&str, &str, &str); 6] = [
        ("pässword", "bcrypt", "pQb5bwcjHU/mxFN/aw8cfhkjGeeMc0C"),
        (
            "123",
            "hh$sha256$7a49025f024ad3dcacad$bcrypt",
            "KiS4Yby2hCiZsffJ4sW7s9KmXYojTTa",
        ),
        ("123", "hh$md5$salty$bcrypt", "MgwrzeHwYVa/SUQFiSJlSMZGYxLu7Re"),
        ("123", "hh$sha1$salty$bcrypt", "OHQXpAN.DwyQz0j2hLDnlB94op8gv42"),
        ("123", "hh$sha512$salty$bcrypt", "AJwZMR/eb1upodAsOmGTyAsikc0flIK"),
        (
            "123",
            "hh$sha512b64$salty$bcrypt",
            "aQExdtSlW6HkyTYx2bor2w5c4nZuiFm",
        ),
    ];

    #[test]
    fn hashes_of_django_sha2_are_verified() {
        for (password, begin, checksum) in KNOWN {
            let stored: KeyedPassword = format!("{begin}{CRYPT}{checksum}$2011-01-01").parse().unwrap();
            assert!(is_same(password.as_bytes(), &stored, &key()).unwrap(), "{begin}");
            assert!(!is_same(b"1234", &stored, &key()).unwrap(), "{begin}");
            assert!(must_update(&stored, Some(&key()), &cheap()));
        }
    }

    #[test]
    fn hash_under_another_key_is_another_hash() {
        let stored = encode(b"123", &key(), &cheap()).unwrap();
        let other = PasswordKey::parse("2011-01-01", "secret = \"another\"").unwrap();
        assert!(is_same(b"123", &stored, &key()).unwrap());
        assert!(!is_same(b"123", &stored, &other).unwrap());
        assert!(!must_update(&stored, Some(&key()), &cheap()));
    }

    #[test]
    fn new_hash_fits_into_djangos_column() {
        let stored = encode(
            b"123",
            &PasswordKey::parse("2026-11-01-night", "secret = \"x\"").unwrap(),
            &Parameters::default(),
        );
        assert!(stored.unwrap().to_string().len() <= 128);
    }

    #[test]
    fn wrapped_hash_opens_for_the_password_that_nobody_knew() {
        let old =
            "sha256$7a49025f024ad3dcacad$aaff1abe5377ffeab6ccc68709d94c1950edf11f02d8acb83c75d8fcac1ebeb1";
        let wrapped = wrap(old, &key(), &cheap()).unwrap().unwrap();
        assert!(
            wrapped.starts_with("hh$sha256$7a49025f024ad3dcacad$bcrypt$2a$04$")
                && wrapped.ends_with("$2011-01-01")
        );
        let stored: KeyedPassword = wrapped.parse().unwrap();
        assert!(is_same(b"123", &stored, &key()).unwrap());
        assert!(!is_same(b"124", &stored, &key()).unwrap());
        assert_ne!(
            wrap(old, &key(), &cheap()).unwrap().unwrap(),
            wrapped,
            "a salt of its own"
        );
        assert_eq!(wrap(&wrapped, &key(), &cheap()), Ok(None));
    }
}
