//! A setting: its name, what it is for, and where it lives.

use super::Settings;
use super::registry::REGISTRY;
use super::slot::Slot;

/// One setting.
pub struct Setting {
    name: &'static str,
    about: &'static str,
    pub(super) slot: fn(&mut Settings) -> &mut dyn Slot,
}

impl Setting {
    /// The name in TOML: Django's in lower case.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the setting is for, and what its values mean.
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// The name of the environment variable.
    ///
    /// # Example
    /// ```
    /// use palisade_core::settings::REGISTRY;
    ///
    /// assert_eq!(REGISTRY[0].variable(), "PALISADE_DEBUG");
    /// ```
    pub fn variable(&self) -> String {
        format!("{}{}", super::PREFIX, self.name.to_uppercase())
    }

    /// Whether the value is a secret, which is never shown.
    pub fn is_secret(&self) -> bool {
        self.name.starts_with("secret_key") || self.name == "email_host_password"
    }

    /// Finds a setting by its name in TOML.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        REGISTRY.iter().find(|setting| setting.name == name)
    }

    /// Finds a setting by Django's name. What weakens a defence here must be said here, and so must a policy, which is a table in Django 6.
    pub(super) fn of_django(name: &str) -> Option<&'static Self> {
        let is_named = |setting: &&Self| setting.name.to_uppercase() == name;
        REGISTRY.iter().find(is_named).filter(|setting| {
            let name = setting.name;
            !matches!(name, "debug" | "email_backend")
                && !name.starts_with("dangerous_")
                && !name.starts_with("secure_csp")
        })
    }

    pub(super) const fn new(
        name: &'static str,
        slot: fn(&mut Settings) -> &mut dyn Slot,
        about: &'static str,
    ) -> Self {
        Self { name, about, slot }
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
