//! Django's `check --deploy` over the values of a settings module, as another program reads them.
//!
//! [`Settings::weaknesses`](crate::Settings::weaknesses) judges Palisade's own settings. This judges Django's: a JSON object
//! of names and values as `manage.py` can dump it, where what is absent has Django's default, and each finding
//! has Django's identifier, so that a service can say at its start what the site beside it would be told.
//! Django is exact about `True`: a text or a number in its place does not pass.
//!
//! # Example
//!
//! ```
//! use palisade_core::check::deployment;
//! use serde_json::json;
//!
//! let settings = json!({"SECRET_KEY": "secret", "DEBUG": true, "ALLOWED_HOSTS": ["example.com"]});
//! let ids: Vec<_> = deployment(settings.as_object().unwrap()).into_iter().map(|finding| finding.id).collect();
//! assert!(ids.contains(&"security.W009") && ids.contains(&"security.W018") && !ids.contains(&"security.W020"));
//! ```

use serde_json::{Map, Value};

use crate::SecretKey;

const SECURITY: &str = "django.middleware.security.SecurityMiddleware";
const FRAMES: &str = "django.middleware.clickjacking.XFrameOptionsMiddleware";
const CSRF: &str = "django.middleware.csrf.CsrfViewMiddleware";
const SESSIONS: &str = "django.contrib.sessions.middleware.SessionMiddleware";
const SESSIONS_APP: &str = "django.contrib.sessions";

/// The values of `Referrer-Policy` that there are.
const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];
/// The values of `Cross-Origin-Opener-Policy` that Django knows.
const OPENER_POLICIES: [&str; 3] = ["same-origin", "same-origin-allow-popups", "unsafe-none"];

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Django's identifier, such as `security.W009`.
    pub id: &'static str,
    /// Which of several values, where there can be several: `SECRET_KEY_FALLBACKS[0]`.
    pub subject: Option<String>,
}

impl Finding {
    /// Says in a few words what is wrong.
    pub fn summary(&self) -> &'static str {
        match self.id {
            "security.W001" => "the security middleware is not installed",
            "security.W002" => "the middleware against framing is not installed",
            "security.W003" => "the CSRF middleware is not installed",
            "security.W004" => "no HSTS is sent (SECURE_HSTS_SECONDS)",
            "security.W005" => "HSTS leaves subdomains out (SECURE_HSTS_INCLUDE_SUBDOMAINS)",
            "security.W006" => "browsers may guess content types (SECURE_CONTENT_TYPE_NOSNIFF)",
            "security.W008" => "plain HTTP is not redirected (SECURE_SSL_REDIRECT)",
            "security.W009" => "the secret key is missing or weak",
            "security.W010" | "security.W011" | "security.W012" => {
                "the session cookie is sent over plain HTTP (SESSION_COOKIE_SECURE)"
            }
            "security.W013" | "security.W014" | "security.W015" => {
                "scripts can read the session cookie (SESSION_COOKIE_HTTPONLY)"
            }
            "security.W016" => "the CSRF cookie is sent over plain HTTP (CSRF_COOKIE_SECURE)",
            "security.W018" => "DEBUG is on",
            "security.W019" => "pages may be framed (X_FRAME_OPTIONS)",
            "security.W020" => "ALLOWED_HOSTS is empty",
            "security.W021" => "HSTS cannot be preloaded (SECURE_HSTS_PRELOAD)",
            "security.W022" => "no Referrer-Policy is sent (SECURE_REFERRER_POLICY)",
            "security.E023" => "SECURE_REFERRER_POLICY has an unknown value",
            "security.E024" => "SECURE_CROSS_ORIGIN_OPENER_POLICY has an unknown value",
            _ => "a fallback key is weak, or the setting is missing (SECRET_KEY_FALLBACKS)",
        }
    }
}

/// Judges a Django project's settings as `check --deploy` does, sorted by identifier. `null` as `SECRET_KEY` or
/// `SECRET_KEY_FALLBACKS` means that it cannot be read.
pub fn deployment(settings: &Map<String, Value>) -> Vec<Finding> {
    let values = Values(settings);
    let mut ids: Vec<&'static str> = Vec::new();
    values.middleware(&mut ids);
    values.transport(&mut ids);
    values.cookies(&mut ids);
    values.policies(&mut ids);
    if !values.key("SECRET_KEY").is_some_and(is_strong) {
        ids.push("security.W009");
    }
    if values.truth("DEBUG") {
        ids.push("security.W018");
    }
    if !values.truth("ALLOWED_HOSTS") {
        ids.push("security.W020");
    }
    let mut findings: Vec<_> = ids
        .into_iter()
        .map(|id| Finding { id, subject: None })
        .chain(values.fallbacks())
        .collect();
    findings.sort();
    findings
}

