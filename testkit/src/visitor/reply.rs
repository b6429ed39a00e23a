//! One answer of a site, and the few things that tests read from it.

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::response::Parts;
use http::{HeaderMap, StatusCode};

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    pub(super) fn new(head: Parts, body: Bytes) -> Reply {
        Reply {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    /// Returns a header's first value, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the `value` of the first input that is called `name`.
    pub fn field(&self, name: &str) -> Option<String> {
        let text = self.text();
        text.split('<')
            .filter(|tag| tag.starts_with("input"))
            .find(|tag| attribute(tag, "name") == Some(name))
            .and_then(|tag| attribute(tag, "value").map(str::to_owned))
    }

    /// Lists the cookies that are set, and those that are removed as `None`.
    pub fn cookies(&self) -> Vec<(String, Option<String>)> {
        let values = self
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.filter_map(cookie).collect()
    }
}

fn cookie(value: &str) -> Option<(String, Option<String>)> {
    let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
    let (name, value) = pair.split_once('=')?;
    let removed = attributes
        .split(';')
        .any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
    Some((
        name.trim().to_owned(),
        (!removed).then(|| value.trim().to_owned()),
    ))
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(cookies: &[&str], body: &'static str) -> Reply {
        let headers = cookies
            .iter()
            .map(|value| (SET_COOKIE, value.parse().unwrap()))
            .collect();
        Reply {
            status: StatusCode::OK,
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a_cookie_with_no_age_left_is_removed() {
        let reply = reply(&["a=1; Path=/; Secure", "b=; Max-Age=0; Path=/"], "");
        assert_eq!(
            reply.cookies(),
            [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)]
        );
    }

    #[test]
    fn the_token_of_a_form_is_found_whatever_the_order_of_attributes() {
        let page =
            r#"<form><input value="no" name="title"><input type="hidden" value="yes" name="token"></form>"#;
        assert_eq!(reply(&[], page).field("token").as_deref(), Some("yes"));
        assert_eq!(reply(&[], page).field("body"), None);
    }
}
