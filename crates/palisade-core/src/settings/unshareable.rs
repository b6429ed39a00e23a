//! What a Django's settings may say with which nothing can be shared: each is a reason not to start.

use serde_json::{Map, Value};

use super::django_site::{JSON_SERIALIZER, SessionEngine, engine};

/// The zones in which a local time is the time in UTC.
const UTC: [&str; 3] = ["UTC", "Etc/UTC", "Zulu"];

/// The settings that stand in the way, each with what to do.
pub(super) fn unshareable(dump: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let text = |name: &str| dump.get(name).and_then(Value::as_str);
    let in_database = !matches!(
        engine(text("SESSION_ENGINE")),
        SessionEngine::Cache | SessionEngine::File | SessionEngine::SignedCookies
    );
    let is_off = |value: &Value| value.is_null() || *value == Value::Bool(false) || *value == 0;
    let zone = text("TIME_ZONE").unwrap_or("America/Chicago");
    if in_database && dump.get("USE_TZ").is_some_and(is_off) && !UTC.contains(&zone) {
        let what = format!(
            "is False and TIME_ZONE `{}`: Django then writes local times into the database, which are read as UTC here, so that \
             sessions would live hours too long or too short; set USE_TZ = True at Django (or TIME_ZONE = \"UTC\"), and \
             empty django_session once",
            zone.escape_debug()
        );
        found.push(("USE_TZ", what));
    }
    if let Some(other) = text("SESSION_SERIALIZER").filter(|serializer| *serializer != JSON_SERIALIZER) {
        let what = format!(
            "is `{}`, whose sessions cannot be read here: use {JSON_SERIALIZER} at Django",
            other.escape_debug()
        );
        found.push(("SESSION_SERIALIZER", what));
    }
    let of_bytes = |value: &Value| value.as_str().is_some_and(is_written_bytes);
    for name in ["SECRET_KEY", "SECRET_KEY_FALLBACKS"] {
        let given = dump.get(name);
        let any = given
            .and_then(Value::as_array)
            .is_some_and(|keys| keys.iter().any(of_bytes));
        if any || given.is_some_and(of_bytes) {
            let what = "is of bytes at Django, and the dump holds how Python writes them: write it as text there, without the b; \
                        if it is ASCII it stays the same key";
            found.push((name, what.to_owned()));
        }
    }
    found
}

/// Whether it is what Python's `str` makes of bytes.
fn is_written_bytes(text: &str) -> bool {
    ["'", "\""].iter().any(|quote| {
        let inside = text.strip_prefix('b').and_then(|text| text.strip_prefix(quote));
        inside.is_some_and(|text| text.ends_with(quote))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: &str) -> Vec<&'static str> {
        let dump = serde_json::from_str(json).unwrap();
        unshareable(&dump).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn local_times_are_refused_wherever_django_writes_them_into_a_database() {
        for (json, refused) in [
            (r#"{"USE_TZ": false, "TIME_ZONE": "Asia/Tokyo"}"#, true),
            (r#"{"USE_TZ": 0, "TIME_ZONE": "Asia/Tokyo"}"#, true),
            (r#"{"USE_TZ": null}"#, true),
            (r#"{"USE_TZ": false, "SESSION_ENGINE": "shop.sessions"}"#, true),
            (
                r#"{"USE_TZ": false, "SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"}"#,
                true,
            ),
            (
                r#"{"USE_TZ": false, "SESSION_ENGINE": "django.contrib.sessions.backends.cache"}"#,
                false,
            ),
            (r#"{"USE_TZ": false, "TIME_ZONE": "UTC"}"#, false),
            (r#"{"USE_TZ": true, "TIME_ZONE": "Asia/Tokyo"}"#, false),
            (r#"{"TIME_ZONE": "Asia/Tokyo"}"#, false),
        ] {
            assert_eq!(names(json), ["USE_TZ"][..usize::from(refused)], "{json}");
        }
    }

    #[test]
    fn keys_of_bytes_and_sessions_of_python_are_refused() {
        for (json, refused) in [
            (r#"{"SECRET_KEY": "b'abc'"}"#, "SECRET_KEY"),
            (r#"{"SECRET_KEY": "b\"a'c\""}"#, "SECRET_KEY"),
            (
                r#"{"SECRET_KEY": "abc", "SECRET_KEY_FALLBACKS": ["b", "b'c'"]}"#,
                "SECRET_KEY_FALLBACKS",
            ),
            (
                r#"{"SESSION_SERIALIZER": "django.contrib.sessions.serializers.PickleSerializer"}"#,
                "SESSION_SERIALIZER",
            ),
        ] {
            assert_eq!(names(json), [refused], "{json}");
        }
        let json = format!(r#"{{"SECRET_KEY": "b'", "SESSION_SERIALIZER": "{JSON_SERIALIZER}"}}"#);
        assert!(names(&json).is_empty());
    }
}
