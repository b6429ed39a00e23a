//! What a Django's settings say beside what can be set here: where its sessions are, and what this side cannot do as it does.
//!
//! Sessions are kept where the program says, so that these are no settings of ours; but who builds the store reads here what
//! Django's is, and who starts the service is told what of Django's settings has no effect.

use serde_json::{Map, Value};

use super::{DjangoSettings, Setting};
use crate::secret::Sensitive;

const SESSION_ENGINES: &str = "django.contrib.sessions.backends.";
const REDIS_CACHE: &str = "django.core.cache.backends.redis.RedisCache";
pub(super) const JSON_SERIALIZER: &str = "django.contrib.sessions.serializers.JSONSerializer";
const MODEL_BACKENDS: [&str; 2] = [
    "django.contrib.auth.backends.ModelBackend",
    "django.contrib.auth.backends.AllowAllUsersModelBackend",
];

/// Where a Django keeps its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEngine {
    /// In its database.
    Db,
    /// In its database behind its cache.
    CachedDb,
    /// In its cache.
    Cache,
    /// In files.
    File,
    /// In the cookie itself.
    SignedCookies,
    /// In an engine of the site's own, which is not known here.
    Other(String),
}

/// One of a Django's caches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DjangoCache {
    /// The address of the Redis, which may hold a password.
    pub location: Sensitive<String>,
    /// What keys begin with.
    pub key_prefix: String,
    /// What stands behind that.
    pub version: u32,
}

/// A setting of Django's that has no effect here, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its name at Django.
    pub setting: &'static str,
    /// Why, and what to do.
    pub why: String,
}

/// What a Django's settings say of its sessions, and what of them has no effect here.
///
/// # Example
/// ```
/// use palisade_core::settings::{DjangoSettings, SessionEngine};
///
/// let json = r#"{"SESSION_ENGINE": "django.contrib.sessions.backends.cache",
///                "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
///                                       "LOCATION": "redis://127.0.0.1:6379/1", "KEY_PREFIX": "shop"}}}"#;
/// let site = DjangoSettings { file: "settings.json", json }.site();
/// assert_eq!(site.session_engine, SessionEngine::Cache);
/// assert_eq!(site.session_cache.unwrap().key_prefix, "shop");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DjangoSite {
    /// Where its sessions are (`SESSION_ENGINE`).
    pub session_engine: SessionEngine,
    /// The cache of its sessions (`CACHES[SESSION_CACHE_ALIAS]`), or why it cannot be shared.
    pub session_cache: Result<DjangoCache, String>,
    /// The folder of its session files (`SESSION_FILE_PATH`).
    pub session_file_path: Option<String>,
    /// What of its settings has no effect here.
    pub passed_over: Vec<PassedOver>,
}

impl DjangoSettings<'_> {
    /// Reads what a dump says beside the settings themselves. Where it is no dump, reading the settings says so.
    pub fn site(&self) -> DjangoSite {
        let dump: Map<String, Value> = serde_json::from_str(self.json).unwrap_or_default();
        let mut site = DjangoSite {
            session_engine: engine(text(&dump, "SESSION_ENGINE")),
            session_cache: cache(&dump),
            session_file_path: text(&dump, "SESSION_FILE_PATH").map(str::to_owned),
            passed_over: Vec::new(),
        };
        site.look_at(&dump);
        site
    }
}

impl DjangoSite {
    fn over(&mut self, setting: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.passed_over.push(PassedOver { setting, why });
    }

    fn look_at(&mut self, dump: &Map<String, Value>) {
        if is_on(dump, "DEBUG") {
            self.over("DEBUG", "is on at Django; here `debug` in palisade.toml says so");
        }
        self.look_at_sessions();
        self.look_at_users(dump);
        self.look_at_the_rest(dump);
    }

