//! What is looser than the defaults, and may be meant.
//!
//! One row a setting: the threat it lets in, whether it does, and what a person should know, with the id of Django's own
//! check where `check --deploy` has one. Values that judge themselves (headers, cookies, keys, hosts) are asked.

use std::time::Duration;

use super::{EmailBackend, PasswordRule, Settings};
use crate::cookie::SameSite;
use crate::header::{FrameOptions, SecurityHeader};
use crate::password::Algorithm;
use crate::{Threat, Weakness};

/// Collects weaknesses.
#[derive(Default)]
struct Found(Vec<Weakness>);

impl Found {
    fn when(&mut self, weak: bool, threat: Threat, what: &'static str) {
        if weak {
            self.0.push(Weakness::new(threat, what));
        }
    }

    /// Adds what a value says of itself under its setting's name.
    fn own(&mut self, setting: &str, weaknesses: Vec<Weakness>, id: &str) {
        for weakness in weaknesses {
            self.0.push(Weakness::new(
                weakness.threat,
                format!("{setting}: {}{id}", weakness.what),
            ));
        }
    }
}

pub(super) fn weaknesses(settings: &Settings) -> Vec<Weakness> {
    let mut found = Found::default();
    site(settings, &mut found);
    dangers(settings, &mut found);
    transport(settings, &mut found);
    headers(settings, &mut found);
    sessions(settings, &mut found);
    csrf(settings, &mut found);
    limits(settings, &mut found);
    passwords(settings, &mut found);
    throttles(settings, &mut found);
    mails(settings, &mut found);
    found.0
}

fn mails(settings: &Settings, found: &mut Found) {
    found.when(
        settings.dangerous_email_in_clear,
        Threat::InsecureTransport,
        "dangerous_email_in_clear is on: links that reset passwords may leave this program without TLS",
    );
    let are_told = !settings.admins.is_empty() && !settings.debug;
    let sends = settings.email_backend == EmailBackend::Smtp;
    found.when(
        are_told && ((sends && settings.email_host.is_empty()) || settings.site_url.is_none()),
        Threat::InertDefence,
        "admins are named, but no mail can be sent to them: set email_host and site_url, or they never learn of a fault",
    );
    found.when(
        are_told && sends && settings.server_email == super::SERVER_EMAIL,
        Threat::InertDefence,
        "server_email is root@localhost, which many mail servers refuse: name an address of the site, or admins never learn of a fault",
    );
    found.when(
        settings.reauthenticate_after > Duration::from_hours(24),
        Threat::SessionHijacking,
        "reauthenticate_after is longer than a day: a stolen session may do what needs a recent login",
    );
}

fn site(settings: &Settings, found: &mut Found) {
    found.when(
        settings.debug,
        Threat::ExposedDiagnostics,
        "debug is on: error pages show the site's inside (security.W018)",
    );
    found.own("secret_key", settings.secret_key.weaknesses(), " (security.W009)");
    for (at, key) in settings.secret_key_fallbacks.iter().enumerate() {
        found.own(
            &format!("secret_key_fallbacks[{at}]"),
            key.weaknesses(),
            " (security.W025)",
        );
    }
    found.0.extend(settings.allowed_hosts.weaknesses());
    found.when(
        settings.dangerous_allow_any_host && !settings.allowed_hosts.allows_any(),
        Threat::InertDefence,
        "dangerous_allow_any_host is on and not needed: turn it off",
    );
}

fn dangers(settings: &Settings, found: &mut Found) {
    found.when(
        settings.dangerous_expose_debug,
        Threat::ExposedDiagnostics,
        "dangerous_expose_debug is on: everybody who reaches the site reads its inside",
    );
    found.when(
        settings.dangerous_insecure_cookies && settings.session_cookie_secure && settings.csrf_cookie_secure,
        Threat::InertDefence,
        "dangerous_insecure_cookies is on and not needed: turn it off",
    );
    found.when(
        settings.dangerous_readable_secrets,
        Threat::SensitiveDataExposure,
        "dangerous_readable_secrets is on: nobody looks whether other users of the machine read the keys",
    );
    found.when(
        settings.dangerous_committed_secrets,
        Threat::SensitiveDataExposure,
        "dangerous_committed_secrets is on: nobody looks whether the keys are in a repository",
    );
}

