//! What no site may run with: values out of range, settings that contradict each other, doors left open.
//!
//! Each rule answers with the settings it concerns and with what to do. A rule is here if breaking it makes a defence
//! ineffective without anybody noticing (browsers drop a `__Host-` cookie with a domain, a forwarded header from anybody is
//! believed). What merely weakens a defence, and may be meant, is in [`judge`](super::judge).

use std::time::Duration;

use super::raw::quoted;
use super::{PasswordRule, Place, Problem, Settings};
use crate::cookie::{CookieAttributes, SameSite, SetCookie};
use crate::password::Algorithm;
use crate::redirect::is_safe_next;
use crate::url::urlsplit;

/// The least that the preload lists of browsers take.
pub(super) const HSTS_YEAR: u64 = 31_536_000;
/// Where a server takes mails and begins TLS with STARTTLS (RFC 6409).
pub(super) const SUBMISSION_PORT: u16 = 587;
/// Where a server takes mails over TLS from the first byte (RFC 8314).
pub(super) const SUBMISSIONS_PORT: u16 = 465;
/// More than any age can mean.
const CENTURY: Duration = Duration::from_secs(100 * HSTS_YEAR);

/// A broken rule.
pub(super) struct Broken {
    /// The settings it concerns, the one to change first.
    pub(super) settings: &'static [&'static str],
    what: String,
}

impl Broken {
    pub(super) fn into_problem(self) -> Problem {
        let setting = self.settings.first().copied().unwrap_or_default().to_owned();
        Problem {
            setting,
            place: Place::Nowhere,
            file: String::new(),
            what: self.what,
        }
    }
}

/// Collects broken rules.
#[derive(Default)]
struct Found(Vec<Broken>);

impl Found {
    fn when(&mut self, broken: bool, settings: &'static [&'static str], what: impl Into<String>) {
        if broken {
            self.0.push(Broken {
                settings,
                what: what.into(),
            });
        }
    }
}

/// Lists every rule that the settings break.
pub(super) fn broken(settings: &Settings) -> Vec<Broken> {
    let mut found = Found::default();
    keys(settings, &mut found);
    hosts(settings, &mut found);
    proxies(settings, &mut found);
    hsts(settings, &mut found);
    ages(settings, &mut found);
    sealing(settings, &mut found);
    insecure(settings, &mut found);
    cookies(settings, &mut found);
    limits(settings, &mut found);
    passwords(settings, &mut found);
    throttles(settings, &mut found);
    addresses(settings, &mut found);
    found.0
}

fn keys(settings: &Settings, found: &mut Found) {
    let key = settings.secret_key.expose();
    found.when(
        key.is_empty(),
        &["secret_key"],
        "is missing: set it to 50 or more random characters, such as `openssl rand -base64 48` prints, and \
         keep it",
    );
    if !key.is_empty() && !settings.debug {
        for weakness in settings.secret_key.weaknesses() {
            found.when(
                true,
                &["secret_key", "debug"],
                format!(
                    "{} Take 50 or more random characters, such as `openssl rand -base64 48` prints \
                     (security.W009)",
                    weakness.what
                ),
            );
        }
    }
    let empty = settings
        .secret_key_fallbacks
        .iter()
        .any(|key| key.expose().is_empty());
    found.when(
        empty,
        &["secret_key_fallbacks"],
        "has an empty key in it, with which anybody could sign",
    );
}

fn hosts(settings: &Settings, found: &mut Found) {
    let hosts = &settings.allowed_hosts;
    found.when(
        hosts.is_empty() && !settings.debug,
        &["allowed_hosts", "debug"],
        "is empty, so that every request would be refused: name the site's hosts, such as [\"example.com\"]",
    );
    found.when(
        hosts.allows_any() && !settings.debug && !settings.dangerous_allow_any_host,
        &["allowed_hosts", "debug", "dangerous_allow_any_host"],
        "has `*` in it, so that a client could name any host: list the site's own, or set \
         dangerous_allow_any_host = true if a proxy in front checks it",
    );
    for pattern in hosts.unmatchable() {
        found.when(
            true,
            &["allowed_hosts"],
            format!(
                "has `{}` in it, which no host can match: write only the domain or address, without scheme, \
                 port, path or `*`",
                pattern.escape_debug()
            ),
        );
    }
}

