//! Stored passwords that need a key beside the row: django-sha2's formats, which are only read, and one of our own.
//!
//! Whoever steals the table alone has nothing to guess against. The key is named by its id, so that keys can be changed
//! while old hashes are still verified. Nothing is computed here.

use std::fmt;
use std::str::FromStr;

use super::encoded::EncodedPassword;

/// How our own format begins: `keyed$KEY-ID$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
const KEYED: &str = "keyed$";
/// How a hash begins that was put around an older one, without anybody knowing the password.
const HARDENED: &str = "hh$";
const BCRYPT: &str = "bcrypt";

/// The digest of a hash that was wrapped: of salt and password, in hexadecimal unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyDigest {
    /// `md5`
    Md5,
    /// `sha1`
    Sha1,
    /// `sha256`
    Sha256,
    /// `sha512`
    Sha512,
    /// `sha512b64`: base64 with a line break after 76 characters and at the end.
    Sha512Base64,
}

impl LegacyDigest {
    const ALL: [(&'static str, Self); 5] = [
        ("md5", Self::Md5),
        ("sha1", Self::Sha1),
        ("sha256", Self::Sha256),
        ("sha512", Self::Sha512),
        ("sha512b64", Self::Sha512Base64),
    ];

    /// The name before the first `$`.
    pub fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(_, digest)| *digest == self)
            .map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(other, _)| *other == name)
            .map(|(_, digest)| digest)
    }
}

/// What is hashed under the key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedPassword {
    /// django-sha2: bcrypt over the keyed password, `bcrypt$2a$12$…$KEY-ID` or `bcrypt2011_01_01$2a$12$…$2011-01-01`.
    Sha2 {
        /// bcrypt's part, as [`EncodedPassword::Bcrypt`].
        bcrypt: EncodedPassword,
        /// Which key.
        key_id: String,
    },
    /// django-sha2: bcrypt over a keyed older hash, `hh$ALGORITHM$SALT$bcrypt$2a$12$…$KEY-ID`.
    Hardened {
        /// How the older hash was made.
        legacy: LegacyDigest,
        /// Its salt.
        salt: String,
        /// bcrypt's part.
        bcrypt: EncodedPassword,
        /// Which key.
        key_id: String,
    },
    /// Our own: Argon2 over the keyed password. Django cannot read it.
    Argon2 {
        /// Argon2's part, as [`EncodedPassword::Argon2`].
        argon2: EncodedPassword,
        /// Which key.
        key_id: String,
    },
}

/// A stored password that begins like a keyed one and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored password is not a well-formed keyed hash")]
pub struct InvalidKeyed;

impl KeyedPassword {
    /// Says whether a stored password needs a key; Django's `bcrypt$$2b$…` does not.
    pub fn is_keyed(encoded: &str) -> bool {
        let named = encoded.strip_prefix(BCRYPT).is_some_and(|rest| {
            rest.strip_prefix("$2")
                .or_else(|| rest.strip_prefix(|first: char| first.is_ascii_digit()))
                .is_some()
        });
        named || encoded.starts_with(HARDENED) || encoded.starts_with(KEYED)
    }

    /// The id of the key that is needed.
    pub fn key_id(&self) -> &str {
        match self {
            Self::Sha2 { key_id, .. } | Self::Hardened { key_id, .. } | Self::Argon2 { key_id, .. } => key_id,
        }
    }
}

impl FromStr for KeyedPassword {
    type Err = InvalidKeyed;

    fn from_str(encoded: &str) -> Result<Self, InvalidKeyed> {
        if let Some(rest) = encoded.strip_prefix(KEYED) {
            let (key_id, argon2) = rest.split_once('$').ok_or(InvalidKeyed)?;
            return Ok(Self::Argon2 {
                argon2: format!("argon2${argon2}").parse().map_err(|_| InvalidKeyed)?,
                key_id: key_id.to_owned(),
            });
        }
        if let Some(rest) = encoded.strip_prefix(HARDENED) {
            let mut fields = rest.splitn(3, '$');
            let legacy = fields.next().and_then(LegacyDigest::named).ok_or(InvalidKeyed)?;
            let salt = fields.next().ok_or(InvalidKeyed)?.to_owned();
            let (bcrypt, key_id) = sha2(fields.next().ok_or(InvalidKeyed)?)?;
            return Ok(Self::Hardened {
                legacy,
                salt,
                bcrypt,
                key_id,
            });
        }
        let (bcrypt, key_id) = sha2(encoded)?;
        Ok(Self::Sha2 { bcrypt, key_id })
    }
}

