//! Which query strings are refused because a secret stands in them.
//!
//! Django's pattern is right for what is masked, where a name too many costs nothing. To refuse a request it is too wide:
//! it finds `KEY` in `keyword` and `AUTH` in `author`. Here the same words must be words of the name (`api_key`, `apiKey`,
//! `auth-token`), or one that means nothing else must begin or end it (`userpassword`, `accesstoken`).

use std::borrow::Cow;

use palisade_core::query::decoded;

use super::printable;
use crate::form::Form;

/// The words of Django's pattern, and what people write for them.
const WORDS: [&str; 14] = [
    "api",
    "auth",
    "token",
    "tokens",
    "key",
    "keys",
    "secret",
    "secrets",
    "pass",
    "pwd",
    "signature",
    "signatures",
    "authorization",
    "credentials",
];
/// What means a secret at the end of a word, too.
const ENDINGS: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwords",
    "passwd",
    "signature",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
];
/// What means a secret at the beginning of a word, too.
const BEGINNINGS: [&str; 4] = ["password", "passwd", "passphrase", "passcode"];

/// Holds the names that a query string may not carry.
///
/// # Example
///
/// ```
/// use palisade::redact::{SensitiveNames, sensitive_in_query};
///
/// let names = SensitiveNames::default().with_names(["pin"]).with_allowed(["sort_key"]);
/// assert_eq!(sensitive_in_query("page=2&author=kim&sort_key=age", &names), None);
/// assert_eq!(sensitive_in_query("page=2&new%5Fpassword=x", &names).as_deref(), Some("new_password"));
/// assert_eq!(sensitive_in_query("PIN=4711", &names).as_deref(), Some("PIN"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SensitiveNames {
    names: Vec<String>,
    allowed: Vec<String>,
}

impl SensitiveNames {
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

    /// Lets names pass that only look like a secret's.
    #[must_use]
    pub fn with_allowed<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed
            .extend(names.into_iter().map(|name| name.as_ref().to_lowercase()));
        self
    }

    /// Says whether a query string may not carry this name.
    pub fn contains(&self, name: &str) -> bool {
        let lower = name.to_lowercase();
        if self.names.contains(&lower) {
            return true;
        }
        !self.allowed.contains(&lower) && words(name).any(|word| is_telling(&word))
    }
}

/// Finds the first name in the query string that belongs to a secret, made fit for the log.
///
/// # Security
///
/// A request that carries one is to be answered with 400 (CWE-598): it has leaked already, to the log of every proxy on
/// its way, and its sender has to learn that. Secrets in the path, such as the token of a reset link, are not seen.
pub fn sensitive_in_query(query: &str, names: &SensitiveNames) -> Option<String> {
    let mut sent = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty());
    sent.find_map(|name| {
        let name = if name.contains(['+', '%']) {
            Cow::Owned(decoded(name))
        } else {
            Cow::Borrowed(name)
        };
        names.contains(&name).then(|| printable(&name, 100).into_owned())
    })
}

fn is_telling(word: &str) -> bool {
    WORDS.contains(&word)
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
        || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
}

/// `newPassword2`, `new-password` and `NEW_PASSWORD` are the words `new` and `password`.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before = None;
    for letter in name.chars() {
        let humps = letter.is_uppercase() && before.is_some_and(char::is_lowercase);
        if humps || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphabetic()) {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_refused() {
        let names = SensitiveNames::default();
        for name in [
            "password",
            "password1",
            "new_password2",
            "newPassword",
            "PASSWD",
            "userpassword",
            "pass",
            "token",
            "access_token",
            "accessToken",
            "accesstoken",
            "csrfmiddlewaretoken",
            "api_key",
            "apikey",
            "apiKey",
            "key",
            "client-secret",
            "clientsecret",
            "auth",
            "signature",
            "X-Amz-Signature",
            "user[password]",
            "a.secret",
            "passphrase",
        ] {
            assert!(names.contains(name), "{name}");
        }
    }

    #[test]
    fn words_that_only_contain_one_pass() {
        let names = SensitiveNames::default();
        for name in [
            "author",
            "authors",
            "keyword",
            "monkey",
            "capital",
            "passenger",
            "compass",
            "bypass",
            "secretary",
            "keyboard",
            "q",
            "page",
            "next",
            "tokenize",
            "rapid",
            "",
        ] {
            assert!(!names.contains(name), "{name}");
        }
    }

    #[test]
    fn encoded_name_is_seen() {
        let names = SensitiveNames::default();
        assert_eq!(
            sensitive_in_query("a=1&p%61ssword=x", &names).as_deref(),
            Some("password")
        );
        assert_eq!(
            sensitive_in_query("password", &names).as_deref(),
            Some("password")
        );
        assert_eq!(sensitive_in_query("q=password=x&&=", &names), None);
        assert_eq!(
            sensitive_in_query("user%0A%5Btoken%5D=x", &names).as_deref(),
            Some("user\\n[token]")
        );
    }

    #[test]
    fn registered_name_cannot_be_allowed() {
        let names = SensitiveNames::default()
            .with_names(["pin"])
            .with_allowed(["pin", "key"]);
        assert!(names.contains("Pin"));
        assert!(!names.contains("key"));
    }
}
