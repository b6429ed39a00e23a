//! Settings that are loose are listed.

use super::load;
use crate::Threat;

/// A setting, the threat it lets in, and what is said of it.
const LOOSE: &[(&str, Threat, &str)] = &[
    ("debug = true", Threat::ExposedDiagnostics, "W018"),
    (
        "secret_key_fallbacks = ['abcde']",
        Threat::ExposedDiagnostics,
        "secret_key_fallbacks[0]: The secret key has fewer than 50 characters. (security.W025)",
    ),
    ("secure_ssl_redirect = false", Threat::InsecureTransport, "W008"),
    (
        "secure_redirect_exempt = ['x']",
        Threat::InsecureTransport,
        "secure_redirect_exempt",
    ),
    ("trusted_proxies = ['0.0.0.0/1']", Threat::UntrustedHost, "wider"),
    ("secure_hsts_seconds = 0", Threat::InsecureTransport, "W004"),
    ("secure_hsts_preload = false", Threat::InsecureTransport, "W021"),
    (
        "secure_content_type_nosniff = false",
        Threat::CrossSiteScripting,
        "W006",
    ),
    (
        "secure_referrer_policy = 'none'",
        Threat::SensitiveDataExposure,
        "W022",
    ),
    (
        "secure_referrer_policy = 'unsafe-url'",
        Threat::SensitiveDataExposure,
        "unsafe-url",
    ),
    (
        "secure_cross_origin_opener_policy = 'none'",
        Threat::SensitiveDataExposure,
        "opener",
    ),
    (
        "secure_cross_origin_opener_policy = 'unsafe-none'",
        Threat::SensitiveDataExposure,
        "opener",
    ),
    (
        "secure_cross_origin_resource_policy = 'none'",
        Threat::SensitiveDataExposure,
        "resource",
    ),
    (
        "secure_cross_origin_resource_policy = 'cross-origin'",
        Threat::SensitiveDataExposure,
        "resource",
    ),
    (
        "permissions_policy = 'none'",
        Threat::CrossSiteScripting,
        "camera",
    ),
    (
        "secure_csp = 'none'",
        Threat::CrossSiteScripting,
        "smuggled script runs",
    ),
    ("x_frame_options = 'SAMEORIGIN'", Threat::Clickjacking, "W019"),
    (
        "session_cookie_secure = false\ndangerous_insecure_cookies = true",
        Threat::InsecureTransport,
        "W012",
    ),
    (
        "session_cookie_httponly = false",
        Threat::SessionHijacking,
        "W015",
    ),
    (
        "session_cookie_samesite = 'None'",
        Threat::CrossSiteRequestForgery,
        "session_cookie_samesite",
    ),
    (
        "session_cookie_domain = '.a.example'",
        Threat::SessionHijacking,
        "every subdomain",
    ),
    (
        "session_idle_age = 2_000_000",
        Threat::SessionHijacking,
        "two weeks",
    ),
    (
        "session_absolute_age = 'none'",
        Threat::SessionHijacking,
        "30 days",
    ),
    (
        "csrf_cookie_secure = false\ndangerous_insecure_cookies = true",
        Threat::InsecureTransport,
        "W016",
    ),
    (
        "csrf_cookie_httponly = false",
        Threat::CrossSiteScripting,
        "csrf_cookie_httponly",
    ),
    (
        "csrf_cookie_samesite = 'None'",
        Threat::CrossSiteRequestForgery,
        "csrf_cookie_samesite",
    ),
    (
        "csrf_cookie_domain = 'a.example'",
        Threat::CrossSiteRequestForgery,
        "plant",
    ),
    (
        "csrf_trusted_origins = ['http://b.example']",
        Threat::CrossSiteRequestForgery,
        "without https",
    ),
    (
        "data_upload_max_memory_size = 9_000_000",
        Threat::ResourceExhaustion,
        "memory",
    ),
    (
        "data_upload_max_number_fields = 1001",
        Threat::ResourceExhaustion,
        "fields",
    ),
    (
        "data_upload_max_number_files = 101",
        Threat::ResourceExhaustion,
        "files",
    ),
    (
        "password_hashers = ['argon2', 'md5']",
        Threat::WeakPasswordStorage,
        "md5",
    ),
    (
        "password_hashers = ['pbkdf2_sha1']",
        Threat::WeakPasswordStorage,
        "pbkdf2_sha1",
    ),
    (
        "password_hashers = ['bcrypt']",
        Threat::WeakPasswordStorage,
        "72 bytes",
    ),
    ("password_min_length = 7", Threat::CredentialGuessing, "below 8"),
    (
        "password_reset_timeout = 259_201",
        Threat::CredentialGuessing,
        "three days",
    ),
    (
        "signed_cookie_legacy_salt_fallback = true",
        Threat::SessionHijacking,
        "CVE-2026-6873",
    ),
    (
        "logout_clear_site_data = 'cache'",
        Threat::SensitiveDataExposure,
        "storage is left out",
    ),
    (
        "dangerous_insecure_cookies = true",
        Threat::InertDefence,
        "not needed",
    ),
    (
        "dangerous_expose_debug = true",
        Threat::ExposedDiagnostics,
        "its inside",
    ),
    (
        "dangerous_readable_secrets = true",
        Threat::SensitiveDataExposure,
        "other users",
    ),
    (
        "dangerous_committed_secrets = true",
        Threat::SensitiveDataExposure,
        "repository",
    ),
    (
        "dangerous_allow_any_host = true",
        Threat::InertDefence,
        "not needed",
    ),
    (
        "admins = ['ann@example.com']\nserver_email = 'shop@example.com'\nsite_url = 'https://a.example'",
        Threat::InertDefence,
        "no mail can be sent to them",
    ),
    (
        "admins = ['ann@example.com']\nserver_email = 'shop@example.com'\nemail_host = 'mail.example'",
        Threat::InertDefence,
        "no mail can be sent to them",
    ),
    (
        "admins = ['ann@example.com']\nemail_host = 'mail.example'\nsite_url = 'https://a.example'",
        Threat::InertDefence,
        "server_email is root@localhost",
    ),
];

#[test]
fn what_is_looser_than_the_default_is_listed_beside_djangos_check() {
    for (toml, threat, says) in LOOSE {
        match load(toml).unwrap().weaknesses().as_slice() {
            [one] => assert!(
                one.threat == *threat && one.what.contains(says),
                "{toml}\n{one:?}"
            ),
            other => panic!("{toml}: {other:#?}"),
        }
    }
    let subdomains = load("secure_hsts_include_subdomains = false")
        .unwrap()
        .weaknesses();
    assert!(
        subdomains[0].what.contains("W005") && subdomains[1].what.contains("W021"),
        "{subdomains:#?}"
    );
    assert!(load("csrf_use_sessions = true").unwrap().weaknesses().is_empty());
}
