//! Values that must not be printed, compared carelessly or left in memory.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// What stands where a secret would be.
pub const CLEANSED: &str = "********************";

/// A key that signs.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(String);

impl SecretKey {
    /// Takes a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Shows the key to code that signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(CLEANSED)
    }
}

/// The key that signs, and the older ones that still verify.
#[derive(Clone, Debug)]
pub struct KeyRing {
    primary: SecretKey,
    fallbacks: Vec<SecretKey>,
}

impl KeyRing {
    /// Makes a ring of one key.
    pub fn new(primary: SecretKey) -> Self {
        Self {
            primary,
            fallbacks: Vec::new(),
        }
    }

    /// Adds older keys that still verify.
    #[must_use]
    pub fn with_fallbacks(mut self, fallbacks: Vec<SecretKey>) -> Self {
        self.fallbacks = fallbacks;
        self
    }

    /// The key that signs.
    pub fn primary(&self) -> &SecretKey {
        &self.primary
    }

    /// The older keys that still verify.
    pub fn fallbacks(&self) -> &[SecretKey] {
        &self.fallbacks
    }

    /// All keys, the signing one first.
    pub fn all(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.primary).chain(&self.fallbacks)
    }
}

/// Compares in time that depends on the lengths only.
pub fn constant_time_eq(left: impl AsRef<[u8]>, right: impl AsRef<[u8]>) -> bool {
    use subtle::ConstantTimeEq;
    left.as_ref().ct_eq(right.as_ref()).into()
}
