//! Whom the site tells of its faults: Django's `ADMINS`.

use serde_json::Value;

use super::raw::{Raw, quoted};
use super::slot::{Parsed, toml_text};

/// Somebody who gets a mail when the site fails.
///
/// # Example
/// ```
/// use palisade_core::settings::Admin;
///
/// let ann: Admin = "Ann <ann@example.com>".parse()?;
/// assert_eq!((ann.name(), ann.address()), ("Ann", "ann@example.com"));
/// assert!("ann@example.com, eve@example.com".parse::<Admin>().is_err());
/// # Ok::<(), palisade_core::settings::InvalidAdmin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    name: String,
    address: String,
}

/// What is no name and address of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has {0} in it, which is no address such as \"ann@example.com\" or \"Ann <ann@example.com>\"")]
pub struct InvalidAdmin(String);

impl Admin {
    /// Names somebody; the name may be empty.
    ///
    /// # Errors
    /// When the address is none, or a control character is in either.
    pub fn new(name: &str, address: &str) -> Result<Self, InvalidAdmin> {
        let (name, address) = (name.trim(), address.trim());
        let is_odd = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
        let good_name = !name.contains(is_odd) && !name.contains(['<', '>', '"']);
        let good_address = address
            .rsplit_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !user.contains('@'))
            && !address.contains(|c: char| {
                is_odd(c) || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"')
            });
        if good_name && good_address {
            Ok(Self {
                name: name.to_owned(),
                address: address.to_owned(),
            })
        } else {
            Err(InvalidAdmin(quoted(if good_address { name } else { address })))
        }
    }

    /// What they are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where mail reaches them.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn of_value(value: &Value) -> Result<Self, String> {
        let none = || {
            "has something in it that is neither an address nor a pair such as [\"Ann\", \"ann@example.com\"]"
                .to_owned()
        };
        match value {
            Value::String(text) => text.parse().map_err(|fault: InvalidAdmin| fault.to_string()),
            Value::Array(pair) => match pair.as_slice() {
                [Value::String(name), Value::String(address)] => {
                    Self::new(name, address).map_err(|fault| fault.to_string())
                }
                _ => Err(none()),
            },
            _ => Err(none()),
        }
    }
}

impl std::fmt::Display for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.address)
        } else {
            write!(f, "{} <{}>", self.name, self.address)
        }
    }
}

impl std::str::FromStr for Admin {
    type Err = InvalidAdmin;

    /// Reads an address, or a name with the address in angle brackets.
    fn from_str(text: &str) -> Result<Self, InvalidAdmin> {
        match text
            .trim()
            .strip_suffix('>')
            .and_then(|text| text.rsplit_once('<'))
        {
            Some((name, address)) => Self::new(name.trim().trim_matches('"'), address),
            None => Self::new("", text),
        }
    }
}

impl Parsed for Vec<Admin> {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.values()?.iter().map(Admin::of_value).collect()
    }

    fn toml(&self) -> String {
        let entries: Vec<_> = self.iter().map(|admin| toml_text(&admin.to_string())).collect();
        format!("[{}]", entries.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{DjangoSettings, Settings};

    const KEY: &str = "secret_key = \"Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ\"\nallowed_hosts = [\"a.example\"]\n";

    fn read(toml: &str) -> Result<Vec<String>, String> {
        let read = Settings::load(Some(&format!("{KEY}{toml}")), []);
        let names = |settings: Settings| settings.admins.iter().map(ToString::to_string).collect();
        read.map(names).map_err(|errors| errors.to_string())
    }

    #[test]
    fn admins_are_read_as_django_writes_them_and_as_addresses() {
        let expected = ["Ann, Dr. <ann@example.com>", "bob@example.com"];
        assert_eq!(
            read(r#"admins = [["Ann, Dr.", "ann@example.com"], "bob@example.com"]"#).unwrap(),
            expected
        );
        assert_eq!(
            read(r#"admins = ["Ann, Dr. <ann@example.com>", "bob@example.com"]"#).unwrap(),
            expected
        );
        let json = r#"{"SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ", "ALLOWED_HOSTS": ["a.example"],
            "ADMINS": [["Ann, Dr.", "ann@example.com"], ["", "bob@example.com"]], "SERVER_EMAIL": "shop@example.com",
            "EMAIL_SUBJECT_PREFIX": "[Shop] "}"#;
        let file = "settings.json";
        let settings = Settings::new(crate::SecretKey::new(""), [""; 0])
            .overlaid_on_django(DjangoSettings { file, json }, None, [])
            .unwrap();
        let admins: Vec<String> = settings.admins.iter().map(ToString::to_string).collect();
        assert_eq!(admins, expected);
        assert_eq!(
            (
                settings.server_email.as_str(),
                settings.email_subject_prefix.as_str()
            ),
            ("shop@example.com", "[Shop] ")
        );
        let variable = [(
            "PALISADE_ADMINS".to_owned(),
            "Ann <ann@example.com>, bob@example.com".to_owned(),
        )];
        let settings = Settings::load(Some(KEY), variable).unwrap();
        assert_eq!(settings.admins.len(), 2);
    }

    #[test]
    fn what_is_no_address_stops_the_start_and_says_what_is_one() {
        for bad in [
            r#"["ann"]"#,
            r#"["@example.com"]"#,
            r#"["ann@"]"#,
            r#"["ann@example.com, eve@example.com"]"#,
            r#"["ann@example.com\nBcc: eve@example.com"]"#,
            r#"["An\u2028n <ann@example.com>"]"#,
            r#"[["Ann"]]"#,
            r#"[["Ann", "ann@example.com", "x"]]"#,
            "[1]",
        ] {
            let refused = read(&format!("admins = {bad}")).unwrap_err();
            assert!(refused.contains("ann@example.com"), "{bad}: {refused}");
            assert!(!refused.trim_end().contains('\u{2028}'), "{refused:?}");
        }
    }
}
