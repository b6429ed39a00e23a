//! The settings of a site: Django's names, with defaults that are stricter than Django's.
//!
//! [`Settings::load`] reads them from a TOML text and from `PALISADE_…` variables, and refuses to go on with bad ones:
//! all that is wrong is named at once, with its line and with what to do. One table, [`REGISTRY`], drives names,
//! reading, printing and documentation, so that a setting cannot exist in one of them and not in another.
//!
//! What is *allowed* but looser than the default is no error: [`Settings::weaknesses`] lists it, beside the id of the
//! check that Django makes of it (`check --deploy`).

use std::time::Duration;

use ipnet::IpNet;

use crate::cookie::{CookieAttributes, SameSite};
use crate::header::{
    ClearSiteData, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, Csp, FrameOptions, Hsts,
    PermissionsPolicy, ReferrerPolicy, ReportUri,
};
use crate::host::{AllowedHosts, Host};
use crate::origin::{Origin, TrustedOrigins};
use crate::password::Algorithm;
use crate::{KeyRing, SecretKey, Sensitive};

mod admin;
mod defaults;
mod django;
mod django_key;
mod django_site;
mod errors;
mod exempt_paths;
mod hasher_name;
mod header_name;
mod judge;
mod load;
mod password_rule;
mod raw;
mod reference;
mod registry;
mod rules;
mod setting;
mod slot;
#[cfg(test)]
mod tests;
mod unshareable;

pub use admin::{Admin, InvalidAdmin};
pub use django::{DJANGO_SETTINGS, DjangoSettings};
pub use django_site::{DjangoCache, DjangoSite, PassedOver, SessionEngine};
pub use errors::{Place, Problem, SettingsErrors};
pub use exempt_paths::{ExemptPaths, InvalidPatterns};
pub(crate) use header_name::says_secure;
pub use header_name::{HeaderName, InvalidHeaderName, ProxyHeader};
pub use password_rule::PasswordRule;
pub use reference::reference_toml;
pub use registry::REGISTRY;
pub use setting::Setting;

/// What the environment variables of settings begin with.
pub const PREFIX: &str = "PALISADE_";

/// What happens to fields of a request that its form does not declare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownFields {
    /// They are dropped and logged.
    #[default]
    Drop,
    /// The request is refused.
    Refuse,
}

/// What becomes of a login while nobody can say how many tries there were before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnOutage {
    /// It is refused: 503.
    #[default]
    Closed,
    /// It is let through, uncounted.
    Open,
}

/// What becomes of mails (Django's `EMAIL_BACKEND`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmailBackend {
    /// They are handed to a mail server.
    #[default]
    Smtp,
    /// Each becomes a file in `email_file_path`: for development.
    File,
    /// They are kept in memory: for tests.
    Memory,
}

