//! The address of a login page that knows where the person wanted to go: Django's `redirect_to_login`.
//!
//! # Example
//!
//! ```
//! use palisade_core::login_url::{next_for, with_next};
//!
//! let next = next_for("https://example.com/notes/?q=1", "/notes/?q=1", "/login/?lang=de")?;
//! assert_eq!(with_next("/login/?lang=de", next, Some("next"), None)?, "/login/?lang=de&next=/notes/%3Fq%3D1");
//! # Ok::<(), palisade_core::login_url::InvalidLoginUrl>(())
//! ```

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query::{self, TooManyFieldsSent};
use crate::url::{InvalidUrl, urlsplit};

/// What Python's `quote(safe='/')` leaves as it is, besides letters and digits.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A login page has no usable address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLoginUrl {
    /// It is no address.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// It has too many parameters.
    #[error(transparent)]
    TooManyFields(#[from] TooManyFieldsSent),
}

/// Says where the login page is to send the person back to: the path where the page is on the same site, else the whole address.
///
/// # Errors
///
/// Where one of the addresses is none.
pub fn next_for<'u>(
    absolute_uri: &'u str,
    full_path: &'u str,
    login_url: &str,
) -> Result<&'u str, InvalidUrl> {
    let (login, current) = (urlsplit(login_url)?, urlsplit(absolute_uri)?);
    let is_same = |of_login: &str, of_current: &str| of_login.is_empty() || of_login == of_current;
    let is_here = is_same(&login.scheme, &current.scheme) && is_same(&login.netloc, &current.netloc);
    Ok(if is_here { full_path } else { absolute_uri })
}

/// Sets the parameter `field` of a login page to `next`; its other parameters stay, written anew. Without a field the address stays as
/// it is. At most `most_fields` parameters are read.
///
/// # Errors
///
/// Where the address is none, or has too many parameters.
pub fn with_next(
    login_url: &str,
    next: &str,
    field: Option<&str>,
    most_fields: Option<usize>,
) -> Result<String, InvalidLoginUrl> {
    let mut url = urlsplit(login_url)?;
    if let Some(field) = field.filter(|field| !field.is_empty()) {
        let mut pairs = query::grouped(query::parse(&url.query, most_fields)?);
        let is_field = |(name, _): &(String, String)| name == field;
        let place = pairs.iter().position(is_field).unwrap_or(pairs.len());
        pairs.retain(|pair| !is_field(pair));
        pairs.insert(place, (field.to_owned(), next.to_owned()));
        let quoted = |text: &str| utf8_percent_encode(text, QUOTED).to_string();
        let written = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", quoted(name), quoted(value)));
        url.query = written.collect::<Vec<_>>().join("&");
    }
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn person_comes_back_to_a_path_of_this_site_only() {
        let (absolute, path) = ("http://a.com/x?y=1", "/x?y=1");
        for (login, next) in [
            ("/login/", path),
            ("//a.com/login/", path),
            ("http://a.com/login/", path),
            ("https://a.com/login/", absolute),
            ("//b.com/login/", absolute),
        ] {
            assert_eq!(next_for(absolute, path, login), Ok(next), "{login}");
        }
    }

    #[test]
    fn other_parameters_stay() {
        let with = |login, field| with_next(login, "/x y/?a=1&b", field, None).unwrap();
        assert_eq!(
            with("/login/?b=2", Some("next")),
            "/login/?b=2&next=/x%20y/%3Fa%3D1%26b"
        );
        assert_eq!(
            with("http://h/l?next=/old&a=1&next=/older&a=é#f", Some("next")),
            "http://h/l?next=/x%20y/%3Fa%3D1%26b&a=1&a=%C3%A9#f"
        );
        assert_eq!(with("/login/?b=2+3", None), "/login/?b=2+3");
        assert_eq!(with("/login/?b=2", Some("")), "/login/?b=2");
        assert!(with_next("/login/?a&b", "/", Some("next"), Some(1)).is_err());
    }
}