fn proxies(settings: &Settings, found: &mut Found) {
    let none = settings.trusted_proxies.is_empty();
    let advice = "but trusted_proxies is empty, so that nobody may send the header: list the addresses of \
                  the proxies, or remove it";
    found.when(
        none && settings.secure_proxy_ssl_header.is_some(),
        &["secure_proxy_ssl_header", "trusted_proxies"],
        format!("is set, {advice}"),
    );
    found.when(
        none && settings.use_x_forwarded_host,
        &["use_x_forwarded_host", "trusted_proxies"],
        format!("is on, {advice}"),
    );
    found.when(
        none && settings.use_x_forwarded_port,
        &["use_x_forwarded_port", "trusted_proxies"],
        format!("is on, {advice}"),
    );
    let everybody = settings
        .trusted_proxies
        .iter()
        .find(|network| network.prefix_len() == 0);
    if let Some(network) = everybody {
        found.when(
            true,
            &["trusted_proxies"],
            format!("has {network} in it, which is everybody: list the addresses of the proxies only"),
        );
    }
    let empty = settings
        .secure_proxy_ssl_header
        .as_ref()
        .is_some_and(|header| header.value.trim().is_empty());
    found.when(
        empty,
        &["secure_proxy_ssl_header"],
        "has an empty value: write the value that means TLS, usually https",
    );
}

fn hsts(settings: &Settings, found: &mut Found) {
    found.when(
        settings.secure_hsts_seconds > CENTURY.as_secs(),
        &["secure_hsts_seconds"],
        "is more than a hundred years",
    );
    let listable = settings.secure_hsts_seconds >= HSTS_YEAR && settings.secure_hsts_include_subdomains;
    found.when(
        settings.secure_hsts_preload && settings.secure_hsts_seconds > 0 && !listable,
        &[
            "secure_hsts_preload",
            "secure_hsts_seconds",
            "secure_hsts_include_subdomains",
        ],
        "needs secure_hsts_include_subdomains and at least 31_536_000 secure_hsts_seconds, or browser \
         makers refuse the site: turn it off until then",
    );
}

fn ages(settings: &Settings, found: &mut Found) {
    let mut in_range = |age: Option<Duration>, names| {
        let bad = age.is_some_and(|age| age < Duration::from_secs(1) || age > CENTURY);
        found.when(
            bad,
            names,
            "must be at least 1 second and at most a hundred years",
        );
    };
    in_range(Some(settings.session_cookie_age), &["session_cookie_age"]);
    in_range(settings.session_idle_age, &["session_idle_age"]);
    in_range(settings.session_absolute_age, &["session_absolute_age"]);
    in_range(settings.csrf_cookie_age, &["csrf_cookie_age"]);
    in_range(Some(settings.password_reset_timeout), &["password_reset_timeout"]);
    in_range(Some(settings.reauthenticate_after), &["reauthenticate_after"]);
    in_range(settings.email_timeout, &["email_timeout"]);
    if let Some(absolute) = settings.session_absolute_age {
        let advice = format!(
            "is longer than session_absolute_age ({} s), after which the session ends anyway: shorten it, \
             or set that to more or to \"none\"",
            absolute.as_secs()
        );
        found.when(
            settings.session_cookie_age > absolute,
            &["session_cookie_age", "session_absolute_age"],
            advice.clone(),
        );
        found.when(
            settings.session_idle_age.is_some_and(|idle| idle > absolute),
            &["session_idle_age", "session_absolute_age"],
            advice,
        );
    }
}

fn sealing(settings: &Settings, found: &mut Found) {
    let asked = settings.session_seal_keys.is_some() || settings.session_hashed_keys;
    found.when(
        settings.dangerous_accept_unsealed_sessions && !asked,
        &[
            "dangerous_accept_unsealed_sessions",
            "session_seal_keys",
            "session_hashed_keys",
        ],
        "is on, but nothing is sealed: set session_seal_keys or session_hashed_keys, or turn it off",
    );
}

fn insecure(settings: &Settings, found: &mut Found) {
    if settings.debug || settings.dangerous_insecure_cookies {
        return;
    }
    let advice = "is off, so that whoever is on the way can take the cookie: turn it on, or set dangerous_insecure_cookies = true";
    found.when(
        !settings.session_cookie_secure,
        &["session_cookie_secure", "debug", "dangerous_insecure_cookies"],
        format!("{advice} (security.W012)"),
    );
    found.when(
        !settings.csrf_use_sessions && !settings.csrf_cookie_secure,
        &[
            "csrf_cookie_secure",
            "csrf_use_sessions",
            "debug",
            "dangerous_insecure_cookies",
        ],
        format!("{advice} (security.W016)"),
    );
}

