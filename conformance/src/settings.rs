//! Django's settings as the requests carry them: only what differs from the defaults, and of whatever type it is.
//!
//! The library's own `Settings` refuse what is wrong; Django takes a value as it is and sees what comes of it. So the
//! values stay JSON here, and each operation asks for what Django's code would make of them.

use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::object::{Bytes, Object};

/// Django's defaults, as JSON.
const DEFAULTS: &[(&str, &str)] = &[
    ("ALLOWED_HOSTS", "[]"),
    ("CSRF_COOKIE_AGE", "31449600"),
    ("CSRF_COOKIE_DOMAIN", "null"),
    ("CSRF_COOKIE_HTTPONLY", "false"),
    ("CSRF_COOKIE_NAME", "\"csrftoken\""),
    ("CSRF_COOKIE_PATH", "\"/\""),
    ("CSRF_COOKIE_SAMESITE", "\"Lax\""),
    ("CSRF_COOKIE_SECURE", "false"),
    ("CSRF_HEADER_NAME", "\"HTTP_X_CSRFTOKEN\""),
    ("CSRF_TRUSTED_ORIGINS", "[]"),
    ("CSRF_USE_SESSIONS", "false"),
    ("DATA_UPLOAD_MAX_MEMORY_SIZE", "2621440"),
    ("DATA_UPLOAD_MAX_NUMBER_FIELDS", "1000"),
    ("DATA_UPLOAD_MAX_NUMBER_FILES", "100"),
    ("DEBUG", "false"),
    ("INSTALLED_APPS", "[]"),
    ("MIDDLEWARE", "[]"),
    ("PASSWORD_RESET_TIMEOUT", "259200"),
    ("SECRET_KEY", "\"\""),
    ("SECRET_KEY_FALLBACKS", "[]"),
    ("SECURE_CONTENT_TYPE_NOSNIFF", "true"),
    ("SECURE_CROSS_ORIGIN_OPENER_POLICY", "\"same-origin\""),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "false"),
    ("SECURE_HSTS_PRELOAD", "false"),
    ("SECURE_HSTS_SECONDS", "0"),
    ("SECURE_PROXY_SSL_HEADER", "null"),
    ("SECURE_REDIRECT_EXEMPT", "[]"),
    ("SECURE_REFERRER_POLICY", "\"same-origin\""),
    ("SECURE_SSL_HOST", "null"),
    ("SECURE_SSL_REDIRECT", "false"),
    ("SESSION_COOKIE_AGE", "1209600"),
    ("SESSION_COOKIE_DOMAIN", "null"),
    ("SESSION_COOKIE_HTTPONLY", "true"),
    ("SESSION_COOKIE_NAME", "\"sessionid\""),
    ("SESSION_COOKIE_PATH", "\"/\""),
    ("SESSION_COOKIE_SAMESITE", "\"Lax\""),
    ("SESSION_COOKIE_SECURE", "false"),
    ("SESSION_EXPIRE_AT_BROWSER_CLOSE", "false"),
    ("SESSION_FILE_PATH", "null"),
    ("SESSION_SAVE_EVERY_REQUEST", "false"),
    ("SIGNED_COOKIE_LEGACY_SALT_FALLBACK", "true"),
    ("USE_TZ", "true"),
    ("USE_X_FORWARDED_HOST", "false"),
    ("USE_X_FORWARDED_PORT", "false"),
    ("X_FRAME_OPTIONS", "\"DENY\""),
];

/// The settings of one request.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    given: Object,
}

impl Settings {
    /// Takes the values that differ from the defaults.
    pub(crate) const fn new(given: Object) -> Self {
        Self { given }
    }

    /// The JSON text of a setting, given or default.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let default = DEFAULTS.iter().find(|(known, _)| *known == name);
        let default = default.map_or("null", |(_, value)| value);
        self.given.raw(name).unwrap_or(default)
    }

    /// Reads a setting.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        serde_json::from_str(self.raw(name))
            .map_err(|error| Failure::internal(format!("setting {name}: {error}")))
    }

    /// Says whether Python takes a setting for true: not `None`, `False`, zero, or empty.
    pub(crate) fn truthy(&self, name: &str) -> bool {
        let raw = self.raw(name);
        let empty = |text: &str| matches!(text, "null" | "false" | "\"\"" | "[]" | "{}");
        !empty(raw) && raw.parse::<f64>() != Ok(0.0)
    }

    /// Reads a text; null and other types are no text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).ok()
    }

    /// Reads text or bytes; anything else is nothing.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.get::<Bytes>(name).ok().map(|bytes| bytes.0)
    }

    /// The settings that were given, as JSON values.
    pub(crate) fn given(&self) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        let value = |(name, _): (&str, &str)| Ok((name.to_owned(), self.given.get(name)?));
        self.given.members().map(value).collect()
    }

    /// The keys that sign and verify.
    pub(crate) fn key_ring(&self) -> Result<palisade_core::KeyRing, Failure> {
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes.0).into_owned();
        let primary = palisade_core::SecretKey::new(text(self.get("SECRET_KEY")?));
        let fallbacks: Option<Vec<Bytes>> = self.get("SECRET_KEY_FALLBACKS")?;
        let fallbacks = fallbacks.unwrap_or_default().into_iter();
        let fallbacks = fallbacks.map(|key| palisade_core::SecretKey::new(text(key)));
        Ok(palisade_core::KeyRing::new(primary).with_fallbacks(fallbacks.collect()))
    }
}
