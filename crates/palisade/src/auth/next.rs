//! Where to go after login: `next`, followed only if it stays here (threat `untrusted-host`, CWE-601).

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::header::HOST;
use http::{HeaderValue, Uri, request};
use palisade_core::redirect::{is_safe_next, redirect_location};
use palisade_core::{login_url, query};

use crate::rejection::Rejection;
use crate::stack::StackContext;
use crate::transport::Connection;

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

fn next_of(text: &str) -> Option<String> {
    let fields = query::parse(text, None).unwrap_or_default();
    let next = fields.into_iter().rfind(|(name, _)| name == "next")?;
    Some(next.1)
}

/// The login page, told to come back to the given place (Django `redirect_to_login`).
///
/// A login page on this site is told the path; one on another, the whole address, as far as `from` has it.
pub fn login_redirect(login_url: &str, from: &Uri) -> Option<HeaderValue> {
    let place = from.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let whole = from.to_string();
    let next = login_url::next_for(&whole, place, login_url).ok()?;
    let address = login_url::with_next(login_url, next, Some("next"), None).ok()?;
    HeaderValue::try_from(redirect_location(&address).ok()?.as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
        let whole: Uri = "https://example.com/notes/".parse().unwrap();
        for (login_url, location) in [
            ("/login/", "/login/?next=/notes/"),
            (
                "https://example.com/login/",
                "https://example.com/login/?next=/notes/",
            ),
            (
                "https://id.example/in",
                "https://id.example/in?next=https%3A//example.com/notes/",
            ),
        ] {
            assert_eq!(login_redirect(login_url, &whole).unwrap(), location);
        }
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
