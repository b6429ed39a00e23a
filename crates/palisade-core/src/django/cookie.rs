//! The `Set-Cookie` header for the arguments of Django's `set_cookie`, however unwise they are.
//!
//! [`SetCookie`](crate::cookie::SetCookie) is the type to build on: it holds prefixes to their rules and keeps attributes
//! apart. This writes what Django would write.

use std::time::SystemTime;

use time::OffsetDateTime;

use crate::cookie::written::{Written, deletion_is_secure};
use crate::cookie::{InvalidCookie, SameSite, SetCookie};
use crate::http_date::{self, OutOfRange};

/// The arguments of `set_cookie`.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use palisade_core::django::CookieArguments;
///
/// let cookie = CookieArguments {
///     name: "sessionid".to_owned(),
///     value: "a b,c".to_owned(),
///     max_age: Some(10.6),
///     path: Some("/".to_owned()),
///     ..CookieArguments::default()
/// };
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// assert_eq!(
///     cookie.render_at(now).unwrap(),
///     r#"sessionid="a b\054c"; expires=Tue, 14 Nov 2023 22:13:30 GMT; Max-Age=10; Path=/"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CookieArguments {
    /// The name.
    pub name: String,
    /// The value, before it is quoted.
    pub value: String,
    /// Seconds from now; a fraction is cut off.
    pub max_age: Option<f64>,
    /// When the cookie ends.
    pub expires: Option<Expiry>,
    /// The path; empty is as good as none, and so for the texts below.
    pub path: Option<String>,
    /// The domain.
    pub domain: Option<String>,
    /// `Secure`
    pub secure: bool,
    /// `HttpOnly`
    pub http_only: bool,
    /// `SameSite`, in any case.
    pub same_site: Option<String>,
}

/// When a cookie ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Expiry {
    /// A text that is copied.
    Text(String),
    /// A point in time, which becomes an age.
    At(OffsetDateTime),
}

/// Why Django would not set the cookie.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidArguments {
    /// The name is none, the ages contradict, or `SameSite` is none of the three.
    #[error(transparent)]
    Cookie(#[from] InvalidCookie),
    /// The age leads out of the calendar.
    #[error(transparent)]
    Age(#[from] OutOfRange),
}

impl CookieArguments {
    /// The arguments that `delete_cookie` calls with.
    #[must_use]
    pub fn deleting(name: &str, path: Option<&str>, domain: Option<&str>, same_site: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            value: String::new(),
            max_age: Some(0.0),
            expires: Some(Expiry::Text("Thu, 01 Jan 1970 00:00:00 GMT".to_owned())),
            path: path.map(ToOwned::to_owned),
            domain: domain.map(ToOwned::to_owned),
            secure: deletion_is_secure(name, same_site),
            http_only: false,
            same_site: same_site.map(ToOwned::to_owned),
        }
    }

    /// Writes the header's value.
    ///
    /// # Errors
    ///
    /// Where Django raises one: see [`InvalidArguments`].
    ///
    /// # Security
    ///
    /// Attributes are copied as they are, as Django copies them: a `;` in the path begins another attribute.
    pub fn render_at(&self, now: SystemTime) -> Result<String, InvalidArguments> {
        // The rules for names are Python's here and there.
        SetCookie::new(self.name.as_str(), "")?;
        let (max_age, expires) = self.ages(now)?;
        if let Some(same_site) = self.same_site.as_deref().filter(|text| !text.is_empty()) {
            same_site.parse::<SameSite>()?;
        }
        let written = Written {
            name: &self.name,
            value: &self.value,
            domain: self.domain.as_deref(),
            expires: expires.as_deref(),
            http_only: self.http_only,
            max_age: max_age.map(|seconds| format!("{seconds:.0}")),
            path: self.path.as_deref(),
            same_site: self.same_site.as_deref(),
            secure: self.secure,
        };
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = written.write(&mut text);
        Ok(text)
    }

    /// The age in whole seconds and the date, each if there is one.
    fn ages(&self, now: SystemTime) -> Result<(Option<f64>, Option<String>), InvalidArguments> {
        let now = OffsetDateTime::from(now);
        let (max_age, expires) = match &self.expires {
            Some(Expiry::At(_)) if self.max_age.is_some() => {
                return Err(InvalidCookie::ExpiresAndMaxAge.into());
            }
            Some(Expiry::At(end)) => {
                let left = (*end - now).whole_nanoseconds().div_euclid(1_000_000_000) + 1;
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a calendar has fewer seconds than that"
                )]
                let left = left.max(0) as f64;
                (Some(left), None)
            }
            Some(Expiry::Text(text)) => (self.max_age, Some(text.clone())),
            None => (self.max_age, None),
        };
        let expires = match (max_age, expires.filter(|text| !text.is_empty())) {
            (Some(age), None) => Some(http_date::format(unix_seconds(now) + age)?),
            (_, expires) => expires,
        };
        // Adding zero makes a negative zero positive.
        Ok((max_age.map(|age| age.trunc() + 0.0), expires))
    }
}

