//! The keys and values of one session, in their order, parsed no further than somebody asks.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::json;
use crate::secret::Sensitive;
use crate::signing::Malformed;

/// A value has no form in JSON, or is not what was asked for.
#[derive(Debug, Error)]
#[error("session value of {key:?}: {reason}")]
pub struct InvalidValue {
    key: String,
    reason: Reason,
}

/// What is wrong with a value.
#[derive(Debug, Error)]
enum Reason {
    #[error(transparent)]
    Json(#[from] json::Error),
    #[error(transparent)]
    Syntax(#[from] json::SyntaxError),
}

/// The data of a session: an ordered map of names to JSON values, as a Python dictionary.
///
/// It is wiped when it goes, and shows its keys but no values when printed.
#[derive(Clone, Default)]
pub struct SessionData {
    /// What was decoded. Spans point into it; values that were set since stand beside it.
    source: Zeroizing<String>,
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    key: Text,
    /// The key as it was written, where that is not just the key in quotes.
    written: Option<Range<usize>>,
    value: Text,
}

/// A piece of the source, or text that came later.
#[derive(Clone)]
enum Text {
    Source(Range<usize>),
    Own(Zeroizing<String>),
}

impl Text {
    fn own(text: String) -> Self {
        Self::Own(Zeroizing::new(text))
    }

    fn read<'t>(&'t self, source: &'t str) -> &'t str {
        match self {
            Self::Source(span) => source.get(span.clone()).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}

impl SessionData {
    /// Makes empty data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the text of a JSON object without parsing its values.
    ///
    /// # Errors
    ///
    /// Where the text is not one object as Python would read it.
    pub fn from_json(text: String) -> Result<Self, Malformed> {
        let source = Zeroizing::new(text);
        let members = json::members(&source)?;
        let entry = |member: json::Member| {
            let value = Text::Source(member.value.clone());
            if member.escaped {
                let key = Text::own(member.key_in(&source).into_owned());
                Entry {
                    key,
                    written: Some(member.key),
                    value,
                }
            } else {
                Entry {
                    key: Text::Source(member.key),
                    written: None,
                    value,
                }
            }
        };
        let entries = members.into_iter().map(entry).collect();
        Ok(Self { source, entries })
    }

    /// Writes the JSON object, in ASCII, with untouched values as they came.
    pub fn to_json(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.source.len() + 64));
        text.push('{');
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            match entry.written.clone().and_then(|span| self.source.get(span)) {
                Some(written) => {
                    text.push('"');
                    text.push_str(&json::to_ascii(written));
                    text.push('"');
                }
                None => json::push_string(entry.key.read(&self.source), &mut text),
            }
            text.push(':');
            text.push_str(&json::to_ascii(entry.value.read(&self.source)));
        }
        text.push('}');
        text
    }

    /// Says whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The keys and the JSON texts of their values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.read(&self.source), entry.value.read(&self.source)))
    }

    /// Says whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The JSON text of a value.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Parses a value.
    ///
    /// # Errors
    ///
    /// Where the value is not a `T`. Python's `NaN` and `Infinity`, and text with half a surrogate pair, are no `T` at
    /// all, though they pass through unharmed.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<Result<T, InvalidValue>> {
        let parsed = json::from_str(self.raw(key)?);
        Some(parsed.map_err(|error| InvalidValue {
            key: key.to_owned(),
            reason: error.into(),
        }))
    }

    /// Sets a value, at its old place or at the end.
    ///
    /// # Errors
    ///
    /// Where the value has no form in JSON. The old one then stays.
    pub fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), InvalidValue> {
        match json::to_string(value) {
            Ok(text) => {
                self.put(key, text);
                Ok(())
            }
            Err(error) => Err(InvalidValue {
                key: key.to_owned(),
                reason: error.into(),
            }),
        }
    }

    /// Sets a value from its JSON text, at its old place or at the end.
    ///
    /// # Errors
    ///
    /// Where the text is not one JSON value with nothing around it. The old one then stays.
    pub fn insert_raw(&mut self, key: &str, text: String) -> Result<(), InvalidValue> {
        match json::validate(&text) {
            Ok(()) => {
                self.put(key, text);
                Ok(())
            }
            Err(error) => Err(InvalidValue {
                key: key.to_owned(),
                reason: error.into(),
            }),
        }
    }

    /// Takes a key away, and gives the JSON text of its value.
    pub fn remove(&mut self, key: &str) -> Option<String> {
        let entry = self.entries.remove(self.position(key)?);
        Some(entry.value.read(&self.source).to_owned())
    }

    /// Takes all keys away.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.keys().position(|name| name == key)
    }

    /// Sets a value from text that is known to be JSON.
    pub(super) fn put(&mut self, key: &str, text: String) {
        let value = Text::own(text);
        let position = self.position(key);
        match position.and_then(|position| self.entries.get_mut(position)) {
            Some(entry) => entry.value = value,
            None => self.entries.push(Entry {
                key: Text::own(key.to_owned()),
                written: None,
                value,
            }),
        }
    }
}

impl PartialEq for SessionData {
    /// Compares keys and JSON texts, in their order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.keys().map(|key| (key, Sensitive::new(()))))
            .finish()
    }
}

#[cfg(test)]
mod tests;
