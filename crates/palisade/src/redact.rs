//! What may be printed.
//!
//! Logs and error reports outlive requests and are read by more people than the database is. What goes there passes
//! through here: names are kept, for they explain, and the values under telling names become twenty asterisks, as Django's
//! error reports have them. Meets `sensitive-data-exposure` (CWE-532, CWE-598).
//!
//! 1. A name is sensitive if Django's pattern is found in it ([`is_sensitive_name`]), if it is the session cookie's, or if
//!    it was registered, as the names of `Sensitive` form fields are, or if a query string may not carry it.
//! 2. Maps are walked with their keys, lists without; a sensitive key cleanses all below it.
//! 3. Text that a client chose is printed with its control characters escaped and within a length ([`printable`]), so that
//!    it cannot write log lines of its own (CWE-117, CVE-2025-48432).
//! 4. The token of a link to a row is starred wherever it stands, by what it begins with ([`masked`]).
//! 5. A query string that carries a secret is refused before any handler runs ([`sensitive_in_query`]).
//!
//! # Example
//!
//! ```
//! use palisade::redact::Redactor;
//!
//! let redactor = Redactor::new("sessionid").with_names(["pin"]);
//! assert_eq!(redactor.query("page=2&pin=4711&api_key=k"), "page=2&pin=********************&api_key=********************");
//! ```
//!
//! # Security
//!
//! Names are all that is looked at: a secret in a field called `comment` is printed. Wrap what you know to be one in
//! `Sensitive`.

mod guard;
mod query;
mod report;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::request::Parts;
use http::{HeaderMap, Uri};
use palisade_core::link_token::masked;
use palisade_core::query::decoded;
use palisade_core::secret::CLEANSED;
use serde_json::Value;

pub use guard::QueryGuard;
pub use query::{SensitiveNames, sensitive_in_query};
pub use report::{ReportFilter, SensitiveParameters};

use crate::form::Form;

/// The words of Django's pattern, which is searched for in any case.
const HIDDEN: [&str; 8] = [
    "api",
    "auth",
    "token",
    "key",
    "secret",
    "pass",
    "signature",
    "http_cookie",
];
/// The words of Django's pattern for credentials of a failed login.
const CREDENTIALS: [&str; 6] = ["api", "token", "key", "secret", "password", "signature"];
/// Headers whose value is an address, which may carry secrets in its query.
const ADDRESSES: [&str; 3] = ["referer", "location", "content-location"];
/// The most characters of one value in a report.
const LONGEST: usize = 1000;
/// How many addresses may stand in one another, as `next` in `next`.
const NESTED: u8 = 3;
/// The library's own cookies with a secret in them that Django's pattern does not find.
const COOKIES: [&str; 2] = ["__host-device", "__host-anoncsrf"];

/// Says whether Django's pattern `API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE` is found in the name, in any case.
///
/// # Example
///
/// ```
/// use palisade::redact::is_sensitive_name;
///
/// assert!(is_sensitive_name("new_password2"));
/// assert!(is_sensitive_name("HTTP_AUTHORIZATION"));
/// assert!(!is_sensitive_name("title"));
/// ```
pub fn is_sensitive_name(name: &str) -> bool {
    let folded: String = name.chars().map(folded).collect();
    HIDDEN.iter().any(|word| folded.contains(word))
}

/// Says whether a credential of that name must not stand in a log: Django's pattern for failed logins.
///
/// # Example
///
/// ```
/// use palisade::redact::is_credential_name;
///
/// assert!(is_credential_name("Password") && is_credential_name("api_key") && !is_credential_name("username"));
/// ```
pub fn is_credential_name(name: &str) -> bool {
    let folded: String = name.chars().map(folded).collect();
    CREDENTIALS.iter().any(|word| folded.contains(word))
}

