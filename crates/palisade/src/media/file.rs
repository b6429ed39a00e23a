//! What an application notes of a file that is kept.

use std::fmt;

use palisade_core::hexadecimal::hexadecimal;

use super::{MediaName, MediaType};
use crate::rows::{Cell, Kind, Value};

/// The SHA-256 of a file's bytes, by which a browser asks whether it has changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileDigest(pub [u8; 32]);

impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileDigest({self})")
    }
}

impl Cell for FileDigest {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value {
        Value::Bytes(self.0.to_vec())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok().map(Self),
            _ => None,
        }
    }
}

/// Describes a file in a store: what the application's row holds, and what is asked for when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Under which it is kept.
    pub name: MediaName,
    /// What the client called it, after Django's sanitising: a caption, and never a path.
    pub file_name: String,
    /// What it is, told from its bytes.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub size: u64,
    /// What its bytes are.
    pub digest: FileDigest,
}
