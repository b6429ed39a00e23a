//! Settings that are wrong stop the start, each named with its place.

use super::{KEY, env, load, load_with, problem};
use crate::SecretKey;
use crate::settings::{Problem, Settings};

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let toml = "\
# a comment
debug = \"yes\"
sesion_cookie_age = 60
SECURE_HSTS_SECONDS = 5

session_cookie_samesite = 'None'
session_cookie_secure = false
[logging]
level = 1
";
    let given = [
        ("PALISADE_CSRF_COOKIE_AGE", "long"),
        ("PALISADE_NOTHING_LIKE_IT_AT_ALL", "x"),
        ("PALISADE_SESSION_COOKIE_AG", "1"),
    ];
    let errors = Settings::load(Some(toml), env(&given)).unwrap_err();
    let expected = "\
the settings have 9 problems:
  line 2: debug: is a text, not true or false
  line 3: sesion_cookie_age: there is no such setting; did you mean `session_cookie_age`?
  line 4: SECURE_HSTS_SECONDS: there is no such setting; did you mean `secure_hsts_seconds`?
  line 6: session_cookie_samesite: is None, but browsers drop such a cookie unless it is secure: turn the cookie's secure setting on, or take Lax
  line 8: logging: there is no such setting
  PALISADE_CSRF_COOKIE_AGE: is `long`, not a whole number that fits: write seconds
  PALISADE_NOTHING_LIKE_IT_AT_ALL: there is no such setting
  PALISADE_SESSION_COOKIE_AG: there is no such setting; did you mean `PALISADE_SESSION_COOKIE_AGE`?
  secret_key: is missing: set it to 50 or more random characters, such as `openssl rand -base64 48` prints, and keep it";
    assert_eq!(errors.to_string(), expected);
}

#[test]
fn a_variable_in_lower_case_is_not_passed_over() {
    let errors = load_with("", &[("PALISADE_debug", "1")]).unwrap_err();
    let said = "PALISADE_debug: there is no such setting; did you mean `PALISADE_DEBUG`?";
    assert_eq!(errors.problems()[0].to_string(), said);
}

#[test]
fn a_text_that_is_no_toml_is_named_by_line_and_not_quoted() {
    let toml = format!("allowed_hosts = [\"a.example\"]\nsecret_key = \"{KEY}\ndebug = \n");
    let errors = Settings::load(Some(&toml), []).unwrap_err().to_string();
    assert!(errors.contains("line 2: is not TOML: "), "{errors}");
    assert!(errors.contains("line 3: "), "{errors}");
    assert!(!errors.contains("fT8v"), "{errors}");
    assert!(
        !errors.contains("is missing"),
        "nothing is judged by half a file: {errors}"
    );
}

#[test]
fn a_secret_is_in_no_error_and_in_no_print() {
    let wrong = [
        format!("secret_key = [\"{KEY}\"]"),
        format!("secret_key = \"django-insecure-{KEY}\""),
        format!("secret_key = \"short-{}\"", &KEY[..9]),
        format!("secret_key_fallbacks = \"{KEY}\""),
        format!("secret_key_fallbacks = [\"{KEY}\", 5]"),
        format!("secret_key_fallback = [\"{KEY}\"]"),
        format!("secret_key = \"{KEY}\" x"),
    ];
    for toml in wrong {
        let errors = load(&toml).unwrap_err();
        assert!(!format!("{errors} {errors:?}").contains("Zq3!"), "{errors}");
    }
    let settings = load(&format!("secret_key_fallbacks = [\"{KEY}\"]")).unwrap();
    let printed = format!("{settings:?}{}{:?}", settings.to_toml(), settings.weaknesses());
    assert!(!printed.contains("Zq3!"), "{printed}");
    assert!(
        settings
            .to_toml()
            .contains("secret_key = \"********************\"\n")
    );
}

