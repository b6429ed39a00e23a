//! Where to go after login: `next`, followed only if it stays here (threat `untrusted-host`, CWE-601).

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::header::HOST;
use http::{HeaderValue, Uri, request};
use palisade_core::redirect::{is_safe_next, redirect_location};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::rejection::Rejection;
use crate::stack::StackContext;
use crate::transport::Connection;

/// What Python's `quote(safe='/')` leaves as it is.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The `next` parameter of the query: an extractor.
///
/// A form without an `action` is sent to the address that it is shown at, so that `next` comes along in the query and the handler says
/// `None` where a form field would be given. A form that carries the place in a field of its own gives that field's value; it wins.
///
/// # Example
///
/// ```
/// use axum::response::Redirect;
/// use palisade::auth::Next;
/// use palisade::form::{Checked, Form};
///
/// async fn after_login(next: Next) -> Redirect {
///     Redirect::to(&next.after_login(None)) // the query's
/// }
///
/// #[derive(Form)]
/// struct Place {
///     #[form(optional, widget = hidden)]
///     next: String,
/// }
///
/// async fn with_a_field(next: Next, form: Checked<Place>) -> Redirect {
///     let place = form.validate().ok();
///     Redirect::to(&next.after_login(place.as_ref().map(|form| form.next.as_str())))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(after_login)).route("/2", axum::routing::post(with_a_field));
/// ```
#[derive(Clone, Debug)]
pub struct Next {
    queried: Option<String>,
    host: String,
    secure: bool,
    context: StackContext,
}

impl Next {
    /// The place that was asked for, in the form (which wins) or the query, if it is safe; else the default. It is quoted
    /// for a `Location` header.
    pub fn or_default(&self, posted: Option<&str>, default: &str) -> String {
        let asked = posted.filter(|next| !next.is_empty()).or(self.queried.as_deref());
        asked
            .filter(|next| is_safe_next(next, &[&self.host], self.secure))
            .and_then(|next| redirect_location(next).ok())
            .map_or_else(|| default.to_owned(), Cow::into_owned)
    }

    /// Where a login leads: the place that was asked for, in the form (`None` if it has no such field) or the query, if it is safe,
    /// else `login_redirect_url`.
    pub fn after_login(&self, posted: Option<&str>) -> String {
        self.or_default(posted, &self.context.settings().login_redirect_url)
    }

    /// Where a logout leads: the place that was asked for, in the form (`None` if it has no such field) or the query, if it is safe,
    /// else `logout_redirect_url`.
    pub fn after_logout(&self, posted: Option<&str>) -> String {
        self.or_default(posted, &self.context.settings().logout_redirect_url)
    }

    /// The place that the query asks for, to be carried along in the form.
    pub fn queried(&self) -> Option<&str> {
        self.queried.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for Next {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Rejection> {
        let connection = Connection::from_request_parts(parts, state).await?;
        let host = parts
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("")
            .to_owned();
        let queried = parts.uri.query().and_then(next_of);
        Ok(Self {
            queried,
            host,
            secure: connection.secure,
            context: StackContext::of(&parts.extensions)?,
        })
    }
}

fn next_of(query: &str) -> Option<String> {
    let raw = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("next="))
        .next_back()?;
    let spaced = raw.replace('+', " ");
    Some(
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned(),
    )
}

/// The login page, told to come back to the given place (Django `redirect_to_login`).
pub fn login_redirect(login_url: &str, from: &Uri) -> Option<HeaderValue> {
    let place = from.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let (page, query) = login_url.split_once('?').unwrap_or((login_url, ""));
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("next="))
        .collect();
    let next = format!("next={}", utf8_percent_encode(place, QUOTED));
    pairs.push(&next);
    HeaderValue::try_from(format!("{page}?{}", pairs.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_page_comes_back_to_where_the_person_was() {
        let from: Uri = "/notes/?q=a b".replace(' ', "%20").parse().unwrap();
        assert_eq!(
            login_redirect("/login/", &from).unwrap(),
            "/login/?next=/notes/%3Fq%3Da%2520b"
        );
        assert_eq!(
            login_redirect("/in?lang=de&next=/x", &from).unwrap(),
            "/in?lang=de&next=/notes/%3Fq%3Da%2520b"
        );
    }

    #[test]
    fn a_next_that_leads_away_is_not_followed() {
        let next = |queried: &str| Next {
            queried: next_of(queried),
            host: "example.com".to_owned(),
            secure: true,
            context: StackContext::for_tests(),
        };
        assert_eq!(next("next=/notes/").or_default(None, "/"), "/notes/");
        for evil in [
            "//evil.com",
            "https://evil.com/",
            "/\\evil.com",
            "javascript:alert(1)",
            "http://example.com/",
            "///evil.com",
        ] {
            let encoded = format!("next={}", utf8_percent_encode(evil, NON_ALPHANUMERIC));
            assert_eq!(next(&encoded).or_default(None, "/"), "/", "{evil}");
            assert_eq!(next("next=/safe").or_default(Some(evil), "/"), "/", "{evil}");
        }
    }
}