/// The path of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// Names a folder. Whether it is there is seen when it is used.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The path as it was written.
    pub fn path(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

/// Everything that can be set about a site's security.
///
/// # Example
/// ```
/// use palisade_core::settings::Settings;
///
/// let toml = r#"
///     secret_key = "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ"
///     allowed_hosts = ["vault.example", ".vault.example"]
/// "#;
/// let env = [("PALISADE_SESSION_COOKIE_AGE".to_owned(), "3600".to_owned())];
/// let settings = Settings::load(Some(toml), env)?;
/// assert_eq!(settings.session_cookie_age.as_secs(), 3600);
/// assert!(settings.session_cookie_secure);
/// assert!(settings.weaknesses().is_empty());
/// # Ok::<(), palisade_core::settings::SettingsErrors>(())
/// ```
///
/// # Security
/// The fields can be changed after loading: [`check`](Self::check) says whether what came out may run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Whether this is a developer's machine: error pages show details, and some refusals are lifted.
    pub debug: bool,
    /// The key that signs sessions and tokens.
    pub secret_key: SecretKey,
    /// Older keys that still verify.
    pub secret_key_fallbacks: Vec<SecretKey>,
    /// The hosts that the site answers to.
    pub allowed_hosts: AllowedHosts,
    /// Whether `*` in `allowed_hosts` is accepted outside debug.
    pub dangerous_allow_any_host: bool,

    /// Whether a site in debug may be reached from other machines.
    pub dangerous_expose_debug: bool,
    /// Whether cookies may travel over plain HTTP outside debug.
    pub dangerous_insecure_cookies: bool,
    /// Whether files with secrets in them may be open to other users of the machine.
    pub dangerous_readable_secrets: bool,
    /// Whether files with secrets in them may be committed.
    pub dangerous_committed_secrets: bool,

    /// Whether plain HTTP is redirected to HTTPS.
    pub secure_ssl_redirect: bool,
    /// The host to redirect to, instead of the request's.
    pub secure_ssl_host: Option<Host>,
    /// Paths that are not redirected.
    pub secure_redirect_exempt: ExemptPaths,
    /// The header by which a trusted proxy says that the client used TLS.
    pub secure_proxy_ssl_header: Option<ProxyHeader>,
    /// The networks whose proxies are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `X-Forwarded-Host` of trusted proxies counts as the host.
    pub use_x_forwarded_host: bool,
    /// Whether `X-Forwarded-Port` of trusted proxies counts as the port.
    pub use_x_forwarded_port: bool,

    /// For how long browsers insist on HTTPS, in seconds; zero sends no header.
    pub secure_hsts_seconds: u64,
    /// Whether they insist for subdomains, too.
    pub secure_hsts_include_subdomains: bool,
    /// Whether browser makers may build the site into their lists.
    pub secure_hsts_preload: bool,
    /// Whether browsers are kept from guessing content types.
    pub secure_content_type_nosniff: bool,
    /// What other sites learn of the page a link was on.
    pub secure_referrer_policy: Option<ReferrerPolicy>,
    /// Which windows may hold a handle on the site's.
    pub secure_cross_origin_opener_policy: Option<CrossOriginOpenerPolicy>,
    /// Which sites may embed the site's responses.
    pub secure_cross_origin_resource_policy: Option<CrossOriginResourcePolicy>,
    /// Which powerful features of the browser the site gives up.
    pub permissions_policy: Option<PermissionsPolicy>,
    /// What pages may load and run.
    pub secure_csp: Option<Csp>,
    /// A policy that is reported against but not enforced.
    pub secure_csp_report_only: Option<Csp>,
    /// Where browsers report what a policy has stopped.
    pub secure_csp_report_uri: Option<ReportUri>,
    /// Who may frame the site's pages.
    pub x_frame_options: FrameOptions,

    /// The session cookie's name.
    pub session_cookie_name: String,
    /// How long the browser keeps the session cookie.
    pub session_cookie_age: Duration,
    /// The domain that shares the session cookie.
    pub session_cookie_domain: Option<String>,
    /// The path below which the session cookie is sent.
    pub session_cookie_path: String,
    /// Whether the session cookie travels over HTTPS only.
    pub session_cookie_secure: bool,
    /// Whether the session cookie is kept from scripts.
    pub session_cookie_httponly: bool,
    /// Whether the session cookie travels with requests that other sites start.
    pub session_cookie_samesite: SameSite,
    /// Whether the browser forgets the session cookie when it is closed.
    pub session_expire_at_browser_close: bool,
    /// Whether every request saves its session.
    pub session_save_every_request: bool,
    /// How long a session lives unused; without it, `session_cookie_age`.
    pub session_idle_age: Option<Duration>,
    /// How long a session lives at most, used or not.
    pub session_absolute_age: Option<Duration>,
    /// The folder with the keys that session data is sealed under.
    pub session_seal_keys: Option<Folder>,
    /// Whether the store knows the hashes of session keys only.
    pub session_hashed_keys: bool,
    /// Whether sessions from before the two are still accepted.
    pub dangerous_accept_unsealed_sessions: bool,

    /// The CSRF cookie's name.
    pub csrf_cookie_name: String,
    /// How long the browser keeps the CSRF cookie; without it, until it is closed.
    pub csrf_cookie_age: Option<Duration>,
    /// The domain that shares the CSRF cookie.
    pub csrf_cookie_domain: Option<String>,
    /// The path below which the CSRF cookie is sent.
    pub csrf_cookie_path: String,
    /// Whether the CSRF cookie travels over HTTPS only.
    pub csrf_cookie_secure: bool,
    /// Whether the CSRF cookie is kept from scripts.
    pub csrf_cookie_httponly: bool,
    /// Whether the CSRF cookie travels with requests that other sites start.
    pub csrf_cookie_samesite: SameSite,
    /// Whether the CSRF secret lives in the session instead of a cookie.
    pub csrf_use_sessions: bool,
    /// The request header that may carry the CSRF token.
    pub csrf_header_name: HeaderName,
    /// Other origins whose pages may send forms.
    pub csrf_trusted_origins: TrustedOrigins,

    /// The largest body without files, in bytes.
    pub data_upload_max_memory_size: usize,
    /// The most fields of one request.
    pub data_upload_max_number_fields: usize,
    /// The most files of one request.
    pub data_upload_max_number_files: usize,

    /// How passwords are hashed: the first makes new hashes, the others are still verified.
    pub password_hashers: Vec<Algorithm>,
    /// The folder with the keys that passwords are hashed under.
    pub password_keys: Option<Folder>,
    /// What a new password must not be.
    pub auth_password_validators: Vec<PasswordRule>,
    /// The fewest characters of a new password.
    pub password_min_length: usize,
    /// Where to log in.
    pub login_url: String,
    /// Where a login leads without `next`.
    pub login_redirect_url: String,
    /// Where a logout leads.
    pub logout_redirect_url: String,
    /// How many wrong passwords an account takes before the next try has to wait.
    pub login_throttle_free_attempts: usize,
    /// The first wait; it doubles with each failure.
    pub login_throttle_base_delay: Duration,
    /// The longest wait, and the time in which one failure is forgiven.
    pub login_throttle_max_delay: Duration,
    /// How many failures a network has before its next try has to wait.
    pub login_throttle_network_free_attempts: usize,
    /// The longest wait of a network, and the time in which one of its failures is forgiven.
    pub login_throttle_network_max_delay: Duration,
    /// For how long a browser is known to an account after a login.
    pub login_throttle_device_age: Duration,
    /// What becomes of a login while the throttle's store does not answer. Codes of a second factor are refused whatever it says.
    pub login_throttle_on_outage: OnOutage,
    /// What the browser forgets at logout.
    pub logout_clear_site_data: Option<ClearSiteData>,
    /// Where to prove once more who one is.
    pub reauthenticate_url: String,
    /// For how long a login or a proof counts as recent.
    pub reauthenticate_after: Duration,
    /// The path that links to reset a password begin with.
    pub password_reset_url: String,
    /// How long a link to reset a password works.
    pub password_reset_timeout: Duration,
    /// The origin that links in mails lead to.
    pub site_url: Option<Origin>,
    /// What becomes of mails.
    pub email_backend: EmailBackend,
    /// The host that takes mails; empty: none.
    pub email_host: String,
    /// Its port.
    pub email_port: u16,
    /// Whether TLS begins with STARTTLS, without which nothing is sent.
    pub email_use_tls: bool,
    /// Whether TLS begins with the connection.
    pub email_use_ssl: bool,
    /// The name to log in with at the mail server; empty: none.
    pub email_host_user: String,
    /// The password to log in with at the mail server.
    pub email_host_password: Sensitive<String>,
    /// How long each step of sending may take.
    pub email_timeout: Option<Duration>,
    /// The file of the authorities that the mail server's certificate is held against; without it, the system's.
    pub email_ca_file: Option<String>,
    /// The folder of the back end that writes files.
    pub email_file_path: Option<Folder>,
    /// Whom mails are from.
    pub default_from_email: String,
    /// Who gets a mail when the site fails.
    pub admins: Vec<Admin>,
    /// Whom those mails are from.
    pub server_email: String,
    /// What their subjects begin with.
    pub email_subject_prefix: String,
    /// Whether mails may travel without TLS, within this machine.
    pub dangerous_email_in_clear: bool,
    /// Whether signed cookies with the salt of Django before 5.2.15 are still read.
    pub signed_cookie_legacy_salt_fallback: bool,
    /// What happens to fields that a form does not declare.
    pub form_unknown_fields: UnknownFields,
}

