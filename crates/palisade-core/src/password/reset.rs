//! Password-reset tokens: Django's `PasswordResetTokenGenerator`.
//!
//! A token is a time and a keyed digest over what a reset or a login changes: the password column, the last login, the
//! e-mail address. So it needs no table, works once, and dies with the next login.
//!
//! # Security
//!
//! The token proves that somebody reads the mail of the account. Send it to the *stored* address only (CVE-2019-19844),
//! keep it out of Referer headers, and do not say whether an account exists.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::KeyRing;
use crate::secret::constant_time_eq;
use crate::signing::{Algorithm, ReadyMac, base36, whole_seconds};

/// The salt: the dotted path of Django's class.
const SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";
/// Django's `PASSWORD_RESET_TIMEOUT`: three days.
const TIMEOUT: Duration = Duration::from_hours(72);
/// 2001-01-01T00:00:00 UTC, from which tokens count.
const EPOCH: i64 = 978_307_200;

/// Whose password is to be reset: the columns a token depends on.
#[derive(Clone, Copy)]
pub struct ResetSubject<'u> {
    /// The primary key, as text.
    pub user_id: &'u str,
    /// The password column.
    pub password: &'u str,
    /// The last login, as UTC.
    pub last_login: Option<SystemTime>,
    /// The e-mail address, empty where there is none.
    pub email: &'u str,
}

/// Makes and checks password-reset tokens.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::password::{ResetSubject, ResetTokens};
/// use palisade_core::{KeyRing, SecretKey};
///
/// let tokens = ResetTokens::new(&KeyRing::new(SecretKey::new("secret")));
/// let ann = ResetSubject { user_id: "1", password: "argon2$…", last_login: None, email: "ann@example.com" };
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_046);
/// let token = tokens.make_at(&ann, now);
/// assert!(tokens.check_at(&ann, &token, now));
/// assert!(!tokens.check_at(&ResetSubject { password: "changed", ..ann }, &token, now));
/// ```
#[derive(Clone, Debug)]
pub struct ResetTokens {
    primary: ReadyMac,
    fallbacks: Vec<ReadyMac>,
    timeout: Duration,
    utc_offset: i64,
}

impl ResetTokens {
    /// Makes tokens that live three days.
    pub fn new(keys: &KeyRing) -> Self {
        let ready = |key| ReadyMac::new(Algorithm::Sha256, &[SALT.as_bytes()], key);
        Self {
            primary: ready(keys.primary()),
            fallbacks: keys.fallbacks().iter().map(ready).collect(),
            timeout: TIMEOUT,
            utc_offset: 0,
        }
    }

    /// Makes tokens with another salt and digest: those of a class that a site has derived from Django's.
    #[must_use]
    pub fn with_salt(mut self, keys: &KeyRing, salt: &str, algorithm: Algorithm) -> Self {
        let ready = |key| ReadyMac::new(algorithm, &[salt.as_bytes()], key);
        let fallbacks = keys.fallbacks().iter();
        self.fallbacks = fallbacks.map(ready).collect();
        self.primary = ready(keys.primary());
        self
    }

    /// Lets tokens live longer or shorter: `PASSWORD_RESET_TIMEOUT`.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Counts time as a Django does whose clock shows local time, so many seconds east of UTC. Django counts naive local
    /// time; only installations that check each other's tokens in another zone than UTC need this.
    #[must_use]
    pub const fn with_utc_offset(mut self, seconds_east: i32) -> Self {
        self.utc_offset = seconds_east as i64;
        self
    }

    /// Makes the token of a user at a time.
    pub fn make_at(&self, subject: &ResetSubject<'_>, now: SystemTime) -> String {
        token(&self.primary, subject, self.seconds(now))
    }

    /// Says whether a token is this user's, unused and young enough.
    pub fn check_at(&self, subject: &ResetSubject<'_>, claimed: &str, now: SystemTime) -> bool {
        let Some((time, digest)) = claimed.split_once('-') else {
            return false;
        };
        let Ok(made) = base36::decode(time) else {
            return false;
        };
        let is_made_with = |mac: &ReadyMac| constant_time_eq(token(mac, subject, made), claimed);
        let authentic = is_made_with(&self.primary) || self.fallbacks.iter().any(is_made_with);
        let age = self.seconds(now).saturating_sub(made);
        let too_old = u64::try_from(age).is_ok_and(|age| age > self.timeout.as_secs());
        authentic && !too_old && !digest.contains('-')
    }

    /// Seconds since 2001, in the zone that tokens are counted in. Before, time stands still.
    fn seconds(&self, now: SystemTime) -> i64 {
        whole_seconds(now)
            .saturating_add(self.utc_offset)
            .saturating_sub(EPOCH)
            .max(0)
    }
}