fn transport(settings: &Settings, found: &mut Found) {
    let threat = Threat::InsecureTransport;
    found.when(
        !settings.secure_ssl_redirect,
        threat,
        "secure_ssl_redirect is off: plain HTTP is answered (security.W008)",
    );
    found.when(
        !settings.secure_redirect_exempt.is_empty(),
        threat,
        "secure_redirect_exempt: these paths are served over plain HTTP",
    );
    match settings.secure_hsts_seconds {
        0 => found.when(
            true,
            threat,
            "secure_hsts_seconds is 0: browsers may be led to plain HTTP (security.W004)",
        ),
        seconds => {
            found.when(
                seconds < super::rules::HSTS_YEAR,
                threat,
                "secure_hsts_seconds is below one year: whoever stays away longer starts over plain HTTP",
            );
            found.when(
                !settings.secure_hsts_include_subdomains,
                threat,
                "secure_hsts_include_subdomains is off: a subdomain can plant cookies over plain HTTP \
                 (security.W005)",
            );
            found.when(
                !settings.secure_hsts_preload,
                threat,
                "secure_hsts_preload is off: the first visit can go over plain HTTP (security.W021)",
            );
        }
    }
    let wide = settings.trusted_proxies.iter().any(|network| {
        let least = if network.addr().is_ipv4() { 8 } else { 32 };
        network.prefix_len() < least
    });
    found.when(
        wide,
        Threat::UntrustedHost,
        "trusted_proxies has a network in it that is wider than any proxy needs",
    );
}

fn headers(settings: &Settings, found: &mut Found) {
    found.when(
        !settings.secure_content_type_nosniff,
        Threat::CrossSiteScripting,
        "secure_content_type_nosniff is off: browsers may run an upload as a script (security.W006)",
    );
    match &settings.secure_referrer_policy {
        None => found.when(
            true,
            Threat::SensitiveDataExposure,
            "secure_referrer_policy is none: other sites may learn whole addresses (security.W022)",
        ),
        Some(policy) => found.own("secure_referrer_policy", policy.weaknesses(), ""),
    }
    match settings.secure_cross_origin_opener_policy {
        None => found.when(
            true,
            Threat::SensitiveDataExposure,
            "secure_cross_origin_opener_policy is none: another site may hold a handle on the window",
        ),
        Some(policy) => found.own("secure_cross_origin_opener_policy", policy.weaknesses(), ""),
    }
    match settings.secure_cross_origin_resource_policy {
        None => found.when(
            true,
            Threat::SensitiveDataExposure,
            "secure_cross_origin_resource_policy is none: other sites may embed the responses",
        ),
        Some(policy) => found.own("secure_cross_origin_resource_policy", policy.weaknesses(), ""),
    }
    match &settings.permissions_policy {
        None => found.when(
            true,
            Threat::CrossSiteScripting,
            "permissions_policy is none: smuggled script may ask for camera, microphone and location",
        ),
        Some(policy) => found.own("permissions_policy", policy.weaknesses(), ""),
    }
    match &settings.secure_csp {
        None => found.when(
            true,
            Threat::CrossSiteScripting,
            "secure_csp is none: smuggled script runs",
        ),
        Some(policy) => found.own("secure_csp", policy.weaknesses(), ""),
    }
    found.when(
        settings.x_frame_options != FrameOptions::Deny,
        Threat::Clickjacking,
        "x_frame_options is not DENY: the site's own pages may frame each other (security.W019)",
    );
}

fn sessions(settings: &Settings, found: &mut Found) {
    let threat = Threat::SessionHijacking;
    found.when(
        !settings.session_cookie_secure,
        Threat::InsecureTransport,
        "session_cookie_secure is off: the session travels over plain HTTP, too (security.W012)",
    );
    found.when(
        !settings.session_cookie_httponly,
        threat,
        "session_cookie_httponly is off: smuggled script can read the session cookie (security.W015)",
    );
    found.when(
        settings.session_cookie_samesite == SameSite::None,
        Threat::CrossSiteRequestForgery,
        "session_cookie_samesite is None: the session travels with every request that another site starts",
    );
    found.when(
        settings.session_cookie_domain.is_some(),
        threat,
        "session_cookie_domain is set: every subdomain gets the session",
    );
    found.when(
        settings.session_idle_limit() > super::DAY * 14,
        threat,
        "session_idle_age (or session_cookie_age) is more than two weeks: a stolen session lives as long",
    );
    found.when(
        settings.dangerous_accept_unsealed_sessions,
        threat,
        "dangerous_accept_unsealed_sessions is on: an older copy of the sessions still opens those that nobody has used since",
    );
    match &settings.logout_clear_site_data {
        Some(forget) => found.own("logout_clear_site_data", forget.weaknesses(), ""),
        None => found.when(
            true,
            Threat::SensitiveDataExposure,
            "logout_clear_site_data is none: pages that were seen stay in the browser after the logout",
        ),
    }
    let absolute = settings.session_absolute_age.unwrap_or(Duration::MAX);
    found.when(
        absolute > super::DAY * 30,
        threat,
        "session_absolute_age is more than 30 days: a stolen session that is used lives as long",
    );
}