/// Settings with Django's defaults behind them.
struct Values<'s>(&'s Map<String, Value>);

impl Values<'_> {
    fn is_listed(&self, setting: &str, entry: &str) -> bool {
        match self.0.get(setting) {
            Some(Value::Array(entries)) => entries.iter().any(|listed| listed == entry),
            // Python looks for the name in a text, too.
            Some(Value::String(text)) => text.contains(entry),
            _ => false,
        }
    }

    /// Says whether the setting is exactly `True`.
    fn is_true(&self, setting: &str) -> bool {
        match self.0.get(setting) {
            Some(value) => *value == Value::Bool(true),
            None => matches!(setting, "SECURE_CONTENT_TYPE_NOSNIFF" | "SESSION_COOKIE_HTTPONLY"),
        }
    }

    /// Says whether Python would take the setting for true; the default of those that are asked about is false.
    fn truth(&self, setting: &str) -> bool {
        self.0.get(setting).is_some_and(is_truthy)
    }

    fn key(&self, setting: &str) -> Option<&Value> {
        self.0.get(setting).filter(|key| is_truthy(key))
    }

    fn middleware(&self, ids: &mut Vec<&'static str>) {
        for (path, id) in [
            (SECURITY, "security.W001"),
            (FRAMES, "security.W002"),
            (CSRF, "security.W003"),
        ] {
            if !self.is_listed("MIDDLEWARE", path) {
                ids.push(id);
            }
        }
    }

    fn transport(&self, ids: &mut Vec<&'static str>) {
        if !self.is_listed("MIDDLEWARE", SECURITY) {
            return;
        }
        if self.truth("SECURE_HSTS_SECONDS") {
            if !self.is_true("SECURE_HSTS_INCLUDE_SUBDOMAINS") {
                ids.push("security.W005");
            }
            if !self.is_true("SECURE_HSTS_PRELOAD") {
                ids.push("security.W021");
            }
        } else {
            ids.push("security.W004");
        }
        if !self.is_true("SECURE_CONTENT_TYPE_NOSNIFF") {
            ids.push("security.W006");
        }
        if !self.is_true("SECURE_SSL_REDIRECT") {
            ids.push("security.W008");
        }
    }

    fn cookies(&self, ids: &mut Vec<&'static str>) {
        let app = self.is_listed("INSTALLED_APPS", SESSIONS_APP);
        let middleware = self.is_listed("MIDDLEWARE", SESSIONS);
        let which = |[of_app, of_middleware, of_both]: [&'static str; 3]| match (app, middleware) {
            (true, true) => Some(of_both),
            (true, false) => Some(of_app),
            (false, true) => Some(of_middleware),
            (false, false) => None,
        };
        if !self.is_true("SESSION_COOKIE_SECURE") {
            ids.extend(which(["security.W010", "security.W011", "security.W012"]));
        }
        if !self.is_true("SESSION_COOKIE_HTTPONLY") {
            ids.extend(which(["security.W013", "security.W014", "security.W015"]));
        }
        let csrf = self.is_listed("MIDDLEWARE", CSRF) && !self.truth("CSRF_USE_SESSIONS");
        if csrf && !self.is_true("CSRF_COOKIE_SECURE") {
            ids.push("security.W016");
        }
    }

    fn policies(&self, ids: &mut Vec<&'static str>) {
        let frames = self.0.get("X_FRAME_OPTIONS").is_none_or(|value| value == "DENY");
        if self.is_listed("MIDDLEWARE", FRAMES) && !frames {
            ids.push("security.W019");
        }
        if !self.is_listed("MIDDLEWARE", SECURITY) {
            return;
        }
        let known = |policy: &str| REFERRER_POLICIES.contains(&policy);
        match self.0.get("SECURE_REFERRER_POLICY") {
            None => {}
            Some(Value::Null) => ids.push("security.W022"),
            Some(Value::String(policies)) if policies.split(',').all(|policy| known(policy.trim())) => {}
            Some(Value::Array(policies))
                if policies.iter().all(|policy| policy.as_str().is_some_and(known)) => {}
            Some(_) => ids.push("security.E023"),
        }
        let opener = match self.0.get("SECURE_CROSS_ORIGIN_OPENER_POLICY") {
            None | Some(Value::Null) => true,
            Some(value) => value
                .as_str()
                .is_some_and(|policy| OPENER_POLICIES.contains(&policy)),
        };
        if !opener {
            ids.push("security.E024");
        }
    }

    fn fallbacks(&self) -> Vec<Finding> {
        let weak = |subject| Finding {
            id: "security.W025",
            subject: Some(subject),
        };
        match self.0.get("SECRET_KEY_FALLBACKS") {
            Some(Value::Null) => vec![weak("SECRET_KEY_FALLBACKS".to_owned())],
            Some(Value::Array(keys)) => {
                let weak_ones = keys.iter().enumerate().filter(|(_, key)| !is_strong(key));
                weak_ones
                    .map(|(index, _)| weak(format!("SECRET_KEY_FALLBACKS[{index}]")))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Says whether Python takes the value for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn is_strong(key: &Value) -> bool {
    key.as_str()
        .is_some_and(|key| SecretKey::new(key).weaknesses().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(settings: &Value) -> Vec<String> {
        let found = deployment(settings.as_object().unwrap());
        assert!(found.is_sorted());
        found
            .into_iter()
            .map(|finding| {
                assert!(!finding.summary().is_empty());
                let subject = finding
                    .subject
                    .map(|subject| format!(" {subject}"))
                    .unwrap_or_default();
                format!("{}{subject}", finding.id.trim_start_matches("security."))
            })
            .collect()
    }

    fn good() -> Value {
        json!({
            "MIDDLEWARE": [SECURITY, FRAMES, CSRF, SESSIONS],
            "INSTALLED_APPS": [SESSIONS_APP],
            "SECRET_KEY": "abcdefghij".repeat(5),
            "ALLOWED_HOSTS": ["example.com"],
            "SECURE_HSTS_SECONDS": 3600,
            "SECURE_HSTS_INCLUDE_SUBDOMAINS": true,
            "SECURE_HSTS_PRELOAD": true,
            "SECURE_SSL_REDIRECT": true,
            "SESSION_COOKIE_SECURE": true,
            "CSRF_COOKIE_SECURE": true,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut settings = good();
        settings[name] = value;
        settings
    }

    #[test]
    fn good_settings_pass_and_none_at_all_do_not() {
        assert!(ids(&good()).is_empty());
        assert_eq!(ids(&json!({})), ["W001", "W002", "W003", "W009", "W020"]);
    }

    #[test]
    fn each_setting_has_its_finding() {
        for (name, value, expected) in [
            ("SECURE_HSTS_SECONDS", json!(0), "W004"),
            ("SECURE_HSTS_INCLUDE_SUBDOMAINS", json!("1"), "W005"),
            ("SECURE_HSTS_PRELOAD", json!(1), "W021"),
            ("SECURE_CONTENT_TYPE_NOSNIFF", json!(null), "W006"),
            ("SECURE_SSL_REDIRECT", json!("yes"), "W008"),
            ("SECRET_KEY", json!(null), "W009"),
            (
                "SECRET_KEY",
                json!(format!("django-insecure-{}", "abcdefghij".repeat(5))),
                "W009",
            ),
            ("SESSION_COOKIE_SECURE", json!("yes"), "W012"),
            ("SESSION_COOKIE_HTTPONLY", json!(false), "W015"),
            ("CSRF_COOKIE_SECURE", json!("1"), "W016"),
            ("DEBUG", json!("x"), "W018"),
            ("X_FRAME_OPTIONS", json!("deny"), "W019"),
            ("ALLOWED_HOSTS", json!([]), "W020"),
            ("SECURE_REFERRER_POLICY", json!(null), "W022"),
            ("SECURE_REFERRER_POLICY", json!("origin, none"), "E023"),
            (
                "SECURE_REFERRER_POLICY",
                json!(["origin", " same-origin"]),
                "E023",
            ),
            ("SECURE_CROSS_ORIGIN_OPENER_POLICY", json!("same-site"), "E024"),
            ("SECRET_KEY_FALLBACKS", json!(null), "W025 SECRET_KEY_FALLBACKS"),
            (
                "SECRET_KEY_FALLBACKS",
                json!(["abcdefghij".repeat(5), "x"]),
                "W025 SECRET_KEY_FALLBACKS[1]",
            ),
        ] {
            assert_eq!(ids(&with(name, value)), [expected], "{name}");
        }
        for fine in [
            json!("origin , same-origin"),
            json!(["origin", "same-origin"]),
            json!([]),
        ] {
            assert!(ids(&with("SECURE_REFERRER_POLICY", fine)).is_empty());
        }
        assert!(ids(&with("SECURE_CROSS_ORIGIN_OPENER_POLICY", json!(null))).is_empty());
    }

    #[test]
    fn what_is_not_installed_is_not_judged() {
        let mut settings = with("SESSION_COOKIE_SECURE", json!(false));
        settings["INSTALLED_APPS"] = json!([]);
        assert_eq!(ids(&settings), ["W011"]);
        settings["INSTALLED_APPS"] = json!([SESSIONS_APP]);
        settings["MIDDLEWARE"] = json!([SECURITY, FRAMES, CSRF]);
        assert_eq!(ids(&settings), ["W010"]);
        settings["CSRF_USE_SESSIONS"] = json!(1);
        settings["CSRF_COOKIE_SECURE"] = json!(false);
        assert_eq!(ids(&settings), ["W010"]);
    }
}
