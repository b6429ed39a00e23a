//! The value of a reply: JSON that is built here, or JSON text that the library made.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_core::json;

/// A JSON value on its way out.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// `null`.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes, written `{"$b64": …}`.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Answer>),
    /// An object; names keep their order.
    Object(Vec<(String, Answer)>),
    /// JSON text as it is: session data, whose numbers and order are not to be touched.
    Raw(String),
}

impl Answer {
    /// Writes the value onto a line.
    pub(crate) fn write(&self, line: &mut String) {
        match self {
            Self::Null => line.push_str("null"),
            Self::Boolean(value) => line.push_str(if *value { "true" } else { "false" }),
            Self::Integer(value) => line.push_str(&value.to_string()),
            Self::Text(text) => write_text(text, line),
            Self::Bytes(bytes) => {
                line.push_str("{\"$b64\":");
                write_text(&STANDARD.encode(bytes), line);
                line.push('}');
            }
            Self::List(values) => {
                line.push('[');
                for (index, value) in values.iter().enumerate() {
                    separate(index, line);
                    value.write(line);
                }
                line.push(']');
            }
            Self::Object(members) => {
                line.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    separate(index, line);
                    write_text(name, line);
                    line.push(':');
                    value.write(line);
                }
                line.push('}');
            }
            Self::Raw(text) => line.push_str(text),
        }
    }
}

/// Builds an object from its members.
pub(crate) fn object<const N: usize>(members: [(&str, Answer); N]) -> Answer {
    Answer::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn separate(index: usize, line: &mut String) {
    if index > 0 {
        line.push(',');
    }
}

fn write_text(text: &str, line: &mut String) {
    // Text always has a form in JSON.
    line.push_str(&json::to_string(text).unwrap_or_default());
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Answer {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Answer {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Answer {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
