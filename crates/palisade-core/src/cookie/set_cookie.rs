//! The response's `Set-Cookie` header, written byte for byte as Django writes it.
//!
//! Attributes come in Python's order (alphabetical, `expires` in lower case), empty ones are left out, the value is quoted
//! as Python quotes it. `expires` follows from the age, and the clock is an argument. A value of this type can always be
//! rendered: names, attributes and prefixes are checked where they are given.

use std::fmt::{self, Write};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use super::attributes::checked;
use super::written::{Written, deletion_is_secure};
use super::{CookieAttributes, Expires, InvalidCookie, SameSite, prefix, quoting};
use crate::Weakness;

/// A cookie on its way to the browser.
///
/// # Example
/// ```
/// use std::time::{Duration, SystemTime};
/// use palisade_core::cookie::SetCookie;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let cookie = SetCookie::new("sessionid", "a b,c")?.with_max_age(10);
/// assert_eq!(
///     cookie.render_at(now),
///     r#"sessionid="a b\054c"; expires=Tue, 14 Nov 2023 22:13:30 GMT; HttpOnly; Max-Age=10; Path=/; SameSite=Lax; Secure"#,
/// );
/// # Ok::<(), palisade_core::cookie::InvalidCookie>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetCookie {
    name: String,
    value: String,
    attributes: CookieAttributes,
    same_site_spelling: Option<String>,
}

/// The attributes' names, which Python refuses as cookies' names.
const RESERVED: [&str; 9] = [
    "comment", "domain", "expires", "httponly", "max-age", "path", "samesite", "secure", "version",
];

