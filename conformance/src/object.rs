//! A JSON object of a request: its members found, each value read when an operation asks for it.
//!
//! Values stay text until then, so that session data pass through untouched and one argument that Rust has no type for
//! (half a surrogate pair, `NaN`) spoils only the operation that needs it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_core::json;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::failure::Failure;

/// An object: names and the JSON text of their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    members: Vec<(String, String)>,
}

impl Object {
    /// Reads an object.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let found = json::members(text).map_err(Failure::internal)?;
        let member =
            |member: &json::Member| (member.key_in(text).into_owned(), member.value_in(text).to_owned());
        Ok(Self {
            members: found.iter().map(member).collect(),
        })
    }

    /// The JSON text of a member.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let found = self.members.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Says whether there is a member of that name, be it null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The members, in their order, each value as JSON text.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reads a member; one that is missing reads as null.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        let raw = self.raw(name);
        serde_json::from_str(raw.unwrap_or("null")).map_err(|error| match raw {
            None => missing(name),
            Some(_) => Failure::internal(format!("argument {name}: {error}")),
        })
    }

    /// Reads a text.
    pub(crate) fn text(&self, name: &str) -> Result<String, Failure> {
        self.get(name)
    }

    /// Reads text or bytes: text means its UTF-8.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.get::<Bytes>(name)?.0)
    }

    /// Reads an object.
    pub(crate) fn object(&self, name: &str) -> Result<Self, Failure> {
        let raw = self.raw(name).ok_or_else(|| missing(name))?;
        Self::read(raw).map_err(|_| Failure::internal(format!("argument {name}: not an object")))
    }

    /// Reads a list of texts; null is an empty one, and a text is the list of its characters, as Python has it.
    pub(crate) fn texts_of(&self, name: &str) -> Result<Vec<String>, Failure> {
        texts(self.raw(name).unwrap_or("null"))
            .map_err(|error| Failure::internal(format!("argument {name}: {error}")))
    }

    /// Says whether Python takes a member for true.
    pub(crate) fn truthy(&self, name: &str) -> bool {
        self.raw(name).is_some_and(truthy)
    }

    /// Reads an object whose values are all text.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<(String, String)>, Failure> {
        let object = self.object(name)?;
        let read = |(name, _): (&str, &str)| Ok((name.to_owned(), object.text(name)?));
        object.members().map(read).collect()
    }
}

fn missing(name: &str) -> Failure {
    Failure::internal(format!("argument `{name}` is missing"))
}

/// Says whether Python takes a value for true: not `None`, `False`, zero, or empty.
pub(crate) fn truthy(raw: &str) -> bool {
    let empty = matches!(raw, "null" | "false" | "\"\"" | "[]" | "{}");
    !empty && raw.parse::<f64>() != Ok(0.0)
}

/// Reads what Python iterates over as texts.
pub(crate) fn texts(raw: &str) -> Result<Vec<String>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        List(Vec<String>),
        Text(String),
    }
    Ok(match serde_json::from_str::<Option<Form>>(raw)? {
        None => Vec::new(),
        Some(Form::List(texts)) => texts,
        Some(Form::Text(text)) => text.chars().map(String::from).collect(),
    })
}

/// Text or bytes: a JSON string, or `{"$b64": …}`.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Base64 {
                #[serde(rename = "$b64")]
                base64: String,
            },
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self(text.into_bytes())),
            Form::Base64 { base64 } => STANDARD.decode(base64).map(Self).map_err(D::Error::custom),
        }
    }
}
