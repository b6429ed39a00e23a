//! What a request did to its session, as steps that can be done again on newer data.
//!
//! The handler sees its own view change at once. What is written is not that view: the steps are replayed, inside
//! the store's transaction, on what the store holds *then*. Two requests that set different keys both keep theirs, and
//! two that count up are both counted.

use std::fmt;
use std::sync::Arc;

use palisade_core::session::SessionData;

/// One step.
#[derive(Clone)]
pub(super) enum Change {
    /// Sets a key to a value, already as JSON.
    Set(Box<str>, String),
    /// Removes a key.
    Remove(Box<str>),
    /// Computes a value from what is there.
    Update(Arc<dyn Fn(&mut SessionData) + Send + Sync>),
}

impl Change {
    pub(super) fn apply(&self, data: &mut SessionData) {
        match self {
            // The value came out of session data: it is JSON.
            Self::Set(key, value) => drop(data.insert_raw(key, value.clone())),
            Self::Remove(key) => {
                data.remove(key);
            }
            Self::Update(update) => update(data),
        }
    }
}

/// Keys only: values may be secrets.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(key, _) => write!(f, "Set({key:?})"),
            Self::Remove(key) => write!(f, "Remove({key:?})"),
            Self::Update(_) => f.write_str("Update"),
        }
    }
}
