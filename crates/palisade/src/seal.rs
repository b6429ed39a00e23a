//! Sealing: what a table, a file or a cache holds so that whoever steals it reads nothing (threat `sensitive-data-exposure`).
//!
//! A value is encrypted and authenticated under the newest key of a folder, and bound to its [`Place`]: what it is for, and in which
//! row of which table it lies. Moved to another row, or offered for another purpose, it does not open.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452), of the same library that does TLS here. A nonce is 96 random bits. Under plain GCM two
//! values with one nonce give the key of the authentication away; under SIV they only show whether they are the same value in the
//! same place, so that many servers may seal under one key for years and nobody has to count. Each key is derived from
//! the secret of its file, which serves nothing else.
//!
//! The text is `sealed1.2026-11-01.…`: the form, the id of the key, and nonce, ciphertext and tag in URL-safe Base64.
//!
//! # Example
//!
//! ```
//! use palisade::clock::Clock;
//! use palisade::seal::{Place, SealKeys, make_key};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("seal-keys");
//! make_key(&folder, std::time::SystemTime::now())?; // once, by `palisade keys make`
//! let keys = SealKeys::read(&folder, Clock::system())?;
//! let place = Place::new("totp secret", "second_factor", "42");
//! let text = keys.seal(&place, b"JBSWY3DPEHPK3PXP")?;
//! assert_eq!(keys.open(&place, &text)?.expose().as_slice(), b"JBSWY3DPEHPK3PXP");
//! assert!(keys.open(&Place::new("totp secret", "second_factor", "43"), &text).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Security
//!
//! The keys protect only where they are not beside the data: keep their folder out of the database's backups, and keep a copy of it
//! elsewhere, because nothing opens without them. How long a value is can be seen. Whoever can write may put an older value of the
//! same place back.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use palisade_core::dated_key::{DatedKeys, NoDatedKey};
use palisade_core::{Sensitive, token};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::clock::Clock;
use crate::key_files::read_keys;
pub use crate::key_files::{KeyFileError, make_key};

/// The form of what is sealed, which a later one will be told apart by.
const FORM: &str = "sealed1";
/// What the secret of a key file is derived for.
const DERIVED_FOR: &[u8] = b"palisade.seal.1 AES-256-GCM-SIV";

/// Where a sealed value lies, which is sealed with it: it opens nowhere else.
///
/// # Example
///
/// ```
/// use palisade::seal::Place;
///
/// let place = Place::new("totp secret", "second_factor", "42");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'p> {
    purpose: &'static str,
    table: &'p str,
    row: &'p str,
}

impl<'p> Place<'p> {
    /// Names what the value is for, and the row of the table that it lies in.
    pub const fn new(purpose: &'static str, table: &'p str, row: &'p str) -> Self {
        Self { purpose, table, row }
    }

    /// Each part with its length before it, so that no two places are written alike.
    fn written(&self, key_id: &str) -> Vec<u8> {
        let mut written = Vec::new();
        for part in [FORM, key_id, self.purpose, self.table, self.row] {
            written.extend_from_slice(&(part.len() as u64).to_be_bytes());
            written.extend_from_slice(part.as_bytes());
        }
        written
    }
}

/// Why nothing can be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No key is in force.
    #[error(
        "no key to seal under is in force: make one with `palisade keys make`, and start the service anew"
    )]
    NoKey,
    /// The cipher refused, as it does for more than 64 GiB.
    #[error("the value cannot be sealed")]
    Refused,
}

/// Why a sealed value does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The text is no sealed value.
    #[error("the value is not sealed")]
    NotSealed,
    /// The file of its key is not there.
    #[error("the value is sealed under the key {id}, which is not there: put its file back")]
    KeyLost {
        /// The key's id.
        id: String,
    },
    /// Its key has ended.
    #[error("the value is sealed under the key {id}, which has expired")]
    KeyExpired {
        /// The key's id.
        id: String,
    },
    /// It was changed, sealed under another key of that id, or brought here from another place.
    #[error("the sealed value was changed, or was sealed for another place or under another key")]
    Forged,
}

/// The keys of a folder: the newest seals, all that have not expired open. Cheap to clone.
#[derive(Clone)]
pub struct SealKeys(Arc<Ring>);

struct Ring {
    keys: DatedKeys,
    ciphers: Vec<(String, LessSafeKey)>,
    clock: Clock,
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.ciphers.iter().map(|(id, _)| id).collect();
        f.debug_tuple("SealKeys").field(&ids).finish()
    }
}

impl SealKeys {
    /// Reads the keys of a folder, as `palisade keys make` makes them.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, a file in it is no key or open to other users, or no key is in force.
    pub fn read(folder: impl AsRef<Path>, clock: Clock) -> Result<Self, KeyFileError> {
        Ok(Self::of(read_keys(folder, clock.now())?, clock))
    }

