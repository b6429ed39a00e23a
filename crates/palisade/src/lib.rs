//! Django's security system for Rust services: tower layers, extractors and stores, in Django's own formats.
//!
//! [`Palisade::protect`] puts the whole stack around a finished [`Router`], in its one right order ([`stack`]); [`serve()`] takes
//! only what it returns. Handlers ask for what they need by extractors: [`session::Session`], [`auth::LoggedIn`],
//! [`csrf::CsrfToken`], [`headers::CspNonce`], [`form::Checked`]. Every layer also works alone, with plain tower.
//!
//! ```
//! use axum::routing::get;
//! use palisade::session::{MemorySessions, Session, SessionError};
//! use palisade::{Palisade, Policies, Router, SecretKey, Settings};
//!
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     let visits: u32 = session.update("visits", |visits: &mut u32| { *visits += 1; *visits }).await?;
//!     Ok(format!("visit number {visits}"))
//! }
//!
//! let settings = Settings::for_development(SecretKey::new("a key for this example only"));
//! let app = Palisade::new(settings)
//!     .with_sessions(MemorySessions::new())
//!     .protect(Router::new().route("/", get(visits).public()))?; // every route says who may reach it
//! # Ok::<(), palisade::stack::ProtectError>(())
//! ```
//!
//! # Features
//!
//! A feature adds a store on another machine, and changes nothing else: `postgres` adds `postgres`,
//! `session::PostgresSessions` and `auth::PostgresUsers`; `mysql` adds `mysql`, `session::MySqlSessions` and `auth::MySqlUsers`,
//! for MySQL and MariaDB; `s3` adds `media::S3`. Memory and [`sqlite`] are always there. `minijinja` adds `templates`.
//!
//! # Security
//!
//! Which threat is answered where, and what the answer does not stop, stands on each threat's page: [`core::Threat::page`].

#[cfg(test)]
extern crate self as palisade;

pub mod access;
pub mod auth;
pub mod certificate;
pub mod check;
pub mod clock;
mod cookies;
pub mod csrf;
mod endpoint;
pub mod errors;
pub mod form;
pub mod gate;
pub mod guard;
pub mod headers;
pub mod host;
pub mod html;
mod key_files;
pub mod load;
pub mod mail;
pub mod media;
#[cfg(feature = "mysql")]
pub mod mysql;
pub mod password;
mod peer;
#[cfg(feature = "postgres")]
pub mod postgres;
mod promise;
pub mod redact;
#[cfg(feature = "redis")]
pub mod redis;
pub mod rejection;
pub mod report;
pub mod router;
pub mod rows;
pub mod seal;
mod sent_file;
pub mod serve;
pub mod session;
pub mod sql;
pub mod sqlite;
pub mod stack;
#[cfg(feature = "minijinja")]
pub mod templates;
pub mod testing;
mod text_table;
pub mod throttle;
pub mod transport;
mod turn;

pub use axum;
pub use load::load_settings;
pub use palisade_core as core;
pub use palisade_core::{SecretKey, Sensitive, Settings};
pub use palisade_macros::{Form, ModelForm};
pub use rejection::Rejection;
pub use router::{Policies, Router};
pub use serve::serve;
pub use stack::{Palisade, Protected};

/// The examples of the README are compiled, too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// And those of the guide, a page each.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../docs/guide/start.md")]
    struct Start;
    #[doc = include_str!("../../../docs/guide/sessions.md")]
    struct Sessions;
    #[doc = include_str!("../../../docs/guide/csrf.md")]
    struct Csrf;
    #[doc = include_str!("../../../docs/guide/login.md")]
    struct Login;
    #[doc = include_str!("../../../docs/guide/password-reset.md")]
    struct PasswordReset;
    #[doc = include_str!("../../../docs/guide/second-factor.md")]
    struct SecondFactor;
    #[doc = include_str!("../../../docs/guide/throttling.md")]
    struct Throttling;
    #[doc = include_str!("../../../docs/guide/password-keys.md")]
    struct PasswordKeys;
    #[doc = include_str!("../../../docs/guide/forms.md")]
    struct Forms;
    #[doc = include_str!("../../../docs/guide/uploads.md")]
    struct Uploads;
    #[doc = include_str!("../../../docs/guide/downloads.md")]
    struct Downloads;
    #[doc = include_str!("../../../docs/guide/file-types.md")]
    struct FileTypes;
    #[cfg(feature = "s3")]
    #[doc = include_str!("../../../docs/guide/s3.md")]
    struct S3;
    #[doc = include_str!("../../../docs/guide/access.md")]
    struct Access;
    #[doc = include_str!("../../../docs/guide/links.md")]
    struct Links;
    #[doc = include_str!("../../../docs/guide/headers-and-frames.md")]
    struct HeadersAndFrames;
    #[doc = include_str!("../../../docs/guide/csp-reports.md")]
    struct CspReports;
    #[doc = include_str!("../../../docs/guide/rich-text.md")]
    struct RichText;
    #[doc = include_str!("../../../docs/guide/sql.md")]
    struct Sql;
    #[doc = include_str!("../../../docs/guide/serving.md")]
    struct Serving;
    #[doc = include_str!("../../../docs/guide/staff-area.md")]
    struct StaffArea;
    #[doc = include_str!("../../../docs/guide/beside-django.md")]
    struct BesideDjango;
    #[cfg(all(feature = "mysql", feature = "postgres"))]
    #[doc = include_str!("../../../docs/guide/stores.md")]
    struct Stores;
    #[doc = include_str!("../../../docs/guide/deploying.md")]
    struct Deploying;
    #[doc = include_str!("../../../docs/guide/sealed-sessions.md")]
    struct SealedSessions;
    #[doc = include_str!("../../../docs/guide/error-reports.md")]
    struct ErrorReports;
    #[doc = include_str!("../../../docs/guide/check.md")]
    struct Check;
    #[cfg(feature = "redis")]
    #[doc = include_str!("../../../docs/guide/redis-and-caches.md")]
    struct RedisAndCaches;
}
