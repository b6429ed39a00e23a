//! How each type of setting is read and shown.
//!
//! [`Parsed`] is the type's side, [`Slot`] the table's: a field of [`Settings`](super::Settings) whose type no longer
//! matters. Types that are one word of text (most of them) only say how the word reads, in [`Word`].

use std::fmt::Write;
use std::time::Duration;

use ipnet::IpNet;

use super::raw::{Raw, quoted};
use super::{EmailBackend, ExemptPaths, Folder, HeaderName, OnOutage, ProxyHeader, UnknownFields};
use crate::cookie::SameSite;
use crate::header::{
    ClearSiteData, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, Csp, FrameOptions, PermissionsPolicy,
    ReferrerPolicy, ReportUri, SecurityHeader,
};
use crate::host::{AllowedHosts, Host};
use crate::origin::{Origin, TrustedOrigins};
use crate::secret::{CLEANSED, SecretKey, Sensitive};

/// A field of the settings, whatever its type.
pub(super) trait Slot {
    /// Takes a value; the error says what is wrong with it and never shows a secret.
    fn read(&mut self, raw: &Raw<'_>) -> Result<(), String>;
    /// Writes the value as TOML, a secret as asterisks.
    fn show(&self) -> String;
}

impl<T: Parsed> Slot for T {
    fn read(&mut self, raw: &Raw<'_>) -> Result<(), String> {
        *self = T::parse(raw)?;
        Ok(())
    }

    fn show(&self) -> String {
        self.toml()
    }
}

/// A type that settings have.
pub(super) trait Parsed: Sized {
    /// Whether the number zero switches an optional setting of this type off.
    const ZERO_IS_NONE: bool = false;

    fn parse(raw: &Raw<'_>) -> Result<Self, String>;
    fn toml(&self) -> String;
}

/// A type that is one piece of text.
pub(super) trait Word: Sized {
    fn from_word(word: &str) -> Result<Self, String>;
    fn word(&self) -> String;
}

impl<T: Word> Parsed for T {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        T::from_word(raw.text()?)
    }

    fn toml(&self) -> String {
        toml_text(&self.word())
    }
}

impl<T: Parsed> Parsed for Option<T> {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        if raw.is_none() || (T::ZERO_IS_NONE && raw.number() == Ok(0)) {
            return Ok(None);
        }
        T::parse(raw).map(Some)
    }

    fn toml(&self) -> String {
        self.as_ref().map_or_else(|| toml_text("none"), T::toml)
    }
}

impl<T: Word> Parsed for Vec<T> {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.list()?.iter().map(|word| T::from_word(word)).collect()
    }

    fn toml(&self) -> String {
        toml_list(self.iter().map(Word::word))
    }
}

impl Parsed for bool {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.boolean()
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Parsed for u64 {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.number()
    }

    fn toml(&self) -> String {
        grouped(*self)
    }
}

impl Parsed for usize {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        Self::try_from(raw.number()?).map_err(|_| "is too large for this machine".to_owned())
    }

    fn toml(&self) -> String {
        grouped(*self as u64)
    }
}

impl Parsed for u16 {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        Self::try_from(raw.number()?).map_err(|_| "is more than 65535".to_owned())
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Parsed for Duration {
    const ZERO_IS_NONE: bool = true;

    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.number()
            .map(Self::from_secs)
            .map_err(|fault| format!("{fault}: write seconds"))
    }

    fn toml(&self) -> String {
        grouped(self.as_secs())
    }
}

impl Word for Folder {
    fn from_word(word: &str) -> Result<Self, String> {
        if word.contains('\0') {
            return Err("is not a path".to_owned());
        }
        Ok(Self::new(word))
    }

    fn word(&self) -> String {
        self.0.clone()
    }
}

impl Parsed for AllowedHosts {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.list().map(Self::parse)
    }

    fn toml(&self) -> String {
        toml_list(self.patterns())
    }
}

impl Parsed for TrustedOrigins {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        Self::parse(raw.list()?).map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })
    }

    fn toml(&self) -> String {
        toml_list(self.iter())
    }
}

impl Parsed for ReferrerPolicy {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        header(&raw.list_or_text()?.join(","))
    }

    fn toml(&self) -> String {
        toml_text(&self.to_string())
    }
}

impl Parsed for ClearSiteData {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        Self::of(raw.list_or_text()?).map_err(|fault| fault.reason().to_owned())
    }

    fn toml(&self) -> String {
        toml_list(self.names())
    }
}

impl Parsed for ExemptPaths {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        Self::new(raw.list()?).map_err(|fault| fault.to_string())
    }

    fn toml(&self) -> String {
        toml_list(self.patterns())
    }
}

impl Parsed for ProxyHeader {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        match raw.list_or_text()?.as_slice() {
            [name] => Ok(Self {
                name: HeaderName::from_word(name)?,
                value: "https".to_owned(),
            }),
            [name, value] => Ok(Self {
                name: HeaderName::from_word(name)?,
                value: value.clone(),
            }),
            _ => Err(r#"must be a header's name, or a pair ["X-Forwarded-Proto", "https"]"#.to_owned()),
        }
    }