fn csrf(settings: &Settings, found: &mut Found) {
    let threat = Threat::CrossSiteRequestForgery;
    if !settings.csrf_use_sessions {
        found.when(
            !settings.csrf_cookie_secure,
            Threat::InsecureTransport,
            "csrf_cookie_secure is off: the secret travels over plain HTTP, too (security.W016)",
        );
        found.when(
            !settings.csrf_cookie_httponly,
            Threat::CrossSiteScripting,
            "csrf_cookie_httponly is off: smuggled script can read the secret",
        );
        found.when(
            settings.csrf_cookie_samesite == SameSite::None,
            threat,
            "csrf_cookie_samesite is None: the cookie travels with every request that another site starts",
        );
        found.when(
            settings.csrf_cookie_domain.is_some(),
            threat,
            "csrf_cookie_domain is set: every subdomain can plant the secret",
        );
    }
    let insecure = settings
        .csrf_trusted_origins
        .iter()
        .any(|origin| !origin.starts_with("https://"));
    found.when(
        insecure,
        threat,
        "csrf_trusted_origins has an origin without https: whoever controls the network speaks for it",
    );
}

fn limits(settings: &Settings, found: &mut Found) {
    let threat = Threat::ResourceExhaustion;
    found.when(
        settings.data_upload_max_memory_size > 2_621_440,
        threat,
        "data_upload_max_memory_size is above 2_621_440: each request may take as much memory",
    );
    found.when(
        settings.data_upload_max_number_fields > 1000,
        threat,
        "data_upload_max_number_fields is above 1000",
    );
    found.when(
        settings.data_upload_max_number_files > 100,
        threat,
        "data_upload_max_number_files is above 100",
    );
}

fn passwords(settings: &Settings, found: &mut Found) {
    let hashers = &settings.password_hashers;
    let weak = [Algorithm::Md5, Algorithm::UnsaltedMd5, Algorithm::UnsaltedSha1];
    found.when(
        hashers.iter().any(|hasher| weak.contains(hasher)),
        Threat::WeakPasswordStorage,
        "password_hashers has md5 or an unsalted algorithm in it: such hashes are broken in seconds, \
         replace the stored ones",
    );
    let first = hashers.first();
    found.when(
        first == Some(&Algorithm::Pbkdf2Sha1),
        Threat::WeakPasswordStorage,
        "password_hashers begins with pbkdf2_sha1: put argon2 first",
    );
    found.when(
        first == Some(&Algorithm::Bcrypt),
        Threat::WeakPasswordStorage,
        "password_hashers begins with bcrypt, which reads 72 bytes of a password only: put argon2 or \
         bcrypt_sha256 first",
    );
    found.when(
        settings.password_min_length < 8,
        Threat::CredentialGuessing,
        "password_min_length is below 8",
    );
    let lacks = |is_rule: fn(&PasswordRule) -> bool| !settings.auth_password_validators.iter().any(is_rule);
    found.when(
        lacks(|rule| matches!(rule, PasswordRule::MinimumLength { .. })),
        Threat::CredentialGuessing,
        "auth_password_validators has no MinimumLengthValidator: one letter is a password",
    );
    found.when(
        lacks(|rule| matches!(rule, PasswordRule::CommonPassword { .. })),
        Threat::CredentialGuessing,
        "auth_password_validators has no CommonPasswordValidator: what everybody guesses first is a password",
    );
    found.when(
        settings.password_reset_timeout > super::DAY * 3,
        Threat::CredentialGuessing,
        "password_reset_timeout is more than three days: a found e-mail opens the account as long",
    );
    found.when(
        settings.signed_cookie_legacy_salt_fallback,
        Threat::SessionHijacking,
        "signed_cookie_legacy_salt_fallback is on: one signed cookie can pass for another (CVE-2026-6873)",
    );
}

fn throttles(settings: &Settings, found: &mut Found) {
    let threat = Threat::CredentialGuessing;
    found.when(
        settings.login_throttle_free_attempts > 20,
        threat,
        "login_throttle_free_attempts is above 20: each account gives a guesser as many tries at once",
    );
    found.when(
        settings.login_throttle_max_delay < Duration::from_mins(5),
        threat,
        "login_throttle_max_delay is below five minutes: a guesser has a try in each such time, day and night",
    );
    found.when(
        settings.login_throttle_network_free_attempts > 1000,
        threat,
        "login_throttle_network_free_attempts is above 1000: one address may try as many accounts at once",
    );
    found.when(
        settings.login_throttle_network_max_delay < Duration::from_secs(10),
        threat,
        "login_throttle_network_max_delay is below ten seconds: one address tries as many accounts as it likes",
    );
    found.when(
        settings.login_throttle_on_outage == super::OnOutage::Open,
        threat,
        "login_throttle_on_outage is open: whoever brings the throttle's store down may guess without end",
    );
}