#[test]
fn a_site_does_not_start_with_a_weak_key_unless_it_is_a_developers() {
    assert!(
        problem("secret_key = \"secret\"").contains("line 1: secret_key: The secret key has fewer than 50")
    );
    assert!(problem("secret_key = \"\"").contains("is missing"));
    let settings = load("secret_key = \"secret\"\ndebug = true").unwrap();
    let ids: Vec<_> = settings
        .weaknesses()
        .iter()
        .map(|weakness| weakness.what.to_string())
        .collect();
    assert!(
        ids.iter().any(|what| what.contains("W009")) && ids.iter().any(|what| what.contains("W018")),
        "{ids:?}"
    );
    assert!(problem("secret_key_fallbacks = [\"\"]").contains("empty key"));
}

#[test]
fn a_site_names_its_hosts() {
    assert!(problem("allowed_hosts = []").starts_with("line 1: allowed_hosts: is empty"));
    assert!(problem("allowed_hosts = ['*']").contains("dangerous_allow_any_host"));
    assert!(
        problem("allowed_hosts = ['https://a.example']")
            .contains("`https://a.example` in it, which no host can match")
    );
    let open = load("allowed_hosts = ['*']\ndangerous_allow_any_host = true").unwrap();
    assert_eq!(open.weaknesses().len(), 1);
    assert!(load("allowed_hosts = ['*']\ndebug = true").is_ok());
    let developing = Settings::load(Some("debug = true"), env(&[("PALISADE_SECRET_KEY", "x")])).unwrap();
    assert!(developing.allowed_hosts.validate("localhost:8000").is_ok());
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    for (toml, says) in [
        (
            "secure_proxy_ssl_header = 'X-Forwarded-Proto'",
            "secure_proxy_ssl_header: is set, but trusted_proxies is empty",
        ),
        (
            "use_x_forwarded_host = true",
            "use_x_forwarded_host: is on, but trusted_proxies is empty",
        ),
        (
            "use_x_forwarded_port = true",
            "use_x_forwarded_port: is on, but trusted_proxies is empty",
        ),
        (
            "trusted_proxies = ['0.0.0.0/0']",
            "0.0.0.0/0 in it, which is everybody",
        ),
        (
            "secure_hsts_seconds = 5\nsecure_hsts_preload = true",
            "line 2: secure_hsts_preload: needs",
        ),
        (
            "session_cookie_age = 9_999_999",
            "is longer than session_absolute_age (2592000 s)",
        ),
        (
            "session_idle_age = 9_999_999",
            "is longer than session_absolute_age",
        ),
        (
            "csrf_use_sessions = true\ncsrf_cookie_name = 'x'",
            "line 2: csrf_cookie_name: has no effect",
        ),
        (
            "session_cookie_secure = false",
            "dangerous_insecure_cookies = true (security.W012)",
        ),
        (
            "csrf_cookie_secure = false",
            "dangerous_insecure_cookies = true (security.W016)",
        ),
        ("dangerous_accept_unsealed_sessions = true", "nothing is sealed"),
        ("csrf_cookie_name = 'sessionid'", "is also session_cookie_name"),
        (
            "csrf_cookie_samesite = 'None'\ncsrf_cookie_secure = false\ndangerous_insecure_cookies = true",
            "browsers drop such a cookie",
        ),
        (
            "session_cookie_name = '__Host-s'\nsession_cookie_domain = 'a.example'",
            "must not name a domain",
        ),
        (
            "session_cookie_name = '__Host-s'\nsession_cookie_path = '/app'",
            "must have the path /",
        ),
        (
            "csrf_cookie_name = '__Secure-c'\ncsrf_cookie_secure = false\ndangerous_insecure_cookies = true",
            "must be Secure",
        ),
    ] {
        let said = problem(toml);
        assert!(said.contains(says), "{toml}\n{said}");
    }
}

