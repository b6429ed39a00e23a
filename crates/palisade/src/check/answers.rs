//! What becomes here of everything that Django's `check --deploy` can find, and what to do about a setting.

use palisade_core::Threat;

use super::default_line;

/// What there is here for one of Django's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A finding about this setting.
    Setting(&'static str),
    /// It cannot happen, for this reason.
    Impossible(&'static str),
}

use Answer::{Impossible, Setting};

const BUILT_IN: &str =
    "the stack is always whole: protect puts it around every route, and serve takes nothing else";

/// Every id of Django's deployment checks, and what there is for it here.
pub const ANSWERS: &[(&str, Answer)] = &[
    ("security.W001", Impossible(BUILT_IN)),
    ("security.W002", Impossible(BUILT_IN)),
    ("security.W003", Impossible(BUILT_IN)),
    ("security.W004", Setting("secure_hsts_seconds")),
    ("security.W005", Setting("secure_hsts_include_subdomains")),
    ("security.W006", Setting("secure_content_type_nosniff")),
    ("security.W008", Setting("secure_ssl_redirect")),
    ("security.W009", Setting("secret_key")),
    (
        "security.W010",
        Impossible("sessions are no app and a layer: what Django says of either is security.W012 here"),
    ),
    (
        "security.W011",
        Impossible("sessions are no app and a layer: what Django says of either is security.W012 here"),
    ),
    ("security.W012", Setting("session_cookie_secure")),
    (
        "security.W013",
        Impossible("sessions are no app and a layer: what Django says of either is security.W015 here"),
    ),
    (
        "security.W014",
        Impossible("sessions are no app and a layer: what Django says of either is security.W015 here"),
    ),
    ("security.W015", Setting("session_cookie_httponly")),
    ("security.W016", Setting("csrf_cookie_secure")),
    ("security.W018", Setting("debug")),
    ("security.W019", Setting("x_frame_options")),
    ("security.W020", Setting("allowed_hosts")),
    ("security.W021", Setting("secure_hsts_preload")),
    ("security.W022", Setting("secure_referrer_policy")),
    ("security.E023", Setting("secure_referrer_policy")),
    ("security.E024", Setting("secure_cross_origin_opener_policy")),
    ("security.W025", Setting("secret_key_fallbacks")),
    (
        "security.E101",
        Impossible(
            "there is no CSRF failure view to be named: the error page is a function, and its type is checked",
        ),
    ),
    (
        "security.E102",
        Impossible(
            "there is no CSRF failure view to be named: the error page is a function, and its type is checked",
        ),
    ),
    ("4_0.E001", Setting("csrf_trusted_origins")),
    (
        "caches.E001",
        Impossible("there is no list of caches: a store is given its server"),
    ),
    ("caches.W002", Impossible("there is no cache in files")),
    ("caches.W003", Impossible("there is no cache in files")),
    (
        "files.E001",
        Impossible("uploads are not kept in a folder of temporary files"),
    ),
];

/// The id of Django's for a setting that stops the start.
pub(super) fn of_setting(setting: &str) -> Option<&'static str> {
    let about = |answer: &Answer| matches!(answer, Setting(name) if *name == setting);
    let named = ANSWERS.iter().filter(|(_, answer)| about(answer));
    // Of two the error: a value that cannot be read at all.
    named.map(|(id, _)| *id).max_by_key(|id| id.contains(".E"))
}

/// The threat that a setting is about, where it has a value with which nothing starts.
pub(super) fn threat_of(setting: &str) -> Threat {
    const OF: &[(&str, Threat)] = &[
        ("secret_key", Threat::SessionHijacking),
        ("session_seal_keys", Threat::SensitiveDataExposure),
        ("session_hashed_keys", Threat::SessionHijacking),
        ("session_", Threat::SessionHijacking),
        ("dangerous_accept_unsealed_sessions", Threat::SessionHijacking),
        ("csrf_", Threat::CrossSiteRequestForgery),
        ("allowed_hosts", Threat::UntrustedHost),
        ("trusted_proxies", Threat::UntrustedHost),
        ("use_x_forwarded", Threat::UntrustedHost),
        ("secure_proxy", Threat::InsecureTransport),
        ("secure_hsts", Threat::InsecureTransport),
        ("secure_ssl", Threat::InsecureTransport),
        ("secure_", Threat::SensitiveDataExposure),
        ("content_security_policy", Threat::CrossSiteScripting),
        ("x_frame_options", Threat::Clickjacking),
        ("password_", Threat::WeakPasswordStorage),
        ("auth_password_validators", Threat::CredentialGuessing),
        ("data_upload", Threat::ResourceExhaustion),
        ("login_", Threat::UntrustedHost),
        ("logout_", Threat::UntrustedHost),
    ];
    let known = OF.iter().find(|(begins, _)| setting.starts_with(begins));
    known.map_or(Threat::ExposedDiagnostics, |(_, threat)| *threat)
}

/// What to do about a setting that is looser than its default.
pub(super) fn advice(setting: &str) -> String {
    match setting {
        "secret_key" | "secret_key_fallbacks" => {
            "take 50 or more random characters, such as `openssl rand -base64 48` prints".to_owned()
        }
        "allowed_hosts" => "list the site's own hosts, such as [\"example.com\"]".to_owned(),
        _ => default_line(setting).map_or_else(
            || "see docs/settings.md".to_owned(),
            |line| format!("take it out, or write `{line}`, unless it is meant"),
        ),
    }
}