    fn look_at_sessions(&mut self) {
        let engine = self.session_engine.clone();
        match &engine {
            SessionEngine::Db => {}
            SessionEngine::Other(name) => {
                let name = name.escape_debug();
                self.over(
                    "SESSION_ENGINE",
                    format!(
                        "is `{name}`, whose sessions no store here can read: a login at one side is none at the other"
                    ),
                );
            }
            known => {
                let store = store_of(known);
                self.over(
                    "SESSION_ENGINE",
                    format!(
                        "chooses no store by itself: sessions are shared where with_sessions is given {store}"
                    ),
                );
            }
        }
        if let (SessionEngine::Cache | SessionEngine::CachedDb, Err(why)) = (&engine, &self.session_cache) {
            // The setting is named before it.
            let why = why.strip_prefix("CACHES ").unwrap_or(why).to_owned();
            self.over("CACHES", why);
        }
    }

    fn look_at_users(&mut self, dump: &Map<String, Value>) {
        let backends = dump.get("AUTHENTICATION_BACKENDS").and_then(Value::as_array);
        let others: Vec<String> = backends
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|backend| !MODEL_BACKENDS.contains(backend))
            .map(|backend| format!("`{}`", backend.escape_debug()))
            .collect();
        if !others.is_empty() {
            let others = others.join(", ");
            self.over(
                "AUTHENTICATION_BACKENDS",
                format!(
                    "{others} cannot be asked here: whoever they let in or keep out is decided by the password alone"
                ),
            );
        }
        if let Some(model) = text(dump, "AUTH_USER_MODEL").filter(|model| *model != "auth.User") {
            let model = model.escape_debug();
            self.over(
                "AUTH_USER_MODEL",
                format!("is `{model}`, which has a table of its own: name it with a UserTable"),
            );
        }
    }

    fn look_at_the_rest(&mut self, dump: &Map<String, Value>) {
        if is_on(dump, "CSRF_COOKIE_MASKED") {
            self.over(
                "CSRF_COOKIE_MASKED",
                "has no effect: a cookie is read in either form and written unmasked",
            );
        }
        if text(dump, "CSRF_FAILURE_VIEW").is_some_and(|view| view != "django.views.csrf.csrf_failure") {
            self.over(
                "CSRF_FAILURE_VIEW",
                "has no effect: refusals have the page of with_error_page",
            );
        }
        if is_on(dump, "SECURE_BROWSER_XSS_FILTER") {
            self.over(
                "SECURE_BROWSER_XSS_FILTER",
                "has no effect: browsers have given the filter up, a policy takes its place",
            );
        }
        for name in ["SECURE_CSP", "SECURE_CSP_REPORT_ONLY"] {
            if dump.contains_key(name) {
                self.over(name, "is not read: write secure_csp in palisade.toml");
            }
        }
        // A name of these families that nobody here has heard of would be a defence left out without a word.
        let known = |name: &str| Setting::of_django(name).is_some() || HEARD_OF.contains(&name);
        let families = ["SECURE_", "SESSION_", "CSRF_"];
        let mut unknown: Vec<&str> = dump
            .keys()
            .map(String::as_str)
            .filter(|name| families.iter().any(|family| name.starts_with(family)) && !known(name))
            .collect();
        unknown.sort_unstable();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            let unknown = unknown.escape_debug();
            self.over(
                "(others)",
                format!("{unknown} are not known here and have no effect"),
            );
        }
    }
}

fn text<'d>(dump: &'d Map<String, Value>, name: &str) -> Option<&'d str> {
    dump.get(name).and_then(Value::as_str)
}

fn is_on(dump: &Map<String, Value>, name: &str) -> bool {
    dump.get(name) == Some(&Value::Bool(true))
}

/// What is looked at above, or is used by who builds the stores.
const HEARD_OF: [&str; 10] = [
    "SESSION_ENGINE",
    "SESSION_CACHE_ALIAS",
    "SESSION_FILE_PATH",
    "SESSION_SERIALIZER",
    "CSRF_COOKIE_MASKED",
    "CSRF_FAILURE_VIEW",
    "SECURE_BROWSER_XSS_FILTER",
    "SECURE_CSP",
    "SECURE_CSP_REPORT_ONLY",
    "SECRET_KEY",
];