impl SetCookie {
    /// Starts a cookie with the strict default attributes.
    ///
    /// # Errors
    /// When Python would refuse the name: a character outside the legal ones, or the name of an attribute.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, InvalidCookie> {
        let name = name.into();
        if RESERVED
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
        {
            return Err(InvalidCookie::ReservedName(name));
        }
        if name.is_empty() || !name.chars().all(quoting::is_bare) {
            return Err(InvalidCookie::IllegalName(name));
        }
        let attributes = CookieAttributes::default();
        Ok(Self {
            name,
            value: value.into(),
            attributes,
            same_site_spelling: None,
        })
    }

    /// Makes the cookie that removes a cookie of this name; of the attributes, domain, path and `SameSite` count.
    ///
    /// As Django's `delete_cookie`: empty value, `Max-Age=0`, the first second of 1970, and Secure only where the browser
    /// would drop the cookie without it: a prefixed name, or `SameSite=None`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when the attributes could not stand in the header.
    ///
    /// # Example
    /// ```
    /// use palisade_core::cookie::{CookieAttributes, SetCookie};
    ///
    /// let gone = SetCookie::delete("sessionid", &CookieAttributes::default())?;
    /// assert_eq!(
    ///     gone.to_string(),
    ///     r#"sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"#,
    /// );
    /// # Ok::<(), palisade_core::cookie::InvalidCookie>(())
    /// ```
    pub fn delete(name: impl Into<String>, attributes: &CookieAttributes) -> Result<Self, InvalidCookie> {
        let mut gone = Self::new(name, "")?;
        let same_site = attributes.same_site.map(SameSite::as_str);
        gone.attributes = CookieAttributes {
            domain: attributes.domain.clone(),
            expires: Some(Expires::at(SystemTime::UNIX_EPOCH)),
            http_only: false,
            max_age: Some(0),
            path: attributes.path.clone(),
            same_site: attributes.same_site,
            secure: deletion_is_secure(&gone.name, same_site),
        }
        .checked()?;
        Ok(gone)
    }

    /// Replaces the value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Replaces all attributes.
    ///
    /// # Errors
    /// When a text could not stand in the header, or the attributes break the rules of the name's prefix.
    pub fn with_attributes(mut self, attributes: CookieAttributes) -> Result<Self, InvalidCookie> {
        self.attributes = attributes.checked()?;
        self.same_site_spelling = None;
        self.prefixed()
    }

    /// Sends the cookie to every host of a domain.
    ///
    /// # Errors
    /// When the text could not stand in the header, or the name starts with `__Host-`.
    pub fn with_domain(self, domain: impl Into<String>) -> Result<Self, InvalidCookie> {
        let attributes = CookieAttributes {
            domain: Some(domain.into()),
            ..self.attributes.clone()
        };
        self.with_attributes(attributes)
    }

    /// Sends the cookie below a path only.
    ///
    /// # Errors
    /// When the text could not stand in the header, or the name starts with `__Host-` and the path is not `/`.
    pub fn with_path(self, path: impl Into<String>) -> Result<Self, InvalidCookie> {
        let attributes = CookieAttributes {
            path: Some(path.into()),
            ..self.attributes.clone()
        };
        self.with_attributes(attributes)
    }

    /// Keeps the cookie for some seconds; [`render_at`](Self::render_at) adds the date for browsers that need one.
    #[must_use]
    pub fn with_max_age(mut self, seconds: i64) -> Self {
        self.attributes.max_age = Some(seconds);
        self
    }

    /// Keeps the cookie for a time from now: whole seconds as `Max-Age`, and the date if none was given.
    #[must_use]
    pub fn with_age_from(mut self, now: SystemTime, age: Duration) -> Self {
        self.attributes.max_age = Some(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
        if self.attributes.expires.is_none() {
            self.attributes.expires = now.checked_add(age).map(Expires::at);
        }
        self
    }

    /// Keeps the cookie until a point in time.
    ///
    /// As Django does, the point becomes an age (of whole seconds, one added, never below zero) and the age a date.
    ///
    /// # Errors
    /// When an age was given before.
    pub fn with_expires_at(mut self, time: SystemTime, now: SystemTime) -> Result<Self, InvalidCookie> {
        if self.attributes.max_age.is_some() {
            return Err(InvalidCookie::ExpiresAndMaxAge);
        }
        let left = time
            .checked_add(Duration::from_secs(1))
            .and_then(|time| time.duration_since(now).ok());
        self.attributes.expires = None;
        Ok(self.with_age_from(now, Duration::from_secs(left.unwrap_or_default().as_secs())))
    }

    /// Copies a date as it is written.
    ///
    /// # Errors
    /// When the text could not stand in the header.
    pub fn with_expires_text(mut self, text: &str) -> Result<Self, InvalidCookie> {
        self.attributes.expires =
            Some(Expires::from_text(text)?).filter(|expires| !expires.as_str().is_empty());
        Ok(self)
    }

    /// Says whether the cookie travels with requests that another site started.
    #[must_use]
    pub fn with_same_site(mut self, same_site: SameSite) -> Self {
        self.attributes.same_site = Some(same_site);
        self.same_site_spelling = None;
        self
    }

    /// Says the same in the caller's own spelling, which Django sends as it was given.
    ///
    /// # Errors
    /// When the text is none of `lax`, `none` and `strict`, in any case.
    pub fn with_same_site_text(mut self, text: &str) -> Result<Self, InvalidCookie> {
        let same_site: SameSite = text.parse()?;
        self = self.with_same_site(same_site);
        self.same_site_spelling = (text != same_site.as_str()).then(|| text.to_owned());
        Ok(self)
    }

    /// Lets scripts read the cookie.
    ///
    /// # Errors
    /// When the name's prefix asks for `HttpOnly`.
    ///
    /// # Security
    /// A script that was smuggled into the page can then take the cookie away.
    pub fn dangerous_readable_by_scripts(mut self) -> Result<Self, InvalidCookie> {
        self.attributes.http_only = false;
        self.prefixed()
    }

    /// Lets the cookie travel over plain HTTP.
    ///
    /// # Errors
    /// When the name's prefix asks for `Secure`.
    ///
    /// # Security
    /// Whoever is on the network's path can then read and replace the cookie.
    pub fn dangerous_over_plain_http(mut self) -> Result<Self, InvalidCookie> {
        self.attributes.secure = false;
        self.prefixed()
    }

    /// Takes over from a cookie set earlier in the same response what this one leaves out, except its date.
    ///
    /// Django's response keeps one entry a name: setting the name again changes what is given and leaves the rest.
    #[must_use]
    pub fn over(mut self, earlier: &Self) -> Self {
        let old = &earlier.attributes;
        let new = &mut self.attributes;
        new.domain = new.domain.take().or_else(|| old.domain.clone());
        new.path = new.path.take().or_else(|| old.path.clone());
        new.max_age = new.max_age.or(old.max_age);
        new.http_only |= old.http_only;
        new.secure |= old.secure;
        if new.same_site.is_none() {
            new.same_site = old.same_site;
            self.same_site_spelling.clone_from(&earlier.same_site_spelling);
        }
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, without quotes.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the attributes.
    pub fn attributes(&self) -> &CookieAttributes {
        &self.attributes
    }

    /// Lists the ways in which the cookie falls short.
    pub fn weaknesses(&self) -> Vec<Weakness> {
        self.attributes.weaknesses(&self.name)
    }

    /// Renders the header's value; a cookie with an age and no date gets the date that follows from the clock.
    pub fn render_at(&self, now: SystemTime) -> String {
        let date = match (self.attributes.max_age, &self.attributes.expires) {
            (Some(seconds), None) => Some(Expires::at(moved(now, seconds))),
            _ => None,
        };
        let mut text = String::with_capacity(self.name.len() + self.value.len() + 128);
        // Writing to a `String` cannot fail.
        let _ = self.write(&mut text, date.as_ref().or(self.attributes.expires.as_ref()));
        text
    }

    fn write(&self, out: &mut impl Write, expires: Option<&Expires>) -> fmt::Result {
        let attributes = &self.attributes;
        let same_site = self.same_site_spelling.as_deref();
        let written = Written {
            name: &self.name,
            value: &self.value,
            domain: attributes.domain.as_deref(),
            expires: expires.map(Expires::as_str),
            http_only: attributes.http_only,
            max_age: attributes.max_age,
            path: attributes.path.as_deref(),
            same_site: same_site.or(attributes.same_site.map(SameSite::as_str)),
            secure: attributes.secure,
        };
        written.write(out)
    }

    fn prefixed(self) -> Result<Self, InvalidCookie> {
        match prefix::broken_rule(&self.name, &self.attributes) {
            Some(rule) => Err(InvalidCookie::Prefix(rule)),
            None => Ok(self),
        }
    }
}

impl fmt::Display for SetCookie {
    /// Writes the header's value without a clock: an age is not turned into a date.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.attributes.expires.as_ref())
    }
}