/// Reads bcrypt's part, from the first `$` to the last, and the key's id behind it.
fn sha2(encoded: &str) -> Result<(EncodedPassword, String), InvalidKeyed> {
    let rest = encoded.strip_prefix(BCRYPT).ok_or(InvalidKeyed)?;
    let (crypt, key_id) = rest.rsplit_once('$').ok_or(InvalidKeyed)?;
    let at = crypt.find('$').ok_or(InvalidKeyed)?;
    let crypt = crypt.get(at..).unwrap_or_default();
    let bcrypt = format!("bcrypt${crypt}").parse().map_err(|_| InvalidKeyed)?;
    Ok((bcrypt, key_id.to_owned()))
}

impl fmt::Display for KeyedPassword {
    /// Writes the stored form; django-sha2's with the plain name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = |encoded: &EncodedPassword| {
            let encoded = encoded.to_string();
            let rest = encoded.split_once('$').map_or("", |(_, rest)| rest);
            rest.to_owned()
        };
        match self {
            Self::Sha2 { bcrypt, key_id } => write!(f, "{BCRYPT}{}${key_id}", inside(bcrypt)),
            Self::Hardened {
                legacy,
                salt,
                bcrypt,
                key_id,
            } => write!(
                f,
                "{HARDENED}{}${salt}${BCRYPT}{}${key_id}",
                legacy.name(),
                inside(bcrypt)
            ),
            Self::Argon2 { argon2, key_id } => write!(f, "{KEYED}{key_id}${}", inside(argon2)),
        }
    }
}

impl fmt::Debug for KeyedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedPassword")
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

/// Takes apart an older hash that can be wrapped without knowing the password: `ALGORITHM$SALT$HASH`, nothing else.
pub fn wrappable(encoded: &str) -> Option<(LegacyDigest, &str)> {
    let mut fields = encoded.split('$');
    let legacy = LegacyDigest::named(fields.next()?)?;
    let (salt, hash) = (fields.next()?, fields.next()?);
    (fields.next().is_none() && !salt.is_empty() && !hash.is_empty()).then_some((legacy, salt))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "bcrypt$2a$04$abcdefghijklmnopqrstuupQb5bwcjHU/mxFN/aw8cfhkjGeeMc0C$2011-01-01";

    #[test]
    fn each_format_is_read_and_written_back() {
        let hardened = format!("hh$sha1$salty${PLAIN}");
        let ours =
            "keyed$2026-11-01$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaA";
        for encoded in [PLAIN, &hardened, ours] {
            assert!(KeyedPassword::is_keyed(encoded));
            assert_eq!(encoded.parse::<KeyedPassword>().unwrap().to_string(), encoded);
        }
        let named = PLAIN.replacen("bcrypt$", "bcrypt2011_01_01$", 1);
        assert!(KeyedPassword::is_keyed(&named));
        assert_eq!(named.parse(), PLAIN.parse::<KeyedPassword>());
    }

    #[test]
    fn djangos_own_hashes_need_no_key() {
        for encoded in [
            "bcrypt$$2b$12$x",
            "bcrypt_sha256$$2b$12$x",
            "argon2$argon2id$v=19$m=1",
            "md5$a$b",
            "!x",
            "",
        ] {
            assert!(!KeyedPassword::is_keyed(encoded), "{encoded}");
        }
    }

    #[test]
    fn what_only_begins_like_a_keyed_hash_is_none() {
        for encoded in [
            "bcrypt$2a$04$short$2011-01-01",
            "bcrypt$2a",
            "hh$",
            "hh$sha3$salt$x",
            "hh$sha1$salt",
            "keyed$x",
        ] {
            assert!(encoded.parse::<KeyedPassword>().is_err(), "{encoded}");
        }
    }

    #[test]
    fn three_fields_of_a_known_digest_can_be_wrapped() {
        assert_eq!(wrappable("sha1$salt$hash"), Some((LegacyDigest::Sha1, "salt")));
        for encoded in [
            "pbkdf2_sha256$1$salt$hash",
            "sha1$$hash",
            "sha1$salt",
            "hh$sha1$salt$x",
            "crypt$ab$c",
            "!",
        ] {
            assert_eq!(wrappable(encoded), None, "{encoded}");
        }
    }
}
