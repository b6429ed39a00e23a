//! Settings that a Django site has already: a dump of them, so that they are written down once.
//!
//! Only what the site's own settings module says is in the dump, and not Django's defaults: ours are stricter, and stay
//! where nobody has decided otherwise. What Django can be told and we cannot is passed over.

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{PREFIX, Settings, SettingsErrors, hasher_name, load};

/// The key of the TOML file that names the dump.
pub const DJANGO_SETTINGS: &str = "django_settings";

/// The hashers of Django, in the order that its passwords are hashed with.
pub(super) const PASSWORD_HASHERS: &str = "PASSWORD_HASHERS";

/// The dump of a Django's settings: a JSON object whose names are in upper case.
#[derive(Clone, Copy)]
pub struct DjangoSettings<'d> {
    /// Where it was read, to be named when something in it is wrong.
    pub file: &'d str,
    /// What stands there.
    pub json: &'d str,
}

impl DjangoSettings<'_> {
    /// The file that a TOML text names as the dump, if it names one; where the text is no TOML, reading it will say so.
    ///
    /// # Example
    /// ```
    /// use palisade_core::settings::DjangoSettings;
    ///
    /// let toml = "django_settings = \"settings.json\"";
    /// assert_eq!(DjangoSettings::named_in(toml).as_deref(), Some("settings.json"));
    /// ```
    pub fn named_in(toml: &str) -> Option<String> {
        let (table, _faults) = DeTable::parse_recoverable(toml);
        match table.get_ref().get(DJANGO_SETTINGS)?.get_ref() {
            DeValue::String(file) => Some(file.clone().into_owned()),
            _ => None,
        }
    }

    /// Whether nobody says how passwords are hashed, so that these settings have the order of a Django that says none: the dump
    /// does not (those of an older command leave out what the site's settings module leaves out), nor does the TOML text, nor a
    /// variable.
    ///
    /// # Example
    /// ```
    /// use palisade_core::settings::{DjangoSettings, Settings};
    /// use palisade_core::SecretKey;
    ///
    /// let json = r#"{"SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ", "ALLOWED_HOSTS": ["shop.example"]}"#;
    /// let django = DjangoSettings { file: "settings.json", json };
    /// let settings = Settings::new(SecretKey::new(""), [""; 0]).overlaid_on_django(django, None, [])?;
    /// assert!(django.assumes_hashers(&settings, "", &[]));
    /// # Ok::<(), palisade_core::settings::SettingsErrors>(())
    /// ```
    pub fn assumes_hashers(&self, settings: &Settings, toml: &str, env: &[(String, String)]) -> bool {
        let dump: Map<String, Value> = serde_json::from_str(self.json).unwrap_or_default();
        let (table, _faults) = DeTable::parse_recoverable(toml);
        settings.password_hashers == hasher_name::OF_DJANGO
            && !dump.contains_key(PASSWORD_HASHERS)
            && table.get_ref().get("password_hashers").is_none()
            && !env
                .iter()
                .any(|(variable, _)| variable.strip_prefix(PREFIX) == Some(PASSWORD_HASHERS))
    }
}

impl std::fmt::Debug for DjangoSettings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DjangoSettings")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads as [`overlaid`](Self::overlaid) does, with a Django's settings below: the TOML text and the variables override them.
    ///
    /// # Example
    /// ```
    /// use palisade_core::settings::{DjangoSettings, Settings};
    /// use palisade_core::SecretKey;
    ///
    /// let json = r#"{"SECRET_KEY": "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ", "ALLOWED_HOSTS": ["shop.example"],
    ///                "SESSION_COOKIE_AGE": 3600, "LANGUAGE_CODE": "de"}"#;
    /// let django = DjangoSettings { file: "settings.json", json };
    /// let defaults = Settings::new(SecretKey::new(""), [""; 0]);
    /// let settings = defaults.overlaid_on_django(django, Some("session_cookie_age = 60"), [])?;
    /// assert_eq!(settings.session_cookie_age.as_secs(), 60);
    /// assert!(settings.session_cookie_secure, "our default, since the dump says nothing of it");
    /// # Ok::<(), palisade_core::settings::SettingsErrors>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load); what is wrong in the dump is named with its file.
    pub fn overlaid_on_django(
        self,
        django: DjangoSettings<'_>,
        toml: Option<&str>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsErrors> {
        load::load(self, Some(django), toml, env, &|_| Vec::new())
    }

    /// Reads as [`overlaid_on_django`](Self::overlaid_on_django) does, and asks somebody who can open files whether those that the
    /// settings name can be used: what `examine` finds is told with all else, each with the setting that it is about.
    ///
    /// # Errors
    /// As [`load`](Self::load), and what `examine` finds.
    pub fn overlaid_and_examined(
        self,
        django: Option<DjangoSettings<'_>>,
        toml: Option<&str>,
        env: impl IntoIterator<Item = (String, String)>,
        examine: impl Fn(&Self) -> Vec<(&'static str, String)>,
    ) -> Result<Self, SettingsErrors> {
        load::load(self, django, toml, env, &examine)
    }
}
