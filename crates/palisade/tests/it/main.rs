//! The library as its users meet it: whole requests through the whole stack, and over real sockets and files.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says where"
)]

mod access;
mod accounts;
mod admin_emails;
mod attacks;
#[cfg(feature = "redis")]
mod cache_sessions;
#[cfg(feature = "redis")]
mod cached_db_attacks;
mod client;
mod client_certificates;
mod client_pki;
mod corpus_media;
mod corpus_reports;
mod corpus_scan;
#[cfg(feature = "minijinja")]
mod corpus_templates;
mod csp_reports;
mod csrf;
mod csrf_anonymous;
#[cfg(feature = "redis")]
mod csrf_anonymous_redis;
mod csrf_attacks;
mod csrf_bodies;
mod csrf_site;
mod defects;
mod delivery;
mod deploy_check;
mod django_dump_attacks;
mod ended_elsewhere;
mod error_reports;
mod faulty;
mod file_attacks;
mod file_sessions;
mod flaky;
mod form_compile;
mod form_html;
mod form_model;
mod form_uploads;
mod form_uploads_site;
mod gates;
mod headers;
mod html_browser;
mod kept;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod like;
mod links;
mod links_site;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod locked_sessions;
mod log;
mod login;
mod login_site;
mod mail;
#[cfg(feature = "s3")]
mod media_s3;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod mysql;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod mysql_attacks;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod mysql_rows;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod mysql_users;
mod pages;
mod password_key_attacks;
mod password_keys;
mod password_reset;
mod permissions;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod postgres;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod postgres_attacks;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod postgres_rows;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod postgres_users;
mod private_pages;
mod recent;
mod recovery_site;
#[cfg(feature = "redis")]
mod redis_attacks;
#[cfg(feature = "redis")]
mod redis_sessions;
#[cfg(feature = "redis")]
mod redis_tls;
mod routes;
mod rows;
mod rows_model;
mod rows_site;
mod sealed_sessions;
mod second_factor;
mod sent_files;
mod serve_http;
mod serve_lifecycle;
mod serve_limits;
mod serve_site;
mod serve_tls;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod servers;
mod session_limits;
mod session_site;
mod session_stores;
mod sessions;
mod signed_cookies;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod sql_servers;
mod stolen_sessions;
mod throttle;
mod throttle_site;
mod throttle_stores;
mod throttle_timing;
mod uploads;
mod user_stores;
mod user_table_attacks;
mod walk;
mod x_accel;
