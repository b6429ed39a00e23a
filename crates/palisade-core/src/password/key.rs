//! The keys of keyed passwords: each with an id, which is a date, and perhaps a day on which it ends.

use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::SecretKey;

/// One key, as its file says it.
///
/// # Example
///
/// ```
/// use palisade_core::password::PasswordKey;
///
/// let key = PasswordKey::parse("2026-11-01", "secret = \"thirty-two bytes or more of chance\"\nexpires = \"2028-01-01\"")?;
/// assert_eq!(key.id(), "2026-11-01");
/// # Ok::<(), palisade_core::password::InvalidPasswordKey>(())
/// ```
#[derive(Clone)]
pub struct PasswordKey {
    id: String,
    secret: SecretKey,
    expires: Option<SystemTime>,
}

/// A key that cannot be used. The secret is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password key {id} cannot be used: {why}")]
pub struct InvalidPasswordKey {
    id: String,
    why: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    secret: SecretKey,
    expires: Option<String>,
}

/// So long is a secret at least under which new passwords are hashed: a shorter one might be guessed.
pub const MIN_SECRET_BYTES: usize = 32;

impl PasswordKey {
    /// Reads a key: `secret = "…"`, and if it ends, `expires = "2028-01-01"`, from the beginning of that day in UTC on.
    ///
    /// # Errors
    ///
    /// When the id or a line is none.
    pub fn parse(id: &str, text: &str) -> Result<Self, InvalidPasswordKey> {
        let wrong = |why| InvalidPasswordKey {
            id: id.escape_debug().to_string(),
            why,
        };
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 16 || !id.bytes().all(is_id) {
            return Err(wrong(
                "its id is not a date such as 2026-11-01 (letters, digits, - and _; 16 at most)",
            ));
        }
        let written: Written = toml::from_str(text)
            .map_err(|_| wrong("write secret = \"…\" and perhaps expires = \"2028-01-01\""))?;
        if written.secret.expose().is_empty() {
            return Err(wrong("its secret is empty"));
        }
        let expires = written
            .expires
            .map(|day| {
                let day = Date::parse(&day, format_description!("[year]-[month]-[day]"));
                day.map(|day| SystemTime::from(day.midnight().assume_utc()))
            })
            .transpose()
            .map_err(|_| wrong("expires is not a day such as 2028-01-01"))?;
        Ok(Self {
            id: id.to_owned(),
            secret: written.secret,
            expires,
        })
    }

    /// The id, which each hash names.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// Whether new passwords may be hashed under it: it is of a day, and not a copy called `old`, and nobody guesses it.
    fn makes_hashes(&self) -> bool {
        is_day(&self.id) && self.secret.expose().len() >= MIN_SECRET_BYTES
    }

    fn has_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

fn is_day(text: &str) -> bool {
    Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok()
}

impl fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordKey")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Why no key verifies a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPasswordKey {
    /// There is no key of that id.
    #[error("its key is not there: put its file back, or its users must have their passwords reset")]
    Removed,
    /// The key has ended.
    #[error("its key has expired: its users must have their passwords reset")]
    Expired,
}

/// All keys of a site.
#[derive(Clone, Debug)]
pub struct PasswordKeys(Vec<PasswordKey>);

impl PasswordKeys {
    /// Takes keys; of two with one id the later counts.
    pub fn new(keys: impl IntoIterator<Item = PasswordKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The key for new hashes: of those that have not expired, the one of the latest day.
    ///
    /// A key whose id is no day, and one with a secret of fewer than [`MIN_SECRET_BYTES`] bytes, only verifies what is hashed
    /// under it already.
    pub fn newest(&self, now: SystemTime) -> Option<&PasswordKey> {
        let current = self
            .0
            .iter()
            .filter(|key| key.makes_hashes() && !key.has_expired(now));
        current.max_by(|one, other| one.id.cmp(&other.id))
    }

    /// The key that a hash names.
    ///
    /// # Errors
    ///
    /// When it is gone or has expired.
    pub fn find(&self, id: &str, now: SystemTime) -> Result<&PasswordKey, NoPasswordKey> {
        match self.0.iter().rev().find(|key| key.id == id) {
            None => Err(NoPasswordKey::Removed),
            Some(key) if key.has_expired(now) => Err(NoPasswordKey::Expired),
            Some(key) => Ok(key),
        }
    }
}

/// The id of a key that is made at a time: its day in UTC.
pub fn key_id_at(now: SystemTime) -> String {
    let (year, month, day) = OffsetDateTime::from(now).to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(id: &str, rest: &str) -> PasswordKey {
        PasswordKey::parse(
            id,
            &format!("secret = \"a rather long secret, that of {id}\"\n{rest}"),
        )
        .unwrap()
    }

    fn day(number: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(24 * number)
    }

    #[test]
    fn newest_key_is_the_greatest_date_that_has_not_expired() {
        let keys = PasswordKeys::new([
            key("2026-11-01", ""),
            key("2027-11-01", "expires = \"1970-01-03\""),
            key("2025-11-01", ""),
        ]);
        assert_eq!(keys.newest(day(1)).unwrap().id(), "2027-11-01");
        assert_eq!(keys.newest(day(2)).unwrap().id(), "2026-11-01");
        assert!(keys.find("2027-11-01", day(1)).is_ok());
        assert_eq!(
            keys.find("2027-11-01", day(2)).unwrap_err(),
            NoPasswordKey::Expired
        );
        assert_eq!(
            keys.find("2011-01-01", day(2)).unwrap_err(),
            NoPasswordKey::Removed
        );
        assert!(PasswordKeys::new([]).newest(day(1)).is_none());
    }

    #[test]
    fn key_of_no_day_and_one_that_can_be_guessed_only_verify() {
        let short = PasswordKey::parse("2027-11-01", "secret = \"cheesecake\"").unwrap();
        let keys = PasswordKeys::new([
            key("2026-11-01", ""),
            key("old", ""),
            key("2026-11-31", ""),
            short,
        ]);
        assert_eq!(keys.newest(day(1)).unwrap().id(), "2026-11-01");
        for id in ["old", "2026-11-31", "2027-11-01"] {
            assert!(keys.find(id, day(1)).is_ok(), "{id}");
        }
    }

    #[test]
    fn file_that_is_no_key_says_so_without_its_secret() {
        for (id, text) in [
            ("2026-11-01", "hunter2"),
            ("2026-11-01", "secret = \"\""),
            ("2026-11-01", "secret = \"hunter2\"\nexpires = \"soon\""),
            ("2026-11-01", "secret = \"hunter2\"\nexpire = \"2028-01-01\""),
            ("a$b", "secret = \"hunter2\""),
            ("", "secret = \"hunter2\""),
        ] {
            let told = PasswordKey::parse(id, text).unwrap_err().to_string();
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(!format!("{:?}", key("a", "")).contains("rather long"));
    }

    #[test]
    fn id_of_a_new_key_is_its_day() {
        assert_eq!(key_id_at(day(20_000)), "2024-10-04");
    }
}