pub(super) fn engine(name: Option<&str>) -> SessionEngine {
    let Some(name) = name else {
        return SessionEngine::Db;
    };
    match name.strip_prefix(SESSION_ENGINES) {
        Some("db") => SessionEngine::Db,
        Some("cached_db") => SessionEngine::CachedDb,
        Some("cache") => SessionEngine::Cache,
        Some("file") => SessionEngine::File,
        Some("signed_cookies") => SessionEngine::SignedCookies,
        _ => SessionEngine::Other(name.to_owned()),
    }
}

fn store_of(engine: &SessionEngine) -> &'static str {
    match engine {
        SessionEngine::CachedDb => "CachedDbSessions",
        SessionEngine::Cache => "CacheSessions",
        SessionEngine::File => "FileSessions",
        SessionEngine::SignedCookies => "SignedCookies",
        SessionEngine::Db | SessionEngine::Other(_) => "a store in the database",
    }
}

fn cache(dump: &Map<String, Value>) -> Result<DjangoCache, String> {
    let alias = dump
        .get("SESSION_CACHE_ALIAS")
        .and_then(Value::as_str)
        .unwrap_or("default");
    let shown = alias.escape_debug();
    let cache = dump
        .get("CACHES")
        .and_then(|caches| caches.get(alias))
        .and_then(Value::as_object)
        .ok_or_else(|| format!("CACHES have no `{shown}`: without one, Django's cache is the memory of one process, which nobody can share"))?;
    match cache.get("BACKEND").and_then(Value::as_str) {
        Some(REDIS_CACHE) => {}
        Some(other) => {
            return Err(format!(
                "CACHES have `{shown}` in `{}`, which cannot be shared: use {REDIS_CACHE} at Django",
                other.escape_debug()
            ));
        }
        None => return Err(format!("CACHES have no BACKEND for `{shown}`")),
    }
    for own in ["KEY_FUNCTION", "REVERSE_KEY_FUNCTION"] {
        if cache.get(own).is_some_and(|function| !function.is_null()) {
            return Err(format!(
                "CACHES have a {own} for `{shown}`, which is Python: no key would be found here"
            ));
        }
    }
    let options = cache.get("OPTIONS").and_then(Value::as_object);
    if options.is_some_and(|options| options.contains_key("serializer")) {
        return Err(format!(
            "CACHES have a serializer of its own for `{shown}`, whose values cannot be read here"
        ));
    }
    // Of several, the first is written to; it knows all that the others do.
    let location = match cache.get("LOCATION") {
        Some(Value::String(places)) => places.split([';', ',']).next().map(str::trim),
        Some(Value::Array(places)) => places.first().and_then(Value::as_str),
        _ => None,
    };
    let location = location
        .filter(|place| !place.is_empty())
        .ok_or_else(|| format!("CACHES have no LOCATION for `{shown}`"))?;
    Ok(DjangoCache {
        location: Sensitive::new(in_database(location, options)),
        key_prefix: cache
            .get("KEY_PREFIX")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        version: match cache.get("VERSION") {
            None | Some(Value::Null) => 1,
            Some(version) => version
                .as_u64()
                .and_then(|version| u32::try_from(version).ok())
                .ok_or_else(|| format!("CACHES have a VERSION for `{shown}` that is no number from 0 on"))?,
        },
    })
}