impl FromStr for SetCookie {
    type Err = InvalidCookie;

    /// Reads a header as browsers do (RFC 6265 §5.2), to be judged: names and prefixes are not held to any rule.
    ///
    /// The value is unquoted as Python does. Of two equal attributes the last counts, unknown ones are dropped, and so are
    /// an age that is no number and a `SameSite` that is none of the three.
    fn from_str(text: &str) -> Result<Self, InvalidCookie> {
        let mut parts = text.split(';');
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .ok_or(InvalidCookie::Nameless)?;
        let name = checked(name)?;
        if name.is_empty() {
            return Err(InvalidCookie::Nameless);
        }
        let mut attributes = CookieAttributes::none();
        let mut same_site_spelling = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => attributes.domain = Some(value.to_owned()),
                "expires" => attributes.expires = Some(Expires::from_text(value)?),
                "httponly" => attributes.http_only = true,
                "max-age" => attributes.max_age = whole_seconds(value).or(attributes.max_age),
                "path" => attributes.path = Some(value.to_owned()),
                "samesite" => {
                    attributes.same_site = value.parse().ok();
                    same_site_spelling = attributes
                        .same_site
                        .filter(|known| known.as_str() != value)
                        .map(|_| value.to_owned());
                }
                "secure" => attributes.secure = true,
                _ => {}
            }
        }
        let value = quoting::unquote(value.trim()).into_owned();
        Ok(Self {
            name: name.to_owned(),
            value,
            attributes: attributes.checked()?,
            same_site_spelling,
        })
    }
}

/// Moves a point in time by seconds either way, staying inside what the type holds.
fn moved(now: SystemTime, seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        now.checked_sub(distance).unwrap_or(SystemTime::UNIX_EPOCH)
    } else {
        now.checked_add(distance)
            .or_else(|| now.checked_add(Duration::from_secs(1 << 38)))
            .unwrap_or(now)
    }
}

/// Reads an age: digits, perhaps after a minus sign; one too long for the type is the longest.
fn whole_seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let longest = if text.len() > digits.len() {
        i64::MIN
    } else {
        i64::MAX
    };
    number.then(|| text.parse().unwrap_or(longest))
}

#[cfg(test)]
mod tests;