/// Ignores case as Python does, which counts four letters beyond ASCII in.
fn folded(letter: char) -> char {
    match letter {
        'İ' | 'ı' => 'i',
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// Makes text from a client fit for a log: control characters and all beyond ASCII as escapes, at most `most` characters
/// of it.
///
/// # Example
///
/// ```
/// use palisade::redact::printable;
///
/// assert_eq!(printable("a\nb\u{1b}[31mé", 100), "a\\nb\\x1b[31m\\xe9");
/// assert_eq!(printable("abcdef", 3), "abc…");
/// ```
pub fn printable(text: &str, most: usize) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
    if text.len() <= most && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len().min(most) + 4);
    for (place, letter) in text.chars().enumerate() {
        if place == most {
            printed.push('…');
            break;
        }
        let _ = match letter {
            '\n' => printed.write_str("\\n"),
            '\r' => printed.write_str("\\r"),
            '\t' => printed.write_str("\\t"),
            '\\' => printed.write_str("\\\\"),
            ' '..='~' => printed.write_char(letter),
            '\0'..='\u{ff}' => write!(printed, "\\x{:02x}", u32::from(letter)),
            '\u{100}'..='\u{ffff}' => write!(printed, "\\u{:04x}", u32::from(letter)),
            _ => write!(printed, "\\U{:08x}", u32::from(letter)),
        };
    }
    Cow::Owned(printed)
}

/// Cleanses values by their names.
#[derive(Clone, Debug)]
pub struct Redactor {
    session_cookie_name: String,
    names: BTreeSet<String>,
    refused: SensitiveNames,
}

impl Redactor {
    /// Knows Django's pattern and the name of the session cookie.
    pub fn new(session_cookie_name: impl Into<String>) -> Self {
        Self {
            session_cookie_name: session_cookie_name.into(),
            names: BTreeSet::new(),
            refused: SensitiveNames::default(),
        }
    }

    /// Cleanses what is refused in query strings, too: a request that was refused for a secret must not log it.
    #[must_use]
    pub fn with_refused(mut self, names: SensitiveNames) -> Self {
        self.refused = names;
        self
    }

