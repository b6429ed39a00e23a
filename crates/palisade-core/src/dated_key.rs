//! Keys that lie in files, for passwords and for what is sealed: each with an id, which is a date, and perhaps a day on which it ends.

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
/// use palisade_core::dated_key::DatedKey;
///
/// let key = DatedKey::parse("2026-11-01", "secret = \"thirty-two bytes or more of chance\"\nexpires = \"2028-01-01\"")?;
/// assert_eq!(key.id(), "2026-11-01");
/// # Ok::<(), palisade_core::dated_key::InvalidDatedKey>(())
/// ```
#[derive(Clone)]
pub struct DatedKey {
    id: String,
    secret: SecretKey,
    expires: Option<SystemTime>,
}

/// A key that cannot be used. The secret is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key {id} cannot be used: {why}")]
pub struct InvalidDatedKey {
    id: String,
    why: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    secret: SecretKey,
    expires: Option<String>,
}

/// So long is a secret at least under which anything new is made: a shorter one might be guessed.
pub const MIN_SECRET_BYTES: usize = 32;

impl DatedKey {
    /// Reads a key: `secret = "…"`, and if it ends, `expires = "2028-01-01"`, from the beginning of that day in UTC on.
    ///
    /// # Errors
    ///
    /// When the id or a line is none.
    pub fn parse(id: &str, text: &str) -> Result<Self, InvalidDatedKey> {
        let wrong = |why| InvalidDatedKey {
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

    /// The id, which each hash and each sealed value names.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// Whether anything new may be made under it: it is of a day, and not a copy called `old`, and nobody guesses it.
    fn makes_new(&self) -> bool {
        is_day(&self.id) && self.secret.expose().len() >= MIN_SECRET_BYTES
    }

    fn has_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

fn is_day(text: &str) -> bool {
    Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok()
}

impl fmt::Debug for DatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatedKey")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Why there is no key for what names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDatedKey {
    /// There is no key of that id.
    #[error("its key is not there: put its file back")]
    Removed,
    /// The key has ended.
    #[error("its key has expired")]
    Expired,
}

/// All keys of a site.
#[derive(Clone, Debug)]
pub struct DatedKeys(Vec<DatedKey>);

impl DatedKeys {
    /// Takes keys; of two with one id the later counts.
    pub fn new(keys: impl IntoIterator<Item = DatedKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Lists them all.
    pub fn iter(&self) -> impl Iterator<Item = &DatedKey> {
        self.0.iter()
    }

    /// The key for what is made now: of those that have not expired, the one of the latest day.
    ///
    /// A key whose id is no day, and one with a secret of fewer than [`MIN_SECRET_BYTES`] bytes, only serves what was
    /// made under it already.
    pub fn newest(&self, now: SystemTime) -> Option<&DatedKey> {
        let current = self
            .0
            .iter()
            .filter(|key| key.makes_new() && !key.has_expired(now));
        current.max_by(|one, other| one.id.cmp(&other.id))
    }

    /// The key that a hash or a sealed value names.
    ///
    /// # Errors
    ///
    /// When it is gone or has expired.
    pub fn find(&self, id: &str, now: SystemTime) -> Result<&DatedKey, NoDatedKey> {
        match self.0.iter().rev().find(|key| key.id == id) {
            None => Err(NoDatedKey::Removed),
            Some(key) if key.has_expired(now) => Err(NoDatedKey::Expired),
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

    fn key(id: &str, rest: &str) -> DatedKey {
        DatedKey::parse(
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
        let keys = DatedKeys::new([
            key("2026-11-01", ""),
            key("2027-11-01", "expires = \"1970-01-03\""),
            key("2025-11-01", ""),
        ]);
        assert_eq!(keys.newest(day(1)).unwrap().id(), "2027-11-01");
        assert_eq!(keys.newest(day(2)).unwrap().id(), "2026-11-01");
        assert!(keys.find("2027-11-01", day(1)).is_ok());
        assert_eq!(keys.find("2027-11-01", day(2)).unwrap_err(), NoDatedKey::Expired);
        assert_eq!(keys.find("2011-01-01", day(2)).unwrap_err(), NoDatedKey::Removed);
        assert!(DatedKeys::new([]).newest(day(1)).is_none());
    }

    #[test]
    fn key_of_no_day_and_one_that_can_be_guessed_make_nothing_new() {
        let short = DatedKey::parse("2027-11-01", "secret = \"cheesecake\"").unwrap();
        let keys = DatedKeys::new([
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
            let told = DatedKey::parse(id, text).unwrap_err().to_string();
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(!format!("{:?}", key("a", "")).contains("rather long"));
    }

    #[test]
    fn id_of_a_new_key_is_its_day() {
        assert_eq!(key_id_at(day(20_000)), "2024-10-04");
    }
}