#[expect(clippy::cast_precision_loss, reason = "as exact as Python's time")]
fn unix_seconds(time: OffsetDateTime) -> f64 {
    time.unix_timestamp() as f64 + f64::from(time.nanosecond()) / 1e9
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn set(arguments: CookieArguments) -> Result<String, String> {
        let cookie = CookieArguments {
            name: "c".to_owned(),
            value: "v".to_owned(),
            ..arguments
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
        cookie.render_at(now).map_err(|error| error.to_string())
    }

    #[test]
    fn ages_become_dates_and_dates_ages() {
        let aged = |seconds| CookieArguments {
            max_age: Some(seconds),
            ..CookieArguments::default()
        };
        let until = |seconds| CookieArguments {
            expires: Some(Expiry::At(OffsetDateTime::from_unix_timestamp(seconds).unwrap())),
            ..CookieArguments::default()
        };
        for (arguments, header) in [
            (aged(0.5), "c=v; expires=Tue, 14 Nov 2023 22:13:21 GMT; Max-Age=0"),
            (
                aged(-0.6),
                "c=v; expires=Tue, 14 Nov 2023 22:13:19 GMT; Max-Age=0",
            ),
            (
                aged(-2.5),
                "c=v; expires=Tue, 14 Nov 2023 22:13:18 GMT; Max-Age=-2",
            ),
            (
                until(1_700_000_010),
                "c=v; expires=Tue, 14 Nov 2023 22:13:30 GMT; Max-Age=10",
            ),
            (until(1), "c=v; expires=Tue, 14 Nov 2023 22:13:20 GMT; Max-Age=0"),
        ] {
            assert_eq!(set(arguments).as_deref(), Ok(header));
        }
        let both = CookieArguments {
            max_age: Some(1.0),
            ..until(1)
        };
        assert_eq!(
            set(both).unwrap_err(),
            "'expires' and 'max_age' can't be used together."
        );
        assert_eq!(set(aged(1e12)).unwrap_err(), "year is out of range");
    }

    #[test]
    fn attributes_are_copied_as_they_are_and_empty_ones_left_out() {
        let loose = CookieArguments {
            path: Some(String::new()),
            domain: Some(".a.example".to_owned()),
            same_site: Some("LAX".to_owned()),
            expires: Some(Expiry::Text("soon".to_owned())),
            ..CookieArguments::default()
        };
        assert_eq!(
            set(loose).as_deref(),
            Ok("c=v; Domain=.a.example; expires=soon; SameSite=LAX")
        );
    }

    #[test]
    fn a_deleted_cookie_is_secure_only_where_browsers_ask_for_it() {
        let gone = |name, same_site| {
            let gone = CookieArguments::deleting(name, Some("/"), None, same_site);
            gone.render_at(SystemTime::UNIX_EPOCH).unwrap()
        };
        let rest = "=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
        assert_eq!(gone("a", None), format!("a{rest}"));
        assert_eq!(gone("__Host-a", None), format!("__Host-a{rest}; Secure"));
        assert_eq!(gone("a", Some("nOne")), format!("a{rest}; SameSite=nOne; Secure"));
    }
}
