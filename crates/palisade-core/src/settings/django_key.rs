//! The keys that a Django signs with and still verifies: whoever signs with another one here shares no session with it.

use serde_json::{Map, Value};

use crate::SecretKey;

/// The keys of a dump.
pub(super) struct DjangoKey(Vec<SecretKey>);

impl DjangoKey {
    /// The key and its fallbacks, if the dump has a key that is text.
    pub(super) fn of(dump: &Map<String, Value>) -> Option<Self> {
        let key = dump.get("SECRET_KEY")?.as_str()?;
        let fallbacks = dump.get("SECRET_KEY_FALLBACKS").and_then(Value::as_array);
        let fallbacks = fallbacks.into_iter().flatten().filter_map(Value::as_str);
        Some(Self(
            std::iter::once(key)
                .chain(fallbacks)
                .map(SecretKey::new)
                .collect(),
        ))
    }

    /// Whether Django signs with this key, or verifies with it.
    pub(super) fn knows(&self, key: &SecretKey) -> bool {
        self.0
            .iter()
            .any(|known| crate::secret::constant_time_eq(known.expose(), key.expose()))
    }
}
