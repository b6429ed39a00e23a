//! STUB
use crate::{cookie::SameSite, header::*, host::*, origin::*, KeyRing, SecretKey};
#[derive(Clone, Debug)]
#[expect(missing_docs)]
pub struct Settings { pub debug: bool, pub secret_key: SecretKey, pub secret_key_fallbacks: Vec<SecretKey>, pub allowed_hosts: AllowedHosts,
pub secure_ssl_redirect: bool, pub secure_ssl_host: Option<Host>, pub secure_redirect_exempt: Vec<String>, pub secure_proxy_ssl_header: Option<ProxySslHeader>, pub trusted_proxies: Vec<ipnet::IpNet>, pub use_x_forwarded_host: bool, pub use_x_forwarded_port: bool,
pub secure_hsts_seconds: u64, pub secure_hsts_include_subdomains: bool, pub secure_hsts_preload: bool, pub secure_content_type_nosniff: bool, pub secure_referrer_policy: Option<ReferrerPolicy>, pub secure_cross_origin_opener_policy: Option<CrossOriginOpenerPolicy>, pub secure_cross_origin_resource_policy: Option<CrossOriginResourcePolicy>, pub permissions_policy: Option<PermissionsPolicy>, pub content_security_policy: Option<Csp>, pub content_security_policy_report_only: Option<Csp>, pub x_frame_options: FrameOptions,
pub session_cookie_name: String, pub session_cookie_age: u64, pub session_cookie_domain: Option<String>, pub session_cookie_path: String, pub session_cookie_secure: bool, pub session_cookie_httponly: bool, pub session_cookie_samesite: SameSite, pub session_expire_at_browser_close: bool, pub session_save_every_request: bool, pub session_idle_age: Option<u64>, pub session_absolute_age: Option<u64>,
pub csrf_cookie_name: String, pub csrf_cookie_age: Option<u64>, pub csrf_cookie_domain: Option<String>, pub csrf_cookie_path: String, pub csrf_cookie_secure: bool, pub csrf_cookie_httponly: bool, pub csrf_cookie_samesite: SameSite, pub csrf_use_sessions: bool, pub csrf_header_name: String, pub csrf_trusted_origins: TrustedOrigins,
pub data_upload_max_memory_size: Option<usize>, pub data_upload_max_number_fields: Option<usize>, pub data_upload_max_number_files: Option<usize>, pub login_url: String, pub login_redirect_url: String, pub logout_redirect_url: String, pub password_min_length: usize }
#[derive(Clone, Debug)]
#[expect(missing_docs)]
pub struct ProxySslHeader { pub name: String, pub value: String }
#[expect(missing_docs)]
impl Settings { pub fn key_ring(&self) -> KeyRing { KeyRing::new(self.secret_key.clone()).with_fallbacks(self.secret_key_fallbacks.clone()) } pub fn for_development(key: impl Into<String>) -> Self { let _ = key; todo!() } }