    /// Takes keys that come from elsewhere, of a vault for example.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::clock::Clock;
    /// use palisade::core::dated_key::{DatedKey, DatedKeys};
    /// use palisade::seal::SealKeys;
    ///
    /// # fn main() -> Result<(), palisade::core::dated_key::InvalidDatedKey> {
    /// let key = DatedKey::parse("2026-11-01", "secret = \"thirty-two bytes or more of chance\"")?;
    /// let keys = SealKeys::of(DatedKeys::new([key]), Clock::system());
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(keys: DatedKeys, clock: Clock) -> Self {
        let ciphers = keys
            .iter()
            .filter_map(|key| Some((key.id().to_owned(), cipher(key.secret().expose())?)))
            .collect();
        Self(Arc::new(Ring { keys, ciphers, clock }))
    }

    /// Seals a value for its place, under the newest key.
    ///
    /// # Errors
    ///
    /// [`SealError::NoKey`] when every key has expired meanwhile.
    ///
    /// # Panics
    ///
    /// Where the system gives no randomness.
    pub fn seal(&self, place: &Place<'_>, value: &[u8]) -> Result<String, SealError> {
        let id = self.0.keys.newest(self.now()).ok_or(SealError::NoKey)?.id();
        let cipher = self.cipher(id).ok_or(SealError::NoKey)?;
        let nonce: [u8; NONCE_LEN] = token::random_bytes();
        let mut sealed = Vec::with_capacity(value.len() + AES_256_GCM_SIV.tag_len());
        sealed.extend_from_slice(value);
        let done = cipher.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.written(id)),
            &mut sealed,
        );
        if done.is_err() {
            sealed.zeroize();
            return Err(SealError::Refused);
        }
        let mut text = format!("{FORM}.{id}.");
        URL_SAFE_NO_PAD.encode_string([nonce.as_slice(), &sealed].concat(), &mut text);
        Ok(text)
    }

    /// Opens a sealed value of that place.
    ///
    /// # Errors
    ///
    /// When it is none, its key is not there or has expired, or it was changed or brought here from another place.
    pub fn open(&self, place: &Place<'_>, text: &str) -> Result<Sensitive<Vec<u8>>, OpenError> {
        let (id, body) = parts(text).ok_or(OpenError::NotSealed)?;
        let id = match self.0.keys.find(id, self.now()) {
            Ok(key) => key.id(),
            Err(NoDatedKey::Expired) => return Err(OpenError::KeyExpired { id: id.to_owned() }),
            Err(_) => return Err(OpenError::KeyLost { id: id.to_owned() }),
        };
        let cipher = self
            .cipher(id)
            .ok_or_else(|| OpenError::KeyLost { id: id.to_owned() })?;
        let mut body = Zeroizing::new(URL_SAFE_NO_PAD.decode(body).map_err(|_| OpenError::Forged)?);
        let (nonce, sealed) = body.split_at_mut_checked(NONCE_LEN).ok_or(OpenError::Forged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Forged)?;
        let opened = cipher.open_in_place(nonce, Aad::from(place.written(id)), sealed);
        Ok(Sensitive::new(opened.map_err(|_| OpenError::Forged)?.to_vec()))
    }

    /// Says whether a text has the form of what is sealed here.
    pub fn is_sealed(text: &str) -> bool {
        parts(text).is_some()
    }

    /// Says whether a value would be sealed differently now, because there is a newer key: who keeps it seals it anew.
    pub fn is_outdated(&self, text: &str) -> bool {
        let newest = self.0.keys.newest(self.now());
        parts(text).is_some_and(|(id, _)| newest.is_some_and(|key| key.id() != id))
    }

    fn cipher(&self, id: &str) -> Option<&LessSafeKey> {
        // Of two with one id the later counts, as everywhere.
        let named = self.0.ciphers.iter().rev().find(|(own, _)| own == id);
        named.map(|(_, cipher)| cipher)
    }

    fn now(&self) -> SystemTime {
        self.0.clock.now()
    }
}

/// The id of its key, and what is encrypted.
fn parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(FORM)?.strip_prefix('.')?.split_once('.')
}

/// The cipher of a secret. Its memory is wiped by the library when it goes, and ours here.
fn cipher(secret: &[u8]) -> Option<LessSafeKey> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(DERIVED_FOR);
    let mut derived = mac.finalize().into_bytes();
    let key = UnboundKey::new(&AES_256_GCM_SIV, &derived);
    derived.as_mut_slice().zeroize();
    Some(LessSafeKey::new(key.ok()?))
}

#[cfg(test)]
mod tests;
