//! A setting's value before it has a type: a piece of TOML, or the text of an environment variable.
//!
//! TOML has types and is held to them. A variable has none, so its text is read as the setting asks: `true`, `1` and
//! `on`; numbers; lists with commas or as TOML writes them.

use serde_json::Value;
use toml::de::{DeArray, DeValue};

/// A value as it was written.
pub(super) enum Raw<'r> {
    /// In the file.
    Toml(&'r DeValue<'r>),
    /// In the dump of a Django's settings.
    Json(&'r Value),
    /// In a variable.
    Text(&'r str),
}

impl Raw<'_> {
    /// Says whether the value switches the setting off: `"none"` or an empty text.
    pub(super) fn is_none(&self) -> bool {
        if matches!(self, Self::Json(Value::Null)) {
            return true;
        }
        self.text()
            .is_ok_and(|text| text.trim().is_empty() || text.trim().eq_ignore_ascii_case("none"))
    }

    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Toml(DeValue::String(text)) => Ok(text),
            Self::Json(Value::String(text)) => Ok(text),
            Self::Toml(other) => Err(format!("is {}, not a text in quotes", kind(other))),
            Self::Json(other) => Err(format!("is {}, not a text", json_kind(other))),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, String> {
        match self {
            Self::Toml(DeValue::Boolean(value)) | Self::Json(Value::Bool(value)) => Ok(*value),
            Self::Json(other) => Err(format!("is {}, not true or false", json_kind(other))),
            Self::Toml(other) => Err(format!("is {}, not true or false", kind(other))),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "on" => Ok(true),
                "false" | "0" | "off" => Ok(false),
                _ => Err(format!(
                    "is {}, not true or false (or 1, 0, on, off)",
                    quoted(text)
                )),
            },
        }
    }

    pub(super) fn number(&self) -> Result<u64, String> {
        let (digits, radix) = match self {
            Self::Toml(DeValue::Integer(number)) => (number.as_str(), number.radix()),
            Self::Toml(other) => return Err(format!("is {}, not a whole number", kind(other))),
            Self::Json(value) => {
                return value
                    .as_u64()
                    .ok_or_else(|| format!("is {}, not a whole number that fits", json_kind(value)));
            }
            Self::Text(text) => (text.trim(), 10),
        };
        if digits.starts_with('-') {
            return Err("is negative".to_owned());
        }
        u64::from_str_radix(&digits.replace('_', ""), radix)
            .map_err(|_| format!("is {}, not a whole number that fits", quoted(digits)))
    }

    /// The entries of a list. A variable may have TOML's form, which it needs for entries with commas.
    pub(super) fn list(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Toml(DeValue::Array(array)) => texts(array),
            Self::Toml(other) => Err(format!("is {}, not a list in brackets", kind(other))),
            Self::Json(Value::Array(array)) => {
                let entries = array.iter().map(|entry| match entry {
                    Value::String(text) => Ok(text.clone()),
                    other => Err(format!("has {} in its list, not a text", json_kind(other))),
                });
                entries.collect()
            }
            Self::Json(other) => Err(format!("is {}, not a list", json_kind(other))),
            Self::Text(text) => match DeValue::parse(text).map(toml::Spanned::into_inner) {
                Ok(DeValue::Array(array)) => texts(&array),
                _ => Ok(text
                    .split(',')
                    .map(|e| e.trim().to_owned())
                    .filter(|e| !e.is_empty())
                    .collect()),
            },
        }
    }

    /// The entries of a list of whatever kind.
    pub(super) fn values(&self) -> Result<Vec<Value>, String> {
        let none = || "is not a list of names, or of tables in braces".to_owned();
        match self {
            Self::Toml(value) => match json(value) {
                Some(Value::Array(values)) => Ok(values),
                _ => Err(none()),
            },
            Self::Json(Value::Array(values)) => Ok(values.clone()),
            Self::Json(other) => Err(format!("is {}, not a list", json_kind(other))),
            Self::Text(text) => match DeValue::parse(text).map(|value| json(value.get_ref())) {
                Ok(Some(Value::Array(values))) => Ok(values),
                _ => Ok(self.list()?.into_iter().map(Value::String).collect()),
            },
        }
    }

    /// The entries of a list, or a text as its only entry.
    pub(super) fn list_or_text(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Toml(DeValue::String(text)) => Ok(vec![text.clone().into_owned()]),
            Self::Json(Value::String(text)) => Ok(vec![text.clone()]),
            _ => self.list(),
        }
    }
}

fn texts(array: &DeArray<'_>) -> Result<Vec<String>, String> {
    let entries = array.iter().map(|entry| match entry.get_ref() {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        other => Err(format!("has {} in its list, not a text in quotes", kind(other))),
    });
    entries.collect()
}

/// A value without its places. There are no dates among settings.
fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).ok()?.into()
        }
        DeValue::Float(number) => number.as_str().replace('_', "").parse::<f64>().ok()?.into(),
        DeValue::Array(entries) => entries
            .iter()
            .map(|entry| json(entry.get_ref()))
            .collect::<Option<Vec<_>>>()?
            .into(),
        DeValue::Table(entries) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Some((key.clone().into_owned(), json(value.get_ref())?))
            };
            Value::Object(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) => return None,
    })
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Shows what was written, on one line and not too much of it.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    let rest = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{rest}`", shown.escape_debug())
}