/// The address, with the database of the options where it names none itself, as redis-py reads the two.
fn in_database(location: &str, options: Option<&Map<String, Value>>) -> String {
    let database = options
        .and_then(|options| options.get("db"))
        .and_then(Value::as_u64);
    let (head, query) = location.split_once('?').unwrap_or((location, ""));
    let authority = head.split_once("://").map_or(head, |(_, authority)| authority);
    let own = authority
        .split_once('/')
        .is_some_and(|(_, path)| !path.is_empty());
    match database {
        Some(database) if !own && query.is_empty() => format!("{}/{database}", head.trim_end_matches('/')),
        _ => location.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(json: &str) -> DjangoSite {
        DjangoSettings {
            file: "settings.json",
            json,
        }
        .site()
    }

    fn cache_of(inside: &str) -> Result<DjangoCache, String> {
        site(&format!(
            r#"{{"CACHES": {{"default": {{"BACKEND": "{REDIS_CACHE}", {inside}}}}}}}"#
        ))
        .session_cache
    }

    #[test]
    fn the_cache_of_the_sessions_is_that_of_the_alias() {
        let json = format!(
            r#"{{"SESSION_CACHE_ALIAS": "sessions", "CACHES": {{
                "default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
                "sessions": {{"BACKEND": "{REDIS_CACHE}", "LOCATION": ["rediss://:pw@a/3", "rediss://:pw@b/3"],
                              "KEY_PREFIX": "shop", "VERSION": 7}}}}}}"#
        );
        let cache = site(&json).session_cache.unwrap();
        assert_eq!(cache.location.expose(), "rediss://:pw@a/3");
        assert_eq!((cache.key_prefix.as_str(), cache.version), ("shop", 7));
        assert!(!format!("{cache:?}").contains("pw"));
    }

    #[test]
    fn the_database_of_the_options_holds_where_the_address_names_none() {
        for (location, expected) in [
            ("redis://a:1", "redis://a:1/2"),
            ("redis://a:1/", "redis://a:1/2"),
            ("redis://a:1/5", "redis://a:1/5"),
            ("redis://a:1,redis://b:2", "redis://a:1/2"),
        ] {
            let cache = cache_of(&format!(r#""LOCATION": "{location}", "OPTIONS": {{"db": 2}}"#)).unwrap();
            assert_eq!(cache.location.expose(), expected);
        }
    }

    #[test]
    fn a_cache_that_cannot_be_shared_says_why() {
        for (inside, why) in [
            (r#""LOCATION": """#, "no LOCATION"),
            (
                r#""LOCATION": "redis://a", "KEY_FUNCTION": "shop.key""#,
                "KEY_FUNCTION",
            ),
            (
                r#""LOCATION": "redis://a", "OPTIONS": {"serializer": "x"}"#,
                "serializer",
            ),
            (r#""LOCATION": "redis://a", "VERSION": "one""#, "VERSION"),
        ] {
            let refused = cache_of(inside).unwrap_err();
            assert!(
                refused.starts_with("CACHES have ") && refused.contains(why),
                "{refused}"
            );
        }
        let none = site(r#"{"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}"#);
        let refused = none.session_cache.unwrap_err();
        assert!(refused.starts_with("CACHES have no `default`: "), "{refused}");
        // Where it is logged, the name of the setting stands before it.
        let over = none.passed_over.last().unwrap();
        assert!(over.why.starts_with("have no `default`: "), "{over:?}");
    }

    #[test]
    fn what_has_no_effect_here_is_told_by_name() {
        let json = r#"{"DEBUG": true, "SESSION_ENGINE": "shop.sessions", "AUTH_USER_MODEL": "shop.Customer",
            "CSRF_FAILURE_VIEW": "shop.no",
            "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend", "axes.backends.AxesBackend"],
            "SECURE_CSP": {}, "SESSION_NEW_THING": 1, "SESSION_COOKIE_AGE": 5, "LANGUAGE_CODE": "de"}"#;
        let over = site(json).passed_over;
        let names: Vec<&str> = over.iter().map(|over| over.setting).collect();
        assert_eq!(
            names,
            [
                "DEBUG",
                "SESSION_ENGINE",
                "AUTHENTICATION_BACKENDS",
                "AUTH_USER_MODEL",
                "CSRF_FAILURE_VIEW",
                "SECURE_CSP",
                "(others)"
            ]
        );
        let all: String = over.iter().map(|over| over.why.as_str()).collect();
        for named in [
            "shop.sessions",
            "axes.backends.AxesBackend",
            "shop.Customer",
            "SESSION_NEW_THING",
        ] {
            assert!(all.contains(named), "{named}: {all}");
        }
        assert!(!all.contains("SESSION_COOKIE_AGE"));
        assert_eq!(site("{}").passed_over, []);
        assert_eq!(site("not JSON").passed_over, []);
    }
}