    /// Adds names, in any case.
    #[must_use]
    pub fn with_names<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names
            .extend(names.into_iter().map(|name| name.as_ref().to_lowercase()));
        self
    }

    /// Adds the names of the form's `Sensitive` fields.
    #[must_use]
    pub fn with_form<F: Form>(self) -> Self {
        self.with_names(F::sensitive_names())
    }

    /// Says whether what stands under the name is not to be printed.
    pub fn is_sensitive(&self, name: &str) -> bool {
        name == self.session_cookie_name
            || is_sensitive_name(name)
            || self.names.contains(&name.to_lowercase())
            || COOKIES.iter().any(|cookie| name.eq_ignore_ascii_case(cookie))
            || self.refused.contains(name)
    }

    /// Cleanses a value and all below it.
    pub fn value(&self, name: &str, value: &Value) -> Value {
        if self.is_sensitive(name) {
            return Value::from(CLEANSED);
        }
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), self.value(name, value)))
                .collect(),
            Value::Array(list) => list.iter().map(|value| self.value("", value)).collect(),
            other => other.clone(),
        }
    }

    /// Cleanses headers: cookies, authorization and what is called like them; addresses lose the secrets of their query.
    pub fn headers<'map>(&self, headers: &'map HeaderMap) -> Vec<(&'map str, String)> {
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), self.header(name.as_str(), value.as_bytes())))
            .collect()
    }

    fn header(&self, name: &str, value: &[u8]) -> String {
        // Django looks for its names in the CGI form of a header's.
        if matches!(name, "cookie" | "set-cookie")
            || self.is_sensitive(name)
            || self.is_sensitive(&name.replace('-', "_"))
        {
            return CLEANSED.to_owned();
        }
        let text = String::from_utf8_lossy(value);
        let text = if ADDRESSES.contains(&name) {
            Cow::Owned(self.address(&text))
        } else {
            text
        };
        printable(&masked(&text), LONGEST).into_owned()
    }

    /// Cleanses a `Cookie` header, name by name: for a report that shows cookies at all.
    pub fn cookies(&self, header: &str) -> String {
        let cookies = header.split(';').map(|cookie| {
            // One without a name may be anything.
            let (name, value) = cookie.split_once('=').unwrap_or(("", cookie));
            let name = name.trim();
            let hides = name.is_empty() || self.is_sensitive(name);
            printable(
                &format!("{name}={}", if hides { CLEANSED } else { value }),
                LONGEST,
            )
            .into_owned()
        });
        cookies.collect::<Vec<_>>().join("; ")
    }

    /// Cleanses a query string. An address in a value (`next=`) is not to carry a secret either.
    pub fn query(&self, query: &str) -> String {
        let cleansed = query.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else {
                return Cow::Borrowed(pair);
            };
            let hides = self.is_sensitive(&decoded(name)) || self.has_secret_address(&decoded(value), NESTED);
            if hides {
                format!("{name}={CLEANSED}").into()
            } else {
                Cow::Borrowed(pair)
            }
        });
        let cleansed = cleansed.collect::<Vec<_>>().join("&");
        printable(&masked(&cleansed), LONGEST).into_owned()
    }

    /// Whether an address stands in a value that carries a secret, or an address that does, and so on.
    fn has_secret_address(&self, value: &str, depth: u8) -> bool {
        let (base, query) = value.split_once(['?', '#']).unwrap_or((value, ""));
        let has_user = base
            .split_once("//")
            .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')));
        has_user
            || query.split(['&', '?', '#']).any(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let is_named = !value.is_empty() && self.is_sensitive(&decoded(name));
                // Nobody sends that many for a good reason; what is in there is not looked for.
                is_named
                    || (!value.is_empty()
                        && (depth == 0 || self.has_secret_address(&decoded(value), depth - 1)))
            })
    }

    /// Cleanses path and query of a request.
    pub fn uri(&self, uri: &Uri) -> String {
        self.uri_of(uri, None)
    }

    /// Cleanses path and query of a request that this route answers.
    pub(crate) fn uri_of(&self, uri: &Uri, route: Option<&str>) -> String {
        let path = self.path(uri.path(), route);
        match uri.query() {
            None => path,
            Some(query) => format!("{path}?{}", self.query(query)),
        }
    }

    /// Cleanses a path: what stands where its route has a parameter of a telling name.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::redact::Redactor;
    ///
    /// let shown = Redactor::default().path("/reset/Nw/d1rciu-6f3a/", Some("/reset/{uid}/{token}/"));
    /// assert_eq!(shown, "/reset/Nw/********************/");
    /// ```
    pub fn path(&self, path: &str, route: Option<&str>) -> String {
        let Some(route) = route.filter(|route| route.contains('{')) else {
            return printable(&masked(path), LONGEST).into_owned();
        };
        let mut shown = Vec::new();
        let mut parts = path.split('/');
        for pattern in route.split('/') {
            let hides = pattern
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
                .any(|name| self.is_sensitive(name.trim_start_matches('*')));
            let Some(part) = parts.next() else {
                break;
            };
            let part = if pattern.starts_with("{*") {
                parts
                    .by_ref()
                    .fold(part.to_owned(), |rest, part| rest + "/" + part)
            } else {
                part.to_owned()
            };
            shown.push(if hides && !part.is_empty() {
                CLEANSED.to_owned()
            } else {
                part
            });
        }
        // A path has no more parts than its route; and if it has, nothing is known of them.
        shown.extend(parts.map(str::to_owned));
        printable(&masked(&shown.join("/")), LONGEST).into_owned()
    }

    /// Cleanses an address: the user before the host, the query, the fragment.
    pub fn address(&self, address: &str) -> String {
        let (address, fragment) = address
            .split_once('#')
            .map_or((address, None), |(rest, after)| (rest, Some(after)));
        let (base, query) = address
            .split_once('?')
            .map_or((address, None), |(rest, after)| (rest, Some(after)));
        let mut cleansed = without_user(base);
        if let Some(query) = query {
            let _ = write!(cleansed, "?{}", self.query(query));
        }
        if let Some(fragment) = fragment {
            let _ = write!(cleansed, "#{}", self.query(fragment));
        }
        masked(&cleansed).into_owned()
    }

    /// Cleanses the fields of a form for a report.
    pub fn form<'form>(
        &self,
        fields: impl IntoIterator<Item = (&'form str, &'form str)>,
    ) -> Vec<(String, String)> {
        let cleansed = fields.into_iter().map(|(name, value)| {
            let value = if self.is_sensitive(name) {
                Cow::Borrowed(CLEANSED)
            } else {
                printable(&masked(value), LONGEST).into_owned().into()
            };
            (printable(name, LONGEST).into_owned(), value.into_owned())
        });
        cleansed.collect()
    }

    /// Writes a request's line and headers for an error report.
    pub fn request(&self, parts: &Parts) -> String {
        let mut report = format!("{} {} {:?}", parts.method, self.uri(&parts.uri), parts.version);
        for (name, value) in self.headers(&parts.headers) {
            let _ = write!(report, "\n{name}: {value}");
        }
        report
    }
}