    fn toml(&self) -> String {
        toml_list([self.name.as_str(), &self.value])
    }
}

impl Word for String {
    fn from_word(word: &str) -> Result<Self, String> {
        if word.chars().any(char::is_control) {
            return Err("has a control character in it".to_owned());
        }
        Ok(word.to_owned())
    }

    fn word(&self) -> String {
        self.clone()
    }
}

impl Word for SecretKey {
    fn from_word(word: &str) -> Result<Self, String> {
        Ok(Self::new(word))
    }

    fn word(&self) -> String {
        CLEANSED.to_owned()
    }
}

impl Word for Sensitive<String> {
    fn from_word(word: &str) -> Result<Self, String> {
        Ok(Self::new(word.to_owned()))
    }

    fn word(&self) -> String {
        if self.expose().is_empty() {
            String::new()
        } else {
            CLEANSED.to_owned()
        }
    }
}

impl Word for Origin {
    fn from_word(word: &str) -> Result<Self, String> {
        word.strip_suffix('/')
            .unwrap_or(word)
            .parse()
            .map_err(|fault: crate::origin::InvalidOrigin| format!("is {fault}: write https:// and the host"))
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for EmailBackend {
    fn from_word(word: &str) -> Result<Self, String> {
        match word {
            "smtp" | "django.core.mail.backends.smtp.EmailBackend" => Ok(Self::Smtp),
            "file" | "django.core.mail.backends.filebased.EmailBackend" => Ok(Self::File),
            "memory" | "django.core.mail.backends.locmem.EmailBackend" => Ok(Self::Memory),
            _ => Err(format!("is {}, not smtp, file or memory", quoted(word))),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Smtp => "smtp",
            Self::File => "file",
            Self::Memory => "memory",
        }
        .to_owned()
    }
}

impl Word for Host {
    fn from_word(word: &str) -> Result<Self, String> {
        Self::parse(word).map_err(|_| {
            format!(
                "is {}, not a host such as example.com or example.com:8443",
                quoted(word)
            )
        })
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for HeaderName {
    fn from_word(word: &str) -> Result<Self, String> {
        word.parse()
            .map_err(|fault: super::InvalidHeaderName| fault.to_string())
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for IpNet {
    fn from_word(word: &str) -> Result<Self, String> {
        word.parse()
            .or_else(|_| word.parse().map(|address: std::net::IpAddr| address.into()))
            .map_err(|_| {
                format!(
                    "has {} in it, which is neither an address nor a network such as 10.0.0.0/8",
                    quoted(word)
                )
            })
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for SameSite {
    fn from_word(word: &str) -> Result<Self, String> {
        word.parse()
            .map_err(|_| format!("is {}, not Lax, Strict or None", quoted(word)))
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for OnOutage {
    fn from_word(word: &str) -> Result<Self, String> {
        match word {
            "closed" => Ok(Self::Closed),
            "open" => Ok(Self::Open),
            _ => Err(format!("is {}, not closed or open", quoted(word))),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
        .to_owned()
    }
}

impl Word for UnknownFields {
    fn from_word(word: &str) -> Result<Self, String> {
        match word {
            "drop" => Ok(Self::Drop),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("is {}, not drop or refuse", quoted(word))),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
        .to_owned()
    }
}

impl Word for FrameOptions {
    fn from_word(word: &str) -> Result<Self, String> {
        header(word)
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for CrossOriginOpenerPolicy {
    fn from_word(word: &str) -> Result<Self, String> {
        header(word)
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for CrossOriginResourcePolicy {
    fn from_word(word: &str) -> Result<Self, String> {
        header(word)
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for ReportUri {
    fn from_word(word: &str) -> Result<Self, String> {
        word.parse()
            .map_err(|fault: crate::header::InvalidHeader| fault.reason().to_owned())
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for PermissionsPolicy {
    fn from_word(word: &str) -> Result<Self, String> {
        header(word)
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

impl Word for Csp {
    fn from_word(word: &str) -> Result<Self, String> {
        header(word)
    }

    fn word(&self) -> String {
        self.to_string()
    }
}

fn header<H: SecurityHeader>(text: &str) -> Result<H, String> {
    text.parse()
        .map_err(|fault: crate::header::InvalidHeader| format!("is {}: {}", quoted(text), fault.reason()))
}

fn toml_list(entries: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let entries: Vec<_> = entries
        .into_iter()
        .map(|entry| toml_text(entry.as_ref()))
        .collect();
    format!("[{}]", entries.join(", "))
}

/// Writes a basic string of TOML.
pub(super) fn toml_text(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            // Writing into a String cannot fail.
            c if c.is_control() => drop(write!(written, "\\u{:04X}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// Writes a number with `_` between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push('_');
        }
        written.push(digit);
    }
    written
}