#[test]
fn values_out_of_range_are_named() {
    for (toml, says) in [
        ("secure_hsts_seconds = -1", "is negative"),
        (
            "secure_hsts_seconds = 1.5",
            "is a number with a point, not a whole number",
        ),
        (
            "secure_hsts_seconds = 9223372036854775807",
            "is more than a hundred years",
        ),
        ("session_cookie_age = 0", "at least 1 second"),
        (
            "session_cookie_age = '2 weeks'",
            "is a text, not a whole number: write seconds",
        ),
        ("password_reset_timeout = 0", "at least 1 second"),
        ("data_upload_max_number_fields = 0", "at least 1"),
        ("password_min_length = 0", "at least 1"),
        ("password_hashers = []", "is empty"),
        ("password_hashers = ['md5', 'argon2']", "put argon2 first"),
        ("password_hashers = ['rot13']", "`rot13` in it, which is none of"),
        ("secure_redirect_exempt = ['(', 'ok']", "has the pattern `(`: "),
        (
            "secure_redirect_exempt = ['(?=x)', '(?=']",
            "has the pattern `(?=`: ",
        ),
        (
            "secure_proxy_ssl_header = []",
            "must be a header's name, or a pair",
        ),
        (
            "secure_proxy_ssl_header = 'X_Forwarded_Proto'",
            "not a header's name",
        ),
        (
            "trusted_proxies = ['proxy.internal']",
            "neither an address nor a network",
        ),
        ("secure_ssl_host = 'https://a.example'", "not a host such as"),
        ("secure_referrer_policy = 'sometimes'", "there is no policy"),
        ("secure_cross_origin_opener_policy = 'same'", "unsafe-none"),
        ("x_frame_options = 'ALLOWALL'", "frames freely"),
        (
            "csrf_trusted_origins = ['a.example', 'https://b.example/']",
            "`a.example`: must start with a scheme",
        ),
        ("session_cookie_name = 'a b'", "is no name for a cookie"),
        ("session_cookie_domain = 'https://a.example'", "is not a domain"),
        ("session_cookie_path = 'app'", "must begin with /"),
        (
            "session_cookie_samesite = true",
            "is true or false, not a text in quotes",
        ),
        (
            "session_cookie_samesite = 'loose'",
            "`loose`, not Lax, Strict or None",
        ),
        ("form_unknown_fields = 'keep'", "`keep`, not drop or refuse"),
        ("login_url = '//evil.example'", "must be a path"),
        ("login_redirect_url = 'javascript:alert(1)'", "must be a path"),
        ("logout_redirect_url = 'http://a.example/'", "must be a path"),
        ("allowed_hosts = 'a.example'", "is a text, not a list in brackets"),
        ("allowed_hosts = [1]", "has a number in its list"),
    ] {
        let said = problem(toml);
        assert!(
            said.starts_with("line 1: ") && said.contains(says),
            "{toml}\n{said}"
        );
    }
}

#[test]
fn a_program_that_changes_settings_can_ask_whether_they_may_run() {
    let mut settings = Settings::for_tests(SecretKey::new(KEY));
    assert!(settings.check().is_ok());
    settings.use_x_forwarded_host = true;
    settings.session_cookie_path = "a;b".to_owned();
    let errors = settings.check().unwrap_err();
    let names: Vec<_> = errors.problems().iter().map(Problem::setting).collect();
    assert_eq!(names, ["use_x_forwarded_host", "session_cookie_path"]);
    assert!(Settings::for_development(SecretKey::new("x")).check().is_ok());
    assert!(Settings::new(SecretKey::new("x"), ["a.example"]).check().is_err());
}

#[test]
fn what_is_wrong_is_said_of_the_setting_that_is_to_change() {
    let said = |toml: &str| Settings::load(Some(toml), []).unwrap_err().to_string();
    let short = said("debug = false\nsecret_key = \"abc\"\nallowed_hosts = [\"a.example\"]");
    assert!(short.contains("line 2: secret_key: The secret key"), "{short}");
    let hostless = said("debug = false");
    assert!(hostless.contains("\n  allowed_hosts: is empty"), "{hostless}");
    let cross = said("session_cookie_secure = false\nsession_cookie_samesite = \"None\"");
    assert!(
        cross.contains("line 2: session_cookie_samesite: is None"),
        "{cross}"
    );
}

#[test]
fn errors_are_shown_by_main_as_they_are_by_display() {
    let errors = Settings::load(Some("sesion_cookie_age = 60"), []).unwrap_err();
    assert_eq!(format!("{errors:?}"), errors.to_string());
}