fn cookies(settings: &Settings, found: &mut Found) {
    cookie(
        &settings.session_cookie_name,
        settings.session_cookie_attributes(),
        found,
        [
            &["session_cookie_name"],
            &["session_cookie_domain"],
            &["session_cookie_path"],
            &["session_cookie_samesite", "session_cookie_secure"],
            &[
                "session_cookie_name",
                "session_cookie_secure",
                "session_cookie_domain",
                "session_cookie_path",
                "session_cookie_httponly",
            ],
        ],
    );
    if settings.csrf_use_sessions {
        return;
    }
    cookie(
        &settings.csrf_cookie_name,
        settings.csrf_cookie_attributes(),
        found,
        [
            &["csrf_cookie_name"],
            &["csrf_cookie_domain"],
            &["csrf_cookie_path"],
            &["csrf_cookie_samesite", "csrf_cookie_secure"],
            &[
                "csrf_cookie_name",
                "csrf_cookie_secure",
                "csrf_cookie_domain",
                "csrf_cookie_path",
                "csrf_cookie_httponly",
            ],
        ],
    );
    found.when(
        settings.csrf_cookie_name == settings.session_cookie_name,
        &["csrf_cookie_name", "session_cookie_name"],
        "is also session_cookie_name, and one cookie would overwrite the other: rename one",
    );
}

/// Holds one cookie against what browsers accept. The names are those of: name, domain, path, same-site, prefix.
fn cookie(
    name: &str,
    attributes: CookieAttributes,
    found: &mut Found,
    settings: [&'static [&'static str]; 5],
) {
    let [for_name, for_domain, for_path, for_same_site, for_prefix] = settings;
    let domain = attributes.domain.as_deref();
    let bad_domain = domain.is_some_and(|domain| {
        let bare = domain.strip_prefix('.').unwrap_or(domain);
        crate::host::AllowedHosts::parse([bare])
            .unmatchable()
            .next()
            .is_some()
            || bare == "*"
            || bare.is_empty()
    });
    found.when(
        bad_domain,
        for_domain,
        "is not a domain such as example.com, without scheme and port",
    );
    let path = attributes.path.as_deref().unwrap_or_default();
    let bad_path = !path.starts_with('/') || path.contains(|c: char| c == ';' || !c.is_ascii_graphic());
    found.when(
        bad_path,
        for_path,
        "must begin with / and have neither semicolon nor space in it",
    );
    let dropped = attributes.same_site == Some(SameSite::None) && !attributes.secure;
    found.when(
        dropped,
        for_same_site,
        "is None, but browsers drop such a cookie unless it is secure: turn the cookie's secure setting on, \
         or take Lax",
    );
    if bad_domain || bad_path {
        return;
    }
    match SetCookie::new(name, "value") {
        Err(fault) => found.when(true, for_name, format!("is no name for a cookie: {fault}")),
        Ok(set) => {
            if let Err(fault) = set.with_attributes(attributes) {
                found.when(
                    true,
                    for_prefix,
                    format!("breaks a rule of browsers, which would drop the cookie: {fault}"),
                );
            }
        }
    }
}

fn limits(settings: &Settings, found: &mut Found) {
    let what = "must be at least 1: a site that takes no form data takes no login";
    found.when(
        settings.data_upload_max_memory_size == 0,
        &["data_upload_max_memory_size"],
        what,
    );
    found.when(
        settings.data_upload_max_number_fields == 0,
        &["data_upload_max_number_fields"],
        what,
    );
}

