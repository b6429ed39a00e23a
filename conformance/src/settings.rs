//! Django's settings as the requests carry them: only what differs from the defaults, and of whatever type it is.
//!
//! The library's own `Settings` refuse what is wrong; Django takes a value as it is and sees what comes of it. So the
//! values stay JSON here, and each operation asks for what Django's code would make of them.

use palisade_core::django::{CsrfSettings, HostSettings, ProxyHeader, SecuritySettings};
use palisade_core::host::AllowedHosts;
use palisade_core::origin::TrustedOrigins;
use palisade_core::settings::ExemptPaths;
use palisade_core::{KeyRing, SecretKey};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::object::{Bytes, Object, texts, truthy};

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

    /// Says whether Python takes a setting for true.
    pub(crate) fn truthy(&self, name: &str) -> bool {
        truthy(self.raw(name))
    }

    /// Reads a list of texts, as Python would iterate over the setting.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        texts(self.raw(name)).map_err(|error| Failure::internal(format!("setting {name}: {error}")))
    }

    /// Reads a setting that goes into text: a text as it is, a number as it is written.
    pub(crate) fn text_or_repr(&self, name: &str) -> String {
        self.get(name).unwrap_or_else(|_| match self.raw(name) {
            "null" => "None".to_owned(),
            "true" => "True".to_owned(),
            "false" => "False".to_owned(),
            number => number.to_owned(),
        })
    }

    /// A setting that is used only where it is true.
    fn if_true(&self, name: &str) -> Option<String> {
        self.truthy(name).then(|| self.text_or_repr(name))
    }

    /// The keys: `SECRET_KEY` and `SECRET_KEY_FALLBACKS`.
    pub(crate) fn keys(&self) -> Result<KeyRing, Failure> {
        // Text where a list is usual is the list of its characters, as Python has it.
        let fallbacks = match self.texts("SECRET_KEY_FALLBACKS") {
            Ok(texts) => texts.into_iter().map(|key| Bytes(key.into_bytes())).collect(),
            Err(_) => self.get::<Vec<Bytes>>("SECRET_KEY_FALLBACKS")?,
        };
        let fallbacks = fallbacks.into_iter().map(|key| SecretKey::new(key.0));
        let key = SecretKey::new(self.get::<Bytes>("SECRET_KEY")?.0);
        Ok(KeyRing::new(key).with_fallbacks(fallbacks.collect()))
    }

    /// What decides about host and port.
    pub(crate) fn hosts(&self) -> Result<HostSettings, Failure> {
        let allowed = AllowedHosts::parse(self.texts("ALLOWED_HOSTS")?);
        Ok(HostSettings {
            allowed_hosts: allowed.with_debug(self.truthy("DEBUG")),
            use_x_forwarded_host: self.truthy("USE_X_FORWARDED_HOST"),
            use_x_forwarded_port: self.truthy("USE_X_FORWARDED_PORT"),
        })
    }

    /// The header of a proxy, where one is set.
    pub(crate) fn proxy_header(&self) -> Result<Option<ProxyHeader>, Failure> {
        if !self.truthy("SECURE_PROXY_SSL_HEADER") {
            return Ok(None);
        }
        // Whatever Python takes apart into two.
        let parts = match self.get::<Value>("SECURE_PROXY_SSL_HEADER")? {
            Value::Array(parts) => parts,
            Value::String(text) => text
                .chars()
                .map(|character| character.to_string().into())
                .collect(),
            Value::Object(members) => members.into_iter().map(|(name, _)| name.into()).collect(),
            _ => return Err(Failure::new("TypeError", "cannot unpack non-iterable object")),
        };
        let [name, value] = parts.as_slice() else {
            return Err(Failure::new(
                "ImproperlyConfigured",
                "The SECURE_PROXY_SSL_HEADER setting must be a tuple containing two values.",
            ));
        };
        // What is no text names no header, and stands for none: the part before a comma has no comma.
        let text = |part: &Value, none: &str| part.as_str().unwrap_or(none).to_owned();
        Ok(Some(ProxyHeader {
            name: text(name, ""),
            value: text(value, ","),
        }))
    }

    /// What `SecurityMiddleware` does.
    pub(crate) fn security(&self) -> Result<SecuritySettings, Failure> {
        let policy = "SECURE_REFERRER_POLICY";
        let referrer_policy = match self.get::<String>(policy) {
            _ if !self.truthy(policy) => None,
            Ok(text) => Some(SecuritySettings::policies(&text)),
            Err(_) => Some(self.get(policy)?),
        };
        Ok(SecuritySettings {
            hsts_seconds: self.if_true("SECURE_HSTS_SECONDS"),
            hsts_include_subdomains: self.truthy("SECURE_HSTS_INCLUDE_SUBDOMAINS"),
            hsts_preload: self.truthy("SECURE_HSTS_PRELOAD"),
            content_type_nosniff: self.truthy("SECURE_CONTENT_TYPE_NOSNIFF"),
            referrer_policy,
            cross_origin_opener_policy: self.if_true("SECURE_CROSS_ORIGIN_OPENER_POLICY"),
            ssl_redirect: self.truthy("SECURE_SSL_REDIRECT"),
            ssl_host: self.if_true("SECURE_SSL_HOST"),
            redirect_exempt: ExemptPaths::new(self.texts("SECURE_REDIRECT_EXEMPT")?)
                .map_err(Failure::internal)?,
        })
    }

    /// What `CsrfViewMiddleware` does.
    pub(crate) fn csrf(&self) -> Result<CsrfSettings, Failure> {
        let domain = if self.truthy("CSRF_USE_SESSIONS") {
            "SESSION_COOKIE_DOMAIN"
        } else {
            "CSRF_COOKIE_DOMAIN"
        };
        let trusted = TrustedOrigins::parse_leniently(self.texts("CSRF_TRUSTED_ORIGINS")?);
        Ok(CsrfSettings {
            cookie_name: self.get("CSRF_COOKIE_NAME")?,
            cookie_domain: self.get(domain)?,
            header_name: self.get("CSRF_HEADER_NAME")?,
            trusted_origins: trusted.map_err(|error| Failure::new("ValueError", error))?,
            hosts: self.hosts()?,
        })
    }

    /// The settings that were given, as JSON values.
    pub(crate) fn given(&self) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        let value = |(name, _): (&str, &str)| Ok((name.to_owned(), self.given.get(name)?));
        self.given.members().map(value).collect()
    }
}
