//! The defaults: what a site is protected by before anybody has set anything.
//!
//! Each is Django's, or stricter than Django's. What a site loosens is named by [`Settings::weaknesses`].

use std::time::Duration;

use super::{
    DAY, EmailBackend, ExemptPaths, HeaderName, OnOutage, PasswordRule, Settings, UnknownFields, hasher_name,
    rules,
};
use crate::cookie::SameSite;
use crate::header::{
    ClearSiteData, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, Csp, FrameOptions, PermissionsPolicy,
    ReferrerPolicy,
};
use crate::host::AllowedHosts;
use crate::origin::TrustedOrigins;
use crate::{SecretKey, Sensitive};

impl Settings {
    /// Starts from the safe defaults: a key and the hosts are all a site has to name.
    ///
    /// # Security
    /// Neither is looked at here. [`check`](Self::check) refuses a weak key and a list that allows every host.
    pub fn new(secret_key: SecretKey, allowed_hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            debug: false,
            secret_key,
            secret_key_fallbacks: Vec::new(),
            allowed_hosts: AllowedHosts::parse(allowed_hosts),
            dangerous_allow_any_host: false,
            dangerous_expose_debug: false,
            dangerous_insecure_cookies: false,
            dangerous_readable_secrets: false,
            dangerous_committed_secrets: false,
            secure_ssl_redirect: true,
            secure_ssl_host: None,
            secure_redirect_exempt: ExemptPaths::default(),
            secure_proxy_ssl_header: None,
            trusted_proxies: Vec::new(),
            use_x_forwarded_host: false,
            use_x_forwarded_port: false,
            secure_hsts_seconds: rules::HSTS_YEAR,
            secure_hsts_include_subdomains: true,
            secure_hsts_preload: true,
            secure_content_type_nosniff: true,
            secure_referrer_policy: Some(ReferrerPolicy::default()),
            secure_cross_origin_opener_policy: Some(CrossOriginOpenerPolicy::SameOrigin),
            secure_cross_origin_resource_policy: Some(CrossOriginResourcePolicy::SameOrigin),
            permissions_policy: Some(PermissionsPolicy::default()),
            secure_csp: Some(Csp::strict()),
            secure_csp_report_only: None,
            secure_csp_report_uri: None,
            x_frame_options: FrameOptions::Deny,
            session_cookie_name: "sessionid".to_owned(),
            session_cookie_age: DAY * 14,
            session_cookie_domain: None,
            session_cookie_path: "/".to_owned(),
            session_cookie_secure: true,
            session_cookie_httponly: true,
            session_cookie_samesite: SameSite::Lax,
            session_expire_at_browser_close: false,
            session_save_every_request: false,
            session_idle_age: None,
            session_absolute_age: Some(DAY * 30),
            session_seal_keys: None,
            session_hashed_keys: false,
            dangerous_accept_unsealed_sessions: false,
            csrf_cookie_name: "csrftoken".to_owned(),
            csrf_cookie_age: Some(DAY * 7 * 52),
            csrf_cookie_domain: None,
            csrf_cookie_path: "/".to_owned(),
            csrf_cookie_secure: true,
            csrf_cookie_httponly: true,
            csrf_cookie_samesite: SameSite::Lax,
            csrf_use_sessions: false,
            csrf_header_name: HeaderName::csrf_token(),
            csrf_trusted_origins: TrustedOrigins::default(),
            data_upload_max_memory_size: 2_621_440,
            data_upload_max_number_fields: 1000,
            data_upload_max_number_files: 100,
            password_hashers: hasher_name::DEFAULT.to_vec(),
            password_keys: None,
            auth_password_validators: PasswordRule::all(),
            password_min_length: 8,
            login_url: "/login/".to_owned(),
            login_redirect_url: "/".to_owned(),
            logout_redirect_url: "/".to_owned(),
            login_throttle_free_attempts: 5,
            login_throttle_base_delay: Duration::from_secs(1),
            login_throttle_max_delay: Duration::from_mins(15),
            login_throttle_network_free_attempts: 50,
            login_throttle_network_max_delay: Duration::from_mins(1),
            login_throttle_device_age: DAY * 180,
            login_throttle_on_outage: OnOutage::Closed,
            logout_clear_site_data: Some(ClearSiteData::at_logout()),
            reauthenticate_url: "/login/confirm/".to_owned(),
            reauthenticate_after: Duration::from_mins(15),
            password_reset_url: "/reset/".to_owned(),
            password_reset_timeout: DAY * 3,
            site_url: None,
            email_backend: EmailBackend::Smtp,
            email_host: String::new(),
            email_port: rules::SUBMISSION_PORT,
            email_use_tls: true,
            email_use_ssl: false,
            email_host_user: String::new(),
            email_host_password: Sensitive::default(),
            email_timeout: Some(Duration::from_secs(30)),
            email_ca_file: None,
            email_file_path: None,
            default_from_email: "webmaster@localhost".to_owned(),
            admins: Vec::new(),
            server_email: super::SERVER_EMAIL.to_owned(),
            email_subject_prefix: "[Django] ".to_owned(),
            dangerous_email_in_clear: false,
            signed_cookie_legacy_salt_fallback: false,
            form_unknown_fields: UnknownFields::Drop,
        }
    }

    /// Starts from the settings of a developer's machine: `debug` is on, only the machine itself is answered to, and no
    /// HSTS is sent, which would bind every other server on `localhost`.
    pub fn for_development(secret_key: SecretKey) -> Self {
        let mut settings = Self::new(secret_key, [""; 0]);
        settings.debug = true;
        settings.allowed_hosts = settings.allowed_hosts.with_debug(true);
        settings.secure_hsts_seconds = 0;
        settings
    }

    /// Starts from the settings of a site under test: the strict defaults, for the hosts that tests use.
    pub fn for_tests(secret_key: SecretKey) -> Self {
        Self::new(
            secret_key,
            [".localhost", "127.0.0.1", "[::1]", "testserver", ".example"],
        )
    }
}