fn passwords(settings: &Settings, found: &mut Found) {
    found.when(
        !(1..=1024).contains(&settings.password_min_length),
        &["password_min_length"],
        "must be at least 1 and at most 1024",
    );
    for rule in &settings.auth_password_validators {
        let (own_rules, what) = match rule {
            PasswordRule::Unknown { name } => (
                true,
                format!(
                    "names {}, which is none of Django's rules and cannot be run here",
                    quoted(name)
                ),
            ),
            PasswordRule::UserAttributeSimilarity { user_attributes, .. } => {
                let known = PasswordRule::USER_ATTRIBUTES;
                let unknown: Vec<_> = user_attributes
                    .iter()
                    .filter(|name| !known.contains(&name.as_str()))
                    .map(|name| quoted(name))
                    .collect();
                (
                    !unknown.is_empty(),
                    format!(
                        "compares passwords with {}, which is none of {}",
                        unknown.join(", "),
                        known.join(", ")
                    ),
                )
            }
            _ => (false, String::new()),
        };
        found.when(
            own_rules,
            &["auth_password_validators"],
            format!("{what}: say in palisade.toml which rules hold here (auth_password_validators), and give with_users_and a policy \
                     with a rule of your own in its place"),
        );
    }
    let unsalted = [Algorithm::Md5, Algorithm::UnsaltedMd5, Algorithm::UnsaltedSha1];
    match settings.password_hashers.first() {
        None => found.when(
            true,
            &["password_hashers"],
            "is empty, so that no password could be stored: put argon2 first",
        ),
        Some(first) => found.when(
            unsalted.contains(first),
            &["password_hashers"],
            "begins with an algorithm that is broken in seconds: put argon2 first, it replaces the old \
             hashes at login",
        ),
    }
    let never = [Algorithm::UnsaltedMd5, Algorithm::UnsaltedSha1];
    found.when(
        settings.password_hashers.iter().skip(1).any(|algorithm| never.contains(algorithm)),
        &["password_hashers"],
        "names an unsalted algorithm, whose hashes are never verified: take it out, and have those users reset their \
         passwords",
    );
}

fn throttles(settings: &Settings, found: &mut Found) {
    let mut lets_some_through = |free: usize, names| {
        found.when(
            !(1..=1_000_000).contains(&free),
            names,
            "must be at least 1, or nobody may log in, and at most 1_000_000",
        );
    };
    lets_some_through(
        settings.login_throttle_free_attempts,
        &["login_throttle_free_attempts"],
    );
    lets_some_through(
        settings.login_throttle_network_free_attempts,
        &["login_throttle_network_free_attempts"],
    );
    let mut is_a_wait = |wait: Duration, names| {
        found.when(
            wait < settings.login_throttle_base_delay || wait > super::DAY,
            names,
            "must be at least login_throttle_base_delay and at most a day: longer waits lock people out",
        );
    };
    is_a_wait(
        settings.login_throttle_max_delay,
        &["login_throttle_max_delay", "login_throttle_base_delay"],
    );
    is_a_wait(
        settings.login_throttle_network_max_delay,
        &["login_throttle_network_max_delay", "login_throttle_base_delay"],
    );
    let mut in_range = |length: Duration, names| {
        found.when(
            length < Duration::from_secs(1) || length > CENTURY,
            names,
            "must be at least 1 second and at most a hundred years",
        );
    };
    in_range(settings.login_throttle_base_delay, &["login_throttle_base_delay"]);
    in_range(settings.login_throttle_device_age, &["login_throttle_device_age"]);
}

fn addresses(settings: &Settings, found: &mut Found) {
    let mut leads_somewhere = |address: &str, names| {
        let own = address.starts_with('/') && is_safe_next(address, &[], true);
        let other = urlsplit(address).is_ok_and(|url| url.scheme == "https" && !url.netloc.is_empty());
        found.when(
            !own && !other,
            names,
            "must be a path that begins with one /, or an address with https://",
        );
    };
    leads_somewhere(&settings.login_url, &["login_url"]);
    leads_somewhere(&settings.login_redirect_url, &["login_redirect_url"]);
    leads_somewhere(&settings.logout_redirect_url, &["logout_redirect_url"]);
    leads_somewhere(&settings.reauthenticate_url, &["reauthenticate_url"]);
    let reset = &settings.password_reset_url;
    found.when(
        !(reset.starts_with('/') && reset.ends_with('/') && is_safe_next(reset, &[], true))
            || reset.contains(['?', '#']),
        &["password_reset_url"],
        "must be a path that begins and ends with one /",
    );
    let in_clear = settings
        .site_url
        .as_ref()
        .is_some_and(|site| site.scheme() != "https");
    found.when(
        in_clear && !settings.debug,
        &["site_url", "debug"],
        "does not begin with https://: links in mails would send their secrets in clear",
    );
}