/// The token that a key makes.
fn token(mac: &ReadyMac, subject: &ResetSubject<'_>, seconds: i64) -> String {
    let ResetSubject {
        user_id,
        password,
        last_login,
        email,
    } = *subject;
    let last_login = last_login.map(printed).unwrap_or_default();
    let message = format!("{user_id}{password}{last_login}{seconds}{email}");
    let tag = mac.tag(&[message.as_bytes()]);
    // Every second hexadecimal digit: the upper half of each byte.
    let digits = tag
        .as_bytes()
        .iter()
        .filter_map(|byte| char::from_digit(u32::from(byte >> 4), 16));
    let mut token = base36::encode(seconds).unwrap_or_default();
    token.push('-');
    token.extend(digits);
    token
}

/// A time as Python prints it without microseconds and zone.
fn printed(time: SystemTime) -> String {
    let moment = OffsetDateTime::from(time);
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    format!(
        "{year:04}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}",
        u8::from(month)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    const SUBJECT: ResetSubject<'static> = ResetSubject {
        user_id: "1",
        password: "pbkdf2_sha256$1$salt$hash",
        last_login: None,
        email: "",
    };

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
    }

    /// 2026-01-02T03:04:06 UTC.
    fn now() -> SystemTime {
        at(1_767_323_046.0)
    }

    fn ann() -> ResetSubject<'static> {
        ResetSubject {
            last_login: Some(at(1_767_323_045.678_901)),
            email: "a@example.com",
            ..SUBJECT
        }
    }

    fn tokens() -> ResetTokens {
        ResetTokens::new(&KeyRing::new(SecretKey::new("secret")))
    }

    #[test]
    fn tokens_are_djangos() {
        let other = ResetSubject {
            user_id: "2",
            password: "!x",
            ..SUBJECT
        };
        for (subject, token) in [
            (ann(), "d1rciu-df12c00732e1b433d9ee258659123586"),
            (SUBJECT, "d1rciu-7c726fbaa12beac3333029d795e74634"),
            (other, "d1rciu-a6b1a55c80019ef07acc4432840c0c85"),
        ] {
            assert_eq!(tokens().make_at(&subject, now()), token);
            assert!(tokens().check_at(&subject, token, now()));
        }
    }

    #[test]
    fn used_token_is_dead() {
        let token = tokens().make_at(&ann(), now());
        for changed in [
            ResetSubject {
                password: "new",
                ..ann()
            },
            ResetSubject {
                last_login: Some(now()),
                ..ann()
            },
            ResetSubject {
                last_login: None,
                ..ann()
            },
            ResetSubject {
                email: "b@example.com",
                ..ann()
            },
            ResetSubject {
                user_id: "2",
                ..ann()
            },
        ] {
            assert!(!tokens().check_at(&changed, &token, now()));
        }
    }

    #[test]
    fn token_lives_exactly_as_long_as_it_should() {
        let token = tokens().make_at(&ann(), now());
        assert!(tokens().check_at(&ann(), &token, now() + TIMEOUT));
        assert!(!tokens().check_at(&ann(), &token, now() + TIMEOUT + Duration::from_secs(1)));
        let hour = tokens().with_timeout(Duration::from_hours(1));
        assert!(!hour.check_at(&ann(), &token, now() + Duration::from_secs(3601)));
        assert!(tokens().check_at(&ann(), &token, now() - Duration::from_mins(1)));
    }

    #[test]
    fn forged_token_is_refused() {
        let token = tokens().make_at(&ann(), now());
        let later = token.replace("d1rciu", "d1rciv");
        let upper = token.to_uppercase();
        let zero = format!("0{token}");
        for forged in [
            "",
            "-",
            "a-",
            "-a",
            "d1rciu",
            &later,
            &upper,
            &zero,
            &format!("{token}-"),
            &format!("{token}0"),
        ] {
            assert!(!tokens().check_at(&ann(), forged, now()), "{forged}");
        }
        let far = format!("{}-{}", "z".repeat(14), "0".repeat(32));
        assert!(!tokens().check_at(&ann(), &far, now()));
    }

    #[test]
    fn rotated_key_still_checks() {
        let token = tokens().make_at(&ann(), now());
        let rotated = KeyRing::new(SecretKey::new("new")).with_fallbacks(vec![SecretKey::new("secret")]);
        assert!(ResetTokens::new(&rotated).check_at(&ann(), &token, now()));
        assert!(!ResetTokens::new(&KeyRing::new(SecretKey::new("new"))).check_at(&ann(), &token, now()));
    }

    #[test]
    fn token_of_another_zone_is_read_where_the_offset_is_known() {
        let berlin = tokens().with_utc_offset(3600);
        let token = berlin.make_at(&ann(), now());
        assert_ne!(token, tokens().make_at(&ann(), now()));
        assert!(berlin.check_at(&ann(), &token, now() + TIMEOUT));
    }

    #[test]
    fn time_before_tokens_were_counted_is_their_beginning() {
        assert!(tokens().make_at(&ann(), SystemTime::UNIX_EPOCH).starts_with("0-"));
    }
}