const DAY: Duration = Duration::from_hours(24);
/// Django's default, which few mail servers take.
const SERVER_EMAIL: &str = "root@localhost";

impl Settings {
    /// Reads settings from a TOML text and from environment variables, which override it.
    ///
    /// In TOML the names are Django's in lower case. The variables are `PALISADE_` and the name in upper case; lists
    /// are written with commas or as TOML writes them. Other variables are passed over.
    ///
    /// # Errors
    /// Names everything that is wrong: unknown names, wrong types, values out of range, and settings that contradict
    /// each other or would leave the site open.
    ///
    /// # Security
    /// The errors never show the value of a secret.
    pub fn load(
        toml: Option<&str>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsErrors> {
        Self::new(SecretKey::new(""), [""; 0]).overlaid(toml, env)
    }

    /// Reads as [`load`](Self::load) does, over these settings in place of the defaults: for an application that brings its own,
    /// such as a key that it has generated.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn overlaid(
        self,
        toml: Option<&str>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsErrors> {
        load::load(self, None, toml, env, &|_| Vec::new())
    }

    /// Says whether a site may run with these settings; [`load`](Self::load) has asked already.
    ///
    /// # Errors
    /// Names everything that is out of range, contradictory, or would leave the site open.
    pub fn check(&self) -> Result<(), SettingsErrors> {
        SettingsErrors::refuse(
            rules::broken(self)
                .into_iter()
                .map(rules::Broken::into_problem)
                .collect(),
        )
    }

    /// Lists what is looser than the defaults, with the id of Django's check (`security.W…`) where it has one.
    pub fn weaknesses(&self) -> Vec<crate::Weakness> {
        judge::weaknesses(self)
    }

    /// Writes all settings as TOML, secrets as asterisks.
    pub fn to_toml(&self) -> String {
        reference::toml(self)
    }

    /// The key that signs, and the older ones that still verify.
    pub fn key_ring(&self) -> KeyRing {
        KeyRing::new(self.secret_key.clone()).with_fallbacks(self.secret_key_fallbacks.clone())
    }

    /// The `Strict-Transport-Security` header, unless `secure_hsts_seconds` is zero.
    pub fn hsts(&self) -> Option<Hsts> {
        (self.secure_hsts_seconds > 0).then(|| {
            let mut hsts = Hsts::new(self.secure_hsts_seconds);
            hsts.include_subdomains = self.secure_hsts_include_subdomains;
            hsts.preload = self.secure_hsts_preload;
            hsts
        })
    }

    /// The attributes of the session cookie. It has an age unless it ends with the browser.
    pub fn session_cookie_attributes(&self) -> CookieAttributes {
        let age = (!self.session_expire_at_browser_close).then_some(self.session_cookie_age);
        CookieAttributes {
            domain: self.session_cookie_domain.clone(),
            expires: None,
            http_only: self.session_cookie_httponly,
            max_age: age.map(seconds),
            path: Some(self.session_cookie_path.clone()),
            same_site: Some(self.session_cookie_samesite),
            secure: self.session_cookie_secure,
        }
    }

    /// The attributes of the CSRF cookie.
    pub fn csrf_cookie_attributes(&self) -> CookieAttributes {
        CookieAttributes {
            domain: self.csrf_cookie_domain.clone(),
            expires: None,
            http_only: self.csrf_cookie_httponly,
            max_age: self.csrf_cookie_age.map(seconds),
            path: Some(self.csrf_cookie_path.clone()),
            same_site: Some(self.csrf_cookie_samesite),
            secure: self.csrf_cookie_secure,
        }
    }

    /// The domain of the cookie that carries the CSRF secret, which a `Referer` may name instead of the host.
    pub fn csrf_referer_domain(&self) -> Option<&str> {
        let domain = if self.csrf_use_sessions {
            &self.session_cookie_domain
        } else {
            &self.csrf_cookie_domain
        };
        domain.as_deref()
    }

    /// How long a session lives unused.
    pub fn session_idle_limit(&self) -> Duration {
        self.session_idle_age.unwrap_or(self.session_cookie_age)
    }

    /// Says whether an address belongs to a proxy that is believed.
    pub fn trusts_proxy(&self, address: std::net::IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    }
}

fn seconds(age: Duration) -> i64 {
    i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
}
