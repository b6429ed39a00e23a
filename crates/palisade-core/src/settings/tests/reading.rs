//! Settings that are right are read with their types.

use std::time::Duration;

use super::{KEY, env, load, load_with};
use crate::cookie::SameSite;
use crate::header::FrameOptions;
use crate::password::Algorithm;
use crate::settings::{Settings, UnknownFields};

#[test]
fn a_key_and_a_host_are_all_a_site_has_to_name() {
    let settings = load("").unwrap();
    assert_eq!(settings.secret_key.expose(), KEY.as_bytes());
    assert!(settings.allowed_hosts.validate("a.example:8443").is_ok());
    assert!(settings.secure_ssl_redirect && settings.session_cookie_secure && settings.csrf_cookie_httponly);
    assert_eq!(settings.weaknesses(), []);
}

#[test]
fn django_names_are_read_with_types_lists_and_every_way_to_say_none() {
    let settings = load(
        r#"
        debug = false
        secret_key_fallbacks = ["one", "two"]
        secure_ssl_host = "www.a.example:8443"
        secure_redirect_exempt = ['^health/$', "x{2,3}"]
        secure_proxy_ssl_header = ["HTTP_X_FORWARDED_PROTO", "https"]
        trusted_proxies = ["10.0.0.0/8", "::1", "192.0.2.1"]
        secure_hsts_seconds = 3_600
        secure_referrer_policy = ["origin", "no-referrer"]
        secure_cross_origin_opener_policy = "none"
        permissions_policy = ""
        secure_csp = "default-src 'self'"
        x_frame_options = "sameorigin"
        session_cookie_name = "__Host-id"
        session_cookie_samesite = "strict"
        session_absolute_age = 0
        csrf_cookie_age = "none"
        csrf_header_name = "HTTP_X_XSRF_TOKEN"
        csrf_trusted_origins = ["https://*.b.example"]
        password_hashers = ["scrypt", "django.contrib.auth.hashers.PBKDF2PasswordHasher", "django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
        form_unknown_fields = "refuse"
        "#,
    )
    .unwrap();
    assert_eq!(settings.key_ring().fallbacks().len(), 2);
    assert_eq!(
        settings.secure_ssl_host.as_ref().unwrap().as_str(),
        "www.a.example:8443"
    );
    assert!(
        settings.secure_redirect_exempt.contains("//health/")
            && settings.secure_redirect_exempt.contains("/axx")
    );
    let header = settings.secure_proxy_ssl_header.as_ref().unwrap();
    assert_eq!(header.name.as_str(), "x-forwarded-proto");
    assert!(header.says_secure(" https ,http") && !header.says_secure("http, https"));
    assert!(
        settings.trusts_proxy("10.9.8.7".parse().unwrap())
            && settings.trusts_proxy("::ffff:192.0.2.1".parse().unwrap())
    );
    assert!(!settings.trusts_proxy("192.0.2.2".parse().unwrap()));
    assert_eq!(
        settings.hsts().unwrap().to_string(),
        "max-age=3600; includeSubDomains"
    );
    assert_eq!(
        settings.secure_referrer_policy.as_ref().unwrap().to_string(),
        "origin,no-referrer"
    );
    assert_eq!(settings.secure_cross_origin_opener_policy, None);
    assert_eq!(settings.permissions_policy, None);
    assert_eq!(
        settings.secure_csp.as_ref().unwrap().to_string(),
        "default-src 'self'"
    );
    assert_eq!(settings.x_frame_options, FrameOptions::SameOrigin);
    assert_eq!(settings.session_cookie_samesite, SameSite::Strict);
    assert_eq!(
        (settings.session_absolute_age, settings.csrf_cookie_age),
        (None, None)
    );
    assert_eq!(settings.csrf_header_name.as_str(), "x-xsrf-token");
    assert!(settings.csrf_trusted_origins.allows_origin("https://x.b.example"));
    assert_eq!(
        settings.password_hashers,
        [
            Algorithm::Scrypt,
            Algorithm::Pbkdf2Sha256,
            Algorithm::BcryptSha256
        ]
    );
    assert_eq!(settings.form_unknown_fields, UnknownFields::Refuse);
}

#[test]
fn variables_override_the_file() {
    let settings = load_with(
        "session_cookie_age = 60\nallowed_hosts = [\"old.example\"]\nsecure_ssl_redirect = true",
        &[
            ("PALISADE_SESSION_COOKIE_AGE", "1_200"),
            ("PALISADE_ALLOWED_HOSTS", "[::1], .new.example"),
            ("PALISADE_SECURE_SSL_REDIRECT", "Off"),
            ("PALISADE_SECURE_REDIRECT_EXEMPT", r#"["a{1,2}"]"#),
            ("PALISADE_SECURE_HSTS_SECONDS", "0"),
            ("PALISADE_SECURE_PROXY_SSL_HEADER", "X-Forwarded-Proto"),
            ("PALISADE_TRUSTED_PROXIES", "10.0.0.1"),
            ("UNRELATED", "x"),
        ],
    )
    .unwrap();
    assert_eq!(settings.session_cookie_age, Duration::from_mins(20));
    assert_eq!(settings.allowed_hosts.patterns(), ["[::1]", ".new.example"]);
    assert!(!settings.secure_ssl_redirect);
    assert_eq!(settings.secure_redirect_exempt.patterns(), ["a{1,2}"]);
    assert_eq!(settings.hsts(), None);
    assert_eq!(settings.secure_proxy_ssl_header.unwrap().value, "https");
}

#[test]
fn an_applications_own_defaults_give_way_to_file_and_variables() {
    let own = || Settings::new(crate::SecretKey::new(KEY), ["localhost"]);
    let settings = own().overlaid(None, env(&[])).unwrap();
    assert!(settings.allowed_hosts.validate("localhost").is_ok());

    let file = "allowed_hosts = [\"b.example\"]";
    let settings = own().overlaid(Some(file), env(&[])).unwrap();
    assert!(settings.allowed_hosts.validate("localhost").is_err());
    assert_eq!(settings.secret_key.expose(), KEY.as_bytes());

    let variable = [("PALISADE_ALLOWED_HOSTS", "c.example")];
    let settings = own().overlaid(Some(file), env(&variable)).unwrap();
    assert!(settings.allowed_hosts.validate("c.example").is_ok());
    assert!(settings.allowed_hosts.validate("b.example").is_err());
}