impl Default for Redactor {
    /// Knows Django's pattern and Django's name for the session cookie.
    fn default() -> Self {
        Self::new("sessionid")
    }
}

fn without_user(base: &str) -> String {
    let user = base.split_once("//").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}//{CLEANSED}@{host}{path}"))
    });
    user.unwrap_or_else(|| base.to_owned())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Request};
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_searched_as_django_searches_them() {
        for name in [
            "api",
            "HTTP_COOKIE",
            "monkey",
            "passenger",
            "PAſS",
            "to\u{212a}en",
            "APİ",
            "apı",
            "x-csrf-token",
        ] {
            assert!(is_sensitive_name(name), "{name}");
        }
        for name in ["", "title", "cookie", "pin", "sessionid"] {
            assert!(!is_sensitive_name(name), "{name}");
        }
    }

    #[test]
    fn maps_and_lists_are_cleansed_to_the_ground() {
        let redactor = Redactor::new("sid").with_names(["PIN"]);
        let settings = json!({
            "DATABASES": {"default": {"NAME": "x", "PASSWORD": "y"}},
            "KEYS": ["a"],
            "LIST": [{"token": 1, "pin": 2, "sid": 3, "SID": 4}, ["plain"]],
        });
        assert_eq!(
            redactor.value("SETTINGS", &settings),
            json!({
                "DATABASES": {"default": {"NAME": "x", "PASSWORD": CLEANSED}},
                "KEYS": CLEANSED,
                "LIST": [{"token": CLEANSED, "pin": CLEANSED, "sid": CLEANSED, "SID": 4}, ["plain"]],
            })
        );
    }

    #[test]
    fn request_is_reported_without_its_secrets() {
        let request = Request::get("/a?page=1&token=t0psecret&next=%2Freset%3Ftoken%3Dt0psecret")
            .header("cookie", "sessionid=t0psecret")
            .header("authorization", "Bearer t0psecret")
            .header("x-api-key", "t0psecret")
            .header("x-csrftoken", "t0psecret")
            .header(
                "referer",
                "https://u:t0psecret@example.com/x?a=1&password=t0psecret#access_token=t0psecret",
            )
            .header("accept", HeaderValue::from_bytes(b"text/\x80").unwrap())
            .body(())
            .unwrap();
        let report = Redactor::default().request(&request.into_parts().0);
        assert!(!report.contains("t0psecret"), "{report}");
        assert!(
            report.starts_with(&format!(
                "GET /a?page=1&token={CLEANSED}&next={CLEANSED} HTTP/1.1"
            )),
            "{report}"
        );
        assert!(
            report.contains(&format!(
                "referer: https://{CLEANSED}@example.com/x?a=1&password={CLEANSED}"
            )),
            "{report}"
        );
        assert!(report.contains("accept: text/\\ufffd"), "{report}");
    }

    #[test]
    fn token_of_a_link_is_starred_wherever_it_stands() {
        let redactor = Redactor::default();
        let token = "plk_QkZlm2Tn0sYbRw6yAdcUxE4h.1vbVSQ.6-jGQZZhEuzhZZZM3ANEdSm4Xs4LaI0c-KKwldi-CcE";
        let form = redactor.form([("next", token), ("title", token)]);
        let header = HeaderValue::from_str(&format!("https://example.com/d/{token}/")).unwrap();
        for shown in [
            redactor.path(&format!("/d/{token}/"), None),
            redactor.path(&format!("/d/{token}/"), Some("/d/{link}/")),
            redactor.path(&format!("/d/{token}/"), Some("/d/{token}/")),
            redactor.query(&format!("next=%2Fd%2F{token}%2F&page=2")),
            redactor.address(&format!("https://example.com/d/{token}/?a=b#{token}")),
            redactor.uri(&format!("/d/{token}/?next=/d/{token}").parse().unwrap()),
            redactor.header("referer", header.as_bytes()),
            redactor.header("x-original-url", header.as_bytes()),
            format!("{form:?}"),
        ] {
            assert!(!shown.contains("QkZlm2"), "{shown}");
            assert!(!shown.contains("CcE"), "{shown}");
        }
    }

    #[test]
    fn path_is_hidden_where_the_route_has_a_telling_parameter() {
        let redactor = Redactor::default().with_names(["pin"]);
        let path = |path, route| redactor.path(path, route);
        for (asked, route, shown) in [
            ("/reset/Nw/d1-6f/", "/reset/{uid}/{token}/", "/reset/Nw/*/"),
            ("/a/b/c/d", "/a/{*api_key}", "/a/*"),
            ("/a/4711.png", "/a/{PIN}.png", "/a/*"),
            ("/a/b", "/a/{id}", "/a/b"),
            ("/a\n/b", "/{author}/{id}", "/*/b"),
            ("/x", "/{id}/{token}", "/x"),
            ("/a/b/c", "/a/{token}", "/a/*/c"),
        ] {
            assert_eq!(path(asked, Some(route)), shown.replace('*', CLEANSED), "{route}");
        }
        assert_eq!(path("/reset/Nw/d1-6f/\n", None), "/reset/Nw/d1-6f/\\n");
    }

    #[test]
    fn address_in_an_address_in_a_value_carries_no_secret_out() {
        let redactor = Redactor::default();
        let mut value = "/reset?token=t0psecret".to_owned();
        for depth in 0..8 {
            let encoded = value
                .bytes()
                .fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"));
            let shown = redactor.query(&format!("page=2&next={encoded}"));
            assert_eq!(shown, format!("page=2&next={CLEANSED}"), "{depth}");
            value = format!("/login?next={encoded}");
        }
        assert!(
            redactor
                .query("next=https://u:t0psecret@a.example/b")
                .ends_with(CLEANSED)
        );
        for harmless in [
            "next=/a?b=c",
            "next=%2Fa%3Fnext%3D%252Fb%253Fc%253D1",
            "q=a@b.example",
            "next=/login?token",
        ] {
            assert_eq!(redactor.query(harmless), harmless);
        }
    }

    #[test]
    fn cookies_keep_their_names() {
        let shown =
            Redactor::default().cookies("sessionid=s; theme=dark; csrftoken=t; bare; __Host-device=d");
        assert_eq!(
            shown,
            format!(
                "sessionid={CLEANSED}; theme=dark; csrftoken={CLEANSED}; ={CLEANSED}; __Host-device={CLEANSED}"
            )
        );
    }

    #[test]
    fn form_is_dumped_without_its_secrets() {
        let dump = Redactor::default().with_names(["pin"]).form([
            ("title", "a\nb"),
            ("pin", "4711"),
            ("password1", "x"),
        ]);
        let expected = [("title", "a\\nb"), ("pin", CLEANSED), ("password1", CLEANSED)];
        assert_eq!(
            dump,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn client_s_text_writes_no_log_line_of_its_own() {
        assert_eq!(
            printable("ok\r\n2026 INFO all fine\u{2028}\u{1f600}\\n", 100),
            "ok\\r\\n2026 INFO all fine\\u2028\\U0001f600\\\\n"
        );
        assert!(matches!(printable("plain", 5), Cow::Borrowed("plain")));
    }
}
